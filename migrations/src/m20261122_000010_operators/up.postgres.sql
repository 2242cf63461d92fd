-- Who may use the console. Addresses stand in small letters, roles as words with one blank between them. `factor` is the
-- secret of the second factor, readable only with the master key; `factor_step` is the last half minute whose code was used,
-- so that a code is good once.
CREATE TABLE operator (
    id            uuid    NOT NULL PRIMARY KEY,
    email         text    NOT NULL UNIQUE,
    name          text    NOT NULL,
    roles         text    NOT NULL,
    password_hash text,
    factor        bytea,
    factor_step   bigint  NOT NULL DEFAULT -1,
    is_disabled   boolean NOT NULL,
    is_demo       boolean NOT NULL,
    created_us    bigint  NOT NULL,
    signed_in_us  bigint
);

-- Who is signed in to the console: 256 random bits, known to a browser, stored as their SHA-256. `fresh_us` is when a
-- password was last shown, `flash` what the next page says once. A row with `echo` is no session: it is the old secret of one
-- that got another when the password was shown, and lets the form with that digest in once more, for a minute.
CREATE TABLE operator_session (
    digest      bytea  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    operator_id uuid   NOT NULL REFERENCES operator (id),
    created_us  bigint NOT NULL,
    seen_us     bigint NOT NULL,
    fresh_us    bigint NOT NULL,
    address     text   NOT NULL,
    user_agent  text   NOT NULL,
    flash       text,
    echo        bytea
);
CREATE INDEX operator_session_operator ON operator_session (operator_id);
CREATE INDEX operator_session_seen ON operator_session (seen_us);

-- Single-use links with which operators set a password; stored as a SHA-256.
CREATE TABLE operator_link (
    digest      bytea  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    operator_id uuid   NOT NULL REFERENCES operator (id),
    expires_us  bigint NOT NULL,
    used_us     bigint
);

-- What one operator asks and another one decides. Whoever asks can withdraw it and never approve it. What was approved is
-- carried out afterwards, and `outcome` says what came of that. Both are text and not JSON of the database's own, because
-- what was approved must stay as it was written.
CREATE TABLE approval (
    id          uuid   NOT NULL PRIMARY KEY,
    kind        text   NOT NULL,
    payload     text   NOT NULL,
    amount      bigint,
    object_kind text   NOT NULL,
    object_id   text   NOT NULL,
    reason      text   NOT NULL,
    key         text   UNIQUE,
    author      uuid   NOT NULL REFERENCES operator (id),
    created_us  bigint NOT NULL,
    expires_us  bigint NOT NULL,
    state       text   NOT NULL CHECK (state IN ('waiting', 'approved', 'rejected', 'withdrawn', 'expired', 'failed')),
    decided_by  uuid   REFERENCES operator (id),
    decided_us  bigint,
    note        text,
    outcome     text,
    CONSTRAINT approval_time CHECK (expires_us > created_us),
    CONSTRAINT approval_decided_us CHECK ((decided_us IS NULL) = (state = 'waiting')),
    CONSTRAINT approval_outcome CHECK (outcome IS NULL OR state IN ('approved', 'failed')),
    CONSTRAINT approval_decided_by CHECK ((decided_by IS NULL) = (state IN ('waiting', 'expired'))),
    CONSTRAINT approval_four_eyes CHECK (decided_by IS NULL OR (decided_by = author) = (state = 'withdrawn'))
);
CREATE INDEX approval_waiting ON approval (expires_us) WHERE state = 'waiting';
CREATE INDEX approval_unfinished ON approval (id) WHERE state = 'approved' AND outcome IS NULL;
CREATE TRIGGER approval_no_update BEFORE UPDATE ON approval FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.payload <> OLD.payload OR NEW.amount IS DISTINCT FROM OLD.amount
          OR NEW.object_kind <> OLD.object_kind OR NEW.object_id <> OLD.object_id OR NEW.reason <> OLD.reason
          OR NEW.key IS DISTINCT FROM OLD.key OR NEW.author <> OLD.author OR NEW.created_us <> OLD.created_us
          OR NEW.expires_us <> OLD.expires_us
          OR NOT (OLD.state = 'waiting' AND NEW.state IN ('approved', 'rejected', 'withdrawn', 'expired')
                      AND NEW.outcome IS NULL
                  OR OLD.state = 'approved' AND OLD.outcome IS NULL AND NEW.state IN ('approved', 'failed')
                      AND NEW.outcome IS NOT NULL AND NEW.decided_by = OLD.decided_by AND NEW.decided_us = OLD.decided_us
                      AND NEW.note IS NOT DISTINCT FROM OLD.note))
    EXECUTE FUNCTION forbid_change();
CREATE TRIGGER approval_no_delete BEFORE DELETE ON approval FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER approval_no_truncate BEFORE TRUNCATE ON approval EXECUTE FUNCTION forbid_change();
CREATE TRIGGER approval_begins_waiting BEFORE INSERT ON approval FOR EACH ROW WHEN (NEW.state <> 'waiting')
    EXECUTE FUNCTION forbid_change();

-- Rises with every change of an owner: of two such changes at the same moment the second one sees the first.
INSERT INTO version (name, value) VALUES ('owners', 0);

-- Rises with every movement of money that an operator makes without another one's approval: of two at the same moment the
-- second one is added up again.
INSERT INTO version (name, value) VALUES ('moved', 0);
