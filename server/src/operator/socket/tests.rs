use std::os::unix::net::UnixListener as StdListener;

use tempfile::tempdir;

use super::*;

#[test]
fn the_socket_stands_beside_the_database_by_its_real_name() {
    let folder = tempdir().unwrap();
    let real = folder.path().canonicalize().unwrap();
    fs::write(real.join("books.db"), "").unwrap();
    std::os::unix::fs::symlink(real.join("books.db"), real.join("link.db")).unwrap();
    for name in ["books.db", "link.db", "./books.db"] {
        assert_eq!(path_of(&folder.path().join(name)).unwrap(), real.join("books.db.sock"), "{name}");
    }
    assert_eq!(path_of(&real.join("absent.db")).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_name_too_long_for_a_socket_becomes_a_digest_elsewhere() {
    let folder = tempdir().unwrap();
    let deep = folder.path().join("d".repeat(PATH_BYTES_MAX));
    fs::create_dir(&deep).unwrap();
    let paths = ["a.db", "b.db"].map(|name| {
        fs::write(deep.join(name), "").unwrap();
        path_of(&deep.join(name)).unwrap()
    });
    assert_ne!(paths[0], paths[1]);
    for path in paths {
        assert!(path.starts_with(short_folder()) && path.as_os_str().len() <= PATH_BYTES_MAX, "{}", path.display());
    }
}

#[tokio::test]
async fn a_dead_server_s_socket_makes_way_and_a_living_one_s_does_not() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("s");
    make_way(&path).await.unwrap();

    let living = StdListener::bind(&path).unwrap();
    assert!(matches!(make_way(&path).await, Err(SocketError::Taken(_))));
    assert!(path.exists());
    drop(living);
    make_way(&path).await.unwrap();
    assert!(!path.exists());

    fs::write(&path, "a file").unwrap();
    assert!(matches!(make_way(&path).await, Err(SocketError::InTheWay(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
}

#[tokio::test]
async fn a_database_that_nobody_serves_is_told_from_a_server_that_says_nothing() {
    let folder = tempdir().unwrap();
    let database = folder.path().join("books.db");
    assert!(ask(&database, &Command::Settings).await.is_none(), "no database");
    fs::write(&database, "").unwrap();
    assert!(ask(&database, &Command::Settings).await.is_none(), "no socket");

    let listener = StdListener::bind(path_of(&database).unwrap()).unwrap();
    let silent = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let answer = ask(&database, &Command::Settings).await.expect("somebody listens").unwrap_err();
    assert!(answer.message.contains("whether the command was carried out is not known"), "{answer}");
    silent.join().unwrap();
    assert!(ask(&database, &Command::Settings).await.is_none(), "a dead socket");
}
