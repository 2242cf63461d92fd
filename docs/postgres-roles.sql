-- The rights of Tollgate's two roles in a PostgreSQL database.
--
--   psql -d tollgate -f docs/postgres-roles.sql
--   psql -d tollgate -v owner=books_owner -v application=books -f docs/postgres-roles.sql
--
-- The owner has the tables and carries migrations out; `tollgate serve` needs no more than the application's role. That
-- one reads and appends everywhere, changes working state and the catalog, and can neither change the schema nor touch
-- a row of the books. A role that is missing is made, without a password: give it one with `\password`.
--
-- To be run by a superuser, before or after the migrations, and again after an update with new ones: tables that this
-- file does not know can be read and appended to, and nothing else. It happens as a whole or not at all, and servers
-- may run meanwhile.

\set ON_ERROR_STOP on
\if :{?owner}
\else
    \set owner tollgate_owner
\endif
\if :{?application}
\else
    \set application tollgate
\endif

BEGIN;

SELECT set_config('tollgate.owner', :'owner', true) AS owner,
       set_config('tollgate.application', :'application', true) AS application
\gset role_

DO $roles$
DECLARE
    owner       CONSTANT text := current_setting('tollgate.owner');
    application CONSTANT text := current_setting('tollgate.application');

    -- What changes while the program works. Everything else is only appended to.
    changed     CONSTANT text[] := ARRAY[
        'account', 'approval', 'audit_head', 'auditor_token', 'call_count', 'cap', 'cap_window', 'chain_head',
        'catalog_change', 'chargeback', 'connection', 'count_head', 'end_user', 'end_user_wallet', 'flow_count', 'former_name', 'hot_balance', 'idem', 'import',
        'invocation', 'kept_key', 'ledger_account', 'login_link', 'mail', 'namespace', 'open_call', 'open_grant', 'open_hold', 'operator',
        'operator_link', 'operator_session', 'partner', 'partner_usage', 'policy_version', 'publisher', 'purchase',
        'refund_total', 'sales_day', 'token', 'tool', 'tool_document', 'tool_group', 'version', 'wallet_balance', 'webhook', 'webhook_delivery'
    ];
    -- What goes when a call, a day or a session is over, when somebody lifts a limit, or when nothing shows it any more.
    removed     CONSTANT text[] := ARRAY[
        'asset', 'cap', 'cap_alert', 'connection', 'erased_name', 'former_name', 'former_tool_name', 'idem', 'idem_answer', 'open_call', 'open_grant', 'open_hold',
        'operator_link', 'operator_session', 'partner_funding', 'payload', 'tool_group'
    ];

    found       record;
BEGIN
    IF owner = application THEN
        RAISE EXCEPTION 'owner and application must be two roles: the owner of a table has every right to it';
    END IF;
    FOR found IN SELECT name FROM unnest(ARRAY[owner, application]) AS name
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
    LOOP
        EXECUTE format('CREATE ROLE %I LOGIN', found.name);
    END LOOP;
    -- Rights that no GRANT below could take away.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = application
               AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)) THEN
        RAISE EXCEPTION 'the role "%" has too many rights: take SUPERUSER, CREATEROLE, CREATEDB, REPLICATION and '
            'BYPASSRLS from it, or name another application', application;
    END IF;
    IF pg_has_role(application, owner, 'MEMBER') THEN
        RAISE EXCEPTION 'the role "%" is a member of "%" and so has its rights: revoke that first', application, owner;
    END IF;
    IF EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND datdba = application::regrole) THEN
        RAISE EXCEPTION 'the role "%" owns the database: give it to "%" first', application, owner;
    END IF;

    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC, %I', current_database(), application);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I, %I', current_database(), owner, application);
    EXECUTE format('REVOKE CREATE ON SCHEMA public FROM PUBLIC, %I', application);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA public TO %I', owner);
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', application);

    FOR found IN SELECT c.relname AS name, pg_get_userbyid(c.relowner) AS held_by
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
        ORDER BY c.relname
    LOOP
        -- Only where it must be: a new owner locks the table for a moment.
        IF found.held_by <> owner THEN
            EXECUTE format('ALTER TABLE public.%I OWNER TO %I', found.name, owner);
        END IF;
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, %I', found.name, application);
        EXECUTE format('GRANT SELECT ON public.%I TO %I', found.name, application);
        IF found.name <> 'seaql_migrations' THEN
            EXECUTE format('GRANT INSERT ON public.%I TO %I', found.name, application);
        END IF;
        IF found.name = ANY (changed) THEN
            EXECUTE format('GRANT UPDATE ON public.%I TO %I', found.name, application);
        END IF;
        IF found.name = ANY (removed) THEN
            EXECUTE format('GRANT DELETE ON public.%I TO %I', found.name, application);
        END IF;
    END LOOP;

    -- What follows the master key when that is replaced, and nothing else of these rows. Where the tables are not made yet,
    -- this file is run again after the migrations.
    FOR found IN SELECT * FROM (VALUES ('signing_key', 'wrapped'), ('payload', 'arguments'), ('payload', 'answer'))
                 AS sealed (name, part)
        WHERE to_regclass('public.' || sealed.name) IS NOT NULL
    LOOP
        EXECUTE format('GRANT UPDATE (%I) ON public.%I TO %I', found.part, found.name, application);
    END LOOP;

    FOR found IN SELECT p.oid::regprocedure AS name
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> owner::regrole
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', found.name, owner);
    END LOOP;

    -- Tables that later migrations make, until this file is run again.
    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO %I',
                   owner, application);
END
$roles$;

COMMIT;
