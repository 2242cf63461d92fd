DROP INDEX tool_namespace;
ALTER TABLE tool DROP COLUMN upstream_tool;
