-- The keys that sign checkpoints. `wrapped` is the private part, readable only with the master key. A key signs from
-- `from_us` until the next one does.
CREATE TABLE signing_key (
    number     INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    public_key BLOB    NOT NULL CHECK (length(public_key) = 32),
    wrapped    BLOB    NOT NULL,
    from_us    INTEGER NOT NULL
) STRICT;
CREATE TRIGGER signing_key_no_update BEFORE UPDATE ON signing_key
BEGIN SELECT RAISE(ABORT, 'signing_key is append-only'); END;
CREATE TRIGGER signing_key_no_delete BEFORE DELETE ON signing_key
BEGIN SELECT RAISE(ABORT, 'signing_key is append-only'); END;

-- Signed statements of what all chains had come to. `body` is what was signed, byte for byte.
CREATE TABLE checkpoint (
    number    INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    body      BLOB    NOT NULL,
    signature BLOB    NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;

-- Rows that decide over money are stated in the books. 1: those from before there were statements have been, too.
INSERT INTO version (name, value) VALUES ('facts', 0);
