//! What the roles of a PostgreSQL database may do.

use tests::postgres::{Cluster, OWNER, TestDatabase};

use super::{BOOKS, ROWS, check_refused, migrate};

/// What the application's role may do with each table, as letters: select, insert, update, delete, truncate, make a
/// reference, make a trigger.
const RIGHTS: &str = "
    SELECT c.relname, (SELECT string_agg(letter, '' ORDER BY at)
                       FROM unnest(ARRAY['s', 'i', 'u', 'd', 't', 'r', 'g'],
                                   ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
                            WITH ORDINALITY AS right_to (letter, name, at)
                       WHERE has_table_privilege('ROLE', c.oid, name))
    FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1";

#[tokio::test]
async fn the_applications_role_works_and_leaves_schema_and_books_alone() {
    let database = Cluster::shared().database();
    migrate(&database).await;
    let role = database.application_role();
    let rights = |table: &str| match table {
        "seaql_migrations" => "s",
        "cap" | "connection" | "former_name" | "tool_group" | "idem" | "open_call" | "open_grant" | "open_hold"
        | "operator_link" | "operator_session" => "siud",
        "asset" | "cap_alert" | "erased_name" | "former_tool_name" | "idem_answer" | "partner_funding" | "payload" => {
            "sid"
        }
        "acknowledged_call" | "checkpoint" | "end_user_transfer" | "partner_event" | "price_cancellation"
        | "price_version" | "signing_key" => "si",
        table if BOOKS.iter().any(|(name, _)| *name == table) => "si",
        _ => "siu",
    };
    let found = database.query(&RIGHTS.replace("ROLE", &role));
    assert!(found.lines().count() > 25, "{found}");
    for line in found.lines() {
        let (table, given) = line.split_once('|').unwrap();
        assert_eq!(given, rights(table), "{table}");
    }

    database.query_as(&role, ROWS).unwrap();
    database
        .query_as(
            &role,
            "SELECT * FROM chain_head WHERE slot = 3 FOR UPDATE SKIP LOCKED;
             UPDATE chain_head SET epoch = epoch + 1, owner = gen_random_uuid() WHERE slot = 3;
             SELECT * FROM wallet_balance ORDER BY account_id FOR UPDATE SKIP LOCKED;
             UPDATE wallet_balance SET held = held + 1;
             INSERT INTO hot_balance VALUES (1, 3, 5, 0, 1)
                 ON CONFLICT (account_id, slot) DO UPDATE SET credits = hot_balance.credits + excluded.credits;
             INSERT INTO open_hold VALUES (gen_random_uuid(), 1001, 5, 9, 3, 1);
             DELETE FROM open_hold RETURNING hold_id;
             UPDATE version SET value = value + 1 WHERE name = 'catalog';
             LISTEN catalog; NOTIFY catalog;",
        )
        .unwrap();
    for (table, column) in BOOKS {
        for sql in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            check_refused(&database, &role, &sql, &format!("permission denied for table {table}"));
        }
        for sql in [
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("ALTER TABLE {table} ADD COLUMN more bigint"),
            format!("DROP TRIGGER {table}_no_change ON {table}"),
            format!("DROP TABLE {table}"),
            format!("CREATE INDEX ON {table} ({column})"),
        ] {
            check_refused(&database, &role, &sql, "must be owner of");
        }
    }
    for (sql, why) in [
        ("CREATE TABLE more (id bigint)", "permission denied for schema public"),
        ("CREATE TEMPORARY TABLE txn (id bigint)", "permission denied to create temporary tables"),
        ("CREATE SCHEMA more", "permission denied for database"),
        ("TRUNCATE open_hold", "permission denied for table open_hold"),
        ("DELETE FROM account", "permission denied for table account"),
        ("INSERT INTO seaql_migrations VALUES ('m', 0)", "permission denied for table seaql_migrations"),
        ("SET session_replication_role = replica", "permission denied to set parameter"),
        (
            "CREATE OR REPLACE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "permission denied for schema public",
        ),
    ] {
        check_refused(&database, &role, sql, why);
    }
}

#[tokio::test]
async fn the_roles_may_be_made_before_the_migrations_and_again_after_later_ones() {
    let (database, other) = (Cluster::shared().database(), Cluster::shared().database());
    let role = database.application_role();
    migrate(&database).await;
    check_refused(&database, &role, "UPDATE version SET value = 1", "permission denied for table version");
    assert_eq!(database.application_role(), role);
    database.query_as(&role, "UPDATE version SET value = 1").unwrap();

    migrate(&other).await;
    let other_role = other.application_role();
    let rights = |database: &TestDatabase<'_>, role: &str| database.query(&RIGHTS.replace("ROLE", role));
    assert_eq!(rights(&database, &role), rights(&other, &other_role), "in whatever order");

    // A later migration, and somebody who was generous by hand.
    database.query("CREATE TABLE more (id bigint)");
    database.query_as_superuser(&format!("GRANT ALL ON txn, more TO {role}; GRANT DELETE ON hold TO PUBLIC")).unwrap();
    database.application_role();
    database.query_as(&role, "INSERT INTO more VALUES (1); SELECT * FROM more").unwrap();
    for (sql, table) in [("DELETE FROM more", "more"), ("TRUNCATE txn", "txn"), ("DELETE FROM hold", "hold")] {
        check_refused(&database, &role, sql, &format!("permission denied for table {table}"));
    }

    // What a superuser has made becomes the owner's, so that later migrations can change it.
    database.query_as_superuser("CREATE TABLE made_by_hand (id bigint)").unwrap();
    database.application_role();
    database.query("ALTER TABLE made_by_hand ADD COLUMN name text");
}

#[tokio::test]
async fn a_role_with_too_many_rights_is_not_taken_for_the_application() {
    let database = Cluster::shared().database();
    migrate(&database).await;
    let role = database.application_role();
    for (more, less, why) in [
        (format!("ALTER ROLE {role} SUPERUSER"), format!("ALTER ROLE {role} NOSUPERUSER"), "has too many rights"),
        (format!("ALTER ROLE {role} BYPASSRLS"), format!("ALTER ROLE {role} NOBYPASSRLS"), "has too many rights"),
        (format!("GRANT {OWNER} TO {role}"), format!("REVOKE {OWNER} FROM {role}"), "is a member of"),
    ] {
        database.query_as_superuser(&more).unwrap();
        let error = database.try_application_role().unwrap_err();
        assert!(error.contains(why) && error.contains(&role), "{error}");
        database.query_as_superuser(&less).unwrap();
    }
    assert_eq!(database.application_role(), role);
}
