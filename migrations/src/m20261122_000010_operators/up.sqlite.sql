-- Who may use the console. Addresses stand in small letters, roles as words with one blank between them. `factor` is the
-- secret of the second factor, readable only with the master key; `factor_step` is the last half minute whose code was used,
-- so that a code is good once.
CREATE TABLE operator (
    id            BLOB    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    roles         TEXT    NOT NULL,
    password_hash TEXT,
    factor        BLOB,
    factor_step   INTEGER NOT NULL DEFAULT -1,
    is_disabled   INTEGER NOT NULL,
    is_demo       INTEGER NOT NULL,
    created_us    INTEGER NOT NULL,
    signed_in_us  INTEGER
) STRICT;

-- Who is signed in to the console: 256 random bits, known to a browser, stored as their SHA-256. `fresh_us` is when a
-- password was last shown, `flash` what the next page says once. A row with `echo` is no session: it is the old secret of one
-- that got another when the password was shown, and lets the form with that digest in once more, for a minute.
CREATE TABLE operator_session (
    digest      BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    operator_id BLOB    NOT NULL REFERENCES operator (id),
    created_us  INTEGER NOT NULL,
    seen_us     INTEGER NOT NULL,
    fresh_us    INTEGER NOT NULL,
    address     TEXT    NOT NULL,
    user_agent  TEXT    NOT NULL,
    flash       TEXT,
    echo        BLOB
) STRICT;
CREATE INDEX operator_session_operator ON operator_session (operator_id);
CREATE INDEX operator_session_seen ON operator_session (seen_us);

-- Single-use links with which operators set a password; stored as a SHA-256.
CREATE TABLE operator_link (
    digest      BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    operator_id BLOB    NOT NULL REFERENCES operator (id),
    expires_us  INTEGER NOT NULL,
    used_us     INTEGER
) STRICT;

-- What one operator asks and another one decides. Whoever asks can withdraw it and never approve it. What was approved is
-- carried out afterwards, and `outcome` says what came of that.
CREATE TABLE approval (
    id          BLOB    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL,
    payload     TEXT    NOT NULL,
    amount      INTEGER,
    object_kind TEXT    NOT NULL,
    object_id   TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    key         TEXT    UNIQUE,
    author      BLOB    NOT NULL REFERENCES operator (id),
    created_us  INTEGER NOT NULL,
    expires_us  INTEGER NOT NULL,
    state       TEXT    NOT NULL
        CHECK (state IN ('waiting', 'approved', 'rejected', 'withdrawn', 'expired', 'failed')),
    decided_by  BLOB    REFERENCES operator (id),
    decided_us  INTEGER CHECK ((decided_us IS NULL) = (state = 'waiting')),
    note        TEXT,
    outcome     TEXT    CHECK (outcome IS NULL OR state IN ('approved', 'failed')),
    CHECK (expires_us > created_us),
    CHECK ((decided_by IS NULL) = (state IN ('waiting', 'expired'))),
    CHECK (decided_by IS NULL OR (decided_by = author) = (state = 'withdrawn'))
) STRICT;
CREATE INDEX approval_waiting ON approval (expires_us) WHERE state = 'waiting';
CREATE INDEX approval_unfinished ON approval (id) WHERE state = 'approved' AND outcome IS NULL;
CREATE TRIGGER approval_no_update BEFORE UPDATE ON approval
WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.payload <> OLD.payload OR NEW.amount IS NOT OLD.amount
    OR NEW.object_kind <> OLD.object_kind OR NEW.object_id <> OLD.object_id OR NEW.reason <> OLD.reason
    OR NEW.key IS NOT OLD.key OR NEW.author <> OLD.author OR NEW.created_us <> OLD.created_us
    OR NEW.expires_us <> OLD.expires_us
    OR NOT (OLD.state = 'waiting' AND NEW.state IN ('approved', 'rejected', 'withdrawn', 'expired')
                AND NEW.outcome IS NULL
            OR OLD.state = 'approved' AND OLD.outcome IS NULL AND NEW.state IN ('approved', 'failed')
                AND NEW.outcome IS NOT NULL AND NEW.decided_by = OLD.decided_by AND NEW.decided_us = OLD.decided_us
                AND NEW.note IS OLD.note)
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;
CREATE TRIGGER approval_no_delete BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;
CREATE TRIGGER approval_begins_waiting BEFORE INSERT ON approval WHEN NEW.state <> 'waiting'
BEGIN SELECT RAISE(ABORT, 'approval begins as waiting'); END;

-- Rises with every change of an owner: of two such changes at the same moment the second one sees the first.
INSERT INTO version (name, value) VALUES ('owners', 0);

-- Rises with every movement of money that an operator makes without another one's approval: of two at the same moment the
-- second one is added up again.
INSERT INTO version (name, value) VALUES ('moved', 0);
