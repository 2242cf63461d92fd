use super::*;

fn range(text: &str) -> Option<(Vec<HitKind>, String, String)> {
    match Sought::of(text) {
        Sought::Id { kinds, first, last } => Some((kinds, first.as_simple().to_string(), last.as_simple().to_string())),
        Sought::Name => None,
    }
}

#[test]
fn an_identifier_is_known_by_its_prefix_and_its_digits() {
    let id = "acc_0192f0c1a2b37c4d8e5f60718293a4b5";
    let (kinds, first, last) = range(id).unwrap();
    assert_eq!(kinds, [HitKind::Account]);
    assert_eq!(first, last);
    assert_eq!(format!("acc_{first}"), id);
    assert_eq!(range(&id.to_uppercase()), range(id), "people copy from anywhere");
}

#[test]
fn the_beginning_of_an_identifier_is_a_range() {
    let (kinds, first, last) = range("inv_0192f").unwrap();
    assert_eq!(kinds, [HitKind::Call]);
    assert_eq!(first, format!("0192f{}", "0".repeat(27)));
    assert_eq!(last, format!("0192f{}", "f".repeat(27)));
    let (kinds, ..) = range("ent_01").unwrap();
    assert_eq!(kinds, [HitKind::Movement, HitKind::Grant, HitKind::Transaction, HitKind::Call]);
}

#[test]
fn digits_without_a_prefix_may_be_of_anything() {
    let (kinds, first, last) = range("0192f0c1-a2b3-7c4d-8e5f-60718293a4b5").unwrap();
    assert!(kinds.len() == HitKind::ALL.len() && first == last, "{kinds:?}");
    assert!(range("0192f0").is_some());
    assert!(range("0192f").is_none(), "too few to mean one");
}

#[test]
fn names_are_no_identifiers() {
    for name in ["facade", "deadbeef", "alice@example.com", "acme/tool", "web_search", "acc_", "acc_xyz"] {
        assert!(range(name).is_none(), "{name}");
    }
    assert!(range(&format!("acc_{}", "0".repeat(33))).is_none());
}

#[test]
fn every_kind_is_listed_once() {
    let words: std::collections::BTreeSet<&str> = HitKind::ALL.iter().map(|(_, word, _)| *word).collect();
    assert_eq!(words.len(), HitKind::ALL.len());
    assert!(HitKind::ALL.iter().all(|(kind, word, prefix)| kind.as_str() == *word && kind.prefix() == *prefix));
}
