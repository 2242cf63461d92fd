DROP INDEX invocation_warned;
ALTER TABLE invocation DROP COLUMN returned_value;
ALTER TABLE invocation DROP COLUMN priced_units;
