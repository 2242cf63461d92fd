-- What calls carried, where the configuration asks for it: the beginnings of arguments and answers, sealed under a key from
-- the master key, and how long they were in bytes. A row goes when its time is over, and is found by that.
--
-- What is sealed cannot be made smaller, so the database is not asked to try.
CREATE TABLE payload (
    call            uuid   NOT NULL PRIMARY KEY,
    arguments       bytea  NOT NULL,
    arguments_bytes bigint NOT NULL CHECK (arguments_bytes >= 0),
    answer          bytea,
    answer_bytes    bigint CHECK (answer_bytes >= 0),
    until_us        bigint NOT NULL,
    CHECK ((answer IS NULL) = (answer_bytes IS NULL))
);
ALTER TABLE payload ALTER COLUMN arguments SET STORAGE EXTERNAL;
ALTER TABLE payload ALTER COLUMN answer SET STORAGE EXTERNAL;
CREATE INDEX payload_until ON payload (until_us);
