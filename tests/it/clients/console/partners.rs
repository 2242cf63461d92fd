//! What the console shows of partners and does for them: their usage and statements, thresholds, webhooks, and what is known
//! of their end users. All of it without scripts.

mod alerts;
mod months;
mod usage;
mod users;
mod webhooks;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    html,
    operator_console::{Operator, OperatorConsole},
    program::Answer,
};
use uuid::Uuid;

use super::{
    routes::leads_to,
    sending::{Entry, trail},
};
use crate::rows;

const REASON: (&str, &str) = ("reason", "They asked for it");
/// What stands where nobody or nothing is named.
const NOBODY: Uuid = Uuid::nil();

/// A server with one partner, whom Ada looks after.
struct House {
    kind: Kind,
    home: Home,
    console: OperatorConsole,
    owner: Operator,
    /// The partner's page.
    partner: String,
}

impl House {
    /// Webhooks may be on this machine.
    fn open(kind: Kind) -> Self {
        Self::open_with(kind, &json!({"egress": {"allow_private": true}}))
    }

    fn open_with(kind: Kind, configuration: &Value) -> Self {
        let home = Home::on(kind);
        let console = OperatorConsole::start_with(home.path(), configuration);
        let owner = console.owner();
        let named = [("name", "Globex"), ("margin_bps", "500"), REASON];
        let made = owner.visitor.submit("/admin/partners/new", "/admin/partners/new", &named);
        let partner = led_to(&made);
        Self { kind, home, console, owner, partner }
    }

    /// The path of something below the partner's page.
    fn at(&self, below: &str) -> String {
        format!("{}{below}", self.partner)
    }

    /// A page below the partner's, which is there.
    #[track_caller]
    fn page(&self, below: &str) -> String {
        expect_page(&self.owner, &self.at(below))
    }

    /// What can be read there.
    #[track_caller]
    fn text(&self, below: &str) -> String {
        html::text(&self.page(below))
    }

    /// Fills in the form on a page below the partner's, which is sent there as well.
    #[track_caller]
    fn submit(&self, below: &str, fields: &[(&str, &str)]) -> Answer {
        let form = self.at(below);
        let action = form.split('?').next().unwrap_or_default().to_owned();
        self.owner.visitor.submit(&form, &action, fields)
    }

    /// Somebody else who may come in.
    fn somebody(&self, role: &str) -> Operator {
        self.console.operator(role, &format!("{role}@example.com"), role)
    }

    /// The public identifier of the partner.
    fn id(&self) -> &str {
        self.partner.rsplit('/').next().unwrap_or_default()
    }

    /// An identifier as the database's own language has it.
    fn literal(&self, id: Uuid) -> String {
        match self.kind {
            Kind::Sqlite => format!("X'{}'", id.as_simple()),
            Kind::Postgres => format!("'{id}'"),
        }
    }

    fn partner_literal(&self) -> String {
        self.literal(uuid_of(self.id()))
    }

    /// An end user of the partner who has called under this name; the path of its page.
    fn end_user(&self, name: &str, number: u128) -> String {
        let id = Uuid::from_u128(number);
        let sql = format!(
            "INSERT INTO end_user (id, partner_id, external_id, is_blocked, created_us)
             VALUES ({}, {}, '{name}', FALSE, 1790000000000000)",
            self.literal(id),
            self.partner_literal(),
        );
        rows::change_home(&self.home, &sql);
        self.at(&format!("/users/usr_{}", id.as_simple()))
    }

    /// What the audit trail tells of this kind of action.
    fn told(&self, action: &str) -> Vec<Entry> {
        trail(&self.home).into_iter().filter(|entry| entry.action == action).collect()
    }
}

/// The bare identifier in a public one.
fn uuid_of(id: &str) -> Uuid {
    let digits = id.split('_').nth(1).unwrap_or_default();
    Uuid::try_parse(digits).unwrap_or_else(|error| panic!("{id}: {error}"))
}

#[track_caller]
fn expect_page(operator: &Operator, path: &str) -> String {
    let shown = operator.visitor.get(path);
    assert_eq!(shown.status, 200, "{path}: {}", html::text(&shown.body));
    shown.body
}

/// Where a form led.
#[track_caller]
fn led_to(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", html::text(&answer.body));
    answer.header("location").expect("where it leads").to_owned()
}

/// That a form was refused, and says why beside this field.
#[track_caller]
fn expect_beside(answer: &Answer, field: &str) {
    assert_eq!(answer.status, 422, "{}", html::text(&answer.body));
    let id = format!("field-{field}-problem");
    let elements = html::elements(&answer.body);
    let is_there = elements.iter().any(|element| element.get("id") == Some(&id));
    assert!(is_there, "nothing beside `{field}`: {}", html::text(&answer.body));
}

/// The first link on a page that leads to the route with this path.
#[track_caller]
fn linked(body: &str, route: &str) -> String {
    let links = html::links(body);
    let link = links.iter().find(|link| leads_to(link, route));
    link.unwrap_or_else(|| panic!("no link to {route}, but {links:?}")).clone()
}
