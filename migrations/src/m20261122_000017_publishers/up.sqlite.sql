-- What publishers do themselves. A publisher belongs to an account, unless the configuration or an operator has made it. It
-- has connections to its servers, with a secret that is sealed under a data key of its own, which is sealed under the master
-- key and stands before it; namespaces that are reviewed before anybody else finds them; groups of tools, whose price is that
-- of their tools. `draft_listing` is what a namespace in public is to become: JSON.
ALTER TABLE publisher ADD COLUMN account_id BLOB;
ALTER TABLE publisher ADD COLUMN website_url TEXT;
ALTER TABLE publisher ADD COLUMN support_email TEXT;
ALTER TABLE publisher ADD COLUMN bio TEXT;
ALTER TABLE publisher ADD COLUMN legal_name TEXT;
ALTER TABLE publisher ADD COLUMN country TEXT;
-- The name of an asset, or a URL.
ALTER TABLE publisher ADD COLUMN logo TEXT;
CREATE UNIQUE INDEX publisher_account ON publisher (account_id) WHERE account_id IS NOT NULL;

-- A picture: its name is the SHA-256 of its bytes in hexadecimal digits.
CREATE TABLE asset (
    id         TEXT    NOT NULL PRIMARY KEY,
    media_type TEXT    NOT NULL,
    bytes      BLOB    NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE connection (
    id                BLOB    NOT NULL PRIMARY KEY,
    publisher_id      BLOB    NOT NULL REFERENCES publisher (id),
    label             TEXT    NOT NULL,
    kind              TEXT    NOT NULL CHECK (kind IN ('mcp', 'rest')),
    url               TEXT    NOT NULL,
    credential        BLOB,
    key_identifier    TEXT,
    param_location    TEXT    CHECK (param_location IN ('header', 'query')),
    param_description TEXT,
    created_us        INTEGER NOT NULL,
    changed_us        INTEGER NOT NULL
) STRICT;
CREATE INDEX connection_publisher ON connection (publisher_id, id);

ALTER TABLE namespace ADD COLUMN connection_id BLOB;
ALTER TABLE namespace ADD COLUMN status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('draft', 'review', 'active'));
-- Whether it was its publisher who suspended it: then that one lets it go on as well.
ALTER TABLE namespace ADD COLUMN is_own_suspension INTEGER NOT NULL DEFAULT 0;
-- The name of an asset, or a URL.
ALTER TABLE namespace ADD COLUMN icon TEXT;
ALTER TABLE namespace ADD COLUMN readme_source_url TEXT;
ALTER TABLE namespace ADD COLUMN readme_content TEXT;
ALTER TABLE namespace ADD COLUMN draft_listing TEXT;
-- As those of a connection, and instead of them.
ALTER TABLE namespace ADD COLUMN credential BLOB;
ALTER TABLE namespace ADD COLUMN key_identifier TEXT;
ALTER TABLE namespace ADD COLUMN param_location TEXT CHECK (param_location IN ('header', 'query'));
ALTER TABLE namespace ADD COLUMN param_description TEXT;

-- `pricing` is JSON in the wire's field names.
CREATE TABLE tool_group (
    id           BLOB    NOT NULL PRIMARY KEY,
    namespace_id BLOB    NOT NULL REFERENCES namespace (id),
    name         TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    sort_order   INTEGER NOT NULL,
    is_default   INTEGER NOT NULL,
    pricing      TEXT    NOT NULL,
    created_us   INTEGER NOT NULL,
    UNIQUE (namespace_id, name)
) STRICT;

ALTER TABLE tool ADD COLUMN group_id BLOB;
ALTER TABLE tool ADD COLUMN visibility TEXT NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'private'));
-- A list of texts as JSON.
ALTER TABLE tool ADD COLUMN example_prompts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tool ADD COLUMN display_order INTEGER NOT NULL DEFAULT 0;
-- How a request is made of the arguments: JSON. NULL: the arguments are the body.
ALTER TABLE tool ADD COLUMN rest TEXT;
-- JSON objects.
ALTER TABLE tool ADD COLUMN static_args TEXT;
ALTER TABLE tool ADD COLUMN default_args TEXT;
-- What the price of the tool's group becomes for this tool alone: a list of arguments as JSON, and a decimal number.
ALTER TABLE tool ADD COLUMN unit_fields TEXT;
ALTER TABLE tool ADD COLUMN credits_per_unit TEXT;

-- Warnings of calls that their publisher has seen.
CREATE TABLE acknowledged_call (
    call         BLOB    NOT NULL PRIMARY KEY,
    publisher_id BLOB    NOT NULL REFERENCES publisher (id),
    created_us   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sums of calls by tool and day, counted behind them; `count_head` says up to where.
CREATE TABLE sales_day (
    publisher_id BLOB    NOT NULL,
    start_us     INTEGER NOT NULL,
    tool_id      BLOB    NOT NULL,
    calls        INTEGER NOT NULL,
    paid_calls   INTEGER NOT NULL,
    charged      INTEGER NOT NULL,
    PRIMARY KEY (publisher_id, start_us, tool_id)
) STRICT, WITHOUT ROWID;

-- What is listed is public as well.
DROP TRIGGER tool_document_new;
DROP TRIGGER tool_document_changed;
DROP TRIGGER tool_document_listed_namespace;
DROP TRIGGER tool_document_listed_publisher;
CREATE TRIGGER tool_document_new AFTER INSERT ON tool WHEN NEW.namespace_id IS NOT NULL
BEGIN
    INSERT INTO tool_document (tool_id, namespace_id, category, is_listed)
    SELECT NEW.id, n.id, coalesce(NEW.category, n.category),
           NEW.visibility = 'public' AND n.status = 'active'
               AND NOT (NEW.is_suspended OR n.is_suspended OR p.is_suspended)
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
        is_listed = (SELECT NEW.visibility = 'public' AND n.status = 'active'
                         AND NOT (NEW.is_suspended OR n.is_suspended OR p.is_suspended)
                     FROM namespace n JOIN publisher p ON p.id = n.publisher_id WHERE n.id = NEW.namespace_id)
    WHERE tool_id = NEW.id;
    REPLACE INTO tool_index (rowid, name, topics, short_description, long_description, category)
    SELECT number, name, topics, short_description, long_description, category FROM tool_text WHERE tool_id = NEW.id;
    REPLACE INTO tool_name_index (rowid, name, category)
    SELECT number, name, category FROM tool_text WHERE tool_id = NEW.id;
END;
CREATE TRIGGER tool_document_listed_namespace AFTER UPDATE OF is_suspended, status ON namespace
BEGIN
    UPDATE tool_document SET
        is_listed = (SELECT t.visibility = 'public' AND NOT t.is_suspended FROM tool t WHERE t.id = tool_id)
                    AND NEW.status = 'active'
                    AND NOT (NEW.is_suspended OR (SELECT is_suspended FROM publisher WHERE id = NEW.publisher_id))
    WHERE namespace_id = NEW.id;
END;
CREATE TRIGGER tool_document_listed_publisher AFTER UPDATE OF is_suspended ON publisher
BEGIN
    UPDATE tool_document SET
        is_listed = (SELECT t.visibility = 'public' AND NOT t.is_suspended FROM tool t WHERE t.id = tool_id)
                    AND (SELECT n.status = 'active' AND NOT n.is_suspended FROM namespace n WHERE n.id = namespace_id)
                    AND NOT NEW.is_suspended
    WHERE namespace_id IN (SELECT id FROM namespace WHERE publisher_id = NEW.id);
END;
