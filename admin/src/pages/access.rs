//! What the pages of accounts and of partners share: their tokens, the limits on them, and credits that somebody else has
//! to approve.

use engine::{
    policy::console::ConsoleAction,
    service::{
        approvals::{Deed, RequestApprovalError},
        caps::CapHolder,
        tokens::TokenOwner,
    },
};

use crate::{
    console::{Fault, Problems, Visit},
    kit::{Link, Page},
    text::t_with,
};

pub(super) mod caps;
pub(super) mod tokens;

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
}

impl Holder {
    /// A page below its own.
    fn page(&self, title: String) -> Page {
        let section = self.section.clone();
        Page::new(title).under(section.text, section.href).under(self.name.clone(), self.href.clone())
    }

    /// It as a whole, as limits know it.
    const fn whole(&self) -> CapHolder {
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

/// Asks for credits that somebody else has to approve: what to say about it, if they were asked for.
pub(super) async fn ask_for_grant(
    visit: &Visit,
    asked: &Deed,
    reason: &str,
    key: &str,
    problems: &mut Problems,
) -> Result<Option<String>, Fault> {
    let author = visit.signed_in()?.operator.id;
    match visit.services().request_deed(&visit.context()?, author, asked, reason, Some(key)).await {
        Ok(id) => return Ok(Some(t_with("partners-grant-asked", &[("id", id.to_string().into())]))),
        Err(RequestApprovalError::Store(error)) => return Err(error.into()),
        Err(error @ RequestApprovalError::Reason) => problems.add("reason", error.to_string()),
        Err(error) => problems.add("", error.to_string()),
    }
    Ok(None)
}
