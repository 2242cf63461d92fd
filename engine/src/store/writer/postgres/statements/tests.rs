use super::*;

#[test]
fn every_array_is_used_and_every_name_is_an_array() {
    assert!(!WRITE.contains('@'), "{}", WRITE.split('@').nth(1).unwrap_or_default());
    for (number, (name, sql_type)) in (SCALARS + 1..).zip(TYPES) {
        assert!(WRITE.contains(&format!("${number}::{sql_type}[]")), "{name} is not written");
    }
}
