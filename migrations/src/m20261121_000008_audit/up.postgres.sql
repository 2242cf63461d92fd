-- The audit trail: one row for every change, sign-in and export. The rows of a slot are a hash chain: `hash` covers the row
-- and `prev_hash`, the hash of the row before. `before_json` and `after_json` hold no secrets. They are text and not
-- JSON of the database's own, because what was hashed must stay as it was written.
CREATE TABLE audit (
    slot        bigint NOT NULL,
    seq         bigint NOT NULL CHECK (seq > 0),
    recorded_us bigint NOT NULL,
    actor_kind  text   NOT NULL,
    actor_id    text   NOT NULL,
    method      text   NOT NULL,
    credential  text,
    action      text   NOT NULL,
    object_kind text   NOT NULL,
    object_id   text   NOT NULL,
    before_json text,
    after_json  text,
    reason      text,
    request_id  text,
    prev_hash   bytea  NOT NULL CHECK (length(prev_hash) = 32),
    hash        bytea  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (slot, seq)
);
CREATE INDEX audit_time ON audit (recorded_us, slot, seq);
CREATE INDEX audit_object ON audit (object_id, recorded_us);
CREATE INDEX audit_actor ON audit (actor_id, recorded_us);
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit EXECUTE FUNCTION forbid_change();

-- Where the trail of every writer's slot ends. A server writes in its own slot only, so none waits for another.
CREATE TABLE audit_head (
    slot    bigint NOT NULL PRIMARY KEY,
    seq     bigint NOT NULL,
    last_us bigint NOT NULL,
    hash    bytea  NOT NULL CHECK (length(hash) = 32)
);
INSERT INTO audit_head (slot, seq, last_us, hash) SELECT slot, 0, 0, decode(repeat('00', 32), 'hex') FROM chain_head;
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head EXECUTE FUNCTION forbid_change();

-- Who may read the books from outside: 256 random bits, shown once, stored as their SHA-256, good until a day.
CREATE TABLE auditor_token (
    id         uuid   NOT NULL PRIMARY KEY,
    name       text   NOT NULL,
    hint       text   NOT NULL,
    digest     bytea  NOT NULL UNIQUE CHECK (length(digest) = 32),
    created_us bigint NOT NULL,
    expires_us bigint NOT NULL CHECK (expires_us > created_us),
    revoked_us bigint
);

-- Price versions that were taken back before their time came.
CREATE TABLE price_cancellation (
    price_version_id uuid   NOT NULL PRIMARY KEY REFERENCES price_version (id),
    cancelled_us     bigint NOT NULL
);
CREATE TRIGGER price_cancellation_no_change BEFORE UPDATE OR DELETE ON price_cancellation
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER price_cancellation_no_truncate BEFORE TRUNCATE ON price_cancellation EXECUTE FUNCTION forbid_change();

-- Price versions that were made for later carry the key of the command, so that a repeated one makes no second.
ALTER TABLE price_version ADD COLUMN key text;
CREATE UNIQUE INDEX price_version_key ON price_version (key) WHERE key IS NOT NULL;
