-- Credits that expire, and closed periods. What is in the books is appended and never changed.

-- A grant that expires: its credits are in an account of its own, and the transaction with the grant's identifier, which
-- follows it, brought them there.
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
CREATE TRIGGER wallet_grant_no_update BEFORE UPDATE ON wallet_grant
BEGIN SELECT RAISE(ABORT, 'wallet_grant is append-only'); END;
CREATE TRIGGER wallet_grant_no_delete BEFORE DELETE ON wallet_grant
BEGIN SELECT RAISE(ABORT, 'wallet_grant is append-only'); END;

-- What a hold took from which grants, in the order in which a capture drains them. Most holds have no row here.
CREATE TABLE hold_source (
    slot     INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    ord      INTEGER NOT NULL,
    grant_id BLOB    NOT NULL,
    account  INTEGER NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (slot, seq, ord)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER hold_source_no_update BEFORE UPDATE ON hold_source
BEGIN SELECT RAISE(ABORT, 'hold_source is append-only'); END;
CREATE TRIGGER hold_source_no_delete BEFORE DELETE ON hold_source
BEGIN SELECT RAISE(ABORT, 'hold_source is append-only'); END;

-- Working state: the grants that have not lapsed.
CREATE TABLE open_grant (
    account    INTEGER NOT NULL PRIMARY KEY,
    id         BLOB    NOT NULL,
    wallet     INTEGER NOT NULL,
    priority   INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX open_grant_wallet ON open_grant (wallet);
CREATE INDEX open_grant_expires ON open_grant (expires_us, id);

-- A closed period. Which transactions belong to it follows from when they count and from the cut: for each slot (8 bytes)
-- the last entry (8 bytes) that was there.
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
CREATE TRIGGER period_close_no_update BEFORE UPDATE ON period_close
BEGIN SELECT RAISE(ABORT, 'period_close is append-only'); END;
CREATE TRIGGER period_close_no_delete BEFORE DELETE ON period_close
BEGIN SELECT RAISE(ABORT, 'period_close is append-only'); END;

-- The trial balance of a closed period, whose digest is in its close. Account 0 stands for all accounts of a kind.
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
CREATE TRIGGER trial_balance_no_update BEFORE UPDATE ON trial_balance
BEGIN SELECT RAISE(ABORT, 'trial_balance is append-only'); END;
CREATE TRIGGER trial_balance_no_delete BEFORE DELETE ON trial_balance
BEGIN SELECT RAISE(ABORT, 'trial_balance is append-only'); END;

-- Of a grant that expires: when, and in which order it is spent.
ALTER TABLE credit_grant ADD COLUMN expires_us INTEGER;
ALTER TABLE credit_grant ADD COLUMN priority INTEGER;
