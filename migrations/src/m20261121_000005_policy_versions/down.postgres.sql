ALTER TABLE invocation
    DROP COLUMN explanation,
    DROP COLUMN is_owner,
    DROP COLUMN channel_account,
    DROP COLUMN channel,
    DROP COLUMN session_key,
    DROP COLUMN requested;
DELETE FROM version WHERE name = 'policy';
DROP TABLE policy_version;
