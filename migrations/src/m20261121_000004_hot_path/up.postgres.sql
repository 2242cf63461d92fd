-- On PostgreSQL m20261121_000001 makes the tables in this form from the start: no database is older than it.
SELECT 1;
