-- The ledger. All amounts are micro-credits, all times microseconds since the Unix epoch.
--
-- On PostgreSQL the history begins here: these are the tables as m20261121_000004 leaves them.
--
-- Rows that change all the time get room on their page and no index of a column that changes, so that a new version
-- stays beside the old one (a HOT update) and the next visitor clears the old ones away. Where rows come and go, the
-- table is vacuumed by count and not by share, and never cut shorter: cutting locks everybody out.

CREATE TABLE ledger_account (
    id         bigint   PRIMARY KEY,
    code       text     NOT NULL UNIQUE,
    kind       smallint NOT NULL,
    created_us bigint   NOT NULL,
    closed_us  bigint
);

INSERT INTO ledger_account (id, code, kind, created_us) VALUES
    (1, 'revenue:platform:fee', 4, 0),
    (2, 'expenses:promo', 5, 0),
    (3, 'equity:opening', 9, 0),
    (4, 'expenses:loss:unbilled', 8, 0),
    (5, 'assets:clearing:manual', 6, 0),
    (6, 'assets:clearing:demo', 6, 0);

-- One row for every limited account. The check is a backstop: the writer refuses before. No foreign key: PostgreSQL
-- looks at it with every change of the row, and the writer has seen the account.
CREATE TABLE wallet_balance (
    account_id bigint PRIMARY KEY,
    credits    bigint NOT NULL CHECK (credits >= 0),
    debits     bigint NOT NULL CHECK (debits >= 0),
    held       bigint NOT NULL CHECK (held >= 0),
    overdraft  bigint NOT NULL CHECK (overdraft >= 0),
    version    bigint NOT NULL,
    CHECK (credits - debits - held + overdraft >= 0)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Unlimited accounts: one row for every writer's slot, the balance is the sum.
CREATE TABLE hot_balance (
    account_id bigint NOT NULL,
    slot       bigint NOT NULL,
    credits    bigint NOT NULL CHECK (credits >= 0),
    debits     bigint NOT NULL CHECK (debits >= 0),
    version    bigint NOT NULL,
    PRIMARY KEY (account_id, slot)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- The books: appended, never changed. They refer to accounts without foreign keys: the check of one would look up and
-- lock the row of an account that every call pays. The writer has seen the accounts, and the verifier sees them again.

-- The charge of a call has the identifier of its hold, which `hold_resolution` keeps unique: only the other
-- transactions are in the index of identifiers.
CREATE TABLE txn (
    slot         bigint   NOT NULL,
    seq          bigint   NOT NULL,
    id           uuid     NOT NULL,
    kind         smallint NOT NULL,
    batch_no     bigint   NOT NULL,
    hold_id      uuid,
    reverses     uuid,
    effective_us bigint   NOT NULL,
    meta_hash    bytea,
    PRIMARY KEY (slot, seq)
);
CREATE UNIQUE INDEX txn_id ON txn (id) WHERE id IS DISTINCT FROM hold_id;
CREATE INDEX txn_reverses ON txn (reverses) WHERE reverses IS NOT NULL;

CREATE TABLE posting (
    slot   bigint  NOT NULL,
    seq    bigint  NOT NULL,
    ord    integer NOT NULL,
    debit  bigint  NOT NULL,
    credit bigint  NOT NULL CHECK (credit <> debit),
    amount bigint  NOT NULL CHECK (amount > 0),
    PRIMARY KEY (slot, seq, ord)
);

CREATE TABLE hold (
    slot           bigint  NOT NULL,
    seq            bigint  NOT NULL,
    id             uuid    NOT NULL UNIQUE,
    batch_no       bigint  NOT NULL,
    wallet         bigint  NOT NULL,
    payee          bigint  NOT NULL CHECK (payee <> wallet),
    amount         bigint  NOT NULL CHECK (amount >= 0),
    ttl_us         bigint  NOT NULL CHECK (ttl_us >= 0),
    publisher_bps  integer NOT NULL,
    partner_bps    integer NOT NULL,
    partner        bigint,
    expiry_capture bigint,
    counters       bytea   NOT NULL,
    meta_hash      bytea,
    PRIMARY KEY (slot, seq)
);

-- A hold ends at most once: the unique column says so.
CREATE TABLE hold_resolution (
    slot      bigint   NOT NULL,
    seq       bigint   NOT NULL,
    hold_id   uuid     NOT NULL UNIQUE,
    id        uuid     NOT NULL,
    batch_no  bigint   NOT NULL,
    outcome   smallint NOT NULL,
    captured  bigint   NOT NULL CHECK (captured >= 0),
    meta_hash bytea,
    PRIMARY KEY (slot, seq)
);
CREATE UNIQUE INDEX hold_resolution_id ON hold_resolution (id) WHERE id <> hold_id;

CREATE TABLE refusal (
    slot     bigint NOT NULL,
    seq      bigint NOT NULL,
    id       uuid   NOT NULL,
    batch_no bigint NOT NULL,
    wallet   bigint,
    reason   text   NOT NULL,
    needed   bigint NOT NULL,
    PRIMARY KEY (slot, seq)
);

-- A writer that lost the connection at the commit finds out by the client's identifier whether the batch is there.
CREATE TABLE batch (
    slot            bigint NOT NULL,
    batch_no        bigint NOT NULL,
    epoch           bigint NOT NULL,
    first_seq       bigint NOT NULL,
    n_entry         bigint NOT NULL,
    n_posting       bigint NOT NULL,
    total           bigint NOT NULL,
    recorded_us     bigint NOT NULL,
    client_batch_id uuid   NOT NULL UNIQUE,
    merkle_root     bytea  NOT NULL,
    prev_hash       bytea  NOT NULL,
    hash            bytea  NOT NULL,
    PRIMARY KEY (slot, batch_no)
);

-- Working state: may be derived again from the books.

-- Slot and epoch are the writer's that opened the hold: so the holds of a dead server are found. Rows come and go with
-- every call, so there is no second index: whoever looks for expired holds of others, once a second, reads them all.
CREATE TABLE open_hold (
    hold_id    uuid   NOT NULL PRIMARY KEY,
    wallet     bigint NOT NULL,
    amount     bigint NOT NULL,
    expires_us bigint,
    slot       bigint NOT NULL,
    epoch      bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);

CREATE TABLE cap_window (
    cap_id   uuid   NOT NULL,
    start_us bigint NOT NULL,
    spent    bigint NOT NULL CHECK (spent >= 0),
    held     bigint NOT NULL CHECK (held >= 0),
    PRIMARY KEY (cap_id, start_us)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- The end of each slot's chain. A server owns a slot until its lease is over; what fences an old owner off is the
-- epoch, which every batch compares. There are as many slots as servers that can write at once. `last_write` names what
-- was written last, books or not: so a writer that lost its connection learns whether it was.
CREATE TABLE chain_head (
    slot           bigint NOT NULL PRIMARY KEY,
    epoch          bigint NOT NULL,
    batch_no       bigint NOT NULL,
    seq            bigint NOT NULL,
    last_us        bigint NOT NULL,
    hash           bytea  NOT NULL,
    owner          uuid,
    last_write     uuid,
    lease_until_us bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
INSERT INTO chain_head (slot, epoch, batch_no, seq, last_us, hash)
    SELECT slot, 0, 0, 0, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 15) AS slot;

-- One row for every idempotency key of the last day; state 1 running, 2 finished, 3 unknown. Times never change, so
-- their index, by which the oldest keys are found, costs a key's end nothing.
CREATE TABLE idem (
    scope       uuid     NOT NULL,
    key         text     NOT NULL,
    fingerprint bytea    NOT NULL,
    call        uuid     NOT NULL,
    created_us  bigint   NOT NULL,
    state       smallint NOT NULL,
    status      smallint,
    PRIMARY KEY (scope, key)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0,
        vacuum_truncate = off);
CREATE INDEX idem_created ON idem (created_us);

-- The body that a finished call was answered with, for as long as its key is kept.
CREATE TABLE idem_answer (
    call uuid NOT NULL PRIMARY KEY,
    body text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);

-- While a call runs, its `resolves_us` is when its hold is settled by rule: it gives way to `ended_us`, so that the row
-- hardly grows when the call ends. Every row has two versions: pages are left half empty for the second one, which then
-- needs no place in the index. Slot and epoch are the writer's that began it.
CREATE TABLE invocation (
    id               uuid     NOT NULL PRIMARY KEY,
    surface          smallint NOT NULL,
    account_id       uuid,
    token_id         uuid,
    partner_id       uuid,
    end_user_id      uuid,
    tool_id          uuid,
    price_id         uuid,
    wallet           bigint,
    held             bigint   NOT NULL,
    snapshot_version bigint   NOT NULL,
    policy_version   text     NOT NULL,
    denied_by        text,
    key_scope        uuid,
    key              text,
    epoch            bigint   NOT NULL,
    created_us       bigint   NOT NULL,
    state            smallint NOT NULL,
    charged          bigint   NOT NULL,
    shortfall        bigint   NOT NULL,
    error            text,
    warning          text,
    ended_us         bigint,
    resolves_us      bigint,
    slot             bigint   NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Calls under way that hold a key and no money; of the others `open_hold` tells.
CREATE TABLE open_call (
    id    uuid   NOT NULL PRIMARY KEY,
    slot  bigint NOT NULL,
    epoch bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);

-- Append-only, for every role: also for the owner, whom no missing right stops. To the program it looks like any other
-- broken rule of the data.
CREATE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER txn_no_change BEFORE UPDATE OR DELETE ON txn FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER txn_no_truncate BEFORE TRUNCATE ON txn EXECUTE FUNCTION forbid_change();
CREATE TRIGGER posting_no_change BEFORE UPDATE OR DELETE ON posting FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON posting EXECUTE FUNCTION forbid_change();
CREATE TRIGGER hold_no_change BEFORE UPDATE OR DELETE ON hold FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER hold_no_truncate BEFORE TRUNCATE ON hold EXECUTE FUNCTION forbid_change();
CREATE TRIGGER hold_resolution_no_change BEFORE UPDATE OR DELETE ON hold_resolution
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER hold_resolution_no_truncate BEFORE TRUNCATE ON hold_resolution EXECUTE FUNCTION forbid_change();
CREATE TRIGGER refusal_no_change BEFORE UPDATE OR DELETE ON refusal FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER refusal_no_truncate BEFORE TRUNCATE ON refusal EXECUTE FUNCTION forbid_change();
CREATE TRIGGER batch_no_change BEFORE UPDATE OR DELETE ON batch FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER batch_no_truncate BEFORE TRUNCATE ON batch EXECUTE FUNCTION forbid_change();
