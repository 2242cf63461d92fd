use super::*;

#[test]
fn a_program_is_taken_from_the_first_folder_that_can_run_it() {
    let (empty, plain) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(plain.path().join("sh"), "not executable").unwrap();
    let folders = [empty.path().to_path_buf(), plain.path().to_path_buf(), PathBuf::from("/bin")];
    assert_eq!(find_in(&folders, "sh"), Some(PathBuf::from("/bin/sh")));
    assert_eq!(find_in(&folders, "no-such-program"), None);
}

#[test]
#[should_panic(expected = "the program `no-such-program` is missing: run tests/run once")]
fn a_missing_program_fails_the_test_with_the_remedy() {
    tool("no-such-program");
}
