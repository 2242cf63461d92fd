use engine::{id::PartnerId, service::caps::CapUsed};
use uuid::Uuid;

use super::*;

fn credits(text: &str) -> Credits {
    Credits::parse_exact(text).unwrap()
}

fn cap(holder: CapHolder, window: CapWindow, spent: &str) -> CapStanding {
    let used = CapUsed { spent: credits(spent), held: Credits::ZERO, resets_us: None };
    CapStanding { holder, window, limit: credits("12.5"), used: Some(used) }
}

#[test]
fn a_form_carries_the_limits_that_were_seen() {
    let partner = PartnerId::from(Uuid::from_u128(7));
    let target = |holder, code: &str| Target { holder, code: code.to_owned(), label: String::new() };
    let targets = [target(CapHolder::Partner(partner), WHOLE), target(CapHolder::EachEndUser(partner), EACH)];
    let row = |cap| Shown { label: String::new(), cap, lift: None };
    let caps = [
        row(cap(CapHolder::Partner(partner), CapWindow::Day, "0")),
        row(cap(CapHolder::EachEndUser(partner), CapWindow::Total, "0")),
    ];
    let seen = seen_text(&targets, &caps);
    assert_eq!(seen, "whole day 12.5;each total 12.5");
    assert_eq!(seen_limit(&seen, WHOLE, CapWindow::Day), Some(credits("12.5")));
    assert_eq!(seen_limit(&seen, EACH, CapWindow::Total), Some(credits("12.5")));
    for (text, code, window) in [
        (seen.as_str(), WHOLE, CapWindow::Month),
        (&seen, EACH, CapWindow::Day),
        ("", WHOLE, CapWindow::Day),
        ("whole day", WHOLE, CapWindow::Day),
        ("whole day much", WHOLE, CapWindow::Day),
    ] {
        assert_eq!(seen_limit(text, code, window), None, "{text} {code}");
    }
}

#[test]
fn what_is_used_has_a_word_a_tone_and_a_figure() {
    let partner = CapHolder::Partner(PartnerId::from(Uuid::from_u128(7)));
    for (spent, word, tone) in [
        ("10", "partners-cap-room", Tone::Plain),
        ("10.000001", "partners-cap-near", Tone::Warn),
        ("12.5", "partners-cap-reached", Tone::Bad),
    ] {
        let (shown, row) = state(&cap(partner, CapWindow::Day, spent));
        assert!(matches!(&shown, Cell::State { text, .. } if *text == t(word)), "{spent}: {shown:?}");
        assert_eq!(row, tone, "{spent}");
    }
    let html =
        Block::from(table(&[Shown { label: "all".to_owned(), cap: cap(partner, CapWindow::Day, "10"), lift: None }]))
            .to_string();
    assert!(html.contains("<meter") && html.contains("80&nbsp;%"), "{html}");
}
