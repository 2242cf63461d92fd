-- What a tool is found by. The index follows the catalog by triggers, in the transaction of the change: whoever changes a
-- tool, its namespace or its publisher has changed what is found.
--
-- The index keeps the words and not the texts, which stand in `tool`; of a long one it keeps the beginning. Rows of `tool` have
-- no number of their own that stays the same, which is why `tool_document` has one.
ALTER TABLE namespace ADD COLUMN listing_name TEXT;
ALTER TABLE namespace ADD COLUMN category TEXT;
-- A list of texts as JSON.
ALTER TABLE namespace ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
-- Where it differs from the namespace's.
ALTER TABLE tool ADD COLUMN category TEXT;
ALTER TABLE tool ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';

CREATE TABLE tool_document (
    number       INTEGER NOT NULL PRIMARY KEY,
    tool_id      BLOB    NOT NULL UNIQUE REFERENCES tool (id),
    namespace_id BLOB    NOT NULL REFERENCES namespace (id),
    category     TEXT,
    is_listed    INTEGER NOT NULL
) STRICT;
CREATE INDEX tool_document_namespace ON tool_document (namespace_id);

-- `category` narrows a search and counts for nothing; its words count with the other topics.
CREATE VIRTUAL TABLE tool_index USING fts5 (
    name, topics, short_description, long_description, category,
    content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 0'
);
-- The same of the names alone: among a hundred thousand tools with a word, those that are called so are found at once.
CREATE VIRTUAL TABLE tool_name_index USING fts5 (
    name, category,
    content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 0'
);

CREATE VIEW tool_text AS
    SELECT d.number, d.namespace_id, t.id AS tool_id, t.name,
           concat_ws(' ', n.name, n.listing_name, n.category, n.tags, t.category, t.tags) AS topics,
           t.short_description, substr(t.long_description, 1, 2000) AS long_description,
           coalesce(t.category, n.category) AS category
    FROM tool_document d JOIN tool t ON t.id = d.tool_id JOIN namespace n ON n.id = d.namespace_id;

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
CREATE TRIGGER tool_document_namespace AFTER UPDATE ON namespace
WHEN OLD.name <> NEW.name OR OLD.listing_name IS NOT NEW.listing_name OR OLD.category IS NOT NEW.category
    OR OLD.tags <> NEW.tags
BEGIN
    UPDATE tool_document SET category = coalesce((SELECT category FROM tool WHERE id = tool_id), NEW.category)
    WHERE namespace_id = NEW.id;
    REPLACE INTO tool_index (rowid, name, topics, short_description, long_description, category)
    SELECT number, name, topics, short_description, long_description, category
    FROM tool_text WHERE namespace_id = NEW.id;
    REPLACE INTO tool_name_index (rowid, name, category)
    SELECT number, name, category FROM tool_text WHERE namespace_id = NEW.id;
END;
-- Whether a tool is listed is changed without its words.
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

INSERT INTO tool_document (tool_id, namespace_id, category, is_listed)
SELECT t.id, n.id, coalesce(t.category, n.category), NOT (t.is_suspended OR n.is_suspended OR p.is_suspended)
FROM tool t JOIN namespace n ON n.id = t.namespace_id JOIN publisher p ON p.id = n.publisher_id;
INSERT INTO tool_index (rowid, name, topics, short_description, long_description, category)
SELECT number, name, topics, short_description, long_description, category FROM tool_text;
INSERT INTO tool_name_index (rowid, name, category) SELECT number, name, category FROM tool_text;
