DROP TRIGGER tool_document_listed ON namespace;
CREATE TRIGGER tool_document_listed AFTER UPDATE ON namespace FOR EACH ROW
    WHEN (OLD.is_suspended <> NEW.is_suspended) EXECUTE FUNCTION listing_changed();
CREATE OR REPLACE FUNCTION index_tools(tools uuid[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tool_document (tool_id, namespace_id, category, is_listed, name, words)
    SELECT t.id, n.id, coalesce(t.category, n.category),
           NOT (t.is_suspended OR n.is_suspended OR p.is_suspended), tool_words(t.name, 'A'),
           tool_words(t.name, 'A')
               || tool_words(concat_ws(' ', n.name, n.listing_name, n.category, n.tags, t.category, t.tags), 'B')
               || tool_words(t.short_description, 'C')
               || tool_words(left(t.long_description, 2000), 'D')
    FROM tool t JOIN namespace n ON n.id = t.namespace_id JOIN publisher p ON p.id = n.publisher_id
    WHERE t.id = ANY (tools)
    ON CONFLICT (tool_id) DO UPDATE SET namespace_id = excluded.namespace_id, category = excluded.category,
        is_listed = excluded.is_listed, name = excluded.name, words = excluded.words
$$;
CREATE OR REPLACE FUNCTION listing_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tool_document d SET is_listed = NOT (t.is_suspended OR n.is_suspended OR p.is_suspended)
    FROM tool t JOIN namespace n ON n.id = t.namespace_id JOIN publisher p ON p.id = n.publisher_id
    WHERE d.tool_id = t.id AND d.namespace_id = n.id AND NEW.id IN (n.id, p.id)
      AND d.is_listed IS DISTINCT FROM NOT (t.is_suspended OR n.is_suspended OR p.is_suspended);
    RETURN NULL;
END
$$;
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
