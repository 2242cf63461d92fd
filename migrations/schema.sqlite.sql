-- What all migrations together make; generated, and compared by a test.

CREATE TABLE account (
    id            BLOB    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,
    is_verified   INTEGER NOT NULL,
    is_suspended  INTEGER NOT NULL,
    password_hash TEXT,
    wallet        INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    -- sign-ins before this time are void (a new password was set)
    sessions_from_us INTEGER NOT NULL,
    created_us    INTEGER NOT NULL
) STRICT;

CREATE TABLE acknowledged_call (
    call         BLOB    NOT NULL PRIMARY KEY,
    publisher_id BLOB    NOT NULL REFERENCES publisher (id),
    created_us   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE TRIGGER approval_begins_waiting BEFORE INSERT ON approval WHEN NEW.state <> 'waiting'
BEGIN SELECT RAISE(ABORT, 'approval begins as waiting'); END;

CREATE TRIGGER approval_no_delete BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;

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

CREATE INDEX approval_unfinished ON approval (id) WHERE state = 'approved' AND outcome IS NULL;

CREATE INDEX approval_waiting ON approval (expires_us) WHERE state = 'waiting';

CREATE TABLE asset (
    id         TEXT    NOT NULL PRIMARY KEY,
    media_type TEXT    NOT NULL,
    bytes      BLOB    NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;

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

CREATE INDEX audit_actor ON audit (actor_id, recorded_us);

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

CREATE INDEX audit_object ON audit (object_id, recorded_us);

CREATE INDEX audit_time ON audit (recorded_us, slot, seq);

CREATE TABLE audit_head (
    slot    INTEGER NOT NULL PRIMARY KEY,
    seq     INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'audit_head stays'); END;

CREATE TABLE auditor_token (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    hint       TEXT    NOT NULL,
    digest     BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL CHECK (expires_us > created_us),
    revoked_us INTEGER
) STRICT;

CREATE TABLE batch (
    slot            INTEGER NOT NULL,
    batch_no        INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    first_seq       INTEGER NOT NULL,
    n_entry         INTEGER NOT NULL,
    n_posting       INTEGER NOT NULL,
    total           INTEGER NOT NULL,
    recorded_us     INTEGER NOT NULL,
    client_batch_id BLOB    NOT NULL,
    merkle_root     BLOB    NOT NULL,
    prev_hash       BLOB    NOT NULL,
    hash            BLOB    NOT NULL,
    PRIMARY KEY (slot, batch_no)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'batch is append-only'); END;

CREATE TRIGGER batch_no_update BEFORE UPDATE ON batch BEGIN SELECT RAISE(ABORT, 'batch is append-only'); END;

CREATE TABLE call_count (
    bucket_us INTEGER NOT NULL,
    outcome   INTEGER NOT NULL,
    calls     INTEGER NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (bucket_us, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE cap (
    id            BLOB    NOT NULL PRIMARY KEY,
    owner_id      BLOB    NOT NULL,
    owner_kind    INTEGER NOT NULL,
    window        INTEGER NOT NULL,
    limit_credits INTEGER NOT NULL CHECK (limit_credits >= 0),
    created_us    INTEGER NOT NULL, is_imposed INTEGER NOT NULL DEFAULT 1,
    UNIQUE (owner_id, owner_kind, window)
) STRICT;

CREATE TABLE cap_alert (
    id         BLOB NOT NULL PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partner (id),
    owner_id   BLOB NOT NULL,
    owner_kind INTEGER NOT NULL,
    window     INTEGER NOT NULL,
    percent    INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
    email      TEXT,
    created_us INTEGER NOT NULL
) STRICT;

CREATE INDEX cap_alert_owner ON cap_alert (owner_id);

CREATE INDEX cap_alert_partner ON cap_alert (partner_id, id);

CREATE TABLE cap_window (
    cap_id   BLOB    NOT NULL,
    start_us INTEGER NOT NULL,
    spent    INTEGER NOT NULL CHECK (spent >= 0),
    held     INTEGER NOT NULL CHECK (held >= 0),
    PRIMARY KEY (cap_id, start_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalog_change (
    -- Sixteen zero bytes stand for the core tools, which are in no namespace.
    namespace_id BLOB    NOT NULL PRIMARY KEY CHECK (length(namespace_id) = 16),
    version      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX catalog_change_version ON catalog_change (version);

CREATE TABLE chain_head (
    slot     INTEGER NOT NULL PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    batch_no INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    last_us  INTEGER NOT NULL,
    hash     BLOB    NOT NULL
, counted_seq INTEGER NOT NULL DEFAULT 0 CHECK (counted_seq >= 0 AND counted_seq <= seq)) STRICT;

CREATE TABLE chargeback (
    id          BLOB NOT NULL PRIMARY KEY,
    purchase_id BLOB NOT NULL REFERENCES purchase (id),
    credits     INTEGER NOT NULL CHECK (credits > 0),
    state       TEXT NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    opened_us   INTEGER NOT NULL,
    closing     BLOB CHECK ((closing IS NULL) = (state = 'open')),
    closed_us   INTEGER CHECK ((closed_us IS NULL) = (state = 'open'))
) STRICT;

CREATE TRIGGER chargeback_no_delete BEFORE DELETE ON chargeback
BEGIN SELECT RAISE(ABORT, 'chargeback is append-only'); END;

CREATE TRIGGER chargeback_no_update BEFORE UPDATE ON chargeback
WHEN NEW.id <> OLD.id OR NEW.purchase_id <> OLD.purchase_id OR NEW.credits <> OLD.credits
        OR NEW.opened_us <> OLD.opened_us OR OLD.state <> 'open' OR NEW.state = 'open'
BEGIN SELECT RAISE(ABORT, 'chargeback is append-only'); END;

CREATE UNIQUE INDEX chargeback_purchase ON chargeback (purchase_id) WHERE state <> 'won';

CREATE TABLE checkpoint (
    number    INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    body      BLOB    NOT NULL,
    signature BLOB    NOT NULL CHECK (length(signature) = 64)
) STRICT;

CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;

CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;

CREATE TABLE connection (
    id                BLOB    NOT NULL PRIMARY KEY,
    publisher_id      BLOB    NOT NULL REFERENCES publisher (id),
    label             TEXT    NOT NULL,
    kind              TEXT    NOT NULL CHECK (kind IN ('mcp', 'rest')),
    url               TEXT    NOT NULL,
    credential        BLOB,
    key_identifier    TEXT,
    param_location    TEXT    CHECK (param_location IN ('header', 'query')),
    param_description TEXT,
    created_us        INTEGER NOT NULL,
    changed_us        INTEGER NOT NULL
) STRICT;

CREATE TRIGGER connection_changed AFTER UPDATE ON connection BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT n.id, v.value + 1 FROM namespace n, version v
    WHERE n.publisher_id = NEW.publisher_id AND n.connection_id = NEW.id AND v.name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;

CREATE INDEX connection_publisher ON connection (publisher_id, id);

CREATE TABLE count_head (
    name    TEXT    NOT NULL PRIMARY KEY,
    reached INTEGER NOT NULL
) STRICT;

CREATE TABLE credit_grant (
    id         BLOB    NOT NULL PRIMARY KEY,
    account_id BLOB    NOT NULL REFERENCES account (id),
    credits    INTEGER NOT NULL CHECK (credits > 0),
    reason     TEXT    NOT NULL,
    key        TEXT    UNIQUE,
    created_us INTEGER NOT NULL
, expires_us INTEGER, priority INTEGER) STRICT;

CREATE INDEX credit_grant_account ON credit_grant (account_id);

CREATE TRIGGER credit_grant_no_delete BEFORE DELETE ON credit_grant
BEGIN SELECT RAISE(ABORT, 'credit_grant is append-only'); END;

CREATE TRIGGER credit_grant_no_update BEFORE UPDATE ON credit_grant
BEGIN SELECT RAISE(ABORT, 'credit_grant is append-only'); END;

CREATE TABLE end_user (
    id          BLOB    NOT NULL PRIMARY KEY,
    partner_id  BLOB    NOT NULL REFERENCES partner (id),
    external_id TEXT    NOT NULL,
    is_blocked  INTEGER NOT NULL,
    created_us  INTEGER NOT NULL, metadata TEXT, erased_us INTEGER,
    UNIQUE (partner_id, external_id)
) STRICT;

CREATE TABLE end_user_transfer (
    id          BLOB    NOT NULL PRIMARY KEY,
    end_user_id BLOB    NOT NULL REFERENCES end_user (id),
    credits     INTEGER NOT NULL CHECK (credits <> 0),
    created_us  INTEGER NOT NULL
) STRICT;

CREATE TABLE end_user_wallet (
    end_user_id BLOB    NOT NULL PRIMARY KEY REFERENCES end_user (id),
    partner_id  BLOB    NOT NULL REFERENCES partner (id),
    wallet      INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    created_us  INTEGER NOT NULL,
    ended_us    INTEGER
) STRICT;

CREATE INDEX end_user_wallet_ended ON end_user_wallet (end_user_id) WHERE ended_us IS NOT NULL;

CREATE INDEX end_user_wallet_partner ON end_user_wallet (partner_id);

CREATE TABLE erased_name (
    digest      BLOB    NOT NULL PRIMARY KEY,
    end_user_id BLOB    NOT NULL UNIQUE REFERENCES end_user (id),
    created_us  INTEGER NOT NULL
) STRICT;

CREATE TABLE flow_count (
    bucket_us INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    debited   INTEGER NOT NULL,
    credited  INTEGER NOT NULL,
    postings  INTEGER NOT NULL CHECK (postings >= 0),
    amount    INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (bucket_us, kind, debited, credited)
) STRICT, WITHOUT ROWID;

CREATE TABLE former_name (
    name         TEXT    NOT NULL PRIMARY KEY,
    namespace_id BLOB    NOT NULL REFERENCES namespace (id),
    publisher_id BLOB    NOT NULL REFERENCES publisher (id),
    given_up_us  INTEGER NOT NULL,
    free_us      INTEGER NOT NULL,
    was_public   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX former_name_publisher ON former_name (publisher_id, free_us);

CREATE TABLE former_tool_name (
    namespace_id BLOB    NOT NULL REFERENCES namespace (id),
    name         TEXT    NOT NULL,
    tool_id      BLOB    NOT NULL REFERENCES tool (id),
    given_up_us  INTEGER NOT NULL,
    free_us      INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (
    slot           INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    id             BLOB    NOT NULL UNIQUE,
    batch_no       INTEGER NOT NULL,
    wallet         INTEGER NOT NULL,
    payee          INTEGER NOT NULL CHECK (payee <> wallet),
    amount         INTEGER NOT NULL CHECK (amount >= 0),
    ttl_us         INTEGER NOT NULL CHECK (ttl_us >= 0),
    publisher_bps  INTEGER NOT NULL,
    partner_bps    INTEGER NOT NULL,
    partner        INTEGER,
    expiry_capture INTEGER,
    counters       BLOB    NOT NULL,
    meta_hash      BLOB,
    PRIMARY KEY (slot, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER hold_no_delete BEFORE DELETE ON hold BEGIN SELECT RAISE(ABORT, 'hold is append-only'); END;

CREATE TRIGGER hold_no_update BEFORE UPDATE ON hold BEGIN SELECT RAISE(ABORT, 'hold is append-only'); END;

CREATE TABLE hold_resolution (
    slot      INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    hold_id   BLOB    NOT NULL UNIQUE,
    id        BLOB    NOT NULL,
    batch_no  INTEGER NOT NULL,
    outcome   INTEGER NOT NULL,
    captured  INTEGER NOT NULL CHECK (captured >= 0),
    meta_hash BLOB,
    PRIMARY KEY (slot, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX hold_resolution_id ON hold_resolution (id) WHERE id <> hold_id;

CREATE TRIGGER hold_resolution_no_delete BEFORE DELETE ON hold_resolution BEGIN SELECT RAISE(ABORT, 'hold_resolution is append-only'); END;

CREATE TRIGGER hold_resolution_no_update BEFORE UPDATE ON hold_resolution BEGIN SELECT RAISE(ABORT, 'hold_resolution is append-only'); END;

CREATE TABLE hold_source (
    slot     INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    ord      INTEGER NOT NULL,
    grant_id BLOB    NOT NULL,
    account  INTEGER NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (slot, seq, ord)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER hold_source_no_delete BEFORE DELETE ON hold_source
BEGIN SELECT RAISE(ABORT, 'hold_source is append-only'); END;

CREATE TRIGGER hold_source_no_update BEFORE UPDATE ON hold_source
BEGIN SELECT RAISE(ABORT, 'hold_source is append-only'); END;

CREATE TABLE hot_balance (
    account_id INTEGER NOT NULL REFERENCES ledger_account (id),
    slot       INTEGER NOT NULL,
    credits    INTEGER NOT NULL CHECK (credits >= 0),
    debits     INTEGER NOT NULL CHECK (debits >= 0),
    version    INTEGER NOT NULL,
    PRIMARY KEY (account_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE idem (
    scope       BLOB    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    call        BLOB    NOT NULL,
    created_us  INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    status      INTEGER,
    UNIQUE (scope, key)
) STRICT;

CREATE TABLE idem_answer (
    call BLOB NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE import (
    item TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    imported_us INTEGER NOT NULL
) STRICT;

CREATE TABLE invocation (
    id               BLOB    NOT NULL PRIMARY KEY,
    surface          INTEGER NOT NULL,
    account_id       BLOB,
    token_id         BLOB,
    partner_id       BLOB,
    end_user_id      BLOB,
    tool_id          BLOB,
    price_id         BLOB,
    wallet           INTEGER,
    held             INTEGER NOT NULL,
    snapshot_version INTEGER NOT NULL,
    policy_version   TEXT    NOT NULL,
    denied_by        TEXT,
    key_scope        BLOB,
    key              TEXT,
    epoch            INTEGER NOT NULL,
    created_us       INTEGER NOT NULL,
    state            INTEGER NOT NULL,
    charged          INTEGER NOT NULL,
    shortfall        INTEGER NOT NULL,
    error            TEXT,
    warning          TEXT,
    ended_us         INTEGER,
    resolves_us      INTEGER
, requested TEXT, session_key TEXT, channel TEXT, channel_account TEXT, is_owner INTEGER, explanation TEXT, priced_units TEXT, returned_value TEXT) STRICT, WITHOUT ROWID;

CREATE INDEX invocation_warned ON invocation (tool_id, id) WHERE warning IS NOT NULL;

CREATE TABLE kept_key (
    name       TEXT    NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_account (
    id         INTEGER PRIMARY KEY,
    code       TEXT    NOT NULL UNIQUE,
    kind       INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    closed_us  INTEGER
) STRICT;

CREATE TABLE login_link (
    digest     BLOB    NOT NULL PRIMARY KEY,
    account_id BLOB    NOT NULL REFERENCES account (id),
    expires_us INTEGER NOT NULL,
    used_us    INTEGER
) STRICT;

CREATE TABLE mail (
    id         BLOB    NOT NULL PRIMARY KEY,
    recipient  TEXT    NOT NULL,
    template   TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    next_us    INTEGER NOT NULL,
    last_error TEXT,
    created_us INTEGER NOT NULL,
    sent_us    INTEGER
, object_kind TEXT, object_id TEXT, key TEXT, claimed_us INTEGER) STRICT;

CREATE INDEX mail_due ON mail (state, next_us);

CREATE UNIQUE INDEX mail_key ON mail (key) WHERE key IS NOT NULL;

CREATE INDEX mail_recipient ON mail (recipient, id);

CREATE INDEX mail_state ON mail (state, id);

CREATE INDEX mail_state_template ON mail (state, template, id);

CREATE INDEX mail_template ON mail (template, id);

CREATE TABLE movement (
    id         BLOB NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    credits    INTEGER,
    reason     TEXT NOT NULL,
    key        TEXT UNIQUE,
    created_us INTEGER NOT NULL
) STRICT;

CREATE TRIGGER movement_no_delete BEFORE DELETE ON movement
BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END;

CREATE TRIGGER movement_no_update BEFORE UPDATE ON movement
BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END;

CREATE INDEX movement_subject ON movement (subject);

CREATE TABLE namespace (
    id           BLOB    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,
    publisher_id BLOB    NOT NULL REFERENCES publisher (id),
    description  TEXT    NOT NULL,
    is_suspended INTEGER NOT NULL,
    created_us   INTEGER NOT NULL
, listing_name TEXT, category TEXT, tags TEXT NOT NULL DEFAULT '[]', connection_id BLOB, status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('draft', 'review', 'active')), is_own_suspension INTEGER NOT NULL DEFAULT 0, icon TEXT, readme_source_url TEXT, readme_content TEXT, draft_listing TEXT, credential BLOB, key_identifier TEXT, param_location TEXT CHECK (param_location IN ('header', 'query')), param_description TEXT) STRICT;

CREATE TRIGGER namespace_changed AFTER UPDATE ON namespace BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT NEW.id, value + 1 FROM version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;

CREATE TRIGGER namespace_made AFTER INSERT ON namespace BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT NEW.id, value + 1 FROM version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;

CREATE INDEX namespace_publisher ON namespace (publisher_id);

CREATE TRIGGER tool_document_listed_namespace AFTER UPDATE OF is_suspended, status ON namespace
BEGIN
    UPDATE tool_document SET
        is_listed = (SELECT t.visibility = 'public' AND NOT t.is_suspended FROM tool t WHERE t.id = tool_id)
                    AND NEW.status = 'active'
                    AND NOT (NEW.is_suspended OR (SELECT is_suspended FROM publisher WHERE id = NEW.publisher_id))
    WHERE namespace_id = NEW.id;
END;

CREATE TRIGGER tool_document_namespace AFTER UPDATE ON namespace
WHEN OLD.name <> NEW.name OR OLD.listing_name IS NOT NEW.listing_name OR OLD.category IS NOT NEW.category
    OR OLD.tags <> NEW.tags
BEGIN
    UPDATE tool_document SET category = coalesce((SELECT category FROM tool WHERE id = tool_id), NEW.category)
    WHERE namespace_id = NEW.id;
    REPLACE INTO tool_index (rowid, name, topics, short_description, long_description, category)
    SELECT number, name, topics, short_description, long_description, category
    FROM tool_text WHERE namespace_id = NEW.id;
    REPLACE INTO tool_name_index (rowid, name, category)
    SELECT number, name, category FROM tool_text WHERE namespace_id = NEW.id;
END;

CREATE TABLE open_call (
    id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE open_grant (
    account    INTEGER NOT NULL PRIMARY KEY,
    id         BLOB    NOT NULL,
    wallet     INTEGER NOT NULL,
    priority   INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;

CREATE INDEX open_grant_expires ON open_grant (expires_us, id);

CREATE INDEX open_grant_wallet ON open_grant (wallet);

CREATE TABLE open_hold (
    hold_id    BLOB    NOT NULL PRIMARY KEY,
    wallet     INTEGER NOT NULL,
    amount     INTEGER NOT NULL,
    expires_us INTEGER
) STRICT, WITHOUT ROWID;

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

CREATE TABLE operator_link (
    digest      BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    operator_id BLOB    NOT NULL REFERENCES operator (id),
    expires_us  INTEGER NOT NULL,
    used_us     INTEGER
) STRICT;

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

CREATE TABLE partner (
    id           BLOB    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,
    is_suspended INTEGER NOT NULL,
    margin_bps   INTEGER NOT NULL CHECK (margin_bps BETWEEN 0 AND 10000),
    wallet       INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    margin       INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    created_us   INTEGER NOT NULL
) STRICT;

CREATE TABLE partner_event (
    id         BLOB NOT NULL PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partner (id),
    kind       TEXT NOT NULL,
    key        TEXT NOT NULL UNIQUE,
    data       TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;

CREATE INDEX partner_event_partner ON partner_event (partner_id, id);

CREATE TABLE partner_funding (
    partner_id BLOB    NOT NULL PRIMARY KEY REFERENCES partner (id),
    created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE partner_usage (
    partner_id BLOB NOT NULL,
    kind       INTEGER NOT NULL,
    start_us   INTEGER NOT NULL,
    subject_id BLOB NOT NULL,
    calls      INTEGER NOT NULL,
    paid_calls INTEGER NOT NULL,
    charged    INTEGER NOT NULL,
    PRIMARY KEY (partner_id, kind, start_us, subject_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE payload (
    call            BLOB    NOT NULL PRIMARY KEY,
    arguments       BLOB    NOT NULL,
    arguments_bytes INTEGER NOT NULL CHECK (arguments_bytes >= 0),
    answer          BLOB,
    answer_bytes    INTEGER CHECK (answer_bytes >= 0),
    until_us        INTEGER NOT NULL, end_user_id BLOB,
    CHECK ((answer IS NULL) = (answer_bytes IS NULL))
) STRICT;

CREATE INDEX payload_end_user ON payload (end_user_id) WHERE end_user_id IS NOT NULL;

CREATE INDEX payload_until ON payload (until_us);

CREATE TABLE payout (
    txn_id  BLOB NOT NULL PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES ledger_account (id),
    credits INTEGER NOT NULL,
    debits  INTEGER NOT NULL,
    netted  INTEGER NOT NULL CHECK (netted >= 0),
    paid    INTEGER NOT NULL CHECK (paid >= 0),
    note    BLOB
) STRICT;

CREATE INDEX payout_account ON payout (account);

CREATE TRIGGER payout_no_delete BEFORE DELETE ON payout
BEGIN SELECT RAISE(ABORT, 'payout is append-only'); END;

CREATE TRIGGER payout_no_update BEFORE UPDATE ON payout
BEGIN SELECT RAISE(ABORT, 'payout is append-only'); END;

CREATE TABLE period_close (
    slot     INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    id       BLOB    NOT NULL UNIQUE,
    batch_no INTEGER NOT NULL,
    period   INTEGER NOT NULL UNIQUE CHECK (period > 0),
    start_us INTEGER NOT NULL,
    end_us   INTEGER NOT NULL CHECK (end_us > start_us),
    cut      BLOB    NOT NULL,
    digest   BLOB    NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (slot, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER period_close_no_delete BEFORE DELETE ON period_close
BEGIN SELECT RAISE(ABORT, 'period_close is append-only'); END;

CREATE TRIGGER period_close_no_update BEFORE UPDATE ON period_close
BEGIN SELECT RAISE(ABORT, 'period_close is append-only'); END;

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

CREATE TRIGGER policy_version_no_delete BEFORE DELETE ON policy_version
BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END;

CREATE TRIGGER policy_version_no_update BEFORE UPDATE ON policy_version
WHEN NEW.number <> OLD.number OR NEW.text <> OLD.text OR NEW.sha256 <> OLD.sha256 OR NEW.author <> OLD.author
    OR NEW.note <> OLD.note OR NEW.created_us <> OLD.created_us
    OR NOT (OLD.state = 'draft' AND NEW.state = 'published'
            OR OLD.state = 'published' AND NEW.state = 'retired' AND NEW.published_us = OLD.published_us
               AND NEW.replaces IS OLD.replaces)
BEGIN SELECT RAISE(ABORT, 'policy_version is append-only'); END;

CREATE UNIQUE INDEX policy_version_published ON policy_version (state) WHERE state = 'published';

CREATE TABLE posting (
    slot   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    ord    INTEGER NOT NULL,
    debit  INTEGER NOT NULL,
    credit INTEGER NOT NULL CHECK (credit <> debit),
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (slot, seq, ord)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;

CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;

CREATE TABLE price_cancellation (
    price_version_id BLOB    NOT NULL PRIMARY KEY REFERENCES price_version (id),
    cancelled_us     INTEGER NOT NULL
) STRICT;

CREATE TRIGGER price_cancellation_no_delete BEFORE DELETE ON price_cancellation
BEGIN SELECT RAISE(ABORT, 'price_cancellation is append-only'); END;

CREATE TRIGGER price_cancellation_no_update BEFORE UPDATE ON price_cancellation
BEGIN SELECT RAISE(ABORT, 'price_cancellation is append-only'); END;

CREATE TRIGGER price_cancelled AFTER INSERT ON price_cancellation BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT coalesce(t.namespace_id, zeroblob(16)), v.value + 1
    FROM price_version p JOIN tool t ON t.id = p.tool_id, version v
    WHERE p.id = NEW.price_version_id AND v.name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;

CREATE TABLE price_version (
    id                BLOB    NOT NULL PRIMARY KEY,
    tool_id           BLOB    NOT NULL REFERENCES tool (id),
    effective_from_us INTEGER NOT NULL,
    spec              TEXT    NOT NULL,
    created_us        INTEGER NOT NULL, key TEXT,
    UNIQUE (tool_id, effective_from_us)
) STRICT;

CREATE TRIGGER price_made AFTER INSERT ON price_version BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT coalesce(t.namespace_id, zeroblob(16)), v.value + 1 FROM tool t, version v
    WHERE t.id = NEW.tool_id AND v.name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;

CREATE UNIQUE INDEX price_version_key ON price_version (key) WHERE key IS NOT NULL;

CREATE TRIGGER price_version_no_update BEFORE UPDATE ON price_version
BEGIN SELECT RAISE(ABORT, 'price_version is append-only'); END;

CREATE TABLE publisher (
    id           BLOB    NOT NULL PRIMARY KEY,
    slug         TEXT    NOT NULL UNIQUE,
    display_name TEXT    NOT NULL,
    is_suspended INTEGER NOT NULL,
    share_bps    INTEGER NOT NULL CHECK (share_bps BETWEEN 0 AND 10000),
    payable      INTEGER NOT NULL UNIQUE REFERENCES ledger_account (id),
    created_us   INTEGER NOT NULL
, account_id BLOB, website_url TEXT, support_email TEXT, bio TEXT, legal_name TEXT, country TEXT, logo TEXT) STRICT;

CREATE UNIQUE INDEX publisher_account ON publisher (account_id) WHERE account_id IS NOT NULL;

CREATE TRIGGER publisher_changed AFTER UPDATE ON publisher BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT n.id, v.value + 1 FROM namespace n, version v WHERE n.publisher_id = NEW.id AND v.name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;

CREATE TRIGGER tool_document_listed_publisher AFTER UPDATE OF is_suspended ON publisher
BEGIN
    UPDATE tool_document SET
        is_listed = (SELECT t.visibility = 'public' AND NOT t.is_suspended FROM tool t WHERE t.id = tool_id)
                    AND (SELECT n.status = 'active' AND NOT n.is_suspended FROM namespace n WHERE n.id = namespace_id)
                    AND NOT NEW.is_suspended
    WHERE namespace_id IN (SELECT id FROM namespace WHERE publisher_id = NEW.id);
END;

CREATE TABLE purchase (
    id           BLOB    NOT NULL PRIMARY KEY,
    account_id   BLOB    NOT NULL REFERENCES account (id),
    credits      INTEGER NOT NULL CHECK (credits > 0),
    provider     TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    key          TEXT,
    created_us   INTEGER NOT NULL,
    confirmed_us INTEGER, failed_us INTEGER, failure TEXT,
    UNIQUE (account_id, key)
) STRICT;

CREATE INDEX purchase_account ON purchase (account_id, created_us);

CREATE TABLE refund_total (
    txn_id   BLOB NOT NULL PRIMARY KEY,
    captured INTEGER NOT NULL CHECK (captured > 0),
    refunded INTEGER NOT NULL CHECK (refunded >= 0),
    CHECK (refunded <= captured)
) STRICT;

CREATE TABLE refusal (
    slot     INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    id       BLOB    NOT NULL,
    batch_no INTEGER NOT NULL,
    wallet   INTEGER,
    reason   TEXT    NOT NULL,
    needed   INTEGER NOT NULL,
    PRIMARY KEY (slot, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER refusal_no_delete BEFORE DELETE ON refusal BEGIN SELECT RAISE(ABORT, 'refusal is append-only'); END;

CREATE TRIGGER refusal_no_update BEFORE UPDATE ON refusal BEGIN SELECT RAISE(ABORT, 'refusal is append-only'); END;

CREATE TABLE sales_day (
    publisher_id BLOB    NOT NULL,
    start_us     INTEGER NOT NULL,
    tool_id      BLOB    NOT NULL,
    calls        INTEGER NOT NULL,
    paid_calls   INTEGER NOT NULL,
    charged      INTEGER NOT NULL,
    PRIMARY KEY (publisher_id, start_us, tool_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_key (
    number     INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    public_key BLOB    NOT NULL CHECK (length(public_key) = 32),
    wrapped    BLOB    NOT NULL,
    from_us    INTEGER NOT NULL
) STRICT;

CREATE TRIGGER signing_key_no_delete BEFORE DELETE ON signing_key
BEGIN SELECT RAISE(ABORT, 'signing_key is append-only'); END;

CREATE TRIGGER signing_key_no_update BEFORE UPDATE ON signing_key
WHEN NEW.wrapped = OLD.wrapped OR NEW.number <> OLD.number OR NEW.public_key <> OLD.public_key
    OR NEW.from_us <> OLD.from_us
BEGIN SELECT RAISE(ABORT, 'signing_key is append-only'); END;

CREATE TABLE token (
    id         BLOB    NOT NULL PRIMARY KEY,
    account_id BLOB REFERENCES account (id),
    partner_id BLOB REFERENCES partner (id),
    name       TEXT    NOT NULL,
    hint       TEXT    NOT NULL,
    digest     BLOB    NOT NULL UNIQUE,
    created_us INTEGER NOT NULL,
    revoked_us INTEGER,
    CHECK ((account_id IS NULL) <> (partner_id IS NULL))
) STRICT;

CREATE INDEX token_account ON token (account_id) WHERE account_id IS NOT NULL;

CREATE INDEX token_partner ON token (partner_id) WHERE partner_id IS NOT NULL;

CREATE TABLE tool (
    id                BLOB    NOT NULL PRIMARY KEY,
    namespace_id      BLOB REFERENCES namespace (id),
    name              TEXT    NOT NULL,
    short_description TEXT    NOT NULL,
    long_description  TEXT    NOT NULL,
    input_schema      TEXT    NOT NULL,
    is_unverified_ok  INTEGER NOT NULL,
    is_suspended      INTEGER NOT NULL,
    upstream_method   TEXT    NOT NULL,
    upstream_url      TEXT    NOT NULL,
    timeout_ms        INTEGER NOT NULL CHECK (timeout_ms > 0),
    created_us        INTEGER NOT NULL
, category TEXT, tags TEXT NOT NULL DEFAULT '[]', upstream_tool TEXT, group_id BLOB, visibility TEXT NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'private')), example_prompts TEXT NOT NULL DEFAULT '[]', display_order INTEGER NOT NULL DEFAULT 0, rest TEXT, static_args TEXT, default_args TEXT, unit_fields TEXT, credits_per_unit TEXT) STRICT;

CREATE TRIGGER tool_changed AFTER UPDATE ON tool BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT coalesce(NEW.namespace_id, zeroblob(16)), value + 1 FROM version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;

CREATE TRIGGER tool_document_changed AFTER UPDATE ON tool WHEN NEW.namespace_id IS NOT NULL
BEGIN
    UPDATE tool_document SET
        category = coalesce(NEW.category, (SELECT category FROM namespace WHERE id = NEW.namespace_id)),
        is_listed = (SELECT NEW.visibility = 'public' AND n.status = 'active'
                         AND NOT (NEW.is_suspended OR n.is_suspended OR p.is_suspended)
                     FROM namespace n JOIN publisher p ON p.id = n.publisher_id WHERE n.id = NEW.namespace_id)
    WHERE tool_id = NEW.id;
    REPLACE INTO tool_index (rowid, name, topics, short_description, long_description, category)
    SELECT number, name, topics, short_description, long_description, category FROM tool_text WHERE tool_id = NEW.id;
    REPLACE INTO tool_name_index (rowid, name, category)
    SELECT number, name, category FROM tool_text WHERE tool_id = NEW.id;
END;

CREATE TRIGGER tool_document_new AFTER INSERT ON tool WHEN NEW.namespace_id IS NOT NULL
BEGIN
    INSERT INTO tool_document (tool_id, namespace_id, category, is_listed)
    SELECT NEW.id, n.id, coalesce(NEW.category, n.category),
           NEW.visibility = 'public' AND n.status = 'active'
               AND NOT (NEW.is_suspended OR n.is_suspended OR p.is_suspended)
    FROM namespace n JOIN publisher p ON p.id = n.publisher_id WHERE n.id = NEW.namespace_id;
    INSERT INTO tool_index (rowid, name, topics, short_description, long_description, category)
    SELECT number, name, topics, short_description, long_description, category FROM tool_text WHERE tool_id = NEW.id;
    INSERT INTO tool_name_index (rowid, name, category)
    SELECT number, name, category FROM tool_text WHERE tool_id = NEW.id;
END;

CREATE TRIGGER tool_made AFTER INSERT ON tool BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT coalesce(NEW.namespace_id, zeroblob(16)), value + 1 FROM version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;

CREATE UNIQUE INDEX tool_name ON tool (ifnull(namespace_id, x''), name);

CREATE INDEX tool_namespace ON tool (namespace_id, name);

CREATE TABLE tool_document (
    number       INTEGER NOT NULL PRIMARY KEY,
    tool_id      BLOB    NOT NULL UNIQUE REFERENCES tool (id),
    namespace_id BLOB    NOT NULL REFERENCES namespace (id),
    category     TEXT,
    is_listed    INTEGER NOT NULL
) STRICT;

CREATE INDEX tool_document_namespace ON tool_document (namespace_id);

CREATE TABLE tool_group (
    id           BLOB    NOT NULL PRIMARY KEY,
    namespace_id BLOB    NOT NULL REFERENCES namespace (id),
    name         TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    sort_order   INTEGER NOT NULL,
    is_default   INTEGER NOT NULL,
    pricing      TEXT    NOT NULL,
    created_us   INTEGER NOT NULL,
    UNIQUE (namespace_id, name)
) STRICT;

CREATE VIRTUAL TABLE tool_index USING fts5 (
    name, topics, short_description, long_description, category,
    content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 0'
);

CREATE VIRTUAL TABLE tool_name_index USING fts5 (
    name, category,
    content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 0'
);

CREATE VIEW tool_text AS
    SELECT d.number, d.namespace_id, t.id AS tool_id, t.name,
           concat_ws(' ', n.name, n.listing_name, n.category, n.tags, t.category, t.tags) AS topics,
           t.short_description, substr(t.long_description, 1, 2000) AS long_description,
           coalesce(t.category, n.category) AS category
    FROM tool_document d JOIN tool t ON t.id = d.tool_id JOIN namespace n ON n.id = d.namespace_id;

CREATE TABLE trial_balance (
    period  INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    account INTEGER NOT NULL,
    opening INTEGER NOT NULL,
    debits  INTEGER NOT NULL CHECK (debits >= 0),
    credits INTEGER NOT NULL CHECK (credits >= 0),
    closing INTEGER NOT NULL CHECK (closing = opening + credits - debits),
    PRIMARY KEY (period, kind, account)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER trial_balance_no_delete BEFORE DELETE ON trial_balance
BEGIN SELECT RAISE(ABORT, 'trial_balance is append-only'); END;

CREATE TRIGGER trial_balance_no_update BEFORE UPDATE ON trial_balance
BEGIN SELECT RAISE(ABORT, 'trial_balance is append-only'); END;

CREATE TABLE "txn" (
    slot         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    id           BLOB    NOT NULL,
    kind         INTEGER NOT NULL,
    batch_no     INTEGER NOT NULL,
    hold_id      BLOB,
    reverses     BLOB,
    effective_us INTEGER NOT NULL,
    meta_hash    BLOB,
    PRIMARY KEY (slot, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX txn_id ON txn (id) WHERE id IS NOT hold_id;

CREATE TRIGGER txn_no_delete BEFORE DELETE ON txn BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;

CREATE TRIGGER txn_no_update BEFORE UPDATE ON txn BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;

CREATE INDEX txn_reverses ON txn (reverses) WHERE reverses IS NOT NULL;

CREATE TABLE version (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

CREATE TABLE wallet_balance (
    account_id INTEGER PRIMARY KEY REFERENCES ledger_account (id),
    credits    INTEGER NOT NULL CHECK (credits >= 0),
    debits     INTEGER NOT NULL CHECK (debits >= 0),
    held       INTEGER NOT NULL CHECK (held >= 0),
    overdraft  INTEGER NOT NULL CHECK (overdraft >= 0),
    version    INTEGER NOT NULL,
    CHECK (credits - debits - held + overdraft >= 0)
) STRICT;

CREATE TABLE wallet_grant (
    slot       INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    id         BLOB    NOT NULL UNIQUE,
    batch_no   INTEGER NOT NULL,
    wallet     INTEGER NOT NULL,
    account    INTEGER NOT NULL UNIQUE CHECK (account <> wallet),
    priority   INTEGER NOT NULL CHECK (priority >= 0),
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (slot, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER wallet_grant_no_delete BEFORE DELETE ON wallet_grant
BEGIN SELECT RAISE(ABORT, 'wallet_grant is append-only'); END;

CREATE TRIGGER wallet_grant_no_update BEFORE UPDATE ON wallet_grant
BEGIN SELECT RAISE(ABORT, 'wallet_grant is append-only'); END;

CREATE TABLE webhook (
    id         BLOB NOT NULL PRIMARY KEY,
    partner_id BLOB NOT NULL REFERENCES partner (id),
    url        TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    removed_us INTEGER
) STRICT;

CREATE INDEX webhook_partner ON webhook (partner_id, id);

CREATE TABLE webhook_delivery (
    id         BLOB NOT NULL PRIMARY KEY,
    webhook_id BLOB NOT NULL REFERENCES webhook (id),
    event_id   BLOB NOT NULL REFERENCES partner_event (id),
    state      TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    next_us    INTEGER NOT NULL,
    last_error TEXT,
    created_us INTEGER NOT NULL,
    sent_us    INTEGER,
    UNIQUE (webhook_id, event_id)
) STRICT;

CREATE INDEX webhook_delivery_due ON webhook_delivery (state, next_us);

CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id, id);
