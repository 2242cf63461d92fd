-- Accounts of the ledger alone: wallets that pay and publishers that are paid, all empty. `statements` in ledger.rs says
-- the same of them in the books.
INSERT INTO ledger_account (id, code, kind, created_us)
    SELECT id, 'liabilities:wallet:' || id, 1, 0
    FROM generate_series(:first_wallet::bigint, :first_wallet::bigint + :wallets - 1) AS id;
INSERT INTO wallet_balance (account_id, credits, debits, held, overdraft, version)
    SELECT id, 0, 0, 0, 0, 0
    FROM generate_series(:first_wallet::bigint, :first_wallet::bigint + :wallets - 1) AS id;
INSERT INTO ledger_account (id, code, kind, created_us)
    SELECT id, 'liabilities:payable:' || id, 2, 0
    FROM generate_series(:first_payee::bigint, :first_payee::bigint + :payees - 1) AS id;
