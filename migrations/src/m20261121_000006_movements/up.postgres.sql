-- How much of a transaction has been taken back, by whatever. Kept beside the books; the verifier adds it up again.
CREATE TABLE refund_total (
    txn_id   uuid NOT NULL PRIMARY KEY,
    captured bigint NOT NULL CHECK (captured > 0),
    refunded bigint NOT NULL CHECK (refunded >= 0),
    CHECK (refunded <= captured)
);

-- What a payout was worked out from: what the account had received and spent since it was opened, what was kept for a
-- debt, what was paid, and the digest of the reason. The payout's transaction carries the digest of all this.
CREATE TABLE payout (
    txn_id  uuid NOT NULL PRIMARY KEY,
    account bigint NOT NULL REFERENCES ledger_account (id),
    credits bigint NOT NULL,
    debits  bigint NOT NULL,
    netted  bigint NOT NULL CHECK (netted >= 0),
    paid    bigint NOT NULL CHECK (paid >= 0),
    note    bytea
);
CREATE INDEX payout_account ON payout (account);
CREATE TRIGGER payout_no_change BEFORE UPDATE OR DELETE ON payout
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER payout_no_truncate BEFORE TRUNCATE ON payout EXECUTE FUNCTION forbid_change();

-- What an operator did with money, and why. The digest of the reason stands in the books. The key makes a repeated
-- command one movement. `credits` is what was asked for; none: all that was there.
CREATE TABLE movement (
    id         uuid NOT NULL PRIMARY KEY,
    kind       text NOT NULL,
    subject    text NOT NULL,
    credits    bigint,
    reason     text NOT NULL,
    key        text UNIQUE,
    created_us bigint NOT NULL
);
CREATE INDEX movement_subject ON movement (subject);
CREATE TRIGGER movement_no_change BEFORE UPDATE OR DELETE ON movement
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER movement_no_truncate BEFORE TRUNCATE ON movement EXECUTE FUNCTION forbid_change();

-- Payments that their provider took back. The identifier is that of the hold on the customer's share; `closing` is the
-- movement that ended it. A purchase has one at a time, and after a lost one none any more.
CREATE TABLE chargeback (
    id          uuid NOT NULL PRIMARY KEY,
    purchase_id uuid NOT NULL REFERENCES purchase (id),
    credits     bigint NOT NULL CHECK (credits > 0),
    state       text NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    opened_us   bigint NOT NULL,
    closing     uuid CHECK ((closing IS NULL) = (state = 'open')),
    closed_us   bigint CHECK ((closed_us IS NULL) = (state = 'open'))
);
CREATE UNIQUE INDEX chargeback_purchase ON chargeback (purchase_id) WHERE state <> 'won';
CREATE TRIGGER chargeback_no_update BEFORE UPDATE ON chargeback FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.purchase_id <> OLD.purchase_id OR NEW.credits <> OLD.credits
        OR NEW.opened_us <> OLD.opened_us OR OLD.state <> 'open' OR NEW.state = 'open')
    EXECUTE FUNCTION forbid_change();
CREATE TRIGGER chargeback_no_delete BEFORE DELETE ON chargeback FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER chargeback_no_truncate BEFORE TRUNCATE ON chargeback EXECUTE FUNCTION forbid_change();

-- A purchase whose payment failed, when and why.
ALTER TABLE purchase
    ADD COLUMN failed_us bigint,
    ADD COLUMN failure text;

INSERT INTO ledger_account (id, code, kind, created_us) VALUES (7, 'expenses:loss:chargeback', 8, 0);
-- What a publisher owes stands on the account with the number of the payable and the other sign.
INSERT INTO ledger_account (id, code, kind, created_us)
SELECT -id, 'assets:receivable:publisher' || substr(code, 20), 7, created_us FROM ledger_account WHERE kind = 2;
