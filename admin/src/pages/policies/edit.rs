//! The chain's editor: the document as text and, beside it, as lanes whose buttons change the text. Nothing is kept before
//! somebody says so: the whole state is in the form.

use actix_web::web::Payload;
use engine::{
    document::written::Written,
    policy::{
        OPERATOR_POLICIES, PolicyText,
        chain::Chain,
        console::ConsoleAction,
        lanes::{LaneEdit, edit_lane},
    },
    service::policies::PolicyVersionError,
};

use super::{
    LIST, author,
    changes::{self, Deed, ENTRY},
    compare, decisions, file_leads, href, in_force, load, name, number_field, refuse, review,
};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Button, Code, Control, Editor, Field, Form, Heading, Notice, Page, Text, Tone},
    text::{said::Said as _, t, t_with},
};

/// Longest text that fits into the form, in bytes: as a form it may be three times as long.
const TEXT_BYTES_MAX: usize = 300_000;
/// Lines of the text that are seen.
const TEXT_ROWS: u32 = 32;

/// What is edited.
struct Sheet {
    /// The version that the texts came from.
    from: i64,
    /// The version that was in force when somebody began.
    base: i64,
    text: PolicyText,
    /// What the last button did.
    said: Option<Notice>,
    /// What was published meanwhile.
    stale: Vec<Block>,
    /// What the layers did lately. Not looked up while somebody types: only what stands beside the text is shown anew then.
    layers: Vec<Block>,
}

/// The page for who does not write policies here.
async fn closed(visit: &Visit, notice: Notice) -> Answer {
    visit.show(Page::new(t("policies-edit")).under(t("policies-title"), LIST).with(notice)).await
}

pub(super) async fn ask(visit: Visit) -> Answer {
    if let Some(notice) = file_leads(&visit) {
        return closed(&visit, notice).await;
    }
    let typed = Fields::parse(&visit.query)?;
    let Some(base) = in_force(&visit).await? else {
        return closed(&visit, Notice::new(Tone::Warn, t("policies-none-in-force"))).await;
    };
    let from = number_field(&typed, "from").unwrap_or(base);
    let version = load(&visit, from).await?;
    if version.text.chain.len().saturating_add(version.text.operator.len()) > TEXT_BYTES_MAX {
        return closed(&visit, Notice::new(Tone::Warn, t("policies-edit-too-long"))).await;
    }
    let layers = decisions::of_layers(&visit).await?;
    let sheet = Sheet { from, base, text: version.text, said: None, stale: Vec::new(), layers };
    visit.show(page(&visit, sheet, &typed, &Problems::default()).await?).await
}

/// What was typed.
fn sheet_of(fields: &Fields) -> Result<Sheet, Fault> {
    let number = |name| number_field(fields, name).ok_or(Fault::Form("without the versions that it is about"));
    Ok(Sheet {
        from: number("from")?,
        base: number("base")?,
        text: PolicyText { chain: fields.raw("text").to_owned(), operator: fields.raw("operator").to_owned() },
        said: None,
        stale: Vec::new(),
        layers: Vec::new(),
    })
}

/// Says what is wrong, while somebody types.
pub(super) async fn check(visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    visit.show(page(&visit, sheet_of(&fields)?, &fields, &Problems::default()).await?).await
}

/// Does what a button says.
pub(super) async fn act(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    if let Some(notice) = file_leads(&visit) {
        return closed(&visit, notice).await;
    }
    let mut sheet = sheet_of(&fields)?;
    let mut problems = Problems::default();
    match Deed::read(fields.raw("do"), fields.text(ENTRY)) {
        None => return Err(Fault::Form("about something that this page does not do")),
        Some(Deed::Check) => {}
        Some(Deed::Edit(change)) => apply(&mut sheet, &change, &mut problems),
        Some(Deed::Save) => {
            if let Some(number) = save(&mut visit, &mut sheet, &fields, &mut problems).await? {
                let said = t_with("policies-kept", &[("number", number.to_string().into())]);
                return visit.go(&href(number), &said).await;
            }
        }
    }
    sheet.layers = decisions::of_layers(&visit).await?;
    let page = page(&visit, sheet, &fields, &problems).await?;
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}

fn apply(sheet: &mut Sheet, change: &LaneEdit, problems: &mut Problems) {
    match edit_lane(&sheet.text.chain, change) {
        Ok(edited) => {
            sheet.text.chain = edited.text;
            let (tone, key) = if edited.keeps_comments {
                (Tone::Good, "policies-changed")
            } else {
                (Tone::Warn, "policies-changed-anew")
            };
            sheet.said = Some(Notice::new(tone, t(key)));
        }
        Err(problem) => problems.add(ENTRY, problem.said()),
    }
}

/// Keeps the policy as a draft, and says as which one; `None` if it cannot be kept as it is.
async fn save(
    visit: &mut Visit,
    sheet: &mut Sheet,
    fields: &Fields,
    problems: &mut Problems,
) -> Result<Option<i64>, Fault> {
    let note = problems.required(fields, "note").to_owned();
    let now = in_force(visit).await?.unwrap_or(sheet.base);
    if now != sheet.base {
        let (old, new) = (load(visit, sheet.base).await?, load(visit, now).await?);
        let names = [("number", now.to_string().into()), ("base", name(sheet.base).into())];
        problems.add("", t_with("policies-edit-stale", &names));
        sheet.stale = vec![Heading::new(t("policies-edit-stale-title")).into()];
        sheet.stale.extend(compare::changes(visit, &old, &new).await?);
        sheet.stale.extend(compare::texts(&old.text, &new.text));
        // Whoever saves again has seen it.
        sheet.base = now;
    }
    visit.permit(ConsoleAction::PolicyDraft, None, fields, problems).await?;
    if !problems.is_empty() {
        return Ok(None);
    }
    let author = author(visit)?;
    match visit.services().draft_policy_text(&visit.context()?, &sheet.text, &author, &note).await {
        Ok(kept) => Ok(Some(kept.number)),
        // Beside the text that it is wrong with.
        Err(PolicyVersionError::Broken(found)) => {
            for problem in found {
                let is_operators = problem.starts_with(OPERATOR_POLICIES);
                problems.add(if is_operators { "operator" } else { "text" }, problem);
            }
            Ok(None)
        }
        Err(error) => {
            refuse(error, problems)?;
            Ok(None)
        }
    }
}

async fn page(visit: &Visit, sheet: Sheet, typed: &Fields, problems: &Problems) -> Result<Page, Fault> {
    let code = |name: &str, key: &str, rows: u32, text: &str| {
        let control = Control::Lines { rows, is_code: true };
        Field { problem: problems.of(name), ..Field::new(name, t(key), control).value(text) }
    };
    let form = Form::new(format!("{LIST}/edit"), t("policies-save"))
        .field(Field::line("note", t("policies-note")).hint(t("policies-note-hint")).required())
        .step_up(visit, ConsoleAction::PolicyDraft)
        .filled(typed, problems)
        // What a button has changed stands over what was typed.
        .field(code("text", "policies-text", TEXT_ROWS, &sheet.text.chain).hint(t("policies-text-hint")))
        .field(code("operator", "policies-operator", 10, &sheet.text.operator).hint(t("policies-operator-hint")))
        .field(Field::new("from", "", Control::Hidden).value(sheet.from.to_string()))
        .field(Field::new("base", "", Control::Hidden).value(sheet.base.to_string()))
        .cancel(href(sheet.from));
    let editor = Editor {
        id: "sheet",
        form,
        live: format!("{LIST}/edit/check"),
        watched: vec!["text", "operator"],
        buttons: vec![Button::new(Deed::CHECK, t("policies-check")), Button::new(Deed::SAVE, t("policies-save"))],
        beside: beside(visit, &sheet, typed, problems).await?,
    };
    let what = [("from", name(sheet.from).into()), ("base", name(sheet.base).into())];
    let mut page = Page::new(t("policies-edit"))
        .under(t("policies-title"), LIST)
        .with(Text::new(t_with("policies-edit-what", &what)));
    page.blocks.extend(sheet.said.map(Into::into));
    page.blocks.extend(sheet.stale);
    page = page.with(editor);
    page.blocks.extend(sheet.layers);
    Ok(page)
}

/// What the check says, whom it changes what for, the lanes, and the Cedar policies.
async fn beside(visit: &Visit, sheet: &Sheet, typed: &Fields, problems: &Problems) -> Result<Vec<Block>, Fault> {
    let review = review::of_texts(visit, &sheet.text).await?;
    let mut out = review.blocks;
    let mut policies = review.policies;
    if let Some(new) = policies.take() {
        match visit.services().compare_with_published(new, &sheet.text.operator).await {
            Ok((new, changes)) => {
                policies = Some(new);
                match changes {
                    Some(changes) => out.extend(compare::blocks(&changes)),
                    None => out.push(Notice::new(Tone::Warn, t("policies-changes-many")).into()),
                }
            }
            Err(error) => refuse(error, &mut Problems::default())?,
        }
    }
    out.push(Heading::new(t("policies-lanes")).into());
    match (Written::parse(&sheet.text.chain), visit.services().gateway_setup()) {
        (Ok(written), Some(setup)) => {
            // What was just added is not added again.
            let entry = if sheet.said.is_some() { "" } else { typed.raw(ENTRY) };
            let mut lanes = changes::view(written.value(), &setup.dialect.chain, entry);
            lanes.field.problem = problems.of(ENTRY);
            out.push(lanes.into());
        }
        _ => out.push(Text::new(t("policies-lanes-unreadable")).into()),
    }
    if let Some(chain) = policies.as_ref().and_then(|policies| policies.chain()) {
        out.push(cedar(chain));
    }
    Ok(out)
}

fn cedar(chain: &Chain) -> Block {
    let text = chain.cedar_text().unwrap_or_else(|error| error.said());
    Code { caption: t("policies-cedar"), text, is_copied: true }.into()
}
