use engine::store::Database;
use migrations::{Migrator, MigratorTrait as _};

use super::{
    machine::{find_user, is_in_memory, newest_first},
    *,
};

#[test]
fn the_newest_server_that_is_new_enough_comes_first() {
    let names = ["9.6", "14", "15", "17", "lost+found", "16"].map(str::to_owned);
    assert_eq!(newest_first(names.into_iter()), [17, 16, 15]);
}

#[test]
fn a_disk_is_told_from_memory_by_the_nearest_mount() {
    let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk ext4 rw 0 0\n";
    for (path, expected) in [("/tmp", true), ("/tmp/a", true), ("/tmp/disk/a", false), ("/tmpfoo", false), ("/", false)]
    {
        assert_eq!(is_in_memory(mounts, Path::new(path)), expected, "{path}");
    }
    let covered = format!("{mounts}tmpfs /tmp/disk tmpfs rw 0 0\n");
    assert!(is_in_memory(&covered, Path::new("/tmp/disk")), "the last mount covers the others");
    assert!(!is_in_memory("", Path::new("/tmp")));
}

#[test]
fn a_user_is_found_by_the_whole_name() {
    let users = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:7::/:/bin/sh\npostgres:x:101:104:a,b:/:/bin/sh\nbroken:x\n";
    assert_eq!(find_user(users, "postgres"), Some((101, 104)));
    assert_eq!(find_user(users, "broken"), None);
    assert_eq!(find_user(users, "nobody"), None);
}

#[tokio::test]
async fn a_fresh_database_is_empty_and_can_be_migrated_by_its_owner() {
    let database = Cluster::shared().database();
    assert_eq!(database.schema(), "");
    let connection = Database::connect_for_migration(&database.url()).await.unwrap();
    Migrator::up(&connection, None).await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(database.query("SELECT count(*), min(slot), max(slot) FROM chain_head"), "16|0|15");
    assert_ne!(database.schema(), "");
}

#[test]
fn databases_share_nothing_and_are_gone_afterwards() {
    let (first, second) = (Cluster::shared().database(), Cluster::shared().database());
    first.query("CREATE TABLE note AS SELECT 7 AS number");
    assert_eq!(first.query("SELECT number FROM note"), "7");
    let refused = second.query_as(OWNER, "SELECT number FROM note").unwrap_err();
    assert!(refused.contains("does not exist"), "{refused}");
    let name = first.name.clone();
    drop(first);
    let known = second.query("SELECT datname FROM pg_database");
    assert!(!known.lines().any(|line| line == name), "{known}");
}

#[test]
fn commits_are_flushed_and_passwords_are_asked_for() {
    let database = Cluster::shared().database();
    for (setting, expected) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("transaction_isolation", "read committed"),
    ] {
        assert_eq!(database.query(&format!("SHOW {setting}")), expected, "{setting}");
    }
    assert_eq!(database.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), "f");
    let methods = "SELECT DISTINCT auth_method FROM pg_hba_file_rules";
    assert_eq!(database.query_as_superuser(methods).as_deref(), Ok("scram-sha-256"));
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let cluster = Cluster::start();
    let database = cluster.database();
    database.query("CREATE TABLE note (number integer)");
    for number in 0..3 {
        database.query(&format!("INSERT INTO note VALUES ({number})"));
        cluster.kill();
        assert!(database.query_as_superuser("SELECT 1").is_err(), "the server still answers");
        cluster.restart();
    }
    // In good order as well.
    cluster.restart();
    assert_eq!(database.query("SELECT string_agg(number::text, ',' ORDER BY number) FROM note"), "0,1,2");
    assert!(cluster.log().contains("was not properly shut down"), "{}", cluster.log());
}

#[test]
fn a_cluster_leaves_nothing_behind() {
    let cluster = Cluster::start();
    let folder = cluster.folder.path().to_owned();
    let postmaster = cluster.keeper().as_ref().unwrap().postmaster.clone();
    assert!(folder.join("data").is_dir());
    assert!(runs(&postmaster));
    drop(cluster);
    assert!(!folder.exists());
    // Its port says nothing: another cluster may have it by now.
    assert!(!runs(&postmaster));
}

#[test]
fn a_cluster_whose_tests_are_killed_goes_as_well() {
    let cluster = Cluster::start();
    // All that the keeper sees of the end of a process: its end of the pipe is closed.
    let Keeper { mut child, alive, postmaster } = cluster.keeper().take().unwrap();
    drop(alive);
    child.wait().unwrap();
    assert!(!cluster.folder.path().exists());
    assert!(!runs(&postmaster));
}

/// Whether there is a process with this number.
fn runs(process: &str) -> bool {
    Path::new("/proc").join(process).exists()
}
