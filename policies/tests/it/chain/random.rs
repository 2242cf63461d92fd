//! Random documents, catalogs and requests: the compiled chain and the plain interpreter must agree.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write as _},
};

use serde_json::Value;

use super::{
    DIALECTS, dialect,
    dice::Dice,
    generator,
    interpreter::{Interpreter, Rule, STEPS},
    is_available, policies_for,
};
use crate::extent;

/// Every how many-th question is also asked of the whole set, and of interpreters that have forgotten a rule.
const LOOKED_AT: u64 = 5;

/// Who took part in the answers.
#[derive(Default)]
struct Tally {
    asked: u64,
    allowed: u64,
    by_whole_set: u64,
    /// How often the step refused.
    refused: [u64; STEPS.len()],
    /// How often it was the only one: without it the answer would have been another one.
    decided: [u64; STEPS.len()],
    /// How often an interpreter without the rule answered differently.
    differences: BTreeMap<Rule, u64>,
}

impl Tally {
    fn count(&mut self, steps: &[bool; STEPS.len()]) {
        self.asked += 1;
        let refusing: Vec<usize> = (0..STEPS.len()).filter(|step| !steps[*step]).collect();
        match refusing[..] {
            [] => self.allowed += 1,
            [only] => self.decided[only] += 1,
            _ => {}
        }
        for step in refusing {
            self.refused[step] += 1;
        }
    }

    fn per_mille(&self, count: u64) -> u64 {
        count * 1_000 / self.asked
    }

    /// The figures, and what is wrong with them.
    fn report(&self, interpreter: &Interpreter<'_>) -> (String, Vec<String>) {
        let mut text = format!(
            "{} questions about tools that are there, {} of them to the whole set too; allowed {} per mille",
            self.asked,
            self.by_whole_set,
            self.per_mille(self.allowed)
        );
        let mut wrong = Vec::new();
        if !(200..=800).contains(&self.per_mille(self.allowed)) {
            wrong.push("too few or too many calls pass".to_owned());
        }
        for (step, name) in STEPS.iter().enumerate().filter(|(step, _)| interpreter.has_step(*step)) {
            let (refused, decided) = (self.per_mille(self.refused[step]), self.per_mille(self.decided[step]));
            write!(text, "\n  {name}: refused {refused}, alone {decided}").unwrap();
            if decided < 20 {
                wrong.push(format!("the step `{name}` hardly ever decides"));
            }
        }
        text.push_str("\n  answers that hang on a rule:");
        for rule in Rule::of(interpreter) {
            let count = self.differences.get(&rule).copied().unwrap_or(0);
            write!(text, " {rule:?} {count}").unwrap();
            if count == 0 {
                wrong.push(format!("no answer hangs on the rule `{rule:?}`"));
            }
        }
        (text, wrong)
    }
}

/// Asks both, and fails where they differ or where the questions are too easy.
fn agree(name: &str) {
    let seed = extent::seed();
    let (documents, questions) = extent::pick((160, 72), (1_500, 230));
    let (_, text) = DIALECTS.iter().find(|(own, _)| *own == name).unwrap();
    let raw: Value = json5::from_str(text).unwrap();
    let rules = dialect(name);
    let mut tally = Tally::default();
    for round in 0..documents {
        let mut dice = Dice::new(seed, round);
        let (document, catalog) = (generator::document(&mut dice), generator::catalog(&mut dice));
        let interpreter = Interpreter { dialect: &raw, document: &document, catalog: &catalog, forgotten: None };
        let policies = policies_for(&rules, &document, &catalog);
        for question in 0..questions {
            let (asked, requested) = (generator::asked(&mut dice), generator::requested(&mut dice, &catalog));
            let is_looked_at = question % LOOKED_AT == 0;
            let wanted = interpreter.is_available(&asked, &requested);
            let got = is_available(&policies, &asked, &requested, is_looked_at);
            let whence = || format!("{name}, CHAIN_SEED={seed}, round {round}: {asked:?} `{requested}` in {document}");
            let Some(tool) = interpreter.find(&requested) else {
                assert!(!got, "{}", whence());
                continue;
            };
            let steps = interpreter.steps(&asked, tool);
            assert_eq!(got, wanted, "{steps:?}: {}", whence());
            tally.count(&steps);
            if is_looked_at {
                tally.by_whole_set += 1;
                // hardly a single rule stands between two refusals and an allowance
                let hangs_on_one = steps.iter().filter(|passes| !**passes).count() <= 1;
                for rule in Rule::of(&interpreter).into_iter().filter(|_| hangs_on_one) {
                    let other = Interpreter { forgotten: Some(rule), ..interpreter };
                    *tally.differences.entry(rule).or_default() +=
                        u64::from(other.is_available(&asked, &requested) != wanted);
                }
            }
        }
    }
    let interpreter = Interpreter { dialect: &raw, document: &Value::Null, catalog: &[], forgotten: None };
    let (text, wrong) = tally.report(&interpreter);
    // past the test runner, which keeps to itself what passing tests print
    writeln!(io::stdout(), "{name}, CHAIN_SEED={seed}: {text}").unwrap();
    assert!(tally.asked >= 10_000, "only {} questions", tally.asked);
    assert!(wrong.is_empty(), "{name}, CHAIN_SEED={seed}: {wrong:#?}");
}

#[test]
fn the_chain_of_fased_means_what_its_plain_interpreter_says() {
    agree("fased");
}

#[test]
fn the_chain_of_zero_means_what_its_plain_interpreter_says() {
    agree("zero");
}

#[test]
fn the_chain_of_openclaw_means_what_its_plain_interpreter_says() {
    agree("openclaw");
}
