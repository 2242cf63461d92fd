//! What is known of one end user: taken away as a file, and erased.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::{
        balance::Balance,
        caps::{CapHolder, CapStanding},
        invocations::{CALLS_PAGE_MAX, CallFilter, ListedCall},
        partners::{CapAlert, EndUserProfile, EraseEndUserError, PartnerProfile},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::users::{below_list, load_user, user_href, word};
use crate::{
    console::{Answer, Fault, Fields, ListedPage, Problems, Visit, json_lines},
    kit::{Block, Cell, Facts, Field, Form, Heading, Page, Text, iso_text},
    pages::dashboard::at_least,
    text::{said::Said as _, t},
};

/// A call is accepted before its end user is noted: calls from so long before, in microseconds, are looked at, too.
const BEFORE_US: i64 = 3_600_000_000;

/// Everything that is known of an end user, an object on each line: itself, its limits and thresholds, its calls with the
/// newest first.
pub(super) async fn file(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, user) = path.into_inner();
    let (partner, user) = load_user(&visit, &id, &user).await?;
    let services = visit.services();
    let caps = services.list_caps_on_end_user(partner.id, user.id, visit.now_us).await?;
    let alerts = services.list_end_user_alerts(user.id).await?;
    let balance = services.load_end_user_balance(user.id).await?;
    services.record_end_user_export(&visit.context()?, partner.id, user.id).await?;
    let head: Vec<Value> = std::iter::once(about(&partner, &user, balance.as_ref()))
        .chain(caps.iter().map(limit))
        .chain(alerts.iter().map(threshold))
        .collect();
    let filter = CallFilter {
        partner: Some(partner.id),
        end_user: Some(user.id),
        from_us: Some(user.created_us.saturating_sub(BEFORE_US)),
        ..CallFilter::default()
    };
    let reader = visit.clone();
    let page = move |after: Option<Uuid>| -> ListedPage {
        let (visit, filter) = (reader.clone(), filter.clone());
        Box::pin(async move {
            let found = visit.services().list_calls(&filter, after, CALLS_PAGE_MAX).await?;
            let rows = found.rows.iter().map(|call| vec![line_of(call).to_string()]).collect();
            Ok((rows, found.next.and_then(|next| next.parse().ok())))
        })
    };
    Ok(json_lines(&user.id.to_string(), &head, page))
}

fn about(partner: &PartnerProfile, user: &EndUserProfile, balance: Option<&Balance>) -> Value {
    let metadata: Option<Value> = user.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
    json!({
        "kind": "end_user",
        "id": user.id.to_string(),
        "partner": partner.id.to_string(),
        "external_id": user.erased_us.is_none().then_some(&user.external_id),
        "state": word(user),
        "metadata": metadata,
        "wallet_credits": balance.map(|balance| balance.balance.to_string()),
        "created_at": iso_text(user.created_us),
        "erased_at": user.erased_us.map(iso_text),
    })
}

fn limit(cap: &CapStanding) -> Value {
    let applies_to = if matches!(cap.holder, CapHolder::EndUser(_)) { "end_user" } else { "each_end_user" };
    json!({
        "kind": "limit",
        "applies_to": applies_to,
        "window": cap.window.as_str(),
        "credits": cap.limit.to_string(),
        "spent": cap.used.map(|used| used.spent.to_string()),
        "held": cap.used.map(|used| used.held.to_string()),
    })
}

fn threshold(alert: &CapAlert) -> Value {
    json!({
        "kind": "threshold",
        "window": alert.window.as_str(),
        "percent": alert.percent,
        "email": alert.email,
        "created_at": iso_text(alert.created_us),
    })
}

fn line_of(call: &ListedCall) -> Value {
    json!({
        "kind": "call",
        "id": call.id.to_string(),
        "tool": call.tool.as_ref().map(|(_, name)| name),
        "state": call.state.as_str(),
        "credits_held": call.held.to_string(),
        "credits_charged": call.charged.to_string(),
        "error": call.error,
        "created_at": iso_text(call.created_us),
        "ended_at": call.ended_us.map(iso_text),
    })
}

/// What goes, and what stays.
async fn effect(visit: &Visit, user: &EndUserProfile) -> Result<Vec<Block>, Fault> {
    let found = visit.services().preview_erasure(user.id).await?;
    let number = |count: u64| Cell::Number(i64::try_from(count).unwrap_or(i64::MAX));
    let kept = if found.has_metadata { "partners-user-metadata-kept" } else { "partners-user-metadata-none" };
    let goes = Facts::new()
        .fact(t("partners-user-name"), Cell::text(&user.external_id))
        .fact(t("partners-user-metadata"), Cell::text(t(kept)))
        .fact(t("partners-erase-caps"), number(found.caps))
        .fact(t("partners-erase-alerts"), number(found.alerts))
        .fact(t("partners-erase-payloads"), at_least(found.payloads))
        .fact(t("partners-erase-credits"), Cell::Money(found.credits));
    Ok(vec![
        Heading::new(t("partners-erase-goes")).into(),
        goes.into(),
        Heading::new(t("partners-erase-stays")).into(),
        Facts::new()
            .fact(t("partners-erase-id"), Cell::Mono(user.id.to_string()))
            .fact(t("partners-erase-imposed"), number(found.imposed_caps))
            .into(),
        Text::new(t("partners-erase-stays-text")).into(),
    ])
}

fn erase_page(
    visit: &Visit,
    (partner, user): (&PartnerProfile, &EndUserProfile),
    (typed, problems): (&Fields, &Problems),
    preview: Vec<Block>,
) -> Page {
    let own = user_href(user);
    let form = Form::new(format!("{own}/erase"), t("partners-erase"))
        .field(Field::line("reason", t("console-reason")).hint(t("partners-erase-reason-hint")).required())
        .step_up(visit, ConsoleAction::EndUserErase)
        .danger()
        .cancel(own.clone())
        .filled(typed, problems)
        .preview(preview)
        .previewed();
    below_list(partner, t("partners-erase"))
        .under(super::users::shown_name(user), own)
        .with(Text::new(t("partners-erase-text")))
        .with(form)
}

pub(super) async fn ask_erase(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, user) = path.into_inner();
    let (partner, user) = load_user(&visit, &id, &user).await?;
    if user.erased_us.is_some() {
        return Err(Fault::NotFound);
    }
    let typed = Fields::parse(&visit.query)?;
    visit.show(erase_page(&visit, (&partner, &user), (&typed, &Problems::default()), Vec::new())).await
}

/// Shows what erasing an end user would take away, and then does it.
pub(super) async fn erase(mut visit: Visit, path: Path<(String, String)>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let (id, user) = path.into_inner();
    let (partner, user) = load_user(&visit, &id, &user).await?;
    let own = user_href(&user);
    // Somebody else has done it, or the same form was sent before.
    if user.erased_us.is_some() {
        return visit.go(&own, &t("console-already")).await;
    }
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    if problems.is_empty() && fields.text("step") != "confirm" {
        let preview = effect(&visit, &user).await?;
        return visit.show(erase_page(&visit, (&partner, &user), (&fields, &problems), preview)).await;
    }
    visit.permit(ConsoleAction::EndUserErase, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().erase_end_user(&visit.context()?, partner.id, user.id, &reason).await {
            Ok(()) => return visit.go(&own, &t("partners-erased")).await,
            Err(EraseEndUserError::Already) => return visit.go(&own, &t("console-already")).await,
            Err(EraseEndUserError::NotFound) => return Err(Fault::NotFound),
            Err(EraseEndUserError::Store(error)) => return Err(error.into()),
            Err(error @ EraseEndUserError::Reason) => problems.add("reason", error.said()),
            Err(error @ EraseEndUserError::Changed) => problems.add("", error.said()),
        }
    }
    let preview = effect(&visit, &user).await?;
    visit.show_refused(erase_page(&visit, (&partner, &user), (&fields, &problems), preview)).await
}
