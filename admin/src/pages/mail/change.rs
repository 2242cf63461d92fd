//! Having a mail sent (again), and giving one up.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::outbox::{ChangeMailError, MailRow, MailState},
};

use super::{LIST, facts, href, load, state, template_text};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Cell, Control, Diff, DiffLine, Field, Form, Notice, Page, Text, Tone, instant_text},
    text::{said::Said as _, t, t_with},
};

/// What is done about a mail.
#[derive(Clone, Copy)]
enum Deed {
    Retry,
    Cancel,
}

impl Deed {
    const fn action(self) -> ConsoleAction {
        match self {
            Self::Retry => ConsoleAction::MailRetry,
            Self::Cancel => ConsoleAction::MailCancel,
        }
    }

    /// Its name, what it does, and that it cannot be done now.
    const fn keys(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Retry => ("mail-retry", "mail-retry-text", "mail-retry-not"),
            Self::Cancel => ("mail-cancel", "mail-cancel-text", "mail-cancel-not"),
        }
    }

    fn href(self, mail: &MailRow) -> String {
        let word = match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
        };
        format!("{}/{word}", href(mail.id))
    }

    fn is_possible(self, mail: &MailRow, now_us: i64) -> bool {
        match self {
            Self::Retry => mail.can_be_retried(now_us),
            Self::Cancel => mail.can_be_cancelled(now_us),
        }
    }
}

/// What a form was made for: somebody else, or a server, may have been at the mail in the meantime.
fn seen(mail: &MailRow) -> String {
    format!("{} {} {}", mail.state.as_str(), mail.attempts, mail.next_us)
}

/// How a mail stood when a form was made, in words.
fn standing(seen: &str) -> String {
    let words: Vec<&str> = seen.split(' ').collect();
    let [state, attempts, next_us] = words.as_slice() else { return t("mail-stood-unknown") };
    let is_known = MailState::ALL.into_iter().any(|(_, word)| word == *state);
    let (true, Ok(_), Ok(next_us)) = (is_known, attempts.parse::<i64>(), next_us.parse()) else {
        return t("mail-stood-unknown");
    };
    let state = t(&["mail-state-", state].concat());
    let values =
        [("state", state.into()), ("attempts", (*attempts).to_owned().into()), ("next", instant_text(next_us).into())];
    t_with("mail-stood", &values)
}

/// What has become of a mail since the form was made; nothing if it stands as it did.
fn since_seen(mail: &MailRow, typed: &Fields) -> Option<Diff> {
    let (was, now) = (typed.hidden("seen")?, seen(mail));
    let line = |mark, text| DiffLine { mark, text };
    let lines = vec![line('-', standing(was)), line('+', standing(&now))];
    (was != now).then(|| Diff { caption: t("mail-since"), lines })
}

fn page(visit: &Visit, deed: Deed, mail: &MailRow, typed: &Fields, problems: &Problems) -> Page {
    let (title, text, not) = deed.keys();
    let mut page = Page::new(t(title))
        .under(t("mail-title"), LIST)
        .under(template_text(mail.template), href(mail.id))
        .with(facts(mail));
    page.subtitle = vec![state(mail, visit.now_us), Cell::id(mail.id, "")];
    page.blocks.extend(since_seen(mail, typed).map(Block::from));
    if !deed.is_possible(mail, visit.now_us) {
        for (_, problem) in problems.all() {
            page = page.with(Notice::new(Tone::Bad, problem));
        }
        return page.with(Notice::new(Tone::Warn, t(not)));
    }
    let mut form = Form::new(deed.href(mail), t(title))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, deed.action())
        .cancel(href(mail.id))
        .filled(typed, problems)
        .field(Field::new("seen", "", Control::Hidden).value(seen(mail)));
    form.is_danger = matches!(deed, Deed::Cancel);
    page.with(Text::new(t(text))).with(form)
}

async fn ask(visit: Visit, deed: Deed, id: &str) -> Answer {
    let mail = load(&visit, id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, deed, &mail, &typed, &Problems::default())).await
}

async fn carry_out(mut visit: Visit, deed: Deed, id: &str, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mail = load(&visit, id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    if fields.text("seen") != seen(&mail) {
        problems.add("", t("mail-stale"));
    }
    visit.permit(deed.action(), None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let by = visit.context()?;
        let (done, said) = match deed {
            Deed::Retry => {
                (visit.services().retry_mail(&by, mail.id, Some(mail.next_us), &reason).await, "mail-retried")
            }
            Deed::Cancel => (visit.services().cancel_mail(&by, mail.id, &reason).await, "mail-cancelled"),
        };
        match done {
            Ok(()) => return visit.go(&href(mail.id), &t(said)).await,
            Err(ChangeMailError::Store(error)) => return Err(error.into()),
            Err(ChangeMailError::NotFound) => return Err(Fault::NotFound),
            Err(error @ ChangeMailError::Reason) => problems.add("reason", error.said()),
            Err(error) => problems.add("", error.said()),
        }
    }
    // As it stands now.
    let mail = load(&visit, id).await?;
    visit.show_refused(page(&visit, deed, &mail, &fields, &problems)).await
}

pub(super) async fn ask_retry(visit: Visit, id: Path<String>) -> Answer {
    ask(visit, Deed::Retry, &id).await
}

pub(super) async fn retry(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    carry_out(visit, Deed::Retry, &id, payload).await
}

pub(super) async fn ask_cancel(visit: Visit, id: Path<String>) -> Answer {
    ask(visit, Deed::Cancel, &id).await
}

pub(super) async fn cancel(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    carry_out(visit, Deed::Cancel, &id, payload).await
}
