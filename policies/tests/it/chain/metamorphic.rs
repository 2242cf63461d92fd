//! What must hold between two documents, whatever they say: properties that need no second opinion.

use serde_json::{Value, json};

use super::{
    Asked, DIALECTS, Tool, dialect,
    dice::Dice,
    generator,
    interpreter::{Interpreter, STEPS},
    is_available, policies_for,
};
use crate::extent;

/// A document and questions about it.
struct Stage {
    dialect: &'static str,
    raw: Value,
    document: Value,
    catalog: Vec<Tool>,
    questions: Vec<(Asked, String)>,
    dice: Dice,
}

impl Stage {
    fn new(dialect: &'static str, text: &str, round: u64) -> Self {
        let mut dice = Dice::new(extent::seed(), round);
        let (document, catalog) = (generator::document(&mut dice), generator::catalog(&mut dice));
        let questions =
            (0..60).map(|_| (generator::asked(&mut dice), generator::requested(&mut dice, &catalog))).collect();
        Self { dialect, raw: json5::from_str(text).unwrap(), document, catalog, questions, dice }
    }

    /// The answers that another document gives.
    fn answers(&self, document: &Value) -> Vec<bool> {
        let policies = policies_for(&dialect(self.dialect), document, &self.catalog);
        self.questions.iter().map(|(asked, requested)| is_available(&policies, asked, requested, false)).collect()
    }

    fn interpreter(&self) -> Interpreter<'_> {
        Interpreter { dialect: &self.raw, document: &self.document, catalog: &self.catalog, forgotten: None }
    }

    /// The ways to the objects with lists.
    fn policies(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect_policies(&self.document, "", &mut found);
        found
    }

    /// One of them, of every step as often.
    fn pick_policy(&mut self) -> String {
        let policies = self.policies();
        let steps: Vec<usize> =
            (0..STEPS.len()).filter(|step| policies.iter().any(|own| step_of(own) == *step)).collect();
        let step = steps[self.dice.below(steps.len())];
        let of_step: Vec<&String> = policies.iter().filter(|policy| step_of(policy) == step).collect();
        of_step[self.dice.below(of_step.len())].clone()
    }

    /// A copy in which an entry was added to a list.
    fn with_entry(&self, document: &Value, policy: &str, key: &str, entry: &str) -> Value {
        let mut document = document.clone();
        let policy = document.pointer_mut(policy).unwrap();
        match policy[key].as_array_mut() {
            Some(list) => list.push(entry.into()),
            None => policy[key] = json!([entry]),
        }
        document
    }
}

fn collect_policies(value: &Value, path: &str, found: &mut Vec<String>) {
    let Some(members) = value.as_object() else {
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            collect_policies(item, &format!("{path}/{index}"), found);
        }
        return;
    };
    if ["allow", "alsoAllow", "deny"].iter().any(|key| members.contains_key(*key)) {
        found.push(path.to_owned());
    }
    for (key, value) in members {
        collect_policies(value, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), found);
    }
}

/// Which step an object with lists belongs to.
fn step_of(policy: &str) -> usize {
    let name = match policy {
        "/tools" => "global",
        "/tools/subagents/tools" => "subagent",
        "/gateway/tools" => "http",
        _ if policy.starts_with("/tools/byProvider") => "global byProvider",
        _ if policy.starts_with("/channels") => "group",
        _ if policy.contains("/byProvider/") => "agent's byProvider",
        _ => "agent",
    };
    STEPS.iter().position(|step| *step == name).unwrap()
}

/// Does something to many documents in every dialect. What it returns counts how often the property was put to the test.
fn in_every_dialect(rounds: u64, check: impl Fn(&mut Stage) -> usize) {
    for (name, text) in DIALECTS {
        let tested: usize = (0..rounds).map(|round| check(&mut Stage::new(name, text, round))).sum();
        println!("{name}, CHAIN_SEED={}: put to the test {tested} times", extent::seed());
        assert!(tested >= 10, "{name}: put to the test {tested} times only");
    }
}

#[test]
fn no_later_step_grants_what_an_earlier_one_took() {
    in_every_dialect(extent::pick(5, 50), |stage| {
        let refused_by = |(asked, requested): &(Asked, String)| {
            let tool = stage.interpreter().find(requested)?.clone();
            stage.interpreter().steps(asked, &tool).iter().position(|passes| !passes)
        };
        let first: Vec<Option<usize>> = stage.questions.iter().map(refused_by).collect();
        let mut tested = 0;
        for step in 2..STEPS.len() - 1 {
            let mut opened = stage.document.clone();
            for policy in stage.policies().iter().filter(|policy| step_of(policy) > step) {
                let policy = opened.pointer_mut(policy).unwrap();
                policy["allow"] = json!(["*"]);
                policy["deny"] = json!([]);
            }
            for ((question, first), is_allowed) in stage.questions.iter().zip(&first).zip(stage.answers(&opened)) {
                if first.is_some_and(|first| first <= step) {
                    assert!(!is_allowed, "{}: {question:?}: {first:?} in {opened}", stage.dialect);
                    tested += 1;
                }
            }
        }
        tested
    });
}

#[test]
fn to_add_a_denial_allows_nothing() {
    in_every_dialect(extent::pick(12, 120), |stage| {
        let before = stage.answers(&stage.document);
        let mut taken = 0;
        for _ in 0..8 {
            let policy = &stage.pick_policy();
            let entry = generator::entry(&mut stage.dice);
            let denied = stage.with_entry(&stage.document, policy, "deny", entry);
            for ((question, before), after) in stage.questions.iter().zip(&before).zip(stage.answers(&denied)) {
                assert!(*before || !after, "{}: {question:?}: {policy} denies `{entry}` in {denied}", stage.dialect);
                taken += usize::from(*before && !after);
            }
        }
        taken
    });
}

#[test]
fn inside_a_step_a_denial_stands_over_an_allowance() {
    in_every_dialect(extent::pick(12, 120), |stage| {
        let before = stage.answers(&stage.document);
        let mut taken = 0;
        for _ in 0..6 {
            let policy = &stage.pick_policy();
            let entry = generator::entry(&mut stage.dice);
            let denied = stage.with_entry(&stage.document, policy, "deny", entry);
            let mut both = stage.with_entry(&denied, policy, "allow", entry);
            if policy != "/gateway/tools" {
                both = stage.with_entry(&both, policy, "alsoAllow", entry);
            }
            let answers = stage.answers(&denied).into_iter().zip(stage.answers(&both));
            for ((question, before), (denied, both)) in stage.questions.iter().zip(&before).zip(answers) {
                if *before && !denied {
                    assert!(!both, "{}: {question:?}: {policy} denies and allows `{entry}`", stage.dialect);
                    taken += 1;
                }
            }
        }
        taken
    });
}

#[test]
fn the_order_inside_a_list_is_irrelevant() {
    in_every_dialect(extent::pick(12, 120), |stage| {
        let mut shuffled = stage.document.clone();
        let mut moved = 0;
        for policy in stage.policies() {
            for key in ["allow", "alsoAllow", "deny"] {
                let list = shuffled.pointer_mut(&policy).unwrap().get_mut(key);
                let Some(list) = list.and_then(Value::as_array_mut) else { continue };
                let before = list.clone();
                stage.dice.shuffle(list);
                moved += usize::from(*list != before);
            }
        }
        assert_eq!(stage.answers(&stage.document), stage.answers(&shuffled), "{}: {}", stage.dialect, stage.document);
        moved
    });
}
