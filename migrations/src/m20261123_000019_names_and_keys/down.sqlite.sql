DROP TRIGGER signing_key_no_update;
CREATE TRIGGER signing_key_no_update BEFORE UPDATE ON signing_key
BEGIN SELECT RAISE(ABORT, 'signing_key is append-only'); END;
DROP TABLE kept_key;
DROP TABLE former_tool_name;
DROP TABLE former_name;
