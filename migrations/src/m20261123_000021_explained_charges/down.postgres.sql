DROP INDEX invocation_warned;
ALTER TABLE invocation
    DROP COLUMN returned_value,
    DROP COLUMN priced_units;
