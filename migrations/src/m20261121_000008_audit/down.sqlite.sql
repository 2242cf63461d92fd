DROP INDEX price_version_key;
ALTER TABLE price_version DROP COLUMN key;
DROP TABLE price_cancellation;
DROP TABLE auditor_token;
DROP TABLE audit_head;
DROP TABLE audit;
