-- Everything that the migrations have made, as one text: read from the catalog and not from pg_dump, whose output
-- differs between versions. What the system itself derives (row types, TOAST, indexes of keys) is left out.
WITH
mine AS (
    SELECT c.oid, c.relname, c.reloptions
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'seaql_migrations'
),
line (relid, rank, name, text) AS (
    SELECT a.attrelid, 1, lpad(a.attnum::text, 4, '0'),
           '    ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
               || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
               || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid, true), '')
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT conrelid, 2, CASE contype WHEN 'p' THEN '1' WHEN 'u' THEN '2' WHEN 'c' THEN '3' ELSE '4' END || conname,
           '    CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid, true)
    FROM pg_constraint
    WHERE contype IN ('p', 'u', 'c', 'f', 'x')
),
behind (relid, rank, name, text) AS (
    SELECT i.indrelid, 1, c.relname, pg_get_indexdef(i.indexrelid, 0, true)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT tgrelid, 2, tgname, pg_get_triggerdef(oid, true)
    FROM pg_trigger
    WHERE NOT tgisinternal
),
made (rank, name, text) AS (
    SELECT 1, p.proname, rtrim(pg_get_functiondef(p.oid), E'\n') || E';\n'
    FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 2, m.relname,
           'CREATE TABLE ' || quote_ident(m.relname) || E' (\n'
               || (SELECT string_agg(l.text, E',\n' ORDER BY l.rank, l.name) FROM line l WHERE l.relid = m.oid)
               || E'\n)' || coalesce(' WITH (' || array_to_string(m.reloptions, ', ') || ')', '') || E';\n'
               || coalesce((SELECT string_agg(b.text || E';\n', '' ORDER BY b.rank, b.name)
                            FROM behind b WHERE b.relid = m.oid), '')
    FROM mine m
)
SELECT string_agg(text, E'\n' ORDER BY rank, name) FROM made
