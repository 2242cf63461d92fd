//! What the pages of accounts and of partners share: their tokens, the limits on them, and credits that somebody else has
//! to approve.

use std::cmp::Reverse;

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::{
        approvals::{APPROVAL_FROM, Deed, RequestApprovalError, Weight},
        audit::AuditFilter,
        caps::CapHolder,
        tokens::TokenOwner,
    },
};

use super::{EVENTS_SHOWN, approvals, event, movements};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Block, Control, Field, Form, Link, Page, Text, Timeline},
    text::{said::Said as _, t_with},
};

pub(super) mod caps;
pub(super) mod tokens;

/// Of how many of its tokens the page of an account or a partner tells what has happened to them.
const TOKENS_TOLD_OF: usize = 20;

/// An account or a partner, as far as tokens and limits go.
pub(super) struct Holder {
    /// Which.
    pub(super) owner: TokenOwner,
    /// What it is called.
    pub(super) name: String,
    /// Its page.
    pub(super) href: String,
    /// The list that it stands in.
    pub(super) section: Link,
    /// What making and revoking its tokens is called.
    pub(super) token_action: ConsoleAction,
    /// What limiting it is called.
    pub(super) cap_action: ConsoleAction,
    /// Views of it, on pages that are one of them.
    pub(super) tabs: Vec<Link>,
    /// What else can be done to it, on these pages.
    pub(super) tools: Vec<Link>,
}

impl Holder {
    /// A page below its own.
    fn page(&self, title: String) -> Page {
        let section = self.section.clone();
        Page::new(title).under(section.text, section.href).under(self.name.clone(), self.href.clone())
    }

    /// It as a whole, as limits know it.
    pub(super) const fn whole(&self) -> CapHolder {
        match self.owner {
            TokenOwner::Account(id) => CapHolder::Account(id),
            TokenOwner::Partner(id) => CapHolder::Partner(id),
        }
    }

    fn may_change_tokens(&self, visit: &Visit) -> bool {
        visit.may(self.token_action)
    }

    fn may_change_caps(&self, visit: &Visit) -> bool {
        visit.may(self.cap_action)
    }
}

/// Whose tokens and limits the routes below an account's or a partner's page are about.
pub(super) trait Held: 'static {
    /// Finds them by what stands in the path.
    async fn find(visit: &Visit, id: &str) -> Result<Holder, Fault>;
}

pub(super) async fn ask_token<H: Held>(visit: Visit, id: Path<String>) -> Answer {
    let holder = H::find(&visit, &id).await?;
    tokens::ask_new(visit, holder).await
}

pub(super) async fn make_token<H: Held>(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let holder = H::find(&visit, &id).await?;
    tokens::make(visit, holder, payload).await
}

pub(super) async fn ask_revoke<H: Held>(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, token) = path.into_inner();
    let holder = H::find(&visit, &id).await?;
    tokens::ask_revoke(visit, holder, &token).await
}

pub(super) async fn revoke<H: Held>(visit: Visit, path: Path<(String, String)>, payload: Payload) -> Answer {
    let (id, token) = path.into_inner();
    let holder = H::find(&visit, &id).await?;
    tokens::revoke(visit, holder, &token, payload).await
}

pub(super) async fn show_caps<H: Held>(visit: Visit, id: Path<String>) -> Answer {
    let holder = H::find(&visit, &id).await?;
    caps::show(visit, holder).await
}

pub(super) async fn set_cap<H: Held>(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let holder = H::find(&visit, &id).await?;
    caps::set(visit, holder, payload).await
}

pub(super) async fn ask_lift<H: Held>(visit: Visit, id: Path<String>) -> Answer {
    let holder = H::find(&visit, &id).await?;
    caps::ask_lift(visit, holder).await
}

pub(super) async fn lift<H: Held>(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let holder = H::find(&visit, &id).await?;
    caps::lift(visit, holder, payload).await
}

/// How many credits the operator may still give alone.
pub(super) async fn given_so_far(visit: &Visit) -> Result<Text, Fault> {
    let given = visit.services().load_given(visit.signed_in()?.operator.id).await?;
    let values = [("credits", APPROVAL_FROM.to_string().into()), ("given", given.to_string().into())];
    Ok(Text::new(t_with("partners-grant-above", &values)))
}

/// What the audit trail tells of an account or a partner and of its newest tokens, the newest first.
pub(super) async fn timeline(visit: &Visit, holder: &Holder) -> Result<Timeline, Fault> {
    let id = match holder.owner {
        TokenOwner::Account(id) => id.to_string(),
        TokenOwner::Partner(id) => id.to_string(),
    };
    let more = format!("/admin/audit?object={id}");
    let filter = AuditFilter { object: Some(id), ..AuditFilter::default() };
    let (mut rows, next) = visit.services().list_audit(&filter, None, EVENTS_SHOWN).await?;
    let tokens = visit.services().list_owned_tokens(holder.owner).await?;
    let tokens: Vec<_> = tokens.iter().take(TOKENS_TOLD_OF).map(|token| ("token", token.id.to_string())).collect();
    let (of_tokens, has_more) = visit.services().list_events(&tokens, EVENTS_SHOWN).await?;
    rows.extend(of_tokens);
    rows.sort_unstable_by_key(|row| Reverse((row.recorded_us, row.slot, row.seq)));
    let shown = usize::try_from(EVENTS_SHOWN).unwrap_or(usize::MAX);
    let is_cut = next.is_some() || has_more || rows.len() > shown;
    let events = rows.into_iter().take(shown).map(event).collect();
    Ok(Timeline { events, more: if is_cut { more } else { String::new() } })
}

/// What a grant would do, worked out without doing it.
pub(super) struct GrantEffect {
    /// What of the form it was worked out from: what is done has to be that.
    shown: String,
    blocks: Vec<Block>,
}

impl GrantEffect {
    /// What is in the wallet before and after, and whether somebody else has to approve it. `shown` is what was typed.
    ///
    /// # Errors
    /// The database failed.
    pub(super) async fn of(visit: &Visit, deed: &Deed, shown: String) -> Result<Self, Fault> {
        let mut blocks = approvals::rehearse(visit, deed).await?;
        blocks.extend(movements::four_eyes(movements::weigh(visit, deed).await?));
        Ok(Self { shown, blocks })
    }

    /// Whether this is what the form has shown.
    pub(super) fn was_shown(&self, fields: &Fields) -> bool {
        fields.raw("shown") == self.shown
    }
}

/// The end of a form that gives credits: first it shows what it would do, and what it shows is what it does.
pub(super) fn grant_form(
    visit: &Visit,
    mut form: Form,
    action: ConsoleAction,
    (typed, problems): (&Fields, &Problems),
    effect: Option<GrantEffect>,
) -> Form {
    let mut shown = None;
    if let Some(effect) = effect {
        form = form.step_up(visit, action).preview(effect.blocks);
        shown = Some(Field::new("shown", "", Control::Hidden).value(effect.shown));
    }
    let form = form.previewed().filled(typed, problems);
    match shown {
        Some(shown) => form.field(shown),
        None => form,
    }
}

/// Asks for credits that somebody else has to approve, because of their `weight`: what to say about it, if they were asked for.
pub(super) async fn ask_for_grant(
    visit: &Visit,
    (asked, weight): (&Deed, Weight),
    reason: &str,
    key: &str,
    problems: &mut Problems,
) -> Result<Option<String>, Fault> {
    let author = visit.signed_in()?.operator.id;
    match visit.services().request_deed(&visit.context()?, author, asked, reason, Some(key)).await {
        Ok(id) => {
            let why = movements::why_four_eyes(weight);
            return Ok(Some(t_with("partners-grant-asked", &[("id", id.to_string().into()), ("why", why.into())])));
        }
        Err(RequestApprovalError::Store(error)) => return Err(error.into()),
        Err(error @ RequestApprovalError::Reason) => problems.add("reason", error.said()),
        Err(error) => problems.add("", error.said()),
    }
    Ok(None)
}
