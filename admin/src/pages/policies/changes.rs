//! What the buttons of the chain's lanes say and do: each is a small change of the text.

use engine::{
    dialect::ChainRules,
    document::DocumentPath,
    policy::{
        chain::StepKind,
        lanes::{self, LaneEdit},
    },
};
use serde_json::{Value, json};

use super::compare::more;
use crate::{
    kit::{Button, Field, Lane, LaneEntry, LaneList, Lanes},
    text::{t, t_with},
};

/// The field whose text the buttons add.
pub(super) const ENTRY: &str = "entry";
/// Most lanes that are shown; what stands behind them is in the text.
const LANES_SHOWN: usize = 200;
/// Most entries of one list that are shown.
const ENTRIES_SHOWN: usize = 100;

/// What a button asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Say what is wrong, and change nothing.
    Check,
    /// Keep the policy as a draft.
    Save,
    /// Change the text.
    Edit(LaneEdit),
}

impl Deed {
    /// The value of the button that only checks.
    pub(super) const CHECK: &'static str = "check";
    /// The value of the button that keeps the policy.
    pub(super) const SAVE: &'static str = "save";

    /// Reads the value of the button that was pressed; `entry` is what stands in the field [`ENTRY`].
    pub(super) fn read(pressed: &str, entry: &str) -> Option<Self> {
        match pressed {
            Self::CHECK | "" => return Some(Self::Check),
            Self::SAVE => return Some(Self::Save),
            _ => {}
        }
        let value: Value = serde_json::from_str(pressed).ok()?;
        let words = value.as_array()?;
        let (word, rest) = words.split_first()?;
        let path = || DocumentPath::from_value(rest.first()?);
        let said = || rest.get(1)?.as_str().map(str::to_owned);
        let entry = entry.to_owned();
        let edit = match word.as_str()? {
            "add" => LaneEdit::Add { list: path()?, entry },
            "remove" => {
                let index = usize::try_from(rest.get(2)?.as_u64()?).ok()?;
                LaneEdit::Remove { list: path()?, index, entry: said()? }
            }
            "profile" => LaneEdit::Profile { path: path()?, name: said()? },
            "provider" => LaneEdit::Provider { tools: path()?, name: entry },
            "agent" => LaneEdit::Agent(entry),
            "group" => LaneEdit::Group(entry),
            _ => return None,
        };
        Some(Self::Edit(edit))
    }
}

fn button(words: Value, text: String) -> Button {
    Button::new(words.to_string(), text)
}

/// The lanes of a document, with the buttons that change it. `entry` is what stands in the field of what is added.
pub(super) fn view(document: &Value, rules: &ChainRules, entry: &str) -> Lanes {
    let all = lanes::lanes(document, rules);
    let left = all.len().saturating_sub(LANES_SHOWN);
    let mut shown: Vec<Lane> = all.iter().take(LANES_SHOWN).map(|one| lane(one, rules)).collect();
    if left > 0 {
        shown.push(Lane { title: more(left), note: t("policies-lanes-more"), ..Lane::default() });
    }
    Lanes {
        field: Field::line(ENTRY, t("policies-entry")).hint(t("policies-entry-hint")).value(entry),
        buttons: vec![
            button(json!(["agent"]), t("policies-add-agent")),
            button(json!(["group"]), t("policies-add-group")),
        ],
        lanes: shown,
    }
}

fn lane(lane: &lanes::Lane, rules: &ChainRules) -> Lane {
    let kind = t(&["policies-step-", lane.kind.as_str()].concat());
    let title = if lane.agent.is_empty() { kind } else { format!("{kind}: {}", lane.agent) };
    let built_in = lane.built_in.join(", ");
    let note = if built_in.is_empty() {
        String::new()
    } else {
        t_with("policies-lane-built-in", &[("tools", built_in.into())])
    };
    let buttons = match lane.kind {
        StepKind::Global | StepKind::Agent => {
            vec![button(json!(["provider", lane.path.to_value()]), t("policies-add-provider"))]
        }
        _ => Vec::new(),
    };
    Lane {
        title,
        key: lane.path.to_string(),
        choices: lane.profile.as_ref().map(|profile| choices(profile, rules)).unwrap_or_default(),
        lists: lane.lists.iter().map(list).collect(),
        buttons,
        note,
    }
}

/// The profiles of the dialect, and none.
fn choices(profile: &lanes::LaneProfile, rules: &ChainRules) -> Vec<Button> {
    let chosen = profile.chosen.as_deref().unwrap_or_default();
    let choice = |name: &str, text: String| {
        let mut choice = button(json!(["profile", profile.path.to_value(), name]), text).says(format!(
            "{}: {}",
            profile.path,
            if name.is_empty() { t("policies-profile-none") } else { name.to_owned() }
        ));
        choice.is_chosen = name == chosen;
        choice
    };
    let none = (!chosen.is_empty()).then(|| choice("", t("policies-profile-none")));
    rules.profiles.keys().map(|name| choice(name, name.clone())).chain(none).collect()
}

fn list(list: &lanes::LaneList) -> LaneList {
    let entry = |(index, text): (usize, &String)| LaneEntry {
        text: text.clone(),
        // What is no text is taken out by hand.
        remove: (!text.is_empty()).then(|| {
            let says = [("entry", text.as_str().into()), ("list", list.path.to_string().into())];
            button(json!(["remove", list.path.to_value(), text, index]), "×".to_owned())
                .says(t_with("policies-remove", &says))
        }),
    };
    let entries = list.entries.as_deref().unwrap_or_default();
    let left = entries.len().saturating_sub(ENTRIES_SHOWN);
    let note = match &list.entries {
        None => t("policies-list-absent"),
        Some(entries) if entries.is_empty() => t("policies-list-empty"),
        Some(_) if left > 0 => more(left),
        Some(_) => String::new(),
    };
    let says = t_with("policies-add", &[("list", list.path.to_string().into())]);
    LaneList {
        name: list.name.to_owned(),
        entries: entries.iter().take(ENTRIES_SHOWN).enumerate().map(entry).collect(),
        note,
        add: Some(button(json!(["add", list.path.to_value()]), "+".to_owned()).says(says)),
    }
}

#[cfg(test)]
mod tests;
