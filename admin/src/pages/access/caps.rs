//! Limits on an account or a partner, their tokens and end users: how much of each is used, set, lifted.

use std::collections::HashMap;

use actix_web::web::Payload;
use engine::{
    credits::Credits,
    id::EndUserId,
    ledger::caps::CapWindow,
    service::{
        caps::{CapError, CapHolder, CapStanding, CapState},
        partners::EndUserProfile,
        tokens::TokenOwner,
    },
};

use super::Holder;
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{
        Block, Cell, Choice, Column, Control, Diff, DiffLine, Empty, Facts, Field, Form, Heading, Link, Page, Row,
        Table, Text, Tone,
    },
    text::{said::Said as _, t, t_with},
};

/// The account or the partner as a whole, in forms and addresses.
pub(in crate::pages) const WHOLE: &str = "whole";
/// Each end user of a partner.
const EACH: &str = "each";
/// Every window, in the order of forms.
const WINDOWS: [CapWindow; 4] = [CapWindow::Call, CapWindow::Day, CapWindow::Month, CapWindow::Total];

/// Whom a limit is for, with the words of forms and of people.
#[derive(Debug, Clone)]
pub(in crate::pages) struct Target {
    pub(in crate::pages) holder: CapHolder,
    pub(in crate::pages) code: String,
    pub(in crate::pages) label: String,
}

impl Target {
    fn whole(holder: &Holder) -> Self {
        let label = match holder.owner {
            TokenOwner::Account(_) => t("partners-cap-of-account"),
            TokenOwner::Partner(_) => t("partners-cap-of-partner"),
        };
        Self { holder: holder.whole(), code: WHOLE.to_owned(), label }
    }

    fn each(holder: &Holder) -> Option<Self> {
        let TokenOwner::Partner(id) = holder.owner else { return None };
        Some(Self { holder: CapHolder::EachEndUser(id), code: EACH.to_owned(), label: t("partners-cap-of-each") })
    }

    fn user(user: &EndUserProfile) -> Self {
        let label = t_with("partners-cap-of-user", &[("name", user.external_id.as_str().into())]);
        Self { holder: CapHolder::EndUser(user.id), code: user.id.to_string(), label }
    }
}

/// Everybody whom these pages can limit. Of end users, who may be very many, only the one that is named.
pub(in crate::pages) async fn targets(visit: &Visit, holder: &Holder, user: &str) -> Result<Vec<Target>, Fault> {
    let mut found = vec![Target::whole(holder)];
    found.extend(Target::each(holder));
    for token in visit.services().list_active_tokens(holder.owner).await? {
        let label = t_with("partners-cap-of-token", &[("name", token.name.as_str().into())]);
        found.push(Target { holder: CapHolder::Token(token.id), code: token.id.to_string(), label });
    }
    if let (TokenOwner::Partner(partner), Ok(id)) = (holder.owner, user.parse::<EndUserId>()) {
        let services = visit.services();
        if let Some(user) = services.find_end_user_of(partner, id).await? {
            // One that is erased has only limits that wait for its name.
            let is_limited = user.erased_us.is_none()
                || !services.list_caps_of(&[CapHolder::EndUser(id)], visit.now_us).await?.is_empty();
            found.extend(is_limited.then(|| Target::user(&user)));
        }
    }
    Ok(found)
}

pub(in crate::pages) fn window_name(window: CapWindow) -> String {
    t(match window {
        CapWindow::Call => "partners-window-call",
        CapWindow::Day => "partners-window-day",
        CapWindow::Month => "partners-window-month",
        CapWindow::Total => "partners-window-total",
    })
}

/// The word and the tone of how much is used.
fn state(cap: &CapStanding) -> (Cell, Tone) {
    let (key, shown, row) = match cap.state() {
        None => return (Cell::None, Tone::Plain),
        Some(CapState::Room) => ("partners-cap-room", Tone::Good, Tone::Plain),
        Some(CapState::Near) => ("partners-cap-near", Tone::Warn, Tone::Warn),
        Some(CapState::Reached) => ("partners-cap-reached", Tone::Bad, Tone::Bad),
    };
    (Cell::state(t(key), shown), row)
}

/// A limit with what is written beside it.
struct Shown {
    label: String,
    cap: CapStanding,
    /// Where it is lifted, for who may.
    lift: Option<String>,
}

/// How limits are set by whoever has them.
const fn command(owner: TokenOwner) -> &'static str {
    match owner {
        TokenOwner::Account(_) => {
            "curl -X PUT -H 'Authorization: Bearer …' …/tokens/tok_…/caps/day -d '{\"credits\": \"50\"}'"
        }
        TokenOwner::Partner(_) => {
            "curl -X PUT -H 'Authorization: Bearer faro_partner_…' …/partners/caps/partner/month -d '{\"credits\": \"5000\"}'"
        }
    }
}

/// That nothing is limited, and how it would be.
fn nothing(holder: &Holder, may_set: bool) -> Empty {
    Empty {
        text: t("partners-caps-empty"),
        command: command(holder.owner).to_owned(),
        link: may_set.then(|| Link::new(t("partners-cap-set"), format!("{}/caps", holder.href))),
    }
}

/// How much of each limit is used in its present window.
fn table(caps: &[Shown]) -> Table {
    let rows = caps.iter().map(|Shown { label, cap, lift }| {
        let (state, tone) = state(cap);
        let money = |amount: Option<Credits>| amount.map_or(Cell::None, Cell::Money);
        let cells = vec![
            Cell::text(label),
            Cell::text(window_name(cap.window)),
            Cell::Money(cap.limit),
            money(cap.used.map(|used| used.spent)),
            money(cap.used.map(|used| used.held)),
            cap.used_percent().map_or(Cell::None, Cell::Share),
            state,
            Cell::time(cap.used.and_then(|used| used.resets_us)),
            lift.as_ref().map_or(Cell::None, |href| Cell::link(t("partners-cap-lift"), href)),
        ];
        Row { tone, ..Row::new("", cells) }
    });
    Table {
        caption: t("partners-caps"),
        columns: vec![
            Column::new(t("partners-cap-whom")),
            Column::new(t("partners-cap-window")),
            Column::right(t("partners-cap-limit")),
            Column::right(t("partners-cap-spent")),
            Column::right(t("partners-cap-held")),
            Column::right(t("partners-cap-used")),
            Column::new(t("partners-state")),
            Column::new(t("partners-cap-resets")),
            Column::new(t("partners-cap-change")),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

/// Rows for `targets`, with ways to lift what they show if that may be done.
async fn standing(visit: &Visit, holder: &Holder, targets: &[Target]) -> Result<Vec<Shown>, Fault> {
    let holders: Vec<CapHolder> = targets.iter().map(|target| target.holder).collect();
    let caps = visit.services().list_caps_of(&holders, visit.now_us).await?;
    let by_holder: HashMap<CapHolder, &Target> = targets.iter().map(|target| (target.holder, target)).collect();
    let may_lift = holder.may_change_caps(visit);
    let rows = caps.into_iter().filter_map(|cap| {
        let target = by_holder.get(&cap.holder)?;
        let query = format!("of={}&window={}", target.code, cap.window.as_str());
        let lift = may_lift.then(|| format!("{}/caps/lift?{query}", holder.href));
        Some(Shown { label: target.label.clone(), cap, lift })
    });
    Ok(rows.collect())
}

/// The limits of an account or a partner as a whole, of their tokens, and of each end user.
pub(in crate::pages) async fn list(visit: &Visit, holder: &Holder) -> Result<Block, Fault> {
    let targets = targets(visit, holder, "").await?;
    let empty = Some(nothing(holder, holder.may_change_caps(visit)));
    Ok(Table { empty, ..table(&standing(visit, holder, &targets).await?) }.into())
}

/// What limits one end user: its own limits, and those of each.
pub(in crate::pages) async fn list_of_user(
    visit: &Visit,
    holder: &Holder,
    user: &EndUserProfile,
) -> Result<Block, Fault> {
    let caps = visit.services().list_caps_on_end_user(user.partner, user.id, visit.now_us).await?;
    let may_lift = holder.may_change_caps(visit);
    let rows = caps.into_iter().map(|cap| {
        let (label, code) = match cap.holder {
            CapHolder::EndUser(id) => (t("partners-cap-of-this-user"), id.to_string()),
            _ => (t("partners-cap-of-each"), EACH.to_owned()),
        };
        let query = format!("of={code}&window={}", cap.window.as_str());
        let lift = may_lift.then(|| format!("{}/caps/lift?{query}", holder.href));
        Shown { label, cap, lift }
    });
    let empty = Some(nothing(holder, may_lift));
    Ok(Table { empty, ..table(&rows.collect::<Vec<_>>()) }.into())
}

/// What whoever fills in the form has seen: `whom window credits`, one after the other.
fn seen_text(targets: &[Target], caps: &[Shown]) -> String {
    let line = |Shown { cap, .. }: &Shown| {
        let target = targets.iter().find(|target| target.holder == cap.holder)?;
        Some(format!("{} {} {}", target.code, cap.window.as_str(), cap.limit))
    };
    caps.iter().filter_map(line).collect::<Vec<_>>().join(";")
}

/// What [`seen_text`] says of this limit; `None`: there was none.
fn seen_limit(seen: &str, code: &str, window: CapWindow) -> Option<Credits> {
    seen.split(';').find_map(|entry| {
        let mut words = entry.split(' ');
        let is_it = words.next() == Some(code) && words.next() == Some(window.as_str());
        is_it.then(|| words.next())?.and_then(|text| Credits::parse_exact(text).ok())
    })
}

/// What a limit was when a form was made, and what it is by now; nothing: there was none, or there is none.
fn since_seen(was: Option<Credits>, now: Option<Credits>) -> Diff {
    let line = |mark, limit: Option<Credits>| {
        let text = limit.map_or_else(|| t("partners-cap-none"), |limit| format!("{limit} {}", t("console-unit")));
        DiffLine { mark, text: format!("{}: {text}", t("partners-cap-limit")) }
    };
    Diff { caption: t("partners-edit-changed"), lines: vec![line('-', was), line('+', now)] }
}

/// The page with all limits, and the form that sets one. `since`: how the limit has changed since the form was made, which
/// is from then on made for the limits as they are.
async fn page(
    visit: &Visit,
    holder: &Holder,
    (typed, problems): (&Fields, &Problems),
    since: Option<Diff>,
) -> Result<Page, Fault> {
    let targets = targets(visit, holder, typed.text("of")).await?;
    let caps = standing(visit, holder, &targets).await?;
    let mut page = holder.page(t("partners-caps")).with(Table { empty: Some(nothing(holder, false)), ..table(&caps) });
    page.tabs.clone_from(&holder.tabs);
    page.tools.clone_from(&holder.tools);
    if !holder.may_change_caps(visit) {
        return Ok(page);
    }
    let whom = targets.iter().map(|target| Choice {
        value: target.code.clone(),
        label: target.label.clone(),
        is_chosen: target.code == WHOLE,
    });
    let windows = WINDOWS.iter().map(|window| Choice {
        value: window.as_str().to_owned(),
        label: window_name(*window),
        is_chosen: *window == CapWindow::Day,
    });
    let seen =
        if since.is_some() || !typed.is_on("seen") { seen_text(&targets, &caps) } else { typed.raw("seen").to_owned() };
    let form = Form::new(format!("{}/caps", holder.href), t("partners-cap-set"))
        .field(Field::select("of", t("partners-cap-whom"), whom.collect()))
        .field(Field::select("window", t("partners-cap-window"), windows.collect()))
        .field(Field::amount("credits", t("partners-cap-limit")).required())
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, holder.cap_action)
        .cancel(holder.href.clone())
        .filled(typed, problems)
        .field(Field::new("seen", "", Control::Hidden).value(seen));
    page = page.with(Heading::new(t("partners-cap-set"))).with(Text::new(t("partners-cap-set-text")));
    page.blocks.extend(since.map(Block::from));
    Ok(page.with(form))
}

/// All limits, and the form that sets one.
pub(in crate::pages) async fn show(visit: Visit, holder: Holder) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &holder, (&typed, &Problems::default()), None).await?;
    visit.show(page).await
}

/// Whom and for how long a form or an address means.
async fn chosen(
    visit: &Visit,
    holder: &Holder,
    fields: &Fields,
    problems: &mut Problems,
) -> Result<Option<(Target, CapWindow)>, Fault> {
    let code = fields.text("of");
    let target = targets(visit, holder, code).await?.into_iter().find(|target| target.code == code);
    if target.is_none() {
        problems.add("of", t("partners-cap-nobody"));
    }
    let window = CapWindow::from_word(fields.text("window"));
    if window.is_none() {
        problems.add("window", t("partners-cap-no-window"));
    }
    Ok(target.zip(window))
}

/// Says what is wrong with a limit that `was` so much for whoever fills in the form; how it has changed since, if it has.
fn refuse(error: CapError, was: Option<Credits>, problems: &mut Problems) -> Result<Option<Diff>, Fault> {
    match error {
        CapError::Store(error) => return Err(error.into()),
        CapError::NoHolder => problems.add("of", t("partners-cap-nobody")),
        CapError::Negative => problems.add("credits", error.said()),
        CapError::Reason => problems.add("reason", error.said()),
        CapError::Imposed => problems.add("", error.said()),
        CapError::NotFound | CapError::Changed { now: None } => {
            problems.add("", t("partners-cap-changed-to-none"));
            return Ok(Some(since_seen(was, None)));
        }
        CapError::Changed { now: Some(now) } => {
            problems.add("", t_with("partners-cap-changed", &[("credits", now.to_string().into())]));
            return Ok(Some(since_seen(was, Some(now))));
        }
    }
    Ok(None)
}

/// Sets a limit.
pub(in crate::pages) async fn set(mut visit: Visit, holder: Holder, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let chosen = chosen(&visit, &holder, &fields, &mut problems).await?;
    let limit = problems.amount(&fields, "credits");
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(holder.cap_action, None, &fields, &mut problems).await?;
    let mut since = None;
    if let (true, Some((target, window)), Some(limit)) = (problems.is_empty(), chosen, limit) {
        let was = seen_limit(fields.raw("seen"), &target.code, window);
        let set = visit.services().set_cap(&visit.context()?, (target.holder, window), (was, limit), &reason).await;
        match set {
            Ok(_is_changed) => {
                let said = t_with("partners-cap-set-done", &[("credits", limit.to_string().into())]);
                return visit.go(&format!("{}/caps", holder.href), &said).await;
            }
            Err(error) => since = refuse(error, was, &mut problems)?,
        }
    }
    let page = page(&visit, &holder, (&fields, &problems), since).await?;
    visit.show_refused(page).await
}

fn lift_page(
    visit: &Visit,
    holder: &Holder,
    (target, cap): (&Target, &CapStanding),
    (typed, problems): (&Fields, &Problems),
    since: Option<Diff>,
) -> Page {
    let was = if since.is_some() || !typed.is_on("was") { cap.limit.to_string() } else { typed.text("was").to_owned() };
    let facts = Facts::new()
        .fact(t("partners-cap-whom"), Cell::text(&target.label))
        .fact(t("partners-cap-window"), Cell::text(window_name(cap.window)))
        .fact(t("partners-cap-limit"), Cell::Money(cap.limit))
        .fact(t("partners-cap-spent"), cap.used.map_or(Cell::None, |used| Cell::Money(used.spent)));
    let form = Form::new(format!("{}/caps/lift", holder.href), t("partners-cap-lift"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, holder.cap_action)
        .danger()
        .cancel(format!("{}/caps", holder.href))
        .filled(typed, problems)
        .field(Field::new("of", "", Control::Hidden).value(&*target.code))
        .field(Field::new("window", "", Control::Hidden).value(cap.window.as_str()))
        .field(Field::new("was", "", Control::Hidden).value(was));
    let mut page = holder.page(t("partners-cap-lift")).with(Text::new(t("partners-cap-lift-text"))).with(facts);
    page.blocks.extend(since.map(Block::from));
    page.with(form)
}

/// The limit that a form or an address names, if there is one by now; nothing if nobody could have it.
async fn named(visit: &Visit, holder: &Holder, fields: &Fields) -> Result<(Target, Option<CapStanding>), Fault> {
    let found = chosen(visit, holder, fields, &mut Problems::default()).await?;
    let (target, window) = found.ok_or(Fault::NotFound)?;
    let caps = visit.services().list_caps_of(&[target.holder], visit.now_us).await?;
    Ok((target, caps.into_iter().find(|cap| cap.window == window)))
}

/// The form that lifts a limit.
pub(in crate::pages) async fn ask_lift(visit: Visit, holder: Holder) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let (target, cap) = named(&visit, &holder, &typed).await?;
    let cap = cap.ok_or(Fault::NotFound)?;
    visit.show(lift_page(&visit, &holder, (&target, &cap), (&typed, &Problems::default()), None)).await
}

/// Lifts a limit.
pub(in crate::pages) async fn lift(mut visit: Visit, holder: Holder, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let (target, cap) = named(&visit, &holder, &fields).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(holder.cap_action, None, &fields, &mut problems).await?;
    // Somebody else has done it, or the same form was sent before.
    let Some(cap) = cap else {
        return visit.go(&format!("{}/caps", holder.href), &t("partners-cap-lifted-already")).await;
    };
    let mut since = None;
    if problems.is_empty() {
        // What cannot be read was never shown: then it counts as changed, and is shown.
        let seen = Credits::parse_exact(fields.text("was")).ok();
        let was = seen.unwrap_or(Credits::from_micros(-1));
        match visit.services().remove_cap(&visit.context()?, (target.holder, cap.window), was, &reason).await {
            Ok(()) => return visit.go(&format!("{}/caps", holder.href), &t("partners-cap-lifted")).await,
            Err(error) => since = refuse(error, seen, &mut problems)?,
        }
    }
    visit.show_refused(lift_page(&visit, &holder, (&target, &cap), (&fields, &problems), since)).await
}

#[cfg(test)]
mod tests;
