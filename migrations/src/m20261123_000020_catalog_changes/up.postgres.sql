-- Which namespaces a version of the catalog has changed, so that a change of one tool is read again without all others. Kept
-- by triggers, in the transaction of the change: whoever changes something that calls depend on has said so. The version is
-- the one that this transaction's raises to.
CREATE TABLE catalog_change (
    -- Sixteen zero bytes stand for the core tools, which are in no namespace.
    namespace_id uuid   NOT NULL PRIMARY KEY,
    version      bigint NOT NULL
);
CREATE INDEX catalog_change_version ON catalog_change (version);

-- Before any row is touched: changes of the catalog go one after the other, as they raise its version, and each knows to what.
CREATE FUNCTION catalog_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM version WHERE name = 'catalog' FOR UPDATE;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_catalog_change(namespaces uuid[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO catalog_change (namespace_id, version)
    SELECT DISTINCT coalesce(id, '00000000-0000-0000-0000-000000000000'), value + 1
    FROM unnest(namespaces) AS id, version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version
    WHERE catalog_change.version <> excluded.version
$$;

CREATE FUNCTION note_tool() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_catalog_change(ARRAY[NEW.namespace_id]);
    RETURN NULL;
END
$$;
CREATE FUNCTION note_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_catalog_change(ARRAY(SELECT namespace_id FROM tool WHERE id = NEW.tool_id));
    RETURN NULL;
END
$$;
CREATE FUNCTION note_cancellation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_catalog_change(ARRAY(SELECT t.namespace_id FROM price_version p JOIN tool t ON t.id = p.tool_id
                                      WHERE p.id = NEW.price_version_id));
    RETURN NULL;
END
$$;
CREATE FUNCTION note_namespace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_catalog_change(ARRAY[NEW.id]);
    RETURN NULL;
END
$$;
CREATE FUNCTION note_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_catalog_change(ARRAY(SELECT id FROM namespace
                                      WHERE publisher_id = NEW.publisher_id AND connection_id = NEW.id));
    RETURN NULL;
END
$$;
CREATE FUNCTION note_publisher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_catalog_change(ARRAY(SELECT id FROM namespace WHERE publisher_id = NEW.id));
    RETURN NULL;
END
$$;

CREATE TRIGGER catalog_turn BEFORE INSERT OR UPDATE ON tool FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER catalog_turn BEFORE INSERT ON price_version FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER catalog_turn BEFORE INSERT ON price_cancellation FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER catalog_turn BEFORE INSERT OR UPDATE ON namespace FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER catalog_turn BEFORE UPDATE ON connection FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();
CREATE TRIGGER catalog_turn BEFORE UPDATE ON publisher FOR EACH STATEMENT EXECUTE FUNCTION catalog_turn();

CREATE TRIGGER catalog_change AFTER INSERT OR UPDATE ON tool FOR EACH ROW EXECUTE FUNCTION note_tool();
CREATE TRIGGER catalog_change AFTER INSERT ON price_version FOR EACH ROW EXECUTE FUNCTION note_price();
CREATE TRIGGER catalog_change AFTER INSERT ON price_cancellation FOR EACH ROW EXECUTE FUNCTION note_cancellation();
CREATE TRIGGER catalog_change AFTER INSERT OR UPDATE ON namespace FOR EACH ROW EXECUTE FUNCTION note_namespace();
CREATE TRIGGER catalog_change AFTER UPDATE ON connection FOR EACH ROW EXECUTE FUNCTION note_connection();
CREATE TRIGGER catalog_change AFTER UPDATE ON publisher FOR EACH ROW EXECUTE FUNCTION note_publisher();
