//! Publishers are added and changed.

use actix_web::web::{Path, Payload};
use engine::{
    credits::{Credits, MICROS_PER_CREDIT},
    policy::console::ConsoleAction,
    pricing::{ShareTerms, split},
    service::catalog::{CatalogError, NewPublisher, PublisherChange, PublisherProfile},
};
use serde_json::json;

use super::{
    NewThing, PUBLISHERS, add_problem, difference::lines_of, making, percent, publisher_href, publishers::load,
    reason_field, share_bps,
};
use crate::{
    console::{Answer, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Diff, Facts, Field, Form, Page, Text},
    text::t,
};

/// Of how many credits a preview shows the parts.
const SHOWN_CHARGE: i64 = 100;

const NEW: NewThing = NewThing {
    title: "catalog-publisher-new",
    list: ("catalog-publishers", PUBLISHERS),
    text: "catalog-publisher-new-text",
    action: ConsoleAction::PublisherCreate,
};

fn new_page(visit: &Visit, typed: (&Fields, &Problems)) -> Page {
    let fields = |form: Form| {
        form.field(Field::line("slug", t("catalog-slug")).hint(t("catalog-slug-hint")).required())
            .field(Field::line("display_name", t("catalog-display-name")).required())
            .field(Field::line("share_bps", t("catalog-share-bps")).hint(t("catalog-share-hint")).required())
    };
    NEW.page(visit, fields, typed)
}

pub(super) async fn ask_new(visit: Visit) -> Answer {
    super::ask_new(visit, new_page).await
}

pub(super) async fn create(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let slug = problems.required(&fields, "slug").to_owned();
    let display_name = problems.required(&fields, "display_name").to_owned();
    let share = share_bps(&fields, &mut problems);
    let reason = problems.required(&fields, "reason").to_owned();
    problems.key(&fields);
    visit.permit(ConsoleAction::PublisherCreate, None, &fields, &mut problems).await?;
    if let (true, Some(share_bps)) = (problems.is_empty(), share) {
        let new = NewPublisher { slug: &slug, display_name: &display_name, share_bps };
        match visit.services().create_publisher(&visit.context()?, &new, making(&fields, &reason)).await {
            Ok(id) => return visit.go(&publisher_href(id), &t("catalog-publisher-made")).await,
            Err(error) => add_problem(&mut problems, error)?,
        }
    }
    visit.show_refused(new_page(&visit, (&fields, &problems))).await
}

/// What a form for a publisher knows of it.
struct Edited<'a> {
    publisher: &'a PublisherProfile,
    /// What was typed, as [`shown`] says it, and what it would do; nothing before it was asked.
    effect: Option<(String, Vec<Block>)>,
    /// It was changed since the form was opened: from now on the form is about what it is now.
    is_stale: bool,
}

fn edit_page(visit: &Visit, edited: Edited<'_>, typed: &Fields, problems: &Problems) -> Page {
    let publisher = edited.publisher;
    let own = publisher_href(publisher.id);
    // What the form was made from goes with it, and stays what it was for as long as the form is filled in.
    let seen = |name: &str, now: String| {
        let kept = if edited.is_stale || !typed.is_on(name) { now } else { typed.raw(name).to_owned() };
        Field::new(name, "", Control::Hidden).value(kept)
    };
    let mut form = Form::new(format!("{own}/edit"), t("catalog-change"))
        .field(Field::line("display_name", t("catalog-display-name")).value(&publisher.display_name).required())
        .field(
            Field::line("share_bps", t("catalog-share-bps"))
                .hint(t("catalog-share-change-hint"))
                .value(publisher.share_bps.to_string())
                .required(),
        )
        .field(reason_field())
        .step_up(visit, ConsoleAction::PublisherChange)
        .cancel(own.clone())
        .previewed()
        .filled(typed, problems)
        .field(seen("seen_name", publisher.display_name.clone()))
        .field(seen("seen_share", publisher.share_bps.to_string()));
    if let Some((shown, preview)) = edited.effect {
        form = form.field(Field::new("shown", "", Control::Hidden).value(shown)).preview(preview);
    }
    Page::new(t("catalog-change"))
        .under(t("catalog-publishers"), PUBLISHERS)
        .under(publisher.display_name.clone(), own)
        .with(form)
}

pub(super) async fn ask_edit(visit: Visit, id: Path<String>) -> Answer {
    let publisher = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let edited = Edited { publisher: &publisher, effect: None, is_stale: false };
    visit.show(edit_page(&visit, edited, &typed, &Problems::default())).await
}

/// What is now, beside what was typed.
fn differences(publisher: &PublisherProfile, new: &PublisherChange) -> Diff {
    let mut lines = lines_of(&t("catalog-display-name"), &publisher.display_name, &new.display_name);
    let shares = [publisher.share_bps, new.share_bps.into()].map(|bps| format!("{bps} ({})", percent(bps)));
    let [before, after] = shares;
    lines.extend(lines_of(&t("catalog-share-bps"), &before, &after));
    Diff { caption: t("catalog-difference"), lines }
}

fn preview(publisher: &PublisherProfile, new: &PublisherChange) -> Vec<Block> {
    let part = |bps: u16| {
        let charge = Credits::from_micros(SHOWN_CHARGE.saturating_mul(MICROS_PER_CREDIT));
        let terms = ShareTerms::new(bps, 0).ok()?;
        split(charge, terms).ok().map(|shares| Cell::Money(shares.publisher))
    };
    let before = u16::try_from(publisher.share_bps).ok().and_then(part).unwrap_or(Cell::None);
    let facts = Facts::new()
        .fact(t("catalog-share-of-100-before"), before)
        .fact(t("catalog-share-of-100-after"), part(new.share_bps).unwrap_or(Cell::None));
    vec![differences(publisher, new).into(), facts.into(), Text::new(t("catalog-share-when")).into()]
}

/// What a form has shown: what is done has to be that.
fn shown(new: &PublisherChange) -> String {
    json!([new.display_name, new.share_bps]).to_string()
}

pub(super) async fn edit(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let publisher = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let display_name = problems.required(&fields, "display_name").to_owned();
    let share = share_bps(&fields, &mut problems);
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::PublisherChange, None, &fields, &mut problems).await?;
    let mut edited = Edited { publisher: &publisher, effect: None, is_stale: false };
    if let (true, Some(share_bps)) = (problems.is_empty(), share) {
        let new = PublisherChange { display_name, share_bps };
        edited.effect = Some((shown(&new), preview(&publisher, &new)));
        if fields.text("step") != "confirm" {
            return visit.show(edit_page(&visit, edited, &fields, &problems)).await;
        }
        if fields.raw("shown") != shown(&new) {
            problems.add("", t("movements-stale"));
            return visit.show_refused(edit_page(&visit, edited, &fields, &problems)).await;
        }
        let seen = PublisherChange {
            display_name: fields.raw("seen_name").to_owned(),
            share_bps: fields.text("seen_share").parse().unwrap_or(u16::MAX),
        };
        match visit.services().change_publisher(&visit.context()?, publisher.id, &seen, &new, &reason).await {
            Ok(()) => return visit.go(&publisher_href(publisher.id), &t("catalog-changed")).await,
            Err(CatalogError::Unchanged) => {
                return visit.go(&publisher_href(publisher.id), &t("catalog-unchanged")).await;
            }
            Err(error) => {
                edited.is_stale = matches!(error, CatalogError::Stale);
                add_problem(&mut problems, error)?;
            }
        }
    }
    visit.show_refused(edit_page(&visit, edited, &fields, &problems)).await
}
