use super::*;

#[test]
fn every_array_of_its_groups_is_used_and_every_name_is_an_array() {
    for number in 0..Groups::COUNT {
        let groups = Groups::numbered(number);
        let text = write_text(groups);
        assert!(!text.contains('@'), "{}", text.split('@').nth(1).unwrap_or_default());
        let arrays = TYPES.iter().filter(|(group, ..)| groups.has(*group));
        for (place, (_, name, sql_type)) in (SCALARS + 1..).zip(arrays) {
            assert!(text.contains(&format!("${place}::{sql_type}[]")), "{name} is not written in {number}");
        }
    }
}

#[test]
fn an_empty_batch_needs_nothing_but_the_head() {
    let columns = Columns::default();
    let groups = columns.groups();
    assert_eq!(groups.number(), 0);
    assert_eq!(expected(groups, &columns), [1, 0, 0]);
}

#[test]
fn only_the_locking_text_locks() {
    assert_eq!(LOCK.matches("FOR UPDATE").count(), 3);
    assert!(!READ.contains("FOR UPDATE") && !READ.contains('@') && !LOCK.contains('@'));
}

#[test]
fn what_goes_back_or_out_costs_no_other_batch_anything() {
    let movements = Groups::numbered(32);
    assert!(movements.has(Group::Movements));
    for number in 0..Groups::COUNT {
        let text = write_text(Groups::numbered(number));
        let is_there = Groups::numbered(number).has(Group::Movements);
        for table in ["refund_total", "payout"] {
            assert_eq!(text.contains(table), is_there, "{table} in {number}");
        }
    }
    assert!(!READ.contains("hot_balance") && !LOCK.contains("hot_balance"));
}
