-- The name that a tool has on its MCP server, which is at `upstream_url`. NULL: what is there is a plain HTTP endpoint.
ALTER TABLE tool ADD COLUMN upstream_tool TEXT;

-- The unique index is one of an expression, by which no tool of a namespace is found: each look read all tools, and an import
-- of ten thousand read them ten thousand times.
CREATE INDEX tool_namespace ON tool (namespace_id, name);
