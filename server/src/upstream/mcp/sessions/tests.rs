use engine::id::AccountId;
use uuid::Uuid;

use super::*;

/// The server with this number, of this account or of nobody's.
fn with(owner: Option<u128>, number: usize) -> With {
    let owner = owner.map(|owner| AccountId::from(Uuid::from_u128(owner)));
    With::new(&format!("https://{number}.example/mcp"), None, owner)
}

/// So many sessions with servers of `owner`, all in use.
fn taken(sessions: &Sessions, owner: Option<u128>, count: usize) -> Vec<Arc<Slot>> {
    (0..count).map(|number| sessions.slot(&with(owner, number)).unwrap()).collect()
}

#[test]
fn what_one_account_publishes_leaves_room_for_the_others() {
    /// Who has sessions in use, how many, and who asks for one more: why there is none.
    type Case = (&'static str, &'static [(Option<u128>, usize)], Option<u128>, Option<&'static str>);
    const FULL: usize = SESSIONS_PER_OWNER_MAX;
    let own = Some("32 sessions with servers of this publisher are in use already");
    let all = Some("512 sessions are in use already");
    let cases: [Case; 7] = [
        ("the first", &[], Some(1), None),
        ("the last of its own", &[(Some(1), FULL - 1)], Some(1), None),
        ("one too many", &[(Some(1), FULL)], Some(1), own),
        ("another account's", &[(Some(1), FULL)], Some(2), None),
        ("one that an operator has declared", &[(Some(1), FULL), (None, FULL)], None, None),
        ("the last of all", &[(Some(1), FULL), (None, SESSIONS_MAX - FULL - 1)], Some(2), None),
        ("one too many of all", &[(None, SESSIONS_MAX)], Some(2), all),
    ];
    for (name, used, asks, refused) in cases {
        let sessions = Sessions::default();
        let held: Vec<_> = used.iter().map(|(owner, count)| taken(&sessions, *owner, *count)).collect();
        let answer = sessions.slot(&with(asks, 10_000)).map(drop).map_err(|error| error.to_string());
        assert_eq!(answer.err().as_deref(), refused, "{name}");
        drop(held);
    }
    assert!(FULL.saturating_mul(8) <= SESSIONS_MAX, "a few accounts do not take all of them");
}

#[test]
fn ones_own_idle_session_makes_room_and_nobody_elses() {
    let sessions = Sessions::default();
    drop(taken(&sessions, Some(2), 1));
    let mut held = taken(&sessions, Some(1), SESSIONS_PER_OWNER_MAX);
    held.pop();
    let count = sessions.count();
    sessions.slot(&with(Some(1), 10_000)).map(drop).unwrap();
    assert_eq!(sessions.count(), count, "one of its own was left");
    let slots = sessions.0.lock().unwrap();
    assert!(slots.contains_key(&with(Some(2), 0)), "the other account's, which was idle for longer, is still there");
    assert!(!slots.contains_key(&with(Some(1), SESSIONS_PER_OWNER_MAX - 1)));
}
