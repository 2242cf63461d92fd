-- The ledger. All amounts are micro-credits, all times microseconds since the Unix epoch.

CREATE TABLE ledger_account (
    id         INTEGER PRIMARY KEY,
    code       TEXT    NOT NULL UNIQUE,
    kind       INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    closed_us  INTEGER
) STRICT;

INSERT INTO ledger_account (id, code, kind, created_us) VALUES
    (1, 'revenue:platform:fee', 4, 0),
    (2, 'expenses:promo', 5, 0),
    (3, 'equity:opening', 9, 0),
    (4, 'expenses:loss:unbilled', 8, 0),
    (5, 'assets:clearing:manual', 6, 0),
    (6, 'assets:clearing:demo', 6, 0);

-- One row for every limited account. The check is a backstop: the writer refuses before.
CREATE TABLE wallet_balance (
    account_id INTEGER PRIMARY KEY REFERENCES ledger_account (id),
    credits    INTEGER NOT NULL CHECK (credits >= 0),
    debits     INTEGER NOT NULL CHECK (debits >= 0),
    held       INTEGER NOT NULL CHECK (held >= 0),
    overdraft  INTEGER NOT NULL CHECK (overdraft >= 0),
    version    INTEGER NOT NULL,
    CHECK (credits - debits - held + overdraft >= 0)
) STRICT;

-- Unlimited accounts: one row for every writer's slot, the balance is the sum.
CREATE TABLE hot_balance (
    account_id INTEGER NOT NULL REFERENCES ledger_account (id),
    slot       INTEGER NOT NULL,
    credits    INTEGER NOT NULL CHECK (credits >= 0),
    debits     INTEGER NOT NULL CHECK (debits >= 0),
    version    INTEGER NOT NULL,
    PRIMARY KEY (account_id, slot)
) STRICT, WITHOUT ROWID;

-- The books: appended, never changed.

CREATE TABLE txn (
    slot         INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    id           BLOB    NOT NULL UNIQUE,
    kind         INTEGER NOT NULL,
    batch_no     INTEGER NOT NULL,
    hold_id      BLOB,
    reverses     BLOB,
    effective_us INTEGER NOT NULL,
    meta_hash    BLOB,
    PRIMARY KEY (slot, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX txn_reverses ON txn (reverses) WHERE reverses IS NOT NULL;

CREATE TABLE posting (
    slot   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    ord    INTEGER NOT NULL,
    debit  INTEGER NOT NULL,
    credit INTEGER NOT NULL CHECK (credit <> debit),
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (slot, seq, ord)
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

-- A hold ends at most once: the unique column says so.
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

-- Working state: may be derived again from the books.

CREATE TABLE open_hold (
    hold_id    BLOB    NOT NULL PRIMARY KEY,
    wallet     INTEGER NOT NULL,
    amount     INTEGER NOT NULL,
    expires_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE cap_window (
    cap_id   BLOB    NOT NULL,
    start_us INTEGER NOT NULL,
    spent    INTEGER NOT NULL CHECK (spent >= 0),
    held     INTEGER NOT NULL CHECK (held >= 0),
    PRIMARY KEY (cap_id, start_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_head (
    slot     INTEGER NOT NULL PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    batch_no INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    last_us  INTEGER NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;
INSERT INTO chain_head (slot, epoch, batch_no, seq, last_us, hash) VALUES (0, 0, 0, 0, 0, zeroblob(32));

-- One row for every idempotency key of the last day; state 1 running, 2 finished, 3 unknown. In the order of their
-- coming, so that the long answers of one batch lie together; only the narrow index is written all over.
CREATE TABLE idem (
    scope       BLOB    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    call        BLOB    NOT NULL,
    created_us  INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    status      INTEGER,
    body        TEXT,
    UNIQUE (scope, key)
) STRICT;
CREATE INDEX idem_created ON idem (created_us);

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
) STRICT, WITHOUT ROWID;
-- Calls that have not ended: what a restart must look at.
CREATE INDEX invocation_open ON invocation (state, id) WHERE state IN (1, 2);

-- Append-only, also against REPLACE (every connection sets recursive_triggers).
CREATE TRIGGER txn_no_update BEFORE UPDATE ON txn BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;
CREATE TRIGGER txn_no_delete BEFORE DELETE ON txn BEGIN SELECT RAISE(ABORT, 'txn is append-only'); END;
CREATE TRIGGER posting_no_update BEFORE UPDATE ON posting BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;
CREATE TRIGGER posting_no_delete BEFORE DELETE ON posting BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;
CREATE TRIGGER hold_no_update BEFORE UPDATE ON hold BEGIN SELECT RAISE(ABORT, 'hold is append-only'); END;
CREATE TRIGGER hold_no_delete BEFORE DELETE ON hold BEGIN SELECT RAISE(ABORT, 'hold is append-only'); END;
CREATE TRIGGER hold_resolution_no_update BEFORE UPDATE ON hold_resolution BEGIN SELECT RAISE(ABORT, 'hold_resolution is append-only'); END;
CREATE TRIGGER hold_resolution_no_delete BEFORE DELETE ON hold_resolution BEGIN SELECT RAISE(ABORT, 'hold_resolution is append-only'); END;
CREATE TRIGGER refusal_no_update BEFORE UPDATE ON refusal BEGIN SELECT RAISE(ABORT, 'refusal is append-only'); END;
CREATE TRIGGER refusal_no_delete BEFORE DELETE ON refusal BEGIN SELECT RAISE(ABORT, 'refusal is append-only'); END;
CREATE TRIGGER batch_no_update BEFORE UPDATE ON batch BEGIN SELECT RAISE(ABORT, 'batch is append-only'); END;
CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'batch is append-only'); END;
