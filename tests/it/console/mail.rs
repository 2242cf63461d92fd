//! The part `mail` of the console: its use cases, and what writes mails.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{MailId, OperatorId, RequestId},
    operator::Role,
    service::{
        Services,
        accounts::MailLinkError,
        approvals::{Decision, NewApproval},
        movements::{MovementError, Note},
        operators::NewOperator,
        outbox::{ChangeMailError, MAIL_CLAIM_US, MailFault, MailFilter, MailRow, MailState, MailTemplate},
        purchases::Provider,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{movements, shop};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    mails_are_listed_by_state_template_receiver_and_age_a_page_at_a_time,
    what_others_read_of_a_mail_is_neither_its_address_nor_its_link,
    a_mail_that_was_given_up_is_sent_again_with_a_reason,
    a_mail_that_waits_is_cancelled_and_one_that_is_being_sent_is_not,
    a_test_mail_is_written_once_for_each_form,
    an_accounts_owner_gets_a_link_when_an_operator_asks,
    a_refund_is_told_to_who_paid,
    a_payout_is_told_where_the_operator_says,
    what_waits_for_a_decision_is_told_to_who_may_decide,
    credits_that_end_are_told_once_for_each_purchase,
    the_queue_is_counted_by_age,
}

const AWAY: MailFault<'_> = MailFault { text: "the server cannot be reached", is_permanent: false };
const REFUSED: MailFault<'_> = MailFault { text: "the server refused the mail for good (550)", is_permanent: true };

fn by() -> OpContext {
    OpContext::system()
}

async fn open(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    services.complete_facts().await.unwrap();
    (desk, services)
}

/// An operator who has chosen a password.
async fn operator(services: &Services, name: &str, roles: &[Role]) -> OperatorId {
    let email = format!("{name}@example.com");
    let made = services.create_operator(&by(), NewOperator { email: &email, name, roles }).await.unwrap();
    let request = RequestId::new(&*services.ids, services.clock.now_us());
    let password = SecretString::from("quartz-lemur-9-umbrella-kiosk");
    services.use_operator_link(request, made.link.secret.expose_secret(), &password).await.unwrap();
    made.operator.id
}

async fn listed(services: &Services, filter: &MailFilter) -> Vec<MailRow> {
    services.list_mail(filter, None).await.unwrap().rows
}

async fn with_template(services: &Services, template: MailTemplate) -> Vec<MailRow> {
    listed(services, &MailFilter { template: Some(template), ..MailFilter::default() }).await
}

/// What the mails with this template were given, by receiver.
fn data_of(desk: &Desk, template: MailTemplate) -> Vec<(String, Value)> {
    let word = template.as_str();
    let rows = desk.rows(&format!("SELECT recipient, data FROM mail WHERE template = '{word}' ORDER BY recipient"));
    rows.into_iter().map(|row| (row[0].clone(), serde_json::from_str(&row[1]).unwrap())).collect()
}

/// An attempt to send what is due to one receiver, which comes to this.
async fn attempt(desk: &Desk, services: &Services, to: &str, fault: Option<MailFault<'_>>) -> MailId {
    let due = services.list_due_mail(desk.now_us()).await.unwrap();
    let mail = due.into_iter().find(|mail| mail.recipient == to).unwrap();
    assert!(services.claim_mail(&mail).await.unwrap());
    match fault {
        Some(fault) => drop(services.mark_mail_failed(&mail, fault, desk.now_us()).await.unwrap()),
        None => services.mark_mail_sent(&mail, desk.now_us()).await.unwrap(),
    }
    mail.id
}

/// What the audit trail tells of mails: action, before, after, reason.
fn told(desk: &Desk) -> Vec<Vec<String>> {
    desk.rows(
        "SELECT action, coalesce(before_json, ''), coalesce(after_json, ''), coalesce(reason, '') FROM audit
         WHERE object_kind = 'mail' ORDER BY slot, seq",
    )
}

async fn mails_are_listed_by_state_template_receiver_and_age_a_page_at_a_time(kind: Kind) {
    let (desk, services) = open(kind).await;
    let ada = operator(&services, "ada", &[Role::Owner]).await;
    let begun_us = desk.now_us();
    for number in 0..60 {
        desk.clock.advance_us(SECOND_US);
        services.send_test_mail(&by(), ada, &number.to_string()).await.unwrap();
    }
    let all = services.list_mail(&MailFilter::default(), None).await.unwrap();
    let place = all.next.clone().unwrap().parse().unwrap();
    let rest = services.list_mail(&MailFilter::default(), Some(place)).await.unwrap();
    assert_eq!((all.rows.len(), rest.rows.len(), rest.next), (50, 11, None));
    assert!(all.rows.is_sorted_by_key(|row| std::cmp::Reverse(row.id)), "the newest first");
    assert_eq!(rest.rows[10].template, Some(MailTemplate::OperatorLink));
    assert_eq!(rest.rows[10].about, Some(("operator".to_owned(), ada.to_string())));

    let failed = attempt(&desk, &services, "ada@example.com", Some(REFUSED)).await;
    let sent = attempt(&desk, &services, "ada@example.com", None).await;
    for (filter, wanted) in [
        (MailFilter { state: Some(MailState::Failed), ..MailFilter::default() }, vec![failed]),
        (MailFilter { state: Some(MailState::Sent), ..MailFilter::default() }, vec![sent]),
        (MailFilter { state: Some(MailState::Cancelled), ..MailFilter::default() }, vec![]),
        (MailFilter { template: Some(MailTemplate::Receipt), ..MailFilter::default() }, vec![]),
        (MailFilter { recipient: "bob@example.com".to_owned(), ..MailFilter::default() }, vec![]),
        (
            MailFilter {
                state: Some(MailState::Sent),
                template: Some(MailTemplate::Test),
                recipient: "ada@example.com".to_owned(),
                before_us: Some(begun_us + 2 * SECOND_US),
            },
            vec![sent],
        ),
    ] {
        let found: Vec<MailId> = listed(&services, &filter).await.iter().map(|row| row.id).collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
    let old = MailFilter { before_us: Some(begun_us + 2 * SECOND_US), ..MailFilter::default() };
    assert_eq!(listed(&services, &old).await.len(), 2, "one of them, and the first one of all");
    // A page of a narrowed list goes on in it.
    let narrow = MailFilter { state: Some(MailState::Queued), ..MailFilter::default() };
    let first = services.list_mail(&narrow, None).await.unwrap();
    let place = first.next.clone().unwrap().parse().unwrap();
    let second = services.list_mail(&narrow, Some(place)).await.unwrap();
    assert_eq!((first.rows.len(), second.rows.len()), (50, 9));
}

async fn what_others_read_of_a_mail_is_neither_its_address_nor_its_link(kind: Kind) {
    let (desk, services) = open(kind).await;
    let made = NewOperator { email: "ada@example.com", name: "Ada", roles: &[Role::Owner] };
    let made = services.create_operator(&by(), made).await.unwrap();
    let secret = made.link.secret.expose_secret();
    let mail = listed(&services, &MailFilter::default()).await.remove(0);
    assert_eq!(mail.recipient, "a…@example.com");
    assert!(data_of(&desk, MailTemplate::OperatorLink)[0].1["secret"] == secret, "its receiver gets it");
    let readable = services.find_readable_mail(mail.id).await.unwrap().unwrap();
    assert_eq!((readable.recipient.as_str(), &readable.data["secret"]), ("a…@example.com", &json!("••••••••")));
    assert!(!readable.data.to_string().contains(secret));

    // When it has been sent, nobody knows it any more; what holds no secret can still be read.
    attempt(&desk, &services, "ada@example.com", None).await;
    assert!(services.find_readable_mail(mail.id).await.unwrap().is_none());
    assert_eq!(data_of(&desk, MailTemplate::OperatorLink)[0].1, json!({}));
    services.send_test_mail(&by(), made.operator.id, "1").await.unwrap();
    let id = attempt(&desk, &services, "ada@example.com", None).await;
    assert_eq!(services.find_readable_mail(id).await.unwrap().unwrap().template, MailTemplate::Test);
}

async fn a_mail_that_was_given_up_is_sent_again_with_a_reason(kind: Kind) {
    let (desk, services) = open(kind).await;
    let ada = operator(&services, "ada", &[Role::Owner]).await;
    let link = attempt(&desk, &services, "ada@example.com", Some(REFUSED)).await;
    services.send_test_mail(&by(), ada, "1").await.unwrap();
    let id = attempt(&desk, &services, "ada@example.com", Some(REFUSED)).await;
    for reason in ["", "two\nlines"] {
        let refused = services.retry_mail(&by(), id, None, reason).await;
        assert!(matches!(refused, Err(ChangeMailError::Reason)), "{reason:?}");
    }
    services.retry_mail(&by(), id, None, "the box is there now").await.unwrap();
    let mail = services.find_mail(id).await.unwrap().unwrap();
    assert_eq!((mail.state, mail.attempts, mail.next_us), (MailState::Queued, 0, desk.now_us()));
    assert_eq!(attempt(&desk, &services, "ada@example.com", None).await, id);
    let again = services.retry_mail(&by(), id, None, "once more").await;
    assert!(matches!(again, Err(ChangeMailError::Sent)), "{again:?}");
    let wiped = services.retry_mail(&by(), link, None, "once more").await;
    assert!(matches!(wiped, Err(ChangeMailError::Wiped)), "{wiped:?}");
    let unknown = services.retry_mail(&by(), MailId::from(ada.uuid()), None, "once more").await;
    assert!(matches!(unknown, Err(ChangeMailError::NotFound)), "{unknown:?}");
    let told = told(&desk);
    let retried = told.iter().find(|row| row[0] == "mail.retry").unwrap();
    let facts: [Value; 2] = [1, 2].map(|column| serde_json::from_str(&retried[column]).unwrap());
    let where_it_stood = facts.each_ref().map(|facts| (facts["state"].as_str(), facts["attempts"].as_i64()));
    assert_eq!(where_it_stood, [(Some("failed"), Some(1)), (Some("queued"), Some(0))]);
    assert_ne!(facts[0]["due_us"], facts[1]["due_us"], "{facts:?}");
    assert_eq!(retried[3], "the box is there now");
    assert!(told.iter().flatten().all(|text| !text.contains('@')), "an address is told: {told:?}");
    desk.verify();
}

async fn a_mail_that_waits_is_cancelled_and_one_that_is_being_sent_is_not(kind: Kind) {
    let (desk, services) = open(kind).await;
    operator(&services, "ada", &[Role::Owner]).await;
    let mail = services.list_due_mail(desk.now_us()).await.unwrap().remove(0);
    assert!(services.claim_mail(&mail).await.unwrap());
    for refused in [
        services.cancel_mail(&by(), mail.id, "a slip").await,
        services.retry_mail(&by(), mail.id, None, "sooner").await,
    ] {
        assert!(matches!(refused, Err(ChangeMailError::OnItsWay)), "{refused:?}");
    }
    // Whoever had it is gone, and it waits again.
    desk.clock.advance_us(MAIL_CLAIM_US);
    services.cancel_mail(&by(), mail.id, "a slip").await.unwrap();
    let row = services.find_mail(mail.id).await.unwrap().unwrap();
    assert_eq!((row.state, row.claimed_us), (MailState::Cancelled, None));
    assert_eq!(data_of(&desk, MailTemplate::OperatorLink)[0].1, json!({}), "its link is forgotten");
    assert!(services.list_due_mail(i64::MAX).await.unwrap().is_empty());
    assert!(!services.claim_mail(&mail).await.unwrap());
    let again = services.cancel_mail(&by(), mail.id, "a slip").await;
    assert!(matches!(again, Err(ChangeMailError::Cancelled)), "{again:?}");
    assert_eq!(told(&desk)[0][0], "mail.cancel");
}

async fn a_test_mail_is_written_once_for_each_form(kind: Kind) {
    let (_desk, services) = open(kind).await;
    let ada = operator(&services, "ada", &[Role::Owner]).await;
    let bob = operator(&services, "bob", &[Role::Owner]).await;
    for (to, key, is_new) in [(ada, "1", true), (ada, "1", false), (ada, "2", true), (bob, "1", true)] {
        assert_eq!(services.send_test_mail(&by(), to, key).await.unwrap().is_some(), is_new, "{key}");
    }
    assert_eq!(with_template(&services, MailTemplate::Test).await.len(), 3);
}

async fn an_accounts_owner_gets_a_link_when_an_operator_asks(kind: Kind) {
    let (desk, services) = open(kind).await;
    let made = services.create_funded_account(&by(), "ann@example.com", true, "first", Credits::ZERO).await.unwrap();
    let account = made.profile.id;
    let unsaid = services.mail_login_link(&by(), account, "", "1").await;
    assert!(matches!(unsaid, Err(MailLinkError::Reason)));
    for _ in 0..2 {
        services.mail_login_link(&by(), account, "they have lost it", "1").await.unwrap();
    }
    let mailed = data_of(&desk, MailTemplate::PasswordReset);
    assert_eq!(mailed.len(), 1, "the same form a second time");
    assert_eq!(mailed[0].0, "ann@example.com");
    let secret = mailed[0].1["secret"].as_str().unwrap();
    let link = services.find_login_link(secret).await.unwrap().unwrap();
    assert_eq!(link.account.id, account);
    assert_eq!(desk.rows("SELECT count(*) FROM login_link"), [["1"]], "and no link of it");
}

async fn a_refund_is_told_to_who_paid(kind: Kind) {
    let shop = shop::Shop::open(kind).await;
    let call = shop.paid_call("2").await;
    let note = Note { reason: "the answer was empty", key: Some("1") };
    let half = Credits::from_micros(2_500_000);
    for _ in 0..2 {
        shop.services.refund(&by(), call.into(), Some(half), note).await.unwrap();
    }
    let mails = with_template(&shop.services, MailTemplate::Refund).await;
    assert_eq!(mails.len(), 1, "once, however often it is asked for");
    let readable = shop.services.find_readable_mail(mails[0].id).await.unwrap().unwrap();
    assert_eq!((&readable.data["credits"], &readable.data["call"]), (&json!("2.5"), &json!(call.to_string())));
    assert_eq!(data_of(&shop.desk, MailTemplate::Refund)[0].0, shop::ALICE);

    // All of what a call was charged: how much that was, only the ledger knows.
    let other = shop.paid_call("4").await;
    let note = Note { reason: "the answer was empty", key: None };
    shop.services.revert(&by(), other.into(), note, false).await.unwrap();
    let newest = with_template(&shop.services, MailTemplate::Refund).await.remove(0);
    let readable = shop.services.find_readable_mail(newest.id).await.unwrap().unwrap();
    assert_eq!(readable.data["credits"], json!("8"));

    // What is refused is told to nobody, and neither is what was never charged.
    let too_much = Credits::from_micros(900_000_000);
    assert!(shop.services.refund(&by(), call.into(), Some(too_much), note).await.is_err());
    shop.free_call().await;
    assert_eq!(with_template(&shop.services, MailTemplate::Refund).await.len(), 2);
}

async fn a_payout_is_told_where_the_operator_says(kind: Kind) {
    let shop = movements::Shop::open(kind).await;
    shop.charge(Credits::from_micros(100_000_000)).await;
    let payee = shop.services.find_payee("acme").await.unwrap();
    let note = Note { reason: "for November", key: Some("1") };
    let wrong = shop.services.pay_out_and_tell(&by(), &payee, None, note, Some("acme")).await;
    assert!(matches!(wrong, Err(MovementError::Address)), "{wrong:?}");
    for _ in 0..2 {
        let told = Some("Books@Acme.example");
        shop.services.pay_out_and_tell(&by(), &payee, None, note, told).await.unwrap();
    }
    let mails = with_template(&shop.services, MailTemplate::Statement).await;
    assert_eq!(mails.len(), 1);
    let readable = shop.services.find_readable_mail(mails[0].id).await.unwrap().unwrap();
    let facts =
        ["name", "opening", "earned", "taken_back", "netted", "paid", "closing"].map(|fact| &readable.data[fact]);
    assert_eq!(facts, [&json!("acme"), &json!("0"), &json!("80"), &json!("0"), &json!("0"), &json!("80"), &json!("0")]);
    assert_eq!(data_of(&shop.desk, MailTemplate::Statement)[0].0, "books@acme.example");

    shop.charge(Credits::from_micros(100_000_000)).await;
    let quiet = Note { reason: "for December", key: Some("2") };
    shop.services.pay_out(&by(), &payee, None, quiet).await.unwrap();
    assert_eq!(with_template(&shop.services, MailTemplate::Statement).await.len(), 1, "nobody was named");
}

async fn what_waits_for_a_decision_is_told_to_who_may_decide(kind: Kind) {
    let (desk, services) = open(kind).await;
    let ada = operator(&services, "ada", &[Role::Owner]).await;
    let bob = operator(&services, "bob", &[Role::Finance]).await;
    operator(&services, "eve", &[Role::Auditor]).await;
    operator(&services, "sue", &[Role::Support]).await;
    let gone = operator(&services, "gus", &[Role::Owner]).await;
    services.set_operator_disabled(&by(), gone, true, Some("left")).await.unwrap();
    // Who has never chosen a password.
    let new = NewOperator { email: "new@example.com", name: "New", roles: &[Role::Owner] };
    services.create_operator(&by(), new).await.unwrap();
    let asked = |key| NewApproval {
        kind: "refund.create",
        payload: json!({"call": "inv_1", "credits": "120"}),
        amount: Some(120_000_000),
        object: ("invocation", "inv_1".to_owned()),
        reason: "the answer was empty",
        key: Some(key),
    };
    let id = services.request_approval(&by(), ada, asked("1")).await.unwrap();
    assert_eq!(services.request_approval(&by(), ada, asked("1")).await.unwrap(), id);
    let mailed = data_of(&desk, MailTemplate::ApprovalRequest);
    assert_eq!(mailed.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["bob@example.com"]);
    let data = &mailed[0].1;
    assert_eq!((&data["approval_id"], &data["author"]), (&json!(id.to_string()), &json!("ada")));
    assert_eq!((&data["credits"], &data["object"]), (&json!("120"), &json!("inv_1")));
    assert_eq!(data["what"], json!("Give back what a call was charged, or a part of it"));

    services.decide_approval(&by(), id, bob, Decision::Reject, Some("it was not empty")).await.unwrap();
    let mailed = data_of(&desk, MailTemplate::ApprovalDecision);
    assert_eq!(mailed.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["ada@example.com"]);
    let data = &mailed[0].1;
    assert_eq!((&data["decided"], &data["by"]), (&json!("rejected"), &json!("bob")));
    assert_eq!(data["note"], json!("it was not empty"));
    let withdrawn = services.request_approval(&by(), ada, asked("2")).await.unwrap();
    services.withdraw_approval(&by(), withdrawn, ada, None).await.unwrap();
    assert_eq!(data_of(&desk, MailTemplate::ApprovalDecision).len(), 1, "who takes something back knows it");
}

async fn credits_that_end_are_told_once_for_each_purchase(kind: Kind) {
    let (desk, services) = open(kind).await;
    let ann = services.create_funded_account(&by(), "ann@example.com", true, "first", Credits::ZERO).await.unwrap();
    let (account, wallet) = (ann.profile.id, ann.profile.wallet);
    let told = || data_of(&desk, MailTemplate::LowBalance);
    services.warn_of_low_balances(None).await.unwrap();
    assert!(told().is_empty(), "nothing was ever bought");
    let buy = async |credits: i64| {
        desk.clock.advance_us(SECOND_US);
        let credits = Credits::from_micros(credits);
        services.purchase(&by(), account, credits, Provider::Demo, None).await.unwrap();
    };
    let spend = async |credits: i64| {
        let note = Note { reason: "used up", key: None };
        services.adjust(&by(), account, Credits::from_micros(-credits), note).await.unwrap();
    };
    buy(100_000_000).await;
    spend(90_000_000).await;
    services.warn_of_low_balances(None).await.unwrap();
    assert!(told().is_empty(), "a tenth is left, and not less");
    spend(1).await;
    for _ in 0..2 {
        assert_eq!(services.warn_of_low_balances(None).await.unwrap(), None, "there are few accounts");
    }
    let mailed = told();
    assert_eq!(mailed, [("ann@example.com".to_owned(), json!({"left": "9.999999", "bought": "100"}))]);
    buy(50_000_000).await;
    services.warn_of_low_balances(None).await.unwrap();
    assert_eq!(told().len(), 1, "there is enough again");
    let left = services.load_balance(wallet, desk.now_us()).await.unwrap().available();
    spend(left.micros()).await;
    services.warn_of_low_balances(None).await.unwrap();
    assert_eq!(told().len(), 2, "of this purchase nobody has been told");
}

async fn the_queue_is_counted_by_age(kind: Kind) {
    let (desk, services) = open(kind).await;
    let ada = operator(&services, "ada", &[Role::Owner]).await;
    attempt(&desk, &services, "ada@example.com", Some(AWAY)).await;
    for (number, seconds) in [90_000, 40_000, 7_000, 3_000, 100].into_iter().enumerate() {
        services.send_test_mail(&by(), ada, &number.to_string()).await.unwrap();
        desk.clock.advance_us(seconds * SECOND_US);
    }
    services.send_test_mail(&by(), ada, "last").await.unwrap();
    let ages = services.load_mail_ages(desk.now_us()).await.unwrap();
    // With the link of the beginning two are older than a day.
    assert_eq!((ages.counts, ages.is_more), ([1, 1, 1, 1, 1, 2], false));
    let queue = services.load_mail_queue().await.unwrap();
    assert_eq!((queue.queued.count, queue.failed.count), (7, 0));
}
