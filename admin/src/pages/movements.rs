//! Money that has moved before: refunds, corrections, purchases, chargebacks, payouts.
//!
//! Nothing is edited here: every correction is a transaction of its own. What moves much money is asked for, and done when
//! another operator has approved it.

use actix_web::HttpResponse;
use engine::{
    credits::Credits,
    id::{AccountId, EntryId, PurchaseId},
    policy::console::{ConsoleAction, ConsoleDecision, ConsoleDenialCode},
    service::{
        approvals::{APPROVAL_FROM, Deed, DeedDone, DeedFailure, RequestApprovalError, Weight},
        movements::{MovementError, MovementKind, Posting, RefundRehearsal},
    },
};

use super::approvals;
use crate::{
    console::{Fault, Fields, Problems, Route, Visit},
    kit::{Block, Cell, Choice, Column, Facts, Link, Notice, Row, Table, Tone},
    text::{said::Said as _, t, t_with},
};

mod adjust;
mod chargebacks;
mod export;
mod payouts;
mod purchases;
mod refund;
mod refunds;
mod reversal;

/// Where refunds and the like are listed.
const LIST: &str = "/admin/refunds";

pub(super) use adjust::adjustment_effect;
pub(super) use payouts::payout_effect;

pub(super) fn routes() -> Vec<Route> {
    [
        refunds::routes(),
        refund::routes(),
        reversal::routes(),
        purchases::routes(),
        chargebacks::routes(),
        payouts::routes(),
        adjust::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The page of what an operator has ordered.
pub(super) fn href(id: EntryId) -> String {
    format!("{LIST}/{id}")
}

/// The lists that belong together; the one at `here` is shown.
fn tabs(here: &str) -> Vec<Link> {
    let lists = [
        ("movements-refunds", LIST),
        ("movements-purchases", purchases::LIST),
        ("movements-chargebacks", chargebacks::LIST),
    ];
    lists.into_iter().map(|(key, href)| Link::new(t(key), if href == here { "" } else { href })).collect()
}

/// The name of a kind of movement.
fn kind_text(kind: MovementKind) -> String {
    t(&["movements-kind-", kind.as_str()].concat())
}

/// Whom or what a movement is about, with its page where it has one here.
fn subject_cell(subject: &str) -> Cell {
    let href = if subject.parse::<AccountId>().is_ok() {
        format!("/admin/accounts/{subject}")
    } else if subject.parse::<PurchaseId>().is_ok() {
        format!("{}/{subject}", purchases::LIST)
    } else if subject.parse::<EntryId>().is_ok() {
        String::new()
    } else {
        format!("{}?view=paid&payee={subject}", payouts::LIST)
    };
    Cell::id(subject, href)
}

/// Postings, as the books have them.
pub(super) fn postings_table(postings: &[Posting]) -> Table {
    let row = |posting: &Posting| {
        let cells = vec![
            Cell::Mono(posting.debit.code.clone()),
            Cell::Mono(posting.credit.code.clone()),
            Cell::Money(posting.amount),
        ];
        Row::new("", cells)
    };
    Table {
        caption: t("movements-postings"),
        columns: vec![
            Column::new(t("movements-debit")),
            Column::new(t("movements-credit")),
            Column::right(t("movements-amount")),
        ],
        rows: postings.iter().map(row).collect(),
        ..Table::default()
    }
}

/// What a refund would do, party by party and posting by posting.
pub(super) fn refund_effect(rehearsal: &RefundRehearsal) -> Vec<Block> {
    let parties = &rehearsal.parties;
    let to_wallet = rehearsal.credits.checked_sub(parties.to_grants).unwrap_or_default();
    let mut facts = Facts::new().fact(t("movements-goes-back"), Cell::Money(rehearsal.credits));
    let gives = [
        ("movements-publisher-gives", parties.publisher),
        ("movements-publisher-owes", parties.owed),
        ("movements-partner-gives", parties.partner),
        ("movements-platform-gives", parties.platform),
        ("movements-to-wallet", to_wallet),
        ("movements-to-grants", parties.to_grants),
    ];
    for (key, amount) in gives.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        facts = facts.fact(t(key), Cell::Money(amount));
    }
    facts = facts
        .fact(t("movements-charged"), Cell::Money(rehearsal.charge.charged))
        .fact(t("movements-left-after"), Cell::Money(rehearsal.left));
    vec![facts.into(), postings_table(&rehearsal.postings).into()]
}

/// Why another operator has to approve; empty where none has to.
pub(super) fn why_four_eyes(weight: Weight) -> String {
    let credits = |credits: Credits| credits.to_string().into();
    let values =
        [("from", credits(APPROVAL_FROM)), ("before", credits(weight.before)), ("total", credits(weight.total()))];
    match (weight.needs_second(), weight.before.is_zero()) {
        (false, _) => String::new(),
        (true, true) => t_with("movements-four-eyes", &values),
        (true, false) => t_with(&["movements-four-eyes-with-", weight.with.as_str()].concat(), &values),
    }
}

/// Says that another operator has to approve, where that is so.
pub(super) fn four_eyes(weight: Weight) -> Option<Block> {
    weight.needs_second().then(|| Notice::new(Tone::Warn, why_four_eyes(weight)).into())
}

/// What a deed that moves money comes to with what is counted together with it.
pub(super) async fn weigh(visit: &Visit, deed: &Deed) -> Result<Weight, Fault> {
    let weight = visit.services().weigh(visit.signed_in()?.operator.id, deed).await?;
    weight.ok_or_else(|| Fault::Broken("a deed that moves no money".to_owned()))
}

/// Says beside the field `name` that the operator may not move so much.
fn check_limit(visit: &Visit, action: ConsoleAction, amount: Credits, name: &str, problems: &mut Problems) {
    if let ConsoleDecision::Denied(denial) = visit.decide(action, Some(amount.micros()))
        && denial.code == ConsoleDenialCode::Amount
    {
        problems.add(name, denial.said());
    }
}

/// Puts what the ledger says beside the field that it is about.
fn say(problems: &mut Problems, amount_field: &str, error: MovementError) -> Result<(), Fault> {
    let field = match &error {
        MovementError::Reason => "reason",
        MovementError::Address => "tell",
        MovementError::NotPositive | MovementError::Nothing | MovementError::Refused(_) => amount_field,
        _ => "",
    };
    match error {
        MovementError::Store(error) => Err(error.into()),
        error => {
            problems.add(field, error.said());
            Ok(())
        }
    }
}

/// Why money moves, and the key of the form that moves it.
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    reason: &'a str,
    key: &'a str,
}

/// Does a deed that moves money, or asks another operator for it where that is much. `None`: the form has problems.
async fn do_or_ask(
    visit: &Visit,
    deed: &Deed,
    said: Said<'_>,
    problems: &mut Problems,
) -> Result<Option<HttpResponse>, Fault> {
    let by = visit.context()?;
    match deed.execute(visit.services(), &by, said.key).await {
        Ok(done) => {
            let to = done_href(deed, &done);
            return visit.go(&to, &t_with("movements-done", &[("what", done.said.into())])).await.map(Some);
        }
        Err(DeedFailure::FourEyes(_)) => {}
        Err(DeedFailure::Store(error)) => return Err(error.into()),
        Err(error) => {
            problems.add("", error.said());
            return Ok(None);
        }
    }
    let author = visit.signed_in()?.operator.id;
    match visit.services().request_deed(&by, author, deed, said.reason, Some(said.key)).await {
        Ok(id) => visit.go(&approvals::href(id), &t("approvals-requested")).await.map(Some),
        Err(RequestApprovalError::Store(error)) => Err(error.into()),
        Err(error) => {
            problems.add("", error.said());
            Ok(None)
        }
    }
}

/// Where it is shown what came of a deed.
fn done_href(deed: &Deed, done: &DeedDone) -> String {
    match (deed, done.entry) {
        (Deed::PurchaseConfirm { purchase, .. }, _) => purchases::href(*purchase),
        (Deed::PayoutCreate { .. }, Some(entry)) => payouts::href(entry),
        (_, Some(entry)) => href(entry),
        (_, None) => LIST.to_owned(),
    }
}

/// What this form has done already, if it is sent a second time: what it moved is no longer there to be moved.
async fn done_before(visit: &Visit, fields: &Fields) -> Result<Option<EntryId>, Fault> {
    if fields.text("step") == "preview" {
        return Ok(None);
    }
    let Some(key) = fields.key() else { return Ok(None) };
    Ok(visit.services().find_movement_by_key(&key.to_string()).await?)
}

/// What a list can be narrowed to: words of the address with the keys of their names.
fn choices(words: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    let choice =
        |(value, key): &(&str, &str)| Choice { value: (*value).to_owned(), label: t(key), is_chosen: *value == chosen };
    words.iter().map(choice).collect()
}
