-- Credits given by an operator: the reason, whose digest the ledger's transaction of the same id carries. The key makes
-- a repeated command one grant.
CREATE TABLE credit_grant (
    id         BLOB    NOT NULL PRIMARY KEY,
    account_id BLOB    NOT NULL REFERENCES account (id),
    credits    INTEGER NOT NULL CHECK (credits > 0),
    reason     TEXT    NOT NULL,
    key        TEXT    UNIQUE,
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX credit_grant_account ON credit_grant (account_id);
CREATE TRIGGER credit_grant_no_update BEFORE UPDATE ON credit_grant
BEGIN SELECT RAISE(ABORT, 'credit_grant is append-only'); END;
CREATE TRIGGER credit_grant_no_delete BEFORE DELETE ON credit_grant
BEGIN SELECT RAISE(ABORT, 'credit_grant is append-only'); END;
