use super::*;

#[test]
fn what_is_said_of_a_url_never_repeats_its_password() {
    for url in [
        "postgres://u:hunter2/@localhost/books",
        "postgres://u:hunter2?x@localhost:5432/books",
        "postgres://u:12#hunter2@localhost/books",
        "postgres://u:hunter2@localhost:books/x",
        "postgres://u:hunter2@[::1/x",
        "postgres://u:hunter2@localhost/books?sslmode=loud",
        "mysql://u:hunter2@localhost/books",
        "postgres:/u:hunter2@localhost/books",
    ] {
        let refused = Target::of(url).map(drop).expect_err(url).to_string();
        assert!(!refused.contains("hunter") && refused.starts_with("the database URL cannot be used: "), "{refused}");
    }
}

#[test]
fn a_place_is_named_without_user_and_password() {
    for (url, place) in [
        ("postgres://u:p%40ss@db.example:6432/books", "db.example:6432/books"),
        ("postgresql://u@[::1]/books", "[::1]:5432/books"),
        ("postgres://u:p@localhost/books?host=/run/postgresql", "/run/postgresql/books"),
    ] {
        assert_eq!(Target::of(url).map(|target| target.place).ok().as_deref(), Some(place), "{url}");
    }
}
