DROP INDEX payload_end_user;
ALTER TABLE payload DROP COLUMN end_user_id;
DROP TABLE webhook_delivery;
DROP TABLE webhook;
DROP TABLE partner_event;
DROP TABLE cap_alert;
DROP TABLE partner_usage;
ALTER TABLE end_user DROP COLUMN erased_us;
ALTER TABLE end_user DROP COLUMN metadata;
