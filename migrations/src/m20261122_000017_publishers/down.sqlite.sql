DROP TRIGGER tool_document_listed_publisher;
DROP TRIGGER tool_document_listed_namespace;
DROP TRIGGER tool_document_changed;
DROP TRIGGER tool_document_new;
CREATE TRIGGER tool_document_new AFTER INSERT ON tool WHEN NEW.namespace_id IS NOT NULL
BEGIN
    INSERT INTO tool_document (tool_id, namespace_id, category, is_listed)
    SELECT NEW.id, n.id, coalesce(NEW.category, n.category),
           NOT (NEW.is_suspended OR n.is_suspended OR p.is_suspended)
    FROM namespace n JOIN publisher p ON p.id = n.publisher_id WHERE n.id = NEW.namespace_id;
    INSERT INTO tool_index (rowid, name, topics, short_description, long_description, category)
    SELECT number, name, topics, short_description, long_description, category FROM tool_text WHERE tool_id = NEW.id;
    INSERT INTO tool_name_index (rowid, name, category)
    SELECT number, name, category FROM tool_text WHERE tool_id = NEW.id;
END;
CREATE TRIGGER tool_document_changed AFTER UPDATE ON tool WHEN NEW.namespace_id IS NOT NULL
BEGIN
    UPDATE tool_document SET
        category = coalesce(NEW.category, (SELECT category FROM namespace WHERE id = NEW.namespace_id)),
        is_listed = (SELECT NOT (NEW.is_suspended OR n.is_suspended OR p.is_suspended)
                     FROM namespace n JOIN publisher p ON p.id = n.publisher_id WHERE n.id = NEW.namespace_id)
    WHERE tool_id = NEW.id;
    REPLACE INTO tool_index (rowid, name, topics, short_description, long_description, category)
    SELECT number, name, topics, short_description, long_description, category FROM tool_text WHERE tool_id = NEW.id;
    REPLACE INTO tool_name_index (rowid, name, category)
    SELECT number, name, category FROM tool_text WHERE tool_id = NEW.id;
END;
CREATE TRIGGER tool_document_listed_namespace AFTER UPDATE OF is_suspended ON namespace
BEGIN
    UPDATE tool_document SET
        is_listed = NOT ((SELECT is_suspended FROM tool WHERE id = tool_id) OR NEW.is_suspended
                         OR (SELECT is_suspended FROM publisher WHERE id = NEW.publisher_id))
    WHERE namespace_id = NEW.id;
END;
CREATE TRIGGER tool_document_listed_publisher AFTER UPDATE OF is_suspended ON publisher
BEGIN
    UPDATE tool_document SET
        is_listed = NOT ((SELECT is_suspended FROM tool WHERE id = tool_id)
                         OR (SELECT is_suspended FROM namespace WHERE id = namespace_id) OR NEW.is_suspended)
    WHERE namespace_id IN (SELECT id FROM namespace WHERE publisher_id = NEW.id);
END;
DROP TABLE sales_day;
DROP TABLE acknowledged_call;
ALTER TABLE tool DROP COLUMN credits_per_unit;
ALTER TABLE tool DROP COLUMN unit_fields;
ALTER TABLE tool DROP COLUMN default_args;
ALTER TABLE tool DROP COLUMN static_args;
ALTER TABLE tool DROP COLUMN rest;
ALTER TABLE tool DROP COLUMN display_order;
ALTER TABLE tool DROP COLUMN example_prompts;
ALTER TABLE tool DROP COLUMN visibility;
ALTER TABLE tool DROP COLUMN group_id;
DROP TABLE tool_group;
ALTER TABLE namespace DROP COLUMN param_description;
ALTER TABLE namespace DROP COLUMN param_location;
ALTER TABLE namespace DROP COLUMN key_identifier;
ALTER TABLE namespace DROP COLUMN credential;
ALTER TABLE namespace DROP COLUMN draft_listing;
ALTER TABLE namespace DROP COLUMN readme_content;
ALTER TABLE namespace DROP COLUMN readme_source_url;
ALTER TABLE namespace DROP COLUMN icon;
ALTER TABLE namespace DROP COLUMN is_own_suspension;
ALTER TABLE namespace DROP COLUMN status;
ALTER TABLE namespace DROP COLUMN connection_id;
DROP TABLE connection;
DROP TABLE asset;
DROP INDEX publisher_account;
ALTER TABLE publisher DROP COLUMN logo;
ALTER TABLE publisher DROP COLUMN country;
ALTER TABLE publisher DROP COLUMN legal_name;
ALTER TABLE publisher DROP COLUMN bio;
ALTER TABLE publisher DROP COLUMN support_email;
ALTER TABLE publisher DROP COLUMN website_url;
ALTER TABLE publisher DROP COLUMN account_id;
