use super::{BACKOFF_FIRST_US, BACKOFF_US_MAX, MailTemplate, backoff_us};

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
fn templates_survive_their_words() {
    for (template, word) in MailTemplate::ALL {
        assert_eq!(template.as_str(), word);
        assert_eq!(MailTemplate::from_word(word), Some(template));
    }
    assert_eq!(MailTemplate::from_word("else"), None);
}
