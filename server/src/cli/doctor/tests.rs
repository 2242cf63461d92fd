use std::path::Path;

use super::*;

#[test]
fn the_exit_code_is_that_of_what_has_to_be_put_right_first() {
    let wrong = |exits: &[Exit]| {
        let mut report = Report::default();
        report.find("catalog", Level::Note, "a difference");
        for exit in exits {
            report.wrong("part", *exit, "broken");
        }
        let exit = report.exit();
        assert_eq!(report.into_json()["ok"], exit == Exit::Ok);
        exit
    };
    assert_eq!(wrong(&[]), Exit::Ok);
    assert_eq!(wrong(&[Exit::Refused]), Exit::Refused);
    assert_eq!(wrong(&[Exit::Refused, Exit::Database]), Exit::Database);
    assert_eq!(wrong(&[Exit::Database, Exit::Config, Exit::Refused]), Exit::Config);
}

#[test]
fn facts_stand_under_their_part() {
    let mut report = Report::default();
    report.fact("database", "journal_mode", "wal");
    report.fact("database", "synchronous", "full");
    report.find("database", Level::Fine, "as it should be");
    assert_eq!(
        report.into_json(),
        serde_json::json!({
            "ok": true,
            "database": {"journal_mode": "wal", "synchronous": "full"},
            "findings": [{"part": "database", "level": "ok", "text": "as it should be"}],
        })
    );
}

#[test]
fn the_folder_that_is_asked_for_room_is_the_nearest_that_exists() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(files::existing_folder(&folder.path().join("a/b/c.db")), folder.path());
    assert_eq!(files::existing_folder(&folder.path().join("c.db")), folder.path());
    assert_eq!(files::existing_folder(Path::new("not-there/c.db")), Path::new("."));
    assert_eq!(files::existing_folder(Path::new("c.db")), Path::new("."));
    assert!(files::free_bytes(folder.path()).unwrap() > 0);
}
