DELETE FROM ledger_account WHERE id = 7 OR kind = 7;
ALTER TABLE purchase DROP COLUMN failure;
ALTER TABLE purchase DROP COLUMN failed_us;
DROP TABLE chargeback;
DROP TABLE movement;
DROP TABLE payout;
DROP TABLE refund_total;
