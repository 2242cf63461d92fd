-- How much of a transaction has been taken back, by whatever. Kept beside the books; the verifier adds it up again.
CREATE TABLE refund_total (
    txn_id   BLOB NOT NULL PRIMARY KEY,
    captured INTEGER NOT NULL CHECK (captured > 0),
    refunded INTEGER NOT NULL CHECK (refunded >= 0),
    CHECK (refunded <= captured)
) STRICT;

-- What a payout was worked out from: what the account had received and spent since it was opened, what was kept for a
-- debt, what was paid, and the digest of the reason. The payout's transaction carries the digest of all this.
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
CREATE TRIGGER payout_no_update BEFORE UPDATE ON payout
BEGIN SELECT RAISE(ABORT, 'payout is append-only'); END;
CREATE TRIGGER payout_no_delete BEFORE DELETE ON payout
BEGIN SELECT RAISE(ABORT, 'payout is append-only'); END;

-- What an operator did with money, and why. The digest of the reason stands in the books. The key makes a repeated
-- command one movement. `credits` is what was asked for; none: all that was there.
CREATE TABLE movement (
    id         BLOB NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    credits    INTEGER,
    reason     TEXT NOT NULL,
    key        TEXT UNIQUE,
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX movement_subject ON movement (subject);
CREATE TRIGGER movement_no_update BEFORE UPDATE ON movement
BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END;
CREATE TRIGGER movement_no_delete BEFORE DELETE ON movement
BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END;

-- Payments that their provider took back. The identifier is that of the hold on the customer's share; `closing` is the
-- movement that ended it. A purchase has one at a time, and after a lost one none any more.
CREATE TABLE chargeback (
    id          BLOB NOT NULL PRIMARY KEY,
    purchase_id BLOB NOT NULL REFERENCES purchase (id),
    credits     INTEGER NOT NULL CHECK (credits > 0),
    state       TEXT NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    opened_us   INTEGER NOT NULL,
    closing     BLOB CHECK ((closing IS NULL) = (state = 'open')),
    closed_us   INTEGER CHECK ((closed_us IS NULL) = (state = 'open'))
) STRICT;
CREATE UNIQUE INDEX chargeback_purchase ON chargeback (purchase_id) WHERE state <> 'won';
CREATE TRIGGER chargeback_no_update BEFORE UPDATE ON chargeback
WHEN NEW.id <> OLD.id OR NEW.purchase_id <> OLD.purchase_id OR NEW.credits <> OLD.credits
        OR NEW.opened_us <> OLD.opened_us OR OLD.state <> 'open' OR NEW.state = 'open'
BEGIN SELECT RAISE(ABORT, 'chargeback is append-only'); END;
CREATE TRIGGER chargeback_no_delete BEFORE DELETE ON chargeback
BEGIN SELECT RAISE(ABORT, 'chargeback is append-only'); END;

-- A purchase whose payment failed, when and why.
ALTER TABLE purchase ADD COLUMN failed_us INTEGER;
ALTER TABLE purchase ADD COLUMN failure TEXT;

INSERT INTO ledger_account (id, code, kind, created_us) VALUES (7, 'expenses:loss:chargeback', 8, 0);
-- What a publisher owes stands on the account with the number of the payable and the other sign.
INSERT INTO ledger_account (id, code, kind, created_us)
SELECT -id, 'assets:receivable:publisher' || substr(code, 20), 7, created_us FROM ledger_account WHERE kind = 2;
