ALTER TABLE credit_grant DROP COLUMN priority;
ALTER TABLE credit_grant DROP COLUMN expires_us;
DROP TABLE trial_balance;
DROP TABLE period_close;
DROP TABLE open_grant;
DROP TABLE hold_source;
DROP TABLE wallet_grant;
