-- The audit trail: one row for every change, sign-in and export. The rows of a slot are a hash chain: `hash` covers the row
-- and `prev_hash`, the hash of the row before. `before_json` and `after_json` hold no secrets.
CREATE TABLE audit (
    slot        INTEGER NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq > 0),
    recorded_us INTEGER NOT NULL,
    actor_kind  TEXT    NOT NULL,
    actor_id    TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    credential  TEXT,
    action      TEXT    NOT NULL,
    object_kind TEXT    NOT NULL,
    object_id   TEXT    NOT NULL,
    before_json TEXT,
    after_json  TEXT,
    reason      TEXT,
    request_id  TEXT,
    prev_hash   BLOB    NOT NULL CHECK (length(prev_hash) = 32),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (slot, seq)
) STRICT;
CREATE INDEX audit_time ON audit (recorded_us, slot, seq);
CREATE INDEX audit_object ON audit (object_id, recorded_us);
CREATE INDEX audit_actor ON audit (actor_id, recorded_us);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

-- Where the trail of every writer's slot ends.
CREATE TABLE audit_head (
    slot    INTEGER NOT NULL PRIMARY KEY,
    seq     INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO audit_head (slot, seq, last_us, hash) SELECT slot, 0, 0, zeroblob(32) FROM chain_head;
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'audit_head stays'); END;

-- Who may read the books from outside: 256 random bits, shown once, stored as their SHA-256, good until a day.
CREATE TABLE auditor_token (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    hint       TEXT    NOT NULL,
    digest     BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL CHECK (expires_us > created_us),
    revoked_us INTEGER
) STRICT;

-- Price versions that were taken back before their time came.
CREATE TABLE price_cancellation (
    price_version_id BLOB    NOT NULL PRIMARY KEY REFERENCES price_version (id),
    cancelled_us     INTEGER NOT NULL
) STRICT;
CREATE TRIGGER price_cancellation_no_update BEFORE UPDATE ON price_cancellation
BEGIN SELECT RAISE(ABORT, 'price_cancellation is append-only'); END;
CREATE TRIGGER price_cancellation_no_delete BEFORE DELETE ON price_cancellation
BEGIN SELECT RAISE(ABORT, 'price_cancellation is append-only'); END;

-- Price versions that were made for later carry the key of the command, so that a repeated one makes no second.
ALTER TABLE price_version ADD COLUMN key TEXT;
CREATE UNIQUE INDEX price_version_key ON price_version (key) WHERE key IS NOT NULL;
