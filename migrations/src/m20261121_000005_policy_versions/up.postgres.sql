-- The policy's versions: the chain's document and the operators' Cedar policies as one text. A text never changes; a version
-- is a draft, then published, then retired, and at most one is published. `replaces` is what was in force before it.
CREATE TABLE policy_version (
    number       bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    text         text   NOT NULL,
    sha256       bytea  NOT NULL CHECK (length(sha256) = 32),
    author       text   NOT NULL,
    note         text   NOT NULL,
    state        text   NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    replaces     bigint REFERENCES policy_version (number),
    created_us   bigint NOT NULL,
    published_us bigint CHECK ((published_us IS NULL) = (state = 'draft')),
    retired_us   bigint CHECK ((retired_us IS NULL) = (state <> 'retired'))
);
CREATE UNIQUE INDEX policy_version_published ON policy_version (state) WHERE state = 'published';
CREATE TRIGGER policy_version_no_update BEFORE UPDATE ON policy_version FOR EACH ROW
    WHEN (NEW.number <> OLD.number OR NEW.text <> OLD.text OR NEW.sha256 <> OLD.sha256 OR NEW.author <> OLD.author
          OR NEW.note <> OLD.note OR NEW.created_us <> OLD.created_us
          OR NOT (OLD.state = 'draft' AND NEW.state = 'published'
                  OR OLD.state = 'published' AND NEW.state = 'retired' AND NEW.published_us = OLD.published_us
                     AND NEW.replaces IS NOT DISTINCT FROM OLD.replaces))
    EXECUTE FUNCTION forbid_change();
CREATE TRIGGER policy_version_no_delete BEFORE DELETE ON policy_version FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER policy_version_no_truncate BEFORE TRUNCATE ON policy_version EXECUTE FUNCTION forbid_change();
INSERT INTO version (name, value) VALUES ('policy', 0);

-- What a decision on the gateway depended on beside accounts and tools: the tool as it was asked for, the session's key in
-- the letters of who asked, the channel and the account on it, and whether the caller owned the gateway. And, of a call
-- that was denied on either endpoint, the explanation as JSON.
ALTER TABLE invocation
    ADD COLUMN requested text,
    ADD COLUMN session_key text,
    ADD COLUMN channel text,
    ADD COLUMN channel_account text,
    ADD COLUMN is_owner boolean,
    ADD COLUMN explanation text;
