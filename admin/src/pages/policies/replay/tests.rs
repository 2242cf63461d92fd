use engine::{id::InvocationId, policy::Decision};

use super::*;

fn call(number: u128, was_allowed: bool, is_allowed: Option<bool>) -> ReplayedCall {
    let decision = is_allowed.map(|allowed| Decision {
        allowed,
        determining: vec!["tools.deny".into()],
        reason: None,
        code: None,
        faults: Vec::new(),
    });
    ReplayedCall {
        call: InvocationId::from(uuid::Uuid::from_u128(number)),
        created_us: 0,
        tool: "exec".to_owned(),
        session_key: None,
        was_allowed,
        was_denied_by: Vec::new(),
        decision,
    }
}

#[test]
fn every_call_is_in_one_cell_and_every_cell_leads_to_its_calls() {
    let calls = vec![
        call(6, true, Some(true)),
        call(5, true, Some(false)),
        call(4, true, None),
        call(3, false, Some(true)),
        call(2, false, Some(false)),
        call(1, false, None),
    ];
    let replayed = Replayed { calls };
    let counts = CELLS.map(|(_, was, is)| replayed.cell(was, is).count());
    assert_eq!(counts, [1, 2, 1, 2], "a tool that is not offered any more is denied");
    assert_eq!(replayed.flips().count(), 3);
    let html: String = matrix(&replayed, &|cell| format!("/x?cell={cell}")).iter().map(ToString::to_string).collect();
    for (cell, count) in CELLS.iter().map(|(cell, ..)| cell).zip(counts) {
        assert!(html.contains(&format!("<a href=\"/x?cell={cell}\">{count}</a>")), "{html}");
    }
}

#[test]
fn nothing_flips_is_said() {
    let replayed = Replayed { calls: vec![call(1, true, Some(true))] };
    let html: String = matrix(&replayed, &|_| String::new()).iter().map(ToString::to_string).collect();
    assert!(html.contains("notice good"), "{html}");
}
