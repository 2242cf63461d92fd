//! Who may do what: every role against every deed, as the policies decide it.

use engine::{
    id::OperatorId,
    operator::Role,
    policy::console::{
        ConsoleAction, ConsoleCaller, ConsoleDecision, ConsoleDenialCode, ConsoleGroup, ConsolePolicies,
    },
};

use super::LIST;
use crate::{
    console::{Answer, Visit},
    kit::{Cell, Column, Page, Row, Table, Text, Tone},
    text::{said, t},
};

/// How far a role goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It may.
    All,
    /// It may, up to an amount.
    Limited,
    /// It may not.
    None,
}

/// What the policies say of a role that has just shown its password and has a second factor.
fn reach(policies: &ConsolePolicies, id: OperatorId, role: Role, action: ConsoleAction) -> Reach {
    let caller = ConsoleCaller { id, roles: &[role], is_fresh: true, has_factor: true, may_postpone: false };
    if !policies.decide(&caller, action, Some(0)).is_allowed() {
        return Reach::None;
    }
    // Only what moves money has limits.
    if action.group() != ConsoleGroup::Money {
        return Reach::All;
    }
    match policies.decide(&caller, action, Some(i64::MAX)) {
        ConsoleDecision::Denied(denial) if denial.code == ConsoleDenialCode::Amount => Reach::Limited,
        ConsoleDecision::Denied(_) => Reach::None,
        ConsoleDecision::Allowed => Reach::All,
    }
}

fn cell(reach: Reach) -> Cell {
    match reach {
        Reach::All => Cell::state(t("operators-may"), Tone::Good),
        Reach::Limited => Cell::state(t("operators-may-limited"), Tone::Warn),
        Reach::None => Cell::None,
    }
}

pub(super) async fn show(visit: Visit) -> Answer {
    let id = visit.signed_in()?.operator.id;
    let policies = &visit.console().policies;
    let rows = ConsoleAction::ALL.map(|(action, word, group)| {
        let is_money = group == ConsoleGroup::Money;
        let group = if is_money {
            Cell::state(t("operators-money"), Tone::Warn)
        } else {
            Cell::Mono(group.as_str().to_owned())
        };
        let known = [Cell::text(said::deed(action)), Cell::Mono(word.to_owned()), group];
        let reached = Role::ALL.map(|(role, _)| cell(reach(policies, id, role, action)));
        let row = Row::new("", known.into_iter().chain(reached).collect());
        if is_money { Row { tone: Tone::Warn, ..row } } else { row }
    });
    let known = ["operators-deed", "operators-word", "operators-group"].map(|key| Column::new(t(key)));
    let table = Table {
        caption: t("operators-matrix"),
        columns: known.into_iter().chain(Role::ALL.map(|(_, word)| Column::new(word))).collect(),
        rows: rows.into(),
        ..Table::default()
    };
    let page = Page::new(t("operators-matrix"))
        .under(t("operators-title"), LIST)
        .with(Text::new(t("operators-matrix-text")))
        .with(table);
    visit.show(page).await
}
