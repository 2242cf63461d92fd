-- The keys that sign checkpoints. `wrapped` is the private part, readable only with the master key. A key signs from
-- `from_us` until the next one does.
CREATE TABLE signing_key (
    number     bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    public_key bytea  NOT NULL CHECK (length(public_key) = 32),
    wrapped    bytea  NOT NULL,
    from_us    bigint NOT NULL
);
CREATE TRIGGER signing_key_no_change BEFORE UPDATE OR DELETE ON signing_key
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER signing_key_no_truncate BEFORE TRUNCATE ON signing_key EXECUTE FUNCTION forbid_change();

-- Signed statements of what all chains had come to. `body` is what was signed, byte for byte.
CREATE TABLE checkpoint (
    number    bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    body      bytea  NOT NULL,
    signature bytea  NOT NULL CHECK (length(signature) = 64)
);
CREATE TRIGGER checkpoint_no_change BEFORE UPDATE OR DELETE ON checkpoint
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON checkpoint EXECUTE FUNCTION forbid_change();

-- Rows that decide over money are stated in the books. 1: those from before there were statements have been, too.
INSERT INTO version (name, value) VALUES ('facts', 0);
