//! Purchases: what waits for its payment, what was paid, what is disputed.

use actix_web::web::{Path, Payload};
use engine::{
    id::{EntryId, PurchaseId},
    policy::console::ConsoleAction,
    service::{
        approvals::Deed,
        movements::DisputeFilter,
        purchases::{ConfirmError, Purchase, PurchaseFilter, PurchaseStatus},
    },
};

use super::{Said, approvals, chargebacks, choices, do_or_ask, export, four_eyes, postings_table, tabs, weigh};
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, Problems, Route, Visit, get, post},
    kit::{
        Block, Cell, Column, Empty, Facts, Field, Filters, Form, Heading, Link, Notice, Page, Row, Table, Text, Tone,
        page_href,
    },
    text::{said::Said as _, t},
};

mod dispute;

/// Where purchases are listed.
pub(super) const LIST: &str = "/admin/purchases";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/purchases", needs(ConsoleAction::MovementsRead), list).lists(ListFile::At("/purchases/export")),
        get("/purchases/export", needs(ConsoleAction::ListsExport), export_list),
        get("/purchases/{id}", needs(ConsoleAction::MovementsRead), show),
        get("/purchases/{id}/confirm", needs(ConsoleAction::PurchaseConfirm), ask_confirm),
        post("/purchases/{id}/confirm", needs(ConsoleAction::PurchaseConfirm), confirm),
        get("/purchases/{id}/fail", needs(ConsoleAction::PurchaseConfirm), ask_fail),
        post("/purchases/{id}/fail", needs(ConsoleAction::PurchaseConfirm), fail),
        get("/purchases/{id}/dispute", needs(ConsoleAction::ChargebackDecide), dispute::ask),
        post("/purchases/{id}/dispute", needs(ConsoleAction::ChargebackDecide), dispute::open),
    ]
}

/// The page of a purchase.
pub(super) fn href(id: PurchaseId) -> String {
    format!("{LIST}/{id}")
}

fn state(status: PurchaseStatus) -> Cell {
    let tone = match status {
        PurchaseStatus::Pending => Tone::Warn,
        PurchaseStatus::Confirmed => Tone::Good,
        PurchaseStatus::Failed => Tone::Bad,
    };
    Cell::state(t(&["movements-purchase-state-", status.as_str()].concat()), tone)
}

fn filter_of(fields: &Fields) -> PurchaseFilter {
    PurchaseFilter {
        status: PurchaseStatus::from_word(fields.text("state")),
        account: fields.text("account").parse().ok(),
    }
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let listed = visit.services().list_purchases_of_all(&filter_of(&fields), fields.cursor()?).await?;
    let row = |purchase: &Purchase| {
        let cells = vec![
            Cell::id(purchase.id, href(purchase.id)),
            state(purchase.status),
            Cell::Money(purchase.credits),
            Cell::id(purchase.account, format!("/admin/accounts/{}", purchase.account)),
            Cell::Mono(purchase.provider.as_str().to_owned()),
            Cell::Time(purchase.created_us),
            Cell::time(purchase.confirmed_us),
        ];
        Row::new(href(purchase.id), cells)
    };
    let states = [
        ("", "movements-any"),
        ("pending", "movements-purchase-state-pending"),
        ("confirmed", "movements-purchase-state-confirmed"),
        ("failed", "movements-purchase-state-failed"),
    ];
    let filters = Filters {
        action: LIST.to_owned(),
        fields: vec![
            Field::select("state", t("movements-state"), choices(&states, fields.text("state"))),
            Field::line("account", t("movements-account")).value(fields.text("account")),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { LIST.to_owned() },
    };
    let mut table = Table {
        caption: t("movements-purchases"),
        columns: vec![
            Column::new(t("movements-id")),
            Column::new(t("movements-state")),
            Column::right(t("movements-amount")),
            Column::new(t("movements-account")),
            Column::new(t("movements-provider")),
            Column::new(t("movements-when")),
            Column::new(t("movements-paid-at")),
        ],
        rows: listed.rows.iter().map(row).collect(),
        first: visit.first_href(LIST),
        next: listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("movements-purchases-empty"),
            command: "tollgate purchase confirm pur_…".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    if visit.may(ConsoleAction::ListsExport) {
        let href = page_href(&format!("{LIST}/export"), &visit.query, "after", "");
        table.exports.push(Link::new(t("movements-export"), href));
    }
    let mut page = Page::new(t("movements-purchases"));
    page.tabs = tabs(LIST);
    visit.show(page.with(filters).with(table)).await
}

async fn export_list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let filter = filter_of(&fields);
    let columns =
        ["id", "state", "credits", "account", "provider", "created_at", "confirmed_at", "failed_at", "failure"];
    export::answer(visit, "purchases", &columns, move |visit, after| async move {
        let listed = visit.services().list_purchases_of_all(&filter, after).await?;
        Ok(listed.map(|purchase| {
            vec![
                purchase.id.to_string(),
                purchase.status.as_str().to_owned(),
                purchase.credits.to_string(),
                purchase.account.to_string(),
                purchase.provider.as_str().to_owned(),
                export::moment(Some(purchase.created_us)),
                export::moment(purchase.confirmed_us),
                export::moment(purchase.failed_us),
                purchase.failure.unwrap_or_default(),
            ]
        }))
    })
    .await
}

async fn load(visit: &Visit, id: &str) -> Result<Purchase, Fault> {
    let id: PurchaseId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_purchase(id).await?.ok_or(Fault::NotFound)
}

fn facts(purchase: &Purchase) -> Facts {
    let mut facts = Facts::new()
        .fact(t("movements-amount"), Cell::Money(purchase.credits))
        .fact(t("movements-usd"), Cell::text(purchase.credits.usd()))
        .fact(t("movements-account"), Cell::id(purchase.account, format!("/admin/accounts/{}", purchase.account)))
        .fact(t("movements-provider"), Cell::Mono(purchase.provider.as_str().to_owned()))
        .fact(t("movements-when"), Cell::Time(purchase.created_us));
    if purchase.confirmed_us.is_some() {
        facts = facts.fact(t("movements-paid-at"), Cell::time(purchase.confirmed_us));
    }
    if purchase.failed_us.is_some() {
        facts = facts
            .fact(t("movements-failed-at"), Cell::time(purchase.failed_us))
            .fact(t("movements-reason"), Cell::maybe(purchase.failure.clone()));
    }
    facts
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let purchase = load(&visit, &id).await?;
    let own = href(purchase.id);
    let may_close = purchase.status == PurchaseStatus::Pending && visit.may(ConsoleAction::PurchaseConfirm);
    let may_dispute =
        visit.may(ConsoleAction::ChargebackDecide) && dispute::disputable(&visit, &purchase).await?.is_some();
    let mut page = Page::new(t("movements-purchase"))
        .under(t("movements-purchases"), LIST)
        .tool(may_close, t("movements-confirm"), format!("{own}/confirm"))
        .tool(may_close, t("movements-fail"), format!("{own}/fail"))
        .tool(may_dispute, t("movements-dispute"), format!("{own}/dispute"))
        .with(facts(&purchase));
    page.subtitle = vec![state(purchase.status), Cell::id(purchase.id, "")];
    // A purchase is posted under its own name.
    if let Some((_, postings)) = visit.services().find_transaction(EntryId::from(purchase.id.uuid())).await? {
        page = page.with(Heading::new(t("movements-postings"))).with(postings_table(&postings));
    }
    let filter = DisputeFilter { purchase: Some(purchase.id), state: None };
    let disputes = visit.services().list_chargebacks(&filter, None).await?;
    if !disputes.rows.is_empty() {
        page = page.with(Heading::new(t("movements-chargebacks"))).with(chargebacks::table(&disputes.rows));
    }
    let timeline = crate::pages::timeline(&visit, &purchase.id.to_string()).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}

fn page(title: &str, purchase: &Purchase) -> Page {
    Page::new(t(title))
        .under(t("movements-purchases"), LIST)
        .under(t("movements-purchase"), href(purchase.id))
        .with(facts(purchase))
}

/// How the waiting for a payment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Confirm,
    Fail,
}

impl Closing {
    /// The keys of what it is called, and of what it does; the last part of its path.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Confirm => ("movements-confirm", "movements-confirm-text", "confirm"),
            Self::Fail => ("movements-fail", "movements-fail-text", "fail"),
        }
    }
}

/// A form that ends the waiting; none where nothing is waited for.
async fn close_page(
    visit: &Visit,
    purchase: &Purchase,
    closing: Closing,
    typed: &Fields,
    problems: &Problems,
) -> Result<Page, Fault> {
    let (title, text, path) = closing.words();
    if purchase.status != PurchaseStatus::Pending {
        return Ok(nothing_to_do(title, purchase, "movements-purchase-closed"));
    }
    let mut reason = Field::line("reason", t("console-reason")).required();
    let mut form = Form::new(format!("{}/{path}", href(purchase.id)), t(title));
    let page = page(title, purchase).with(Text::new(t(text)));
    if closing == Closing::Confirm {
        reason = reason.hint(t("movements-confirm-hint"));
    } else {
        form = form.danger();
    }
    let form = form
        .field(reason)
        .once(visit)
        .step_up(visit, ConsoleAction::PurchaseConfirm)
        .cancel(href(purchase.id))
        .previewed()
        .filled(typed, problems)
        .preview(closing_effect(visit, purchase, closing).await?);
    Ok(page.with(form))
}

/// What the end of the waiting does to the wallet.
async fn closing_effect(visit: &Visit, purchase: &Purchase, closing: Closing) -> Result<Vec<Block>, Fault> {
    if closing == Closing::Confirm {
        let deed = confirming(purchase, "");
        let mut blocks = approvals::rehearse(visit, &deed).await?;
        blocks.extend(four_eyes(weigh(visit, &deed).await?));
        return Ok(blocks);
    }
    let profile = visit.services().find_profile(purchase.account).await?.ok_or(Fault::NotFound)?;
    let balance = visit.services().load_balance(profile.wallet, visit.now_us).await?;
    let facts = Facts::new()
        .fact(t("movements-never-come"), Cell::Money(purchase.credits))
        .fact(t("movements-balance-before"), Cell::Money(balance.balance))
        .fact(t("movements-balance-after"), Cell::Money(balance.balance));
    Ok(vec![facts.into()])
}

/// A page that says why there is no form on it.
fn nothing_to_do(title: &str, purchase: &Purchase, why: &str) -> Page {
    let mut page = page(title, purchase).with(Notice::new(Tone::Warn, t(why)));
    page.subtitle = vec![state(purchase.status), Cell::id(purchase.id, "")];
    page
}

fn confirming(purchase: &Purchase, reason: &str) -> Deed {
    Deed::PurchaseConfirm { purchase: purchase.id, reason: reason.to_owned() }
}

async fn ask_close(visit: Visit, id: &str, closing: Closing) -> Answer {
    let purchase = load(&visit, id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = close_page(&visit, &purchase, closing, &typed, &Problems::default()).await?;
    visit.show(page).await
}

async fn ask_confirm(visit: Visit, id: Path<String>) -> Answer {
    ask_close(visit, &id, Closing::Confirm).await
}

async fn ask_fail(visit: Visit, id: Path<String>) -> Answer {
    ask_close(visit, &id, Closing::Fail).await
}

/// Shows what it would do; then ends the waiting, or asks another operator to confirm what is much. What is over already is refused.
async fn close(mut visit: Visit, id: &str, closing: Closing, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let purchase = load(&visit, id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    if problems.is_empty() && purchase.status == PurchaseStatus::Pending && fields.text("step") != "confirm" {
        let page = close_page(&visit, &purchase, closing, &fields, &problems).await?;
        return visit.show(page).await;
    }
    let key = problems.key(&fields);
    let deed = confirming(&purchase, &reason);
    let amount = match closing {
        Closing::Confirm => weigh(&visit, &deed).await?.total(),
        Closing::Fail => purchase.credits,
    };
    visit.permit(ConsoleAction::PurchaseConfirm, Some(amount.micros()), &fields, &mut problems).await?;
    if problems.is_empty() && purchase.status == PurchaseStatus::Pending {
        if closing == Closing::Confirm {
            let said = Said { reason: &reason, key: &key };
            if let Some(answer) = do_or_ask(&visit, &deed, said, &mut problems).await? {
                return Ok(answer);
            }
        } else {
            match visit.services().fail_purchase(&visit.context()?, purchase.id, &reason).await {
                Ok(_failed) => return visit.go(&href(purchase.id), &t("movements-failed")).await,
                Err(error) => say_closed(&mut problems, error)?,
            }
        }
    }
    let page = close_page(&visit, &purchase, closing, &fields, &problems).await?;
    visit.show_refused(page).await
}

/// What was wrong with giving a purchase up, beside the field that it is about.
fn say_closed(problems: &mut Problems, error: ConfirmError) -> Result<(), Fault> {
    match error {
        ConfirmError::Store(error) => return Err(error.into()),
        ConfirmError::NotFound => return Err(Fault::NotFound),
        error @ ConfirmError::Reason => problems.add("reason", error.said()),
        error => problems.add("", error.said()),
    }
    Ok(())
}

async fn confirm(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    close(visit, &id, Closing::Confirm, payload).await
}

async fn fail(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    close(visit, &id, Closing::Fail, payload).await
}
