use std::collections::BTreeMap;

use serde_json::json;

use super::{Caller, Drive, Extent, Plan, Prepared, Shared, scatter};
use crate::wire;

fn plan(key_prefix: Option<&str>) -> Plan {
    Plan {
        addresses: vec!["127.0.0.1:8080".parse().unwrap()],
        path: "/invoke/bench/echo".to_owned(),
        callers: Vec::new(),
        body: json!({ "arguments": { "text": "hello" } }),
        key_prefix: key_prefix.map(str::to_owned),
        connections: 1,
        extent: Extent::EachCallerOnce,
    }
}

fn request(plan: &Plan, end_user: Option<&str>, number: u64) -> String {
    let caller = Caller { token: "faro_x".to_owned(), end_user: end_user.map(str::to_owned) };
    let mut buffer = b"left over".to_vec();
    Prepared::new(plan, plan.addresses[0], &caller).write_into(&mut buffer, number);
    String::from_utf8(buffer).unwrap()
}

#[test]
fn a_request_announces_its_length_and_carries_its_identity() {
    for (key_prefix, end_user) in [(None, None), (Some("k-"), None), (None, Some("ada")), (Some("k-"), Some("ada"))] {
        let text = request(&plan(key_prefix), end_user, 7);
        let head = wire::parse_head(text.as_bytes()).unwrap();
        assert_eq!(head.message_bytes(), Some(text.len()), "{text}");
        assert!(text.contains("authorization: Bearer faro_x\r\n"), "{text}");
        assert_eq!(text.contains("x-faro-user: ada\r\n"), end_user.is_some(), "{text}");
        let body: serde_json::Value = serde_json::from_str(text.get(head.bytes..).unwrap()).unwrap();
        let expected = match key_prefix {
            Some(_) => json!({ "arguments": { "text": "hello" }, "idempotency_key": "k-0000000000000007" }),
            None => json!({ "arguments": { "text": "hello" } }),
        };
        assert_eq!(body, expected);
    }
}

#[test]
fn every_process_gets_requests_that_name_it() {
    let mut plan = plan(None);
    assert!(Shared::new(&plan).is_err(), "nobody calls");
    plan.callers = vec![Caller { token: "faro_x".to_owned(), end_user: None }];
    plan.addresses.push("127.0.0.1:8081".parse().unwrap());
    let shared = Shared::new(&plan).unwrap();
    for (target, address) in shared.targets.iter().zip(&plan.addresses) {
        let mut buffer = Vec::new();
        target.requests[0].write_into(&mut buffer, 0);
        assert!(String::from_utf8(buffer).unwrap().contains(&format!("host: {address}\r\n")));
    }
    assert_eq!(shared.targets.len(), 2);
    plan.addresses.clear();
    assert!(Shared::new(&plan).is_err(), "nobody to call");
}

#[test]
fn every_number_makes_another_key() {
    let plan = plan(Some("k-"));
    for (number, digits) in [(0, "0000000000000000"), (0xbeef, "000000000000beef"), (u64::MAX, "ffffffffffffffff")] {
        assert!(request(&plan, None, number).contains(&format!("\"k-{digits}\"")));
    }
}

#[test]
fn callers_are_drawn_evenly() {
    let mut drawn = BTreeMap::<u64, u32>::new();
    for number in 0..100_000 {
        *drawn.entry(scatter(number) % 1_000).or_default() += 1;
    }
    assert_eq!(drawn.len(), 1_000);
    assert!(drawn.values().all(|count| (50..=150).contains(count)));
}

#[test]
fn only_a_drive_whose_answers_were_all_200_is_clean() {
    let clean = Drive { calls: 5, answers: BTreeMap::from([(200, 6)]), ..Drive::default() };
    assert!(clean.check_clean("side").is_ok());
    let idle = Drive::default();
    let refused = Drive { answers: BTreeMap::from([(200, 6), (402, 1)]), ..clean.clone() };
    let broken = Drive { broken: 1, ..clean.clone() };
    for dirty in [idle, refused, broken] {
        assert!(dirty.check_clean("side").is_err(), "{dirty:?}");
    }
}
