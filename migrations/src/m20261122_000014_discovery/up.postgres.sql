-- What a tool is found by, and the words of it. Its index follows the catalog by triggers, in the transaction of the change:
-- whoever changes a tool, its namespace or its publisher, on whichever server, has changed what is found.
--
-- A document has no more of a long text than its beginning: what is stored beside the row would have to be fetched for every
-- row that is looked at.
ALTER TABLE namespace ADD COLUMN listing_name text;
ALTER TABLE namespace ADD COLUMN category text;
-- A list of texts as JSON.
ALTER TABLE namespace ADD COLUMN tags text NOT NULL DEFAULT '[]';
-- Where it differs from the namespace's.
ALTER TABLE tool ADD COLUMN category text;
ALTER TABLE tool ADD COLUMN tags text NOT NULL DEFAULT '[]';

CREATE TABLE tool_document (
    tool_id      uuid     NOT NULL PRIMARY KEY REFERENCES tool (id),
    namespace_id uuid     NOT NULL REFERENCES namespace (id),
    category     text,
    is_listed    boolean  NOT NULL,
    -- Of the name alone: among a hundred thousand tools with a word, those that are called so are found at once.
    name         tsvector NOT NULL,
    words        tsvector NOT NULL
);
CREATE INDEX tool_document_namespace ON tool_document (namespace_id);
CREATE INDEX tool_document_category ON tool_document (category);
CREATE INDEX tool_document_name ON tool_document USING gin (name) WITH (fastupdate = off);
CREATE INDEX tool_document_words ON tool_document USING gin (words) WITH (fastupdate = off);

-- Signs become spaces: else a slash makes a path of two names, and a dot an address.
CREATE FUNCTION tool_words(written text, letter "char") RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT setweight(to_tsvector('pg_catalog.english', translate(written, $signs$!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~$signs$,
                                                                 repeat(' ', 32))), letter)
$$;

-- Writes the documents of these tools anew, which have a namespace each.
CREATE FUNCTION index_tools(tools uuid[]) RETURNS void LANGUAGE sql AS $$
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

CREATE FUNCTION tool_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM index_tools(ARRAY[NEW.id]);
    RETURN NULL;
END
$$;
CREATE TRIGGER tool_document_tool AFTER INSERT OR UPDATE ON tool FOR EACH ROW EXECUTE FUNCTION tool_changed();

CREATE FUNCTION namespace_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM index_tools(ARRAY(SELECT id FROM tool WHERE namespace_id = NEW.id));
    RETURN NULL;
END
$$;
CREATE TRIGGER tool_document_namespace AFTER UPDATE ON namespace FOR EACH ROW
    WHEN ((OLD.name, OLD.listing_name, OLD.category, OLD.tags) IS DISTINCT FROM
          (NEW.name, NEW.listing_name, NEW.category, NEW.tags))
    EXECUTE FUNCTION namespace_changed();

-- Whether a tool is listed is changed without its words.
CREATE FUNCTION listing_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tool_document d SET is_listed = NOT (t.is_suspended OR n.is_suspended OR p.is_suspended)
    FROM tool t JOIN namespace n ON n.id = t.namespace_id JOIN publisher p ON p.id = n.publisher_id
    WHERE d.tool_id = t.id AND d.namespace_id = n.id AND NEW.id IN (n.id, p.id)
      AND d.is_listed IS DISTINCT FROM NOT (t.is_suspended OR n.is_suspended OR p.is_suspended);
    RETURN NULL;
END
$$;
CREATE TRIGGER tool_document_listed AFTER UPDATE ON namespace FOR EACH ROW
    WHEN (OLD.is_suspended <> NEW.is_suspended) EXECUTE FUNCTION listing_changed();
CREATE TRIGGER tool_document_listed AFTER UPDATE ON publisher FOR EACH ROW
    WHEN (OLD.is_suspended <> NEW.is_suspended) EXECUTE FUNCTION listing_changed();

SELECT index_tools(ARRAY(SELECT id FROM tool WHERE namespace_id IS NOT NULL));
