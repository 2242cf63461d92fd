use serde_json::json;

use super::{
    BACKOFF_FIRST_US, BACKOFF_US_MAX, MAIL_ATTEMPTS_MAX, MailState, MailTemplate, OutgoingMail, backoff_us, jittered,
    list::masked,
};
use crate::id::{MailId, uuid_v7};

#[test]
fn the_wait_doubles_up_to_its_bound() {
    assert_eq!(backoff_us(0), BACKOFF_FIRST_US);
    assert_eq!(backoff_us(1), 2 * BACKOFF_FIRST_US);
    assert_eq!(backoff_us(6), 64 * BACKOFF_FIRST_US);
    for attempts in [7, 30, 63, 64, u32::MAX] {
        assert_eq!(backoff_us(attempts), BACKOFF_US_MAX, "after {attempts}");
    }
}

#[test]
fn a_pause_is_shorter_by_a_quarter_at_most() {
    for (chance, expected) in [(0, 4_000), (u16::MAX, 3_000)] {
        assert_eq!(jittered(4_000, chance), expected, "{chance}");
    }
    assert!((3_000..4_000).contains(&jittered(4_000, 30_000)));
    assert_eq!(jittered(i64::MAX, u16::MAX), i64::MAX - i64::MAX / i64::from(u16::MAX));
}

#[test]
fn a_mail_is_tried_for_about_three_days() {
    let us = (0..MAIL_ATTEMPTS_MAX - 1).map(backoff_us).sum::<i64>();
    let hours = us / 3_600_000_000;
    assert!((71..=75).contains(&hours), "{hours}");
}

#[test]
fn templates_and_states_survive_their_words() {
    for (template, word) in MailTemplate::ALL {
        assert_eq!(template.as_str(), word);
        assert_eq!(MailTemplate::from_word(word), Some(template));
    }
    assert_eq!(MailTemplate::from_word("else"), None);
    for (state, word) in MailState::ALL {
        assert_eq!((state.as_str(), MailState::from_word(word)), (word, Some(state)));
    }
    assert_eq!(MailState::from_word("else"), None);
}

#[test]
fn a_mail_is_over_with_its_link() {
    let mail = |template| OutgoingMail {
        id: MailId::from(uuid_v7(1, [3; 10])),
        recipient: "a@example.com".to_owned(),
        template,
        data: json!({"secret": "v", "minutes": 30}),
        attempts: 0,
        due_us: 0,
        created_us: 1_000,
    };
    let ends_us = 1_000 + 30 * 60_000_000;
    assert!(!mail(MailTemplate::Verification).is_over(ends_us - 1));
    assert!(mail(MailTemplate::Verification).is_over(ends_us));
    assert!(!mail(MailTemplate::Receipt).is_over(i64::MAX));
}

#[test]
fn a_receiver_is_told_apart_and_not_told() {
    for (address, shown) in [
        ("ann@example.com", "a…@example.com"),
        ("a@example.com", "…@example.com"),
        ("ünal@example.com", "ü…@example.com"),
        ("@example.com", "…@example.com"),
        ("nothing of the kind", "…"),
        ("", "…"),
    ] {
        assert_eq!(masked(address), shown, "{address}");
    }
}
