-- What calls carried, where the configuration asks for it: the beginnings of arguments and answers, sealed under a key from
-- the master key, and how long they were in bytes. A row goes when its time is over, and is found by that.
--
-- A table with row numbers, as rows may be large.
CREATE TABLE payload (
    call            BLOB    NOT NULL PRIMARY KEY,
    arguments       BLOB    NOT NULL,
    arguments_bytes INTEGER NOT NULL CHECK (arguments_bytes >= 0),
    answer          BLOB,
    answer_bytes    INTEGER CHECK (answer_bytes >= 0),
    until_us        INTEGER NOT NULL,
    CHECK ((answer IS NULL) = (answer_bytes IS NULL))
) STRICT;
CREATE INDEX payload_until ON payload (until_us);
