-- Which namespaces a version of the catalog has changed, so that a change of one tool is read again without all others. Kept
-- by triggers, in the transaction of the change: whoever changes something that calls depend on has said so. The version is
-- the one that this transaction's raises to.
CREATE TABLE catalog_change (
    -- Sixteen zero bytes stand for the core tools, which are in no namespace.
    namespace_id BLOB    NOT NULL PRIMARY KEY CHECK (length(namespace_id) = 16),
    version      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX catalog_change_version ON catalog_change (version);

CREATE TRIGGER tool_made AFTER INSERT ON tool BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT coalesce(NEW.namespace_id, zeroblob(16)), value + 1 FROM version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;
CREATE TRIGGER tool_changed AFTER UPDATE ON tool BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT coalesce(NEW.namespace_id, zeroblob(16)), value + 1 FROM version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;
CREATE TRIGGER price_made AFTER INSERT ON price_version BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT coalesce(t.namespace_id, zeroblob(16)), v.value + 1 FROM tool t, version v
    WHERE t.id = NEW.tool_id AND v.name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;
CREATE TRIGGER price_cancelled AFTER INSERT ON price_cancellation BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT coalesce(t.namespace_id, zeroblob(16)), v.value + 1
    FROM price_version p JOIN tool t ON t.id = p.tool_id, version v
    WHERE p.id = NEW.price_version_id AND v.name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;
CREATE TRIGGER namespace_made AFTER INSERT ON namespace BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT NEW.id, value + 1 FROM version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;
CREATE TRIGGER namespace_changed AFTER UPDATE ON namespace BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT NEW.id, value + 1 FROM version WHERE name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;
CREATE TRIGGER connection_changed AFTER UPDATE ON connection BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT n.id, v.value + 1 FROM namespace n, version v
    WHERE n.publisher_id = NEW.publisher_id AND n.connection_id = NEW.id AND v.name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;
CREATE TRIGGER publisher_changed AFTER UPDATE ON publisher BEGIN
    INSERT INTO catalog_change (namespace_id, version)
    SELECT n.id, v.value + 1 FROM namespace n, version v WHERE n.publisher_id = NEW.id AND v.name = 'catalog'
    ON CONFLICT (namespace_id) DO UPDATE SET version = excluded.version WHERE version <> excluded.version;
END;
