//! Files that are generated and committed: each is compared with what generates it.

use std::process::{Command, Stdio};

use migrations::{Migrator, MigratorTrait as _};
use tests::{patience::Ends as _, postgres::Cluster, workspace_root};

mod console_roles;

#[test]
fn the_lock_file_is_current() {
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace_root())
        .args(["metadata", "--locked", "--no-deps", "--quiet", "--format-version", "1"])
        .stdin(Stdio::null())
        .ended()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What the program prints for this command.
fn printed(command: &str) -> String {
    let folder = tests::program::folder();
    let output = tests::program::tollgate(folder.path(), &[command]).ended().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_openapi_document_is_current() {
    tests::assert_file_is_current("docs/openapi.json", &printed("openapi"));
}

#[test]
fn the_reference_of_the_command_line_is_current() {
    tests::assert_file_is_current("docs/cli.md", &printed("reference"));
}

#[test]
fn the_table_of_the_consoles_roles_is_current() {
    tests::assert_file_is_current("docs/console-roles.md", &console_roles::render());
}

/// Every statement that made something, as the database keeps it, in the order of names.
#[tokio::test]
async fn the_dump_of_the_schema_is_current() {
    let folder = tests::program::folder();
    let path = folder.path().join("empty.db");
    let connection = engine::store::Database::connect_for_migration(&format!("sqlite://{}", path.display())).await;
    let connection = connection.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();

    let books = rusqlite::Connection::open(&path).unwrap();
    let mut statement = books
        .prepare(
            // An index of words makes the tables of its inside by itself.
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'seaql_migrations'
                 AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
             ORDER BY tbl_name, type <> 'table', name",
        )
        .unwrap();
    let made: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let head = "-- What all migrations together make; generated, and compared by a test.\n";
    let dump = made.iter().fold(head.to_owned(), |dump, sql| format!("{dump}\n{sql};\n"));
    tests::assert_file_is_current("migrations/schema.sqlite.sql", &dump);
}

/// The same from PostgreSQL's catalog, which keeps no statements.
#[tokio::test]
async fn the_dump_of_the_postgres_schema_is_current() {
    let database = Cluster::shared().database();
    let connection = engine::store::Database::connect_for_migration(&database.url()).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();

    let head = "-- What all migrations together make on PostgreSQL; generated, and compared by a test.\n";
    tests::assert_file_is_current("migrations/schema.postgres.sql", &format!("{head}\n{}\n", database.schema()));
}
