use super::*;

#[test]
fn a_plan_is_read_from_the_log() {
    let line = "2026-11-22T09:00:00.000000Z TRACE engine::store::readers::plans: SELECT id FROM mail => SCAN mail | USE TEMP B-TREE FOR ORDER BY";
    let (statement, plan) = parse(line).unwrap();
    assert_eq!(statement, "SELECT id FROM mail");
    assert_eq!(plan, ["SCAN mail", "USE TEMP B-TREE FOR ORDER BY"]);
    assert_eq!(parse("2026-11-22T09:00:00.000000Z  INFO server::app: ready"), None);
}
