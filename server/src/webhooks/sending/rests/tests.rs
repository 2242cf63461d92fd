use engine::id::uuid_v7;

use super::*;

const SECOND_US: i64 = 1_000_000;

fn webhook(number: u8) -> WebhookId {
    WebhookId::from(uuid_v7(1, [number; 10]))
}

fn is_resting(rests: &Rests, number: u8, now_us: i64) -> bool {
    rests.at(now_us).any(|resting| resting == webhook(number))
}

#[test]
fn a_rest_grows_with_everything_that_is_not_taken_and_ends_with_what_is() {
    let (mut rests, mut now_us) = (Rests::default(), 5 * SECOND_US);
    for seconds in [20, 40, 80, 160, 320, 640, 900, 900] {
        rests.begin(webhook(1), now_us);
        assert!(is_resting(&rests, 1, now_us) && !is_resting(&rests, 2, now_us));
        now_us += seconds * SECOND_US;
        assert!(is_resting(&rests, 1, now_us - 1) && !is_resting(&rests, 1, now_us), "{seconds} s");
    }
    rests.end(webhook(1));
    rests.begin(webhook(1), now_us);
    assert!(!is_resting(&rests, 1, now_us + 20 * SECOND_US), "it has taken something: it begins anew");
}

#[test]
fn who_has_not_failed_for_long_is_forgotten() {
    let mut rests = Rests::default();
    rests.begin(webhook(1), 0);
    rests.begin(webhook(1), 20 * SECOND_US);
    rests.begin(webhook(2), 0);
    let much_later_us = 60 * SECOND_US + REST_US_MAX;
    rests.begin(webhook(3), much_later_us);
    assert_eq!(rests.0.len(), 1);
    rests.begin(webhook(1), much_later_us);
    assert!(!is_resting(&rests, 1, much_later_us + 20 * SECOND_US));
}
