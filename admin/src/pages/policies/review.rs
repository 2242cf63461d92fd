//! What a check says of a policy: what is wrong, with line and column, or what is odd.

use engine::{
    document::written::TextProblem,
    policy::{Policies, PolicyOddity, PolicyText, TextPlaces, WrittenPolicy},
    service::policies::{PolicyCheck, PolicyFault, PolicyVersionError},
};

use crate::{
    console::{Fault, Visit},
    kit::{Block, Cell, Column, Heading, Notice, Row, Table, Tone},
    text::{said::Said as _, t, t_with},
};

/// A check of a policy.
pub(super) struct Review {
    /// What it says.
    pub(super) blocks: Vec<Block>,
    /// The policy, ready to decide, if it is right.
    pub(super) policies: Option<Box<Policies>>,
}

impl Review {
    fn wrong(faults: &[(String, String)]) -> Self {
        let count = i64::try_from(faults.len()).unwrap_or(i64::MAX);
        let said = Notice::new(Tone::Bad, t_with("policies-check-wrong", &[("count", count.into())]));
        let row = |(place, message): &(String, String)| {
            let mut row = Row::new("", vec![Cell::Mono(place.clone()), Cell::text(message)]);
            row.tone = Tone::Bad;
            row
        };
        let table = Table {
            caption: t("policies-check-faults"),
            columns: ["policies-check-place", "policies-check-what"].map(|key| Column::new(t(key))).into(),
            rows: faults.iter().map(row).collect(),
            ..Table::default()
        };
        Self { blocks: vec![said.into(), table.into()], policies: None }
    }
}

/// Checks the texts of a policy, from the first character on.
///
/// # Errors
/// The database is away.
pub(super) async fn of_texts(visit: &Visit, text: &PolicyText) -> Result<Review, Fault> {
    match text.read() {
        Ok(written) => of(visit, text, &written).await,
        Err(problems) => {
            let fault = |problem: &TextProblem| (problem.at.to_string(), problem.message.clone());
            Ok(Review::wrong(&problems.iter().map(fault).collect::<Vec<_>>()))
        }
    }
}

/// Checks a policy that was read from these texts.
///
/// # Errors
/// The database is away.
pub(super) async fn of(visit: &Visit, text: &PolicyText, written: &WrittenPolicy) -> Result<Review, Fault> {
    match visit.services().check_policy(written).await {
        Ok(PolicyCheck::Right(policies)) => {
            let blocks = right(text, &policies);
            Ok(Review { blocks, policies: Some(policies) })
        }
        Ok(PolicyCheck::Wrong(faults)) => {
            let places = text.places();
            let faults: Vec<_> = faults.iter().map(|fault| (place_of(&places, fault), fault.message.clone())).collect();
            Ok(Review::wrong(&faults))
        }
        Err(PolicyVersionError::Store(error)) => Err(error.into()),
        Err(error) => Ok(Review { blocks: vec![Notice::new(Tone::Warn, error.said()).into()], policies: None }),
    }
}

/// Line and column in the document, or the line of the Cedar policies.
fn place_of(places: &TextPlaces, fault: &PolicyFault) -> String {
    match (&fault.path, fault.line) {
        (Some(path), _) => places.around(path).to_string(),
        (None, Some(line)) => t_with("policies-check-cedar", &[("line", line.to_string().into())]),
        (None, None) => String::new(),
    }
}

fn right(text: &PolicyText, policies: &Policies) -> Vec<Block> {
    let oddities = policies.oddities();
    let count = i64::try_from(policies.policy_count()).unwrap_or(i64::MAX);
    let mut out: Vec<Block> =
        vec![Notice::new(Tone::Good, t_with("policies-check-right", &[("count", count.into())])).into()];
    if oddities.is_empty() {
        return out;
    }
    let places = text.places();
    let row = |odd: &PolicyOddity| {
        let place = odd.key.as_ref().and_then(|key| places.get(key)).map(|place| place.to_string());
        let mut row = Row::new("", vec![place.map_or(Cell::None, Cell::Mono), Cell::text(&odd.message)]);
        row.tone = Tone::Warn;
        row
    };
    let table = Table {
        caption: t("policies-check-odd"),
        columns: ["policies-check-place", "policies-check-what"].map(|key| Column::new(t(key))).into(),
        rows: oddities.iter().map(row).collect(),
        ..Table::default()
    };
    out.push(Heading::new(t("policies-check-odd")).into());
    out.push(table.into());
    out
}
