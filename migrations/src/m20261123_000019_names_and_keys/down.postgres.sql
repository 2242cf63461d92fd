DROP TRIGGER signing_key_no_delete ON signing_key;
DROP TRIGGER signing_key_no_change ON signing_key;
CREATE TRIGGER signing_key_no_change BEFORE UPDATE OR DELETE ON signing_key
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
DROP TABLE kept_key;
DROP TABLE former_tool_name;
DROP TABLE former_name;
