use super::*;

const NOW_US: i64 = 1_800_000_000_000_000;

fn call() -> InvocationId {
    InvocationId::from(Uuid::from_u128(1))
}

fn claim(fingerprint: u8) -> KeyClaim {
    KeyClaim { name: KeyName { scope: Uuid::from_u128(2), key: "k".into() }, fingerprint: [fingerprint; 32] }
}

fn stored(age_us: i64, state: KeyState) -> StoredKey {
    StoredKey { fingerprint: [1; 32], call: call(), created_us: NOW_US - age_us, state }
}

#[test]
fn a_claim_is_decided_by_age_then_fingerprint_then_state() {
    let finished = || KeyState::Finished { status: 200, body: "{}".into() };
    let replay = || KeyVerdict::Replay { call: call(), status: 200, body: "{}".into() };
    let rows = [
        ("a finished call", 0, finished(), 1, replay()),
        ("a running call", 0, KeyState::Running, 1, KeyVerdict::InFlight { call: call() }),
        ("an unknown outcome", 0, KeyState::Unknown, 1, KeyVerdict::OutcomeUnknown { call: call() }),
        ("another request, finished", 0, finished(), 2, KeyVerdict::Reused { call: call() }),
        ("another request, running", 0, KeyState::Running, 2, KeyVerdict::Reused { call: call() }),
        ("another request, unknown", 0, KeyState::Unknown, 2, KeyVerdict::Reused { call: call() }),
        ("the last microsecond of the day", KEY_TTL_US - 1, finished(), 1, replay()),
        ("a day old", KEY_TTL_US, finished(), 1, KeyVerdict::Fresh),
        ("a day old, unknown", KEY_TTL_US, KeyState::Unknown, 1, KeyVerdict::Fresh),
        ("a day old, another request", KEY_TTL_US, finished(), 2, KeyVerdict::Fresh),
        ("a day old and still running", KEY_TTL_US, KeyState::Running, 1, KeyVerdict::InFlight { call: call() }),
        ("still running, another request", 9 * KEY_TTL_US, KeyState::Running, 2, KeyVerdict::Reused { call: call() }),
    ];
    for (what, age_us, state, fingerprint, expected) in rows {
        let stored = stored(age_us, state);
        assert_eq!(decide_key(Some(&stored), &claim(fingerprint), NOW_US), expected, "{what}");
    }
    assert_eq!(decide_key(None, &claim(1), NOW_US), KeyVerdict::Fresh);
}
