use engine::{
    id::{MailId, uuid_v7},
    service::outbox::{MAIL_AGES_S, MailRow, MailState, MailTemplate},
};

use super::{about, filter_of, state};
use crate::{
    console::Fields,
    kit::{Cell, Tone},
    text::t,
};

fn mail() -> MailRow {
    MailRow {
        id: MailId::from(uuid_v7(1, [3; 10])),
        recipient: "a…@example.com".to_owned(),
        template: Some(MailTemplate::Receipt),
        state: MailState::Queued,
        attempts: 0,
        next_us: 10,
        claimed_us: None,
        last_error: None,
        created_us: 1,
        sent_us: None,
        about: None,
    }
}

#[test]
fn a_list_is_narrowed_by_what_the_address_says_and_by_nothing_else() {
    let filter = |query: &str| filter_of(&Fields::parse(query).unwrap(), 3_700_000_000);
    let all = filter("");
    assert_eq!((all.state, all.template, all.recipient.as_str(), all.before_us), (None, None, "", None));
    let narrowed = filter("state=failed&template=refund&to=Ann%40Example.com&older=3600");
    assert_eq!((narrowed.state, narrowed.template), (Some(MailState::Failed), Some(MailTemplate::Refund)));
    assert_eq!((narrowed.recipient.as_str(), narrowed.before_us), ("ann@example.com", Some(100_000_000)));
    for nonsense in ["state=lost", "template=spam", "older=7", "older=-60", "older=x"] {
        assert_eq!(filter(nonsense), all, "{nonsense}");
    }
}

#[test]
fn what_stands_still_is_told_from_what_moves() {
    let shown = |mail: &MailRow| state(mail, 100);
    assert_eq!(shown(&mail()), Cell::state(t("mail-state-queued"), Tone::Plain));
    assert_eq!(shown(&MailRow { attempts: 1, ..mail() }), Cell::state(t("mail-state-queued"), Tone::Warn));
    let on_its_way = MailRow { claimed_us: Some(101), ..mail() };
    assert_eq!(shown(&on_its_way), Cell::state(t("mail-on-its-way"), Tone::Plain));
    assert!(!on_its_way.can_be_retried(100) && !on_its_way.can_be_cancelled(100));
    assert!(on_its_way.can_be_retried(101) && on_its_way.can_be_cancelled(101));
    let failed = MailRow { state: MailState::Failed, ..mail() };
    assert_eq!(shown(&failed), Cell::state(t("mail-state-failed"), Tone::Bad));
    assert!(failed.can_be_retried(100) && failed.can_be_cancelled(100));
    let secret = MailRow { template: Some(MailTemplate::Verification), ..failed };
    assert!(!secret.can_be_retried(100) && secret.can_be_cancelled(100));
}

#[test]
fn a_mail_leads_to_what_it_is_about() {
    let id = "acc_0192f0c1000070008000000000000001";
    for (kind, href) in [
        ("account", "/admin/accounts/"),
        ("approval", "/admin/approvals/"),
        ("checkpoint", "/admin/ledger/checkpoints/"),
        ("movement", "/admin/refunds/"),
        ("operator", "/admin/operators/"),
        ("payout", "/admin/payouts/"),
        ("purchase", "/admin/purchases/"),
    ] {
        let mail = MailRow { about: Some((kind.to_owned(), id.to_owned())), ..mail() };
        assert_eq!(about(&mail), Cell::id(id, format!("{href}{id}")), "{kind}");
    }
    assert_eq!(about(&mail()), Cell::None);
}

#[test]
fn every_age_and_template_and_state_has_a_name() {
    let ages = MAIL_AGES_S.into_iter().flat_map(|age| [format!("mail-older-{age}"), format!("mail-younger-{age}")]);
    let templates = MailTemplate::ALL.into_iter().map(|(_, word)| format!("mail-template-{word}"));
    let states = MailState::ALL.into_iter().map(|(_, word)| format!("mail-state-{word}"));
    for key in ages.chain(templates).chain(states) {
        assert_ne!(t(&key), key);
    }
}
