ALTER TABLE invocation DROP COLUMN explanation;
ALTER TABLE invocation DROP COLUMN is_owner;
ALTER TABLE invocation DROP COLUMN channel_account;
ALTER TABLE invocation DROP COLUMN channel;
ALTER TABLE invocation DROP COLUMN session_key;
ALTER TABLE invocation DROP COLUMN requested;
DELETE FROM version WHERE name = 'policy';
DROP TABLE policy_version;
