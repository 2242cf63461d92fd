use secrecy::ExposeSecret as _;

use super::*;
use crate::config::{ConfigSource, Environment, load};

fn place() -> (tempfile::TempDir, Database, MasterKey) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("{{ database: {{ url: 'sqlite://{}/t.db' }} }}", folder.path().display());
    let source = ConfigSource::Text { name: "t".to_owned(), text: url };
    let database = load(&source, &Environment::default()).unwrap().config.database;
    let key =
        MasterKey::load_or_create(&Environment::default(), &database, &aws_lc_rs::rand::SystemRandom::new()).unwrap();
    (folder, database, key)
}

#[test]
fn a_token_is_made_once_and_kept_for_its_owner_alone() {
    let (_folder, database, key) = place();
    let made = load_or_create(&database, &key).unwrap();
    assert!(made.expose_secret().len() >= 40);
    let mode = fs::metadata(token_path(&database)).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(load_or_create(&database, &key).unwrap().expose_secret(), made.expose_secret());
    let (_other_folder, other, other_key) = place();
    assert_ne!(load_or_create(&other, &other_key).unwrap().expose_secret(), made.expose_secret());
}

#[test]
fn the_file_counts_once_it_is_there_unless_others_can_read_it_or_it_holds_nothing() {
    let (_folder, database, key) = place();
    drop(load_or_create(&database, &key).unwrap());
    let path = token_path(&database);
    fs::write(&path, "a token of my own choice\n").unwrap();
    assert_eq!(load_or_create(&database, &key).unwrap().expose_secret(), "a token of my own choice");
    fs::write(&path, " \n").unwrap();
    assert!(matches!(load_or_create(&database, &key), Err(TokenError::Short(_))));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(load_or_create(&database, &key).unwrap_err().to_string().contains("0640"));
}
