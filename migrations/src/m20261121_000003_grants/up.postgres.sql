-- Credits given by an operator: the reason, whose digest the ledger's transaction of the same id carries. The key makes
-- a repeated command one grant.
CREATE TABLE credit_grant (
    id         uuid   NOT NULL PRIMARY KEY,
    account_id uuid   NOT NULL REFERENCES account (id),
    credits    bigint NOT NULL CHECK (credits > 0),
    reason     text   NOT NULL,
    key        text   UNIQUE,
    created_us bigint NOT NULL
);
CREATE INDEX credit_grant_account ON credit_grant (account_id);
CREATE TRIGGER credit_grant_no_change BEFORE UPDATE OR DELETE ON credit_grant
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER credit_grant_no_truncate BEFORE TRUNCATE ON credit_grant EXECUTE FUNCTION forbid_change();
