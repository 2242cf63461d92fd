use super::*;

#[test]
fn what_is_to_come_is_drawn_apart_from_what_was() {
    let moments = |at: &[i64]| at.iter().map(|at_us| (*at_us, 10, String::new())).collect::<Vec<_>>();
    assert!(Steps::over_time(String::new(), moments(&[1]), 1).is_none(), "one step is no chart");
    let steps = Steps {
        title: String::new(),
        points: vec![(String::new(), 0, 10), (String::new(), 500, 20), (String::new(), 800, 5)],
        written: vec![String::new(); 3],
        now: 600,
    };
    let (before, after) = steps.lines();
    assert_eq!(before, "0,100 360,100 360,20 432,20");
    assert_eq!(after, "432,20 576,20 576,140 720,140");
    let all_past = Steps { now: 1_000, ..steps };
    assert_eq!(all_past.lines().1, "720,140", "nothing is to come");
    let ends = Steps::over_time(String::new(), moments(&[0, 86_400_000_000]), 0).unwrap();
    assert_eq!(ends.ends(), ("1970-01-01 00:00:00", "1970-01-02 00:00:00"));
}
