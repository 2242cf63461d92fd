-- What publishers do themselves. A publisher belongs to an account, unless the configuration or an operator has made it. It
-- has connections to its servers, with a secret that is sealed under a data key of its own, which is sealed under the master
-- key and stands before it; namespaces that are reviewed before anybody else finds them; groups of tools, whose price is that
-- of their tools. `draft_listing` is what a namespace in public is to become: JSON.
ALTER TABLE publisher ADD COLUMN account_id uuid;
ALTER TABLE publisher ADD COLUMN website_url text;
ALTER TABLE publisher ADD COLUMN support_email text;
ALTER TABLE publisher ADD COLUMN bio text;
ALTER TABLE publisher ADD COLUMN legal_name text;
ALTER TABLE publisher ADD COLUMN country text;
-- The name of an asset, or a URL.
ALTER TABLE publisher ADD COLUMN logo text;
CREATE UNIQUE INDEX publisher_account ON publisher (account_id) WHERE account_id IS NOT NULL;

-- A picture: its name is the SHA-256 of its bytes in hexadecimal digits.
CREATE TABLE asset (
    id         text    NOT NULL PRIMARY KEY,
    media_type text    NOT NULL,
    bytes      bytea    NOT NULL,
    created_us bigint NOT NULL
);

CREATE TABLE connection (
    id                uuid    NOT NULL PRIMARY KEY,
    publisher_id      uuid    NOT NULL REFERENCES publisher (id),
    label             text    NOT NULL,
    kind              text    NOT NULL CHECK (kind IN ('mcp', 'rest')),
    url               text    NOT NULL,
    credential        bytea,
    key_identifier    text,
    param_location    text    CHECK (param_location IN ('header', 'query')),
    param_description text,
    created_us        bigint NOT NULL,
    changed_us        bigint NOT NULL
);
CREATE INDEX connection_publisher ON connection (publisher_id, id);

ALTER TABLE namespace ADD COLUMN connection_id uuid;
ALTER TABLE namespace ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('draft', 'review', 'active'));
-- Whether it was its publisher who suspended it: then that one lets it go on as well.
ALTER TABLE namespace ADD COLUMN is_own_suspension boolean NOT NULL DEFAULT false;
-- The name of an asset, or a URL.
ALTER TABLE namespace ADD COLUMN icon text;
ALTER TABLE namespace ADD COLUMN readme_source_url text;
ALTER TABLE namespace ADD COLUMN readme_content text;
ALTER TABLE namespace ADD COLUMN draft_listing text;
-- As those of a connection, and instead of them.
ALTER TABLE namespace ADD COLUMN credential bytea;
ALTER TABLE namespace ADD COLUMN key_identifier text;
ALTER TABLE namespace ADD COLUMN param_location text CHECK (param_location IN ('header', 'query'));
ALTER TABLE namespace ADD COLUMN param_description text;

-- `pricing` is JSON in the wire's field names.
CREATE TABLE tool_group (
    id           uuid    NOT NULL PRIMARY KEY,
    namespace_id uuid    NOT NULL REFERENCES namespace (id),
    name         text    NOT NULL,
    description  text    NOT NULL,
    sort_order   bigint NOT NULL,
    is_default   boolean NOT NULL,
    pricing      text    NOT NULL,
    created_us   bigint NOT NULL,
    UNIQUE (namespace_id, name)
);

ALTER TABLE tool ADD COLUMN group_id uuid;
ALTER TABLE tool ADD COLUMN visibility text NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'private'));
-- A list of texts as JSON.
ALTER TABLE tool ADD COLUMN example_prompts text NOT NULL DEFAULT '[]';
ALTER TABLE tool ADD COLUMN display_order bigint NOT NULL DEFAULT 0;
-- How a request is made of the arguments: JSON. NULL: the arguments are the body.
ALTER TABLE tool ADD COLUMN rest text;
-- JSON objects.
ALTER TABLE tool ADD COLUMN static_args text;
ALTER TABLE tool ADD COLUMN default_args text;
-- What the price of the tool's group becomes for this tool alone: a list of arguments as JSON, and a decimal number.
ALTER TABLE tool ADD COLUMN unit_fields text;
ALTER TABLE tool ADD COLUMN credits_per_unit text;

-- Warnings of calls that their publisher has seen.
CREATE TABLE acknowledged_call (
    call         uuid    NOT NULL PRIMARY KEY,
    publisher_id uuid    NOT NULL REFERENCES publisher (id),
    created_us   bigint NOT NULL
);

-- Sums of calls by tool and day, counted behind them; `count_head` says up to where.
CREATE TABLE sales_day (
    publisher_id uuid    NOT NULL,
    start_us     bigint NOT NULL,
    tool_id      uuid    NOT NULL,
    calls        bigint NOT NULL,
    paid_calls   bigint NOT NULL,
    charged      bigint NOT NULL,
    PRIMARY KEY (publisher_id, start_us, tool_id)
);

-- What is listed is public as well.
CREATE OR REPLACE FUNCTION index_tools(tools uuid[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tool_document (tool_id, namespace_id, category, is_listed, name, words)
    SELECT t.id, n.id, coalesce(t.category, n.category),
           t.visibility = 'public' AND n.status = 'active'
               AND NOT (t.is_suspended OR n.is_suspended OR p.is_suspended), tool_words(t.name, 'A'),
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
    UPDATE tool_document d
    SET is_listed = t.visibility = 'public' AND n.status = 'active'
        AND NOT (t.is_suspended OR n.is_suspended OR p.is_suspended)
    FROM tool t JOIN namespace n ON n.id = t.namespace_id JOIN publisher p ON p.id = n.publisher_id
    WHERE d.tool_id = t.id AND d.namespace_id = n.id AND NEW.id IN (n.id, p.id)
      AND d.is_listed IS DISTINCT FROM (t.visibility = 'public' AND n.status = 'active'
                                        AND NOT (t.is_suspended OR n.is_suspended OR p.is_suspended));
    RETURN NULL;
END
$$;
DROP TRIGGER tool_document_listed ON namespace;
CREATE TRIGGER tool_document_listed AFTER UPDATE ON namespace FOR EACH ROW
    WHEN (OLD.is_suspended <> NEW.is_suspended OR OLD.status <> NEW.status) EXECUTE FUNCTION listing_changed();
