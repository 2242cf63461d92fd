DROP TABLE credit_grant;
