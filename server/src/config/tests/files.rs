//! Where the file comes from, and files that cannot be used.

use std::{fs, path::PathBuf};

use tempfile::tempdir;

use crate::config::{ConfigSource, DEFAULT_FILE, Environment, FILE_BYTES_MAX, load};

#[test]
fn a_named_file_must_be_there_and_the_default_need_not() {
    let folder = tempdir().expect("a folder");
    let missing = folder.path().join("x.json5");
    let error = load(&ConfigSource::File(missing.clone()), &Environment::default()).map(drop).expect_err("no file");
    assert_eq!(error.to_string(), format!("{}: there is no such file", missing.display()));

    let source = ConfigSource::Folder(folder.path().to_owned());
    let loaded = load(&source, &Environment::default()).expect("the defaults");
    assert_eq!(loaded.path, None);

    let path = folder.path().join(DEFAULT_FILE);
    fs::write(&path, "{ server: { bind: '127.0.0.1:5' } }").expect("a file");
    let loaded = load(&source, &Environment::default()).expect("the file");
    assert_eq!((loaded.path, loaded.config.server.bind.port()), (Some(path.clone()), 5));

    fs::write(&path, "{ server: { bnid: 1 } }").expect("a file");
    let error = load(&source, &Environment::default()).map(drop).expect_err("an unknown key");
    assert_eq!(
        error.to_string(),
        format!("{}:1:13: unknown key `bnid` in `server` (did you mean `bind`?)", path.display())
    );
    assert_eq!(error.problems().len(), 1);
}

#[test]
fn the_command_line_option_stands_over_the_default_file() {
    assert_eq!(ConfigSource::from_option(None), ConfigSource::Folder(PathBuf::from(".")));
    assert_eq!(ConfigSource::from_option(Some("a.json5".into())), ConfigSource::File(PathBuf::from("a.json5")));
}

#[test]
fn files_that_are_too_large_or_not_text_are_refused() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("t.json5");
    let message = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("a file");
        load(&ConfigSource::File(path.clone()), &Environment::default()).map(drop).expect_err("refused").to_string()
    };
    let huge = vec![b' '; usize::try_from(FILE_BYTES_MAX).expect("fits") + 1];
    assert_eq!(message(&huge), format!("{}: the file is larger than {FILE_BYTES_MAX} bytes", path.display()));
    assert_eq!(message(b"{}\xff"), format!("{}: the file is not UTF-8 text from byte 2 on", path.display()));
    let folder_error =
        load(&ConfigSource::File(folder.path().to_owned()), &Environment::default()).map(drop).expect_err("a folder");
    assert!(folder_error.to_string().contains("the file cannot be read"), "{folder_error}");

    let mut largest = b"{}".to_vec();
    largest.resize(usize::try_from(FILE_BYTES_MAX).expect("fits"), b' ');
    fs::write(&path, largest).expect("a file");
    load(&ConfigSource::File(path), &Environment::default()).expect("a file of the largest size");
}
