#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt};

use aws_lc_rs::rand::SystemRandom;
use tempfile::{TempDir, tempdir};

use super::{
    super::{ConfigSource, load},
    *,
};

const HEXADECIMAL: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn database_in(folder: &TempDir) -> Database {
    let text = format!("{{ database: {{ url: 'sqlite://{}/books/t.db' }} }}", folder.path().display());
    load(&ConfigSource::Text { name: "t".to_owned(), text }, &Environment::default()).expect("accepted").config.database
}

fn from_variable(value: &str) -> Result<MasterKey, MasterKeyError> {
    // the variable stands over the file, so that the default database is never looked at
    MasterKey::load(&Environment::from_pairs([(MASTER_KEY_VARIABLE, value)]), &Database::default())
}

#[test]
fn the_variable_holds_hexadecimal_or_base64() {
    let wanted = from_variable(HEXADECIMAL).expect("hexadecimal").derive("x").expect("a key");
    for text in [
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    ] {
        assert_eq!(from_variable(text).expect(text).derive("x").expect("a key"), wanted, "for `{text}`");
    }
    let standard = from_variable("+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/8=").expect("base64").derive("x");
    let url_safe = from_variable("-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8").expect("base64url").derive("x");
    assert_eq!(standard.expect("a key"), url_safe.expect("a key"));
}

#[test]
fn a_variable_of_another_length_or_alphabet_is_refused_without_repeating_it() {
    let long = "00".repeat(33);
    for text in [
        "",
        "hunter2",
        HEXADECIMAL.trim_start_matches("00"),
        &long,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "é".repeat(32).as_str(),
    ] {
        let error = from_variable(text).expect_err(text).to_string();
        assert_eq!(error, "the environment variable `TOLLGATE_MASTER_KEY` must hold 32 bytes in base64 or hexadecimal");
    }
}

#[test]
fn the_file_is_made_once_for_its_owner_only_and_then_kept() {
    let folder = tempdir().expect("a folder");
    let database = database_in(&folder);
    let path = folder.path().join("books/master.key");
    let environment = Environment::default();
    let missing = MasterKey::load(&environment, &database).expect_err("there is no file yet");
    assert!(matches!(missing, MasterKeyError::File { .. }), "{missing}");

    let first = MasterKey::load_or_create(&environment, &database, &SystemRandom::new()).expect("made");
    assert_eq!(first.origin(), &MasterKeyOrigin::NewFile(path.clone()));
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(folder.path().join("books")).expect("a folder").count(), 1, "no draft is left");

    let second = MasterKey::load_or_create(&environment, &database, &SystemRandom::new()).expect("read");
    assert_eq!(second.origin(), &MasterKeyOrigin::File(path.clone()));
    assert_eq!(second.derive("x").expect("a key"), first.derive("x").expect("a key"));

    let variable = Environment::from_pairs([(MASTER_KEY_VARIABLE, HEXADECIMAL)]);
    let third = MasterKey::load_or_create(&variable, &database, &SystemRandom::new()).expect("the variable");
    assert_eq!(third.origin(), &MasterKeyOrigin::Variable);
    assert_ne!(third.derive("x").expect("a key"), first.derive("x").expect("a key"));
}

#[test]
fn processes_that_start_at_once_agree_on_one_key() {
    let folder = tempdir().expect("a folder");
    let database = database_in(&folder);
    let load = || MasterKey::load_or_create(&Environment::default(), &database, &SystemRandom::new()).expect("a key");
    let keys: Vec<MasterKey> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(load)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let first = keys[0].derive("x").expect("a key");
    assert!(keys.iter().all(|key| key.derive("x").is_ok_and(|derived| derived == first)));
    let made = keys.iter().filter(|key| matches!(key.origin(), MasterKeyOrigin::NewFile(_))).count();
    assert_eq!(made, 1);
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let folder = tempdir().expect("a folder");
    let database = database_in(&folder);
    MasterKey::load_or_create(&Environment::default(), &database, &SystemRandom::new()).expect("made");
    let path = database.master_key_path();
    for mode in [0o644, 0o640, 0o604, 0o620] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("permissions");
        let error = MasterKey::load_or_create(&Environment::default(), &database, &SystemRandom::new());
        let error = error.expect_err("readable by others").to_string();
        assert!(error.contains(&format!("has the mode {mode:04o}")) && error.contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("permissions");
    MasterKey::load(&Environment::default(), &database).expect("only the owner");
}

#[test]
fn a_file_with_something_else_in_it_is_refused_and_not_replaced() {
    let folder = tempdir().expect("a folder");
    let database = database_in(&folder);
    let path = database.master_key_path();
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    for text in ["", "AAAA", "not a key at all"] {
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("permissions");
        let error = MasterKey::load_or_create(&Environment::default(), &database, &SystemRandom::new());
        assert!(matches!(error, Err(MasterKeyError::Malformed { .. })), "{error:?}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), text);
    }
}

#[test]
fn derived_keys_differ_by_label_and_are_hkdf_sha256() {
    let key = from_variable(HEXADECIMAL).expect("a key");
    let (signing, wrapping) = (key.derive("jwt").expect("a key"), key.derive("wrap").expect("a key"));
    assert_ne!(signing, wrapping);
    assert_eq!(signing, key.derive("jwt").expect("a key"));
    // computed with another implementation of HKDF-SHA256 (RFC 5869)
    let wanted = "c749bae6c054876851c35d9a19871301c4ebbf821b84d29907b6b4b3ef8a1005";
    assert_eq!(decode_hexadecimal(wanted).as_deref(), Some(signing.as_slice()));
}

#[test]
fn debug_output_does_not_contain_the_key() {
    let debug = format!("{:?}", from_variable(HEXADECIMAL).expect("a key"));
    assert!(debug.contains("REDACTED") && !debug.contains("1, 2, 3"), "{debug}");
}
