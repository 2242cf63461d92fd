//! Making a partner, changing its margin, suspending it.

use actix_web::web::{Path, Payload};
use engine::{
    credits::{Credits, MICROS_PER_CREDIT},
    policy::console::ConsoleAction,
    pricing::{ShareTerms, split},
    service::{
        partners::{NewPartner, PartnerError, PartnerProfile},
        recent::{RECENT_CALLS, RecentBy},
    },
};

use super::{LIST, below, count_of, href, load, percent_text};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Diff, DiffLine, Facts, Field, Form, Page, Text},
    text::{said::Said as _, t, t_with},
};

/// Of how many credits a preview shows the parts.
const SHOWN_CHARGE: i64 = 100;

fn margin_field() -> Field {
    Field::line("margin_bps", t("partners-margin-bps")).hint(t("partners-margin-hint")).required()
}

/// A share in basis points.
fn margin_of(fields: &Fields, problems: &mut Problems) -> Option<u16> {
    let text = problems.required(fields, "margin_bps");
    let bps = text.parse::<u16>().ok();
    if bps.is_none() && !text.is_empty() {
        problems.add("margin_bps", t("console-number-unreadable"));
    }
    bps
}

/// Says what is wrong with a partner, at the field where it is wrong.
fn refuse(error: PartnerError, problems: &mut Problems) -> Result<(), Fault> {
    let field = match error {
        PartnerError::Store(error) => return Err(error.into()),
        PartnerError::NotFound => return Err(Fault::NotFound),
        PartnerError::Name | PartnerError::NameTaken => "name",
        PartnerError::Reason => "reason",
        PartnerError::Margin { .. } => "margin_bps",
        PartnerError::AlreadySo(_)
        | PartnerError::Changed { .. }
        | PartnerError::MadeBefore(_)
        | PartnerError::Overtaken => "",
    };
    problems.add(field, error.said());
    Ok(())
}

fn new_page(visit: &Visit, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{LIST}/new"), t("partners-new"))
        .field(Field::line("name", t("partners-name")).hint(t("partners-name-hint")).required())
        .field(margin_field())
        .field(Field::line("reason", t("console-reason")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::PartnerCreate)
        .cancel(LIST)
        .filled(typed, problems);
    Page::new(t("partners-new")).under(t("partners-title"), LIST).with(Text::new(t("partners-new-text"))).with(form)
}

pub(super) async fn ask_new(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    visit.show(new_page(&visit, &typed, &Problems::default())).await
}

pub(super) async fn make(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let name = problems.required(&fields, "name").to_owned();
    let margin_bps = margin_of(&fields, &mut problems);
    let reason = problems.required(&fields, "reason").to_owned();
    problems.key(&fields);
    visit.permit(ConsoleAction::PartnerCreate, None, &fields, &mut problems).await?;
    if let (true, Some(margin_bps)) = (problems.is_empty(), margin_bps) {
        let new = NewPartner { name: &name, margin_bps, reason: &reason, key: fields.key() };
        match visit.services().create_partner(&visit.context()?, new).await {
            Ok(partner) => return visit.go(&href(partner.id), &t("partners-new-done")).await,
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    visit.show_refused(new_page(&visit, &fields, &problems)).await
}

/// What another margin would do: what the partner has of a charge before and after, and how busy it is.
async fn edit_effect(visit: &Visit, partner: &PartnerProfile, to_bps: u16) -> Result<Vec<Block>, Fault> {
    let lines = ['-', '+'].into_iter().zip([partner.margin_bps, to_bps]);
    let lines = lines.map(|(mark, bps)| DiffLine { mark, text: percent_text(bps) });
    let part = |bps: u16| {
        let charge = Credits::from_micros(SHOWN_CHARGE.saturating_mul(MICROS_PER_CREDIT));
        let shares = ShareTerms::new(0, bps).ok().and_then(|terms| split(charge, terms).ok());
        shares.map_or(Cell::None, |shares| Cell::Money(shares.partner))
    };
    let recent = visit.services().recent_calls(RecentBy::Partner).await?;
    let seen = recent.get(&partner.id.uuid());
    let calls = t_with("partners-calls-of", &[("count", RECENT_CALLS.into())]);
    let facts = Facts::new()
        .fact(t("partners-margin-of-100-before"), part(partner.margin_bps))
        .fact(t("partners-margin-of-100-after"), part(to_bps))
        .fact(calls, Cell::Number(seen.map_or(0, |seen| seen.calls)))
        .fact(t("partners-last-call"), Cell::time(seen.map(|seen| seen.last_us)));
    let diff = Diff { caption: t("partners-margin-difference"), lines: lines.collect() };
    Ok(vec![diff.into(), facts.into()])
}

/// `was_bps`: what the margin was when the form was made. `effect`: the margin that was typed, and what it would do.
fn edit_page(
    visit: &Visit,
    (partner, was_bps): (&PartnerProfile, u16),
    (typed, problems): (&Fields, &Problems),
    effect: Option<(u16, Vec<Block>)>,
) -> Page {
    let mut form = Form::new(format!("{}/edit", href(partner.id)), t("partners-edit"))
        .field(margin_field().value(partner.margin_bps.to_string()))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::PartnerChange)
        .cancel(href(partner.id))
        .previewed()
        .filled(typed, problems)
        .field(Field::new("was", "", Control::Hidden).value(partner.margin_bps.to_string()));
    if let Some((to_bps, preview)) = effect {
        // What is done has to be what was shown.
        form = form.field(Field::new("shown", "", Control::Hidden).value(to_bps.to_string())).preview(preview);
    }
    let now = Facts::new().fact(t("partners-margin-now"), Cell::text(percent_text(partner.margin_bps)));
    let mut page = below(partner, t("partners-edit")).with(Text::new(t("partners-edit-text"))).with(now);
    if was_bps != partner.margin_bps {
        let line = |mark, bps| DiffLine { mark, text: percent_text(bps) };
        let lines = vec![line('-', was_bps), line('+', partner.margin_bps)];
        page = page.with(Diff { caption: t("partners-edit-changed"), lines });
    }
    page.with(form)
}

pub(super) async fn ask_edit(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let typed = (&typed, &Problems::default());
    visit.show(edit_page(&visit, (&partner, partner.margin_bps), typed, None)).await
}

pub(super) async fn edit(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut partner = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let to_bps = margin_of(&fields, &mut problems);
    let reason = problems.required(&fields, "reason").to_owned();
    // A form that does not say what it was made for was made for what is now.
    let was_bps = fields.text("was").parse().unwrap_or(partner.margin_bps);
    visit.permit(ConsoleAction::PartnerChange, None, &fields, &mut problems).await?;
    let mut effect = None;
    if let (true, Some(to_bps)) = (problems.is_empty(), to_bps) {
        effect = Some((to_bps, edit_effect(&visit, &partner, to_bps).await?));
        if fields.text("step") != "confirm" {
            return visit.show(edit_page(&visit, (&partner, was_bps), (&fields, &problems), effect)).await;
        }
        if fields.text("shown") != to_bps.to_string() {
            problems.add("", t("movements-stale"));
            return visit.show_refused(edit_page(&visit, (&partner, was_bps), (&fields, &problems), effect)).await;
        }
        match visit.services().change_partner(&visit.context()?, partner.id, (was_bps, to_bps), &reason).await {
            Ok(_is_changed) => {
                let said = t_with("partners-edit-done", &[("margin", percent_text(to_bps).into())]);
                return visit.go(&href(partner.id), &said).await;
            }
            Err(error) => {
                if let PartnerError::Changed { now_bps } = error {
                    partner.margin_bps = now_bps;
                    effect = Some((to_bps, edit_effect(&visit, &partner, to_bps).await?));
                }
                refuse(error, &mut problems)?;
            }
        }
    }
    visit.show_refused(edit_page(&visit, (&partner, was_bps), (&fields, &problems), effect)).await
}

fn suspend_page(
    visit: &Visit,
    partner: &PartnerProfile,
    (typed, problems): (&Fields, &Problems),
    preview: Vec<Block>,
) -> Page {
    let (key, text) = if partner.is_suspended {
        ("partners-resume", "partners-resume-text")
    } else {
        ("partners-suspend", "partners-suspend-text")
    };
    let mut form = Form::new(format!("{}/suspend", href(partner.id)), t(key))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::PartnerSuspend)
        .cancel(href(partner.id))
        .filled(typed, problems)
        // What the form was made for: somebody else may have done it in the meantime.
        .field(Field::new("suspended", "", Control::Hidden).value(if partner.is_suspended { "no" } else { "yes" }))
        .preview(preview)
        .previewed();
    form.is_danger = !partner.is_suspended;
    below(partner, t(key)).with(Text::new(t(text))).with(form)
}

/// Whom it would concern: what it has, and how busy it is.
async fn effect(visit: &Visit, partner: &PartnerProfile) -> Result<Vec<Block>, Fault> {
    let size = visit.services().load_partner_size(partner.id).await?;
    let balance = visit.services().load_balance(partner.wallet, visit.now_us).await?;
    let recent = visit.services().recent_calls(RecentBy::Partner).await?;
    let seen = recent.get(&partner.id.uuid());
    let calls = t_with("partners-calls-of", &[("count", RECENT_CALLS.into())]);
    let facts = Facts::new()
        .fact(t("partners-users"), count_of(&size))
        .fact(t("partners-tokens-active"), Cell::Number(i64::try_from(size.tokens).unwrap_or(i64::MAX)))
        .fact(calls, Cell::Number(seen.map_or(0, |seen| seen.calls)))
        .fact(t("partners-last-call"), Cell::time(seen.map(|seen| seen.last_us)))
        .fact(t("partners-balance"), Cell::Money(balance.balance))
        .fact(t("partners-reserved"), Cell::Money(balance.reserved));
    Ok(vec![facts.into()])
}

pub(super) async fn ask_suspend(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(suspend_page(&visit, &partner, (&typed, &Problems::default()), Vec::new())).await
}

pub(super) async fn suspend(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let partner = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    let is_suspended = fields.text("suspended") == "yes";
    // Somebody else has done it, or the same form was sent before.
    if partner.is_suspended == is_suspended {
        return visit.go(&href(partner.id), &t("console-already")).await;
    }
    if problems.is_empty() && fields.text("step") != "confirm" {
        let preview = effect(&visit, &partner).await?;
        return visit.show(suspend_page(&visit, &partner, (&fields, &problems), preview)).await;
    }
    visit.permit(ConsoleAction::PartnerSuspend, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        match visit.services().set_partner_suspended(&visit.context()?, partner.id, is_suspended, &reason).await {
            Ok(()) => {
                let said = t(if is_suspended { "partners-suspended-done" } else { "partners-resumed-done" });
                return visit.go(&href(partner.id), &said).await;
            }
            Err(PartnerError::AlreadySo(_)) => return visit.go(&href(partner.id), &t("console-already")).await,
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    let preview = effect(&visit, &partner).await?;
    visit.show_refused(suspend_page(&visit, &partner, (&fields, &problems), preview)).await
}
