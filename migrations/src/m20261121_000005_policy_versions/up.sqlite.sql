-- The policy's versions: the chain's document and the operators' Cedar policies as one text. A text never changes; a version
-- is a draft, then published, then retired, and at most one is published. `replaces` is what was in force before it.
CREATE TABLE policy_version (
    number       INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    text         TEXT    NOT NULL,
    sha256       BLOB    NOT NULL CHECK (length(sha256) = 32),
    author       TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    replaces     INTEGER REFERENCES policy_version (number),
    created_us   INTEGER NOT NULL,
    published_us INTEGER CHECK ((published_us IS NULL) = (state = 'draft')),
    retired_us   INTEGER CHECK ((retired_us IS NULL) = (state <> 'retired'))
) STRICT;
CREATE UNIQUE INDEX policy_version_published ON policy_version (state) WHERE state = 'published';
CREATE TRIGGER policy_version_no_update BEFORE UPDATE ON policy_version
WHEN NEW.number <> OLD.number OR NEW.text <> OLD.text OR NEW.sha256 <> OLD.sha256 OR NEW.author <> OLD.author
    OR NEW.note <> OLD.note OR NEW.created_us <> OLD.created_us
    OR NOT (OLD.state = 'draft' AND NEW.state = 'published'
            OR OLD.state = 'published' AND NEW.state = 'retired' AND NEW.published_us = OLD.published_us
               AND NEW.replaces IS OLD.replaces)
BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END;
CREATE TRIGGER policy_version_no_delete BEFORE DELETE ON policy_version
BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END;
INSERT INTO version (name, value) VALUES ('policy', 0);

-- What a decision on the gateway depended on beside accounts and tools: the tool as it was asked for, the session's key in
-- the letters of who asked, the channel and the account on it, and whether the caller owned the gateway. And, of a call
-- that was denied on either endpoint, the explanation as JSON.
ALTER TABLE invocation ADD COLUMN requested TEXT;
ALTER TABLE invocation ADD COLUMN session_key TEXT;
ALTER TABLE invocation ADD COLUMN channel TEXT;
ALTER TABLE invocation ADD COLUMN channel_account TEXT;
ALTER TABLE invocation ADD COLUMN is_owner INTEGER;
ALTER TABLE invocation ADD COLUMN explanation TEXT;
