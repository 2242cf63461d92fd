-- Slugs that namespaces had before they were renamed: until `free_us` no other namespace gets them, so that who calls the old
-- name pays no stranger. One that was not in public its publisher gives to another draft.
CREATE TABLE former_name (
    name         TEXT    NOT NULL PRIMARY KEY,
    namespace_id BLOB    NOT NULL REFERENCES namespace (id),
    publisher_id BLOB    NOT NULL REFERENCES publisher (id),
    given_up_us  INTEGER NOT NULL,
    free_us      INTEGER NOT NULL,
    was_public   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX former_name_publisher ON former_name (publisher_id, free_us);

-- Names that tools of a namespace in public had before they were renamed: until `free_us` no other tool of it in public gets
-- them.
CREATE TABLE former_tool_name (
    namespace_id BLOB    NOT NULL REFERENCES namespace (id),
    name         TEXT    NOT NULL,
    tool_id      BLOB    NOT NULL REFERENCES tool (id),
    given_up_us  INTEGER NOT NULL,
    free_us      INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, name)
) STRICT, WITHOUT ROWID;

-- Keys that were made from a master key and stay the same under every later one, by what they are for: sealed.
CREATE TABLE kept_key (
    name       TEXT    NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The private part of a signing key follows the master key; nothing else of it ever changes.
DROP TRIGGER signing_key_no_update;
CREATE TRIGGER signing_key_no_update BEFORE UPDATE ON signing_key
WHEN NEW.wrapped = OLD.wrapped OR NEW.number <> OLD.number OR NEW.public_key <> OLD.public_key
    OR NEW.from_us <> OLD.from_us
BEGIN SELECT RAISE(ABORT, 'signing_key is append-only'); END;
