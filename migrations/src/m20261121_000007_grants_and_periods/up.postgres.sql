-- Credits that expire, and closed periods. What is in the books is appended and never changed.

-- A grant that expires: its credits are in an account of its own, and the transaction with the grant's identifier, which
-- follows it, brought them there.
CREATE TABLE wallet_grant (
    slot       bigint NOT NULL,
    seq        bigint NOT NULL,
    id         uuid   NOT NULL UNIQUE,
    batch_no   bigint NOT NULL,
    wallet     bigint NOT NULL,
    account    bigint NOT NULL UNIQUE CHECK (account <> wallet),
    priority   bigint NOT NULL CHECK (priority >= 0),
    expires_us bigint NOT NULL,
    PRIMARY KEY (slot, seq)
);
CREATE TRIGGER wallet_grant_no_change BEFORE UPDATE OR DELETE ON wallet_grant
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER wallet_grant_no_truncate BEFORE TRUNCATE ON wallet_grant EXECUTE FUNCTION forbid_change();

-- What a hold took from which grants, in the order in which a capture drains them. Most holds have no row here.
CREATE TABLE hold_source (
    slot     bigint  NOT NULL,
    seq      bigint  NOT NULL,
    ord      integer NOT NULL,
    grant_id uuid    NOT NULL,
    account  bigint  NOT NULL,
    amount   bigint  NOT NULL CHECK (amount > 0),
    PRIMARY KEY (slot, seq, ord)
);
CREATE TRIGGER hold_source_no_change BEFORE UPDATE OR DELETE ON hold_source
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER hold_source_no_truncate BEFORE TRUNCATE ON hold_source EXECUTE FUNCTION forbid_change();

-- Working state: the grants that have not lapsed. The slot is that of the writer that gave it, which also lets it lapse;
-- when that one is gone, others do.
CREATE TABLE open_grant (
    account    bigint NOT NULL PRIMARY KEY,
    id         uuid   NOT NULL,
    wallet     bigint NOT NULL,
    priority   bigint NOT NULL,
    expires_us bigint NOT NULL,
    slot       bigint NOT NULL
);
CREATE INDEX open_grant_wallet ON open_grant (wallet);
CREATE INDEX open_grant_expires ON open_grant (expires_us, id);

-- A closed period. Which transactions belong to it follows from when they count and from the cut: for each slot (8 bytes)
-- the last entry (8 bytes) that was there.
CREATE TABLE period_close (
    slot     bigint NOT NULL,
    seq      bigint NOT NULL,
    id       uuid   NOT NULL UNIQUE,
    batch_no bigint NOT NULL,
    period   bigint NOT NULL UNIQUE CHECK (period > 0),
    start_us bigint NOT NULL,
    end_us   bigint NOT NULL CHECK (end_us > start_us),
    cut      bytea  NOT NULL,
    digest   bytea  NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (slot, seq)
);
CREATE TRIGGER period_close_no_change BEFORE UPDATE OR DELETE ON period_close
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER period_close_no_truncate BEFORE TRUNCATE ON period_close EXECUTE FUNCTION forbid_change();

-- The trial balance of a closed period, whose digest is in its close. Account 0 stands for all accounts of a kind.
CREATE TABLE trial_balance (
    period  bigint   NOT NULL,
    kind    smallint NOT NULL,
    account bigint   NOT NULL,
    opening bigint   NOT NULL,
    debits  bigint   NOT NULL CHECK (debits >= 0),
    credits bigint   NOT NULL CHECK (credits >= 0),
    closing bigint   NOT NULL CHECK (closing = opening + credits - debits),
    PRIMARY KEY (period, kind, account)
);
CREATE TRIGGER trial_balance_no_change BEFORE UPDATE OR DELETE ON trial_balance
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER trial_balance_no_truncate BEFORE TRUNCATE ON trial_balance EXECUTE FUNCTION forbid_change();

-- Of a grant that expires: when, and in which order it is spent.
ALTER TABLE credit_grant ADD COLUMN expires_us bigint, ADD COLUMN priority bigint;
