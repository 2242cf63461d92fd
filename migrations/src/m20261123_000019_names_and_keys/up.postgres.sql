-- Slugs that namespaces had before they were renamed: until `free_us` no other namespace gets them, so that who calls the old
-- name pays no stranger. One that was not in public its publisher gives to another draft.
CREATE TABLE former_name (
    name         text   NOT NULL PRIMARY KEY,
    namespace_id uuid   NOT NULL REFERENCES namespace (id),
    publisher_id uuid   NOT NULL REFERENCES publisher (id),
    given_up_us  bigint NOT NULL,
    free_us      bigint NOT NULL,
    was_public   boolean NOT NULL
);
CREATE INDEX former_name_publisher ON former_name (publisher_id, free_us);

-- Names that tools of a namespace in public had before they were renamed: until `free_us` no other tool of it in public gets
-- them.
CREATE TABLE former_tool_name (
    namespace_id uuid   NOT NULL REFERENCES namespace (id),
    name         text   NOT NULL,
    tool_id      uuid   NOT NULL REFERENCES tool (id),
    given_up_us  bigint NOT NULL,
    free_us      bigint NOT NULL,
    PRIMARY KEY (namespace_id, name)
);

-- Keys that were made from a master key and stay the same under every later one, by what they are for: sealed.
CREATE TABLE kept_key (
    name       text   NOT NULL PRIMARY KEY,
    sealed     bytea  NOT NULL,
    created_us bigint NOT NULL
);

-- The private part of a signing key follows the master key; nothing else of it ever changes.
DROP TRIGGER signing_key_no_change ON signing_key;
CREATE TRIGGER signing_key_no_change BEFORE UPDATE ON signing_key FOR EACH ROW
    WHEN (NEW.wrapped = OLD.wrapped OR NEW.number <> OLD.number OR NEW.public_key <> OLD.public_key
          OR NEW.from_us <> OLD.from_us)
    EXECUTE FUNCTION forbid_change();
CREATE TRIGGER signing_key_no_delete BEFORE DELETE ON signing_key FOR EACH ROW EXECUTE FUNCTION forbid_change();
