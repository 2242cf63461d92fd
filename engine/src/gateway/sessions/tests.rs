use super::*;

fn session(key: &str) -> Session {
    Session::new(key.to_owned(), "a".to_owned())
}

#[test]
fn sessions_are_listed_last_used_first() {
    let mut sessions = SeenSessions::default();
    sessions.note(&session("one"), Some("slack"), 1);
    sessions.note(&session("two"), None, 2);
    sessions.note(&session("one"), None, 3);
    let listed: Vec<_> = sessions.list().map(|(key, seen)| (key, seen.first_us, seen.last_us, seen.calls)).collect();
    assert_eq!(listed, [("one", 1, 3, 2), ("two", 2, 2, 1)]);
    assert_eq!(sessions.find("one").unwrap().channel.as_deref(), Some("slack"));
    assert_eq!(sessions.find("three"), None);
}

#[test]
fn only_so_many_are_remembered() {
    let mut sessions = SeenSessions::default();
    for at in 0..=i64::try_from(SESSIONS_SEEN_MAX).unwrap() {
        sessions.note(&session(&at.to_string()), None, at);
    }
    assert_eq!((sessions.known.len(), sessions.order.len()), (SESSIONS_SEEN_MAX, SESSIONS_SEEN_MAX));
    assert!(sessions.find("0").is_none() && sessions.find("1").is_some());
}
