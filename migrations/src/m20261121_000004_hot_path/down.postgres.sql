-- There is nothing to take back: see up.postgres.sql.
SELECT 1;
