use super::*;

#[test]
fn a_current_file_passes_and_an_old_one_names_its_first_difference() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.md");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    assert_eq!(compare_or_write(&path, "one\ntwo\n", false), Ok(()));
    assert_eq!(compare_or_write(&path, "one\n2\n", false), Err("line 2: `two`, expected `2`".to_owned()));
    assert_eq!(compare_or_write(&path, "one\ntwo\nthree\n", false), Err("line 3: ``, expected `three`".to_owned()));
    assert_eq!(compare_or_write(&path, "one\ntwo", false), Err("only the line ends differ".to_owned()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n", "a comparison never writes");
}

#[test]
fn a_missing_file_fails_and_blessing_writes_it_with_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep").join("list.md");
    assert_eq!(compare_or_write(&path, "one\n", false), Err("it is missing".to_owned()));
    assert_eq!(compare_or_write(&path, "one\n", true), Ok(()));
    assert_eq!(compare_or_write(&path, "one\n", false), Ok(()));
}
