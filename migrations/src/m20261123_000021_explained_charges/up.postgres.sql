-- What the price of a call looked at, where it looked at anything: what the arguments counted that it is priced by, in the
-- order of the price, and what stood at the price's path in the tool's answer (its type, and a number as it was written).
ALTER TABLE invocation
    ADD COLUMN priced_units text,
    ADD COLUMN returned_value text;

-- The calls of a tool that its publisher is warned of. A call without a warning is not in it, and costs nothing.
CREATE INDEX invocation_warned ON invocation (tool_id, id) WHERE warning IS NOT NULL;
