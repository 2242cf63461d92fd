ALTER TABLE tool DROP COLUMN upstream_tool;
