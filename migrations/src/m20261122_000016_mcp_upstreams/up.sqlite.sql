-- The name that a tool has on its MCP server, which is at `upstream_url`. NULL: what is there is a plain HTTP endpoint.
ALTER TABLE tool ADD COLUMN upstream_tool TEXT;
