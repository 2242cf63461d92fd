//! People who have just come: a form of theirs is sent, or one about them.

use std::sync::atomic::Ordering;

use tests::operator_console::Operator;

use super::{super::World, WHY};

impl World {
    /// Somebody who has just chosen a password and is signed in, with the path of their page.
    pub(in crate::clients::console) fn newcomer(&self) -> (Operator, String) {
        let email = self.new_email();
        let operator = self.console.operator("Newcomer", &email, "support");
        let list = self.console.command(&["operator", "list"]);
        let all = list["operators"].as_array().expect("a list");
        let found = all.iter().find(|operator| operator["email"] == *email);
        let id =
            found.unwrap_or_else(|| panic!("{email} is not in {list}"))["operator"].as_str().expect("an identifier");
        (operator, format!("/admin/operators/{id}"))
    }

    /// The address of somebody who can sign in.
    pub(super) fn known_email(&self) -> &str {
        self.known.get_or_init(|| self.newcomer().0.email)
    }

    /// The page of somebody who may not come in any more.
    pub(super) fn shut_out(&self) -> String {
        let (_operator, page) = self.newcomer();
        let form = format!("{page}/disable");
        self.maker().done(&form, &form, WHY);
        page
    }

    /// The path of the link of somebody who has no password yet.
    pub(super) fn invite_newcomer(&self) -> String {
        self.console.invite("Newcomer", &self.new_email(), "support")
    }

    fn new_email(&self) -> String {
        format!("newcomer-{}@example.com", self.newcomers.fetch_add(1, Ordering::Relaxed))
    }
}
