//! What somebody else does to what a form was made from, before it is sent.

use super::{super::world::REASON, NOTE, WHY};
use crate::clients::console::sending::{Senders, work_out};

/// What somebody else does between the opening of a form and its sending: the form was made from what is no more.
#[derive(Clone, Copy)]
pub(in crate::clients::console) struct Meanwhile {
    pub(in crate::clients::console) change: Changed,
    /// What stands on the page then: what was, what is.
    pub(in crate::clients::console) shows: &'static [&'static str],
    /// Whether it can be sent once more, as it is shown then.
    pub(in crate::clients::console) goes_on: bool,
}

/// How somebody else changes it.
#[derive(Clone, Copy)]
pub(in crate::clients::console) enum Changed {
    /// Sends the same form with this.
    BySending(&'static [(&'static str, &'static str)]),
    /// Does something else. Told the address of the form's page.
    By(fn(&Senders<'_>, &str)),
}

/// Another limit in the place of the one that this page would lift.
pub(super) fn raise_limit(senders: &Senders<'_>, page: &str) {
    let (path, query) = page.split_once('?').expect("whose limit it is");
    let word = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("no {name} in {query}"))
    };
    let form = path.trim_end_matches("/lift");
    let fields = [("of", word("of")), ("window", word("window")), ("credits", "5500"), REASON];
    senders.does_otherwise(form, form, &fields);
}

/// The period ends now.
pub(super) fn close_period(senders: &Senders<'_>, _: &str) {
    let now = work_out("{now}", "");
    senders.world().console.command(&["ledger", "close", "--until", &now]);
}

/// Another version of the policy is in force from now on.
pub(super) fn publish_another(senders: &Senders<'_>, _: &str) {
    senders.world().maker().publish_another();
}

/// An operator is something else from now on: asked for by one, approved by another.
pub(super) fn give_role(senders: &Senders<'_>, page: &str) {
    let maker = senders.world().maker();
    let request = maker.done(page, page, &[("roles", "policy_editor"), REASON]);
    let form = format!("{request}/approve");
    senders.does_otherwise(&form, &form, NOTE);
}

/// A mail is sent at once.
pub(super) fn retry_mail(senders: &Senders<'_>, page: &str) {
    let form = format!("{}/retry", page.rsplit_once('/').expect("a mail").0);
    senders.does_otherwise(&form, &form, WHY);
}
