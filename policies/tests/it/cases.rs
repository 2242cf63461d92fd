//! Every case in `cases/` gets the decision that it expects, and every policy decides at least one case.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use engine::{
    catalog::Tier,
    code::Code,
    policy::{
        AccountFacts, Caller, Decision, DecisionRequest, EndUserFacts, NamespaceFacts, PartnerFacts, Policies,
        PolicyId, PolicySources, PublisherFacts, Surface, ToolFacts,
    },
};
use serde_json::{Map, Value, json};

fn shipped() -> Policies {
    Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE })
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The files of one area, by name. An area without files is a mistake, never a pass.
pub(crate) fn case_files(area: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(area);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no cases", folder.display());
    files
}

/// An object that must be read completely: what nobody asked for is a mistake in the case.
pub(crate) struct Fields<'a> {
    left: Map<String, Value>,
    at: &'a str,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &Value, at: &'a str) -> Self {
        let left = value.as_object().unwrap_or_else(|| panic!("`{at}` is not an object: {value}")).clone();
        Self { left, at }
    }

    pub(crate) fn take(&mut self, name: &str) -> Value {
        self.left.remove(name).unwrap_or_else(|| panic!("`{}` has no `{name}`", self.at))
    }

    pub(crate) fn text(&mut self, name: &str) -> String {
        let value = self.take(name);
        value.as_str().unwrap_or_else(|| panic!("`{}.{name}` is not text: {value}", self.at)).to_owned()
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let value = self.take(name);
        value.as_bool().unwrap_or_else(|| panic!("`{}.{name}` is not true or false: {value}", self.at))
    }

    pub(crate) fn end(self) {
        assert!(self.left.is_empty(), "`{}` has unknown members: {:?}", self.at, self.left);
    }
}

/// What is missing, unknown or of the wrong type in a case ends the test: a case is either meant or wrong.
fn decide(policies: &Policies, request: &Value) -> Decision {
    let mut fields = Fields::of(request, "request");
    let (surface, token) = (fields.text("surface"), fields.text("token"));
    let (caller, tool) = (fields.take("caller"), fields.take("tool"));
    let now_s = fields.take("now_s").as_i64().expect("`now_s` is a whole number");
    fields.end();
    let surface = match surface.as_str() {
        "marketplace" => Surface::Marketplace,
        "http" => Surface::Http,
        other => panic!("unknown surface `{other}`"),
    };
    with_caller(&caller, |caller| {
        with_tool(&tool, |tool| {
            policies.decide(&DecisionRequest { surface, token: &token, caller, tool, now_s, place: None })
        })
    })
}

fn with_caller<T>(value: &Value, then: impl FnOnce(Caller<'_>) -> T) -> T {
    let mut fields = Fields::of(value, "caller");
    if fields.left.contains_key("account") {
        let account = fields.take("account");
        let mut account = Fields::of(&account, "account");
        let (id, is_suspended, is_verified) = (account.text("id"), account.flag("suspended"), account.flag("verified"));
        account.end();
        fields.end();
        return then(Caller::Account(AccountFacts { id: &id, is_suspended, is_verified }));
    }
    let (partner, end_user) = (fields.take("partner"), fields.take("end_user"));
    fields.end();
    let mut partner = Fields::of(&partner, "partner");
    let (partner_id, is_suspended) = (partner.text("id"), partner.flag("suspended"));
    partner.end();
    let mut end_user = Fields::of(&end_user, "end_user");
    let (end_user_id, is_blocked) = (end_user.text("id"), end_user.flag("blocked"));
    end_user.end();
    then(Caller::Partner {
        partner: PartnerFacts { id: &partner_id, is_suspended },
        end_user: EndUserFacts { id: &end_user_id, is_blocked },
    })
}

fn with_tool<T>(value: &Value, then: impl FnOnce(ToolFacts<'_>) -> T) -> T {
    let mut fields = Fields::of(value, "tool");
    let (id, name, tier) = (fields.text("id"), fields.text("name"), fields.text("tier"));
    let (is_disabled, is_free) = (fields.flag("disabled"), fields.flag("free"));
    let namespace = fields.take("namespace");
    fields.end();
    let tier = Tier::from_wire(&tier).unwrap_or_else(|| panic!("unknown tier `{tier}`"));
    let tool = ToolFacts { id: &id, name: &name, is_disabled, is_free, tier, namespace: None };
    if namespace.is_null() {
        return then(tool);
    }
    let mut fields = Fields::of(&namespace, "namespace");
    let (id, name, is_suspended) = (fields.text("id"), fields.text("name"), fields.flag("suspended"));
    let publisher = fields.take("publisher");
    fields.end();
    let mut fields = Fields::of(&publisher, "publisher");
    let (publisher_id, publisher_is_suspended) = (fields.text("id"), fields.flag("suspended"));
    fields.end();
    let publisher = PublisherFacts { id: &publisher_id, is_suspended: publisher_is_suspended };
    then(ToolFacts { namespace: Some(NamespaceFacts { id: &id, name: &name, is_suspended, publisher }), ..tool })
}

/// A decision in the words of the cases.
fn view(decision: &Decision) -> Value {
    assert_eq!(decision.faults, [], "a case could not be evaluated");
    json!({
        "allowed": decision.allowed,
        "determining": decision.determining.iter().map(PolicyId::as_str).collect::<Vec<_>>(),
        "reason": decision.reason.as_deref(),
        "code": decision.code.map(Code::as_str),
    })
}

#[test]
fn every_invoke_case_gets_its_decision_and_every_policy_decides_one() {
    let policies = shipped();
    let files = case_files("invoke");
    let (mut failures, mut decided) = (Vec::new(), BTreeSet::new());
    for file in &files {
        let name = file.display();
        let text = fs::read_to_string(file).unwrap();
        let case: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut case = Fields::of(&case, "case");
        let (says, request, expected) = (case.text("says"), case.take("request"), case.take("expect"));
        case.end();
        let decision = decide(&policies, &request);
        decided.extend(decision.determining.iter().map(ToString::to_string));
        let got = view(&decision);
        if got != expected {
            failures.push(format!("{name}: {says}\n  expected {expected}\n  got      {got}"));
        }
    }
    println!("{} cases, {} failed", files.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let all: BTreeSet<String> = policies.policy_ids().iter().map(ToString::to_string).collect();
    assert_eq!(decided, all, "each policy must decide a case");
}

#[test]
fn the_validator_finds_nothing_odd_in_the_shipped_policies() {
    let policies = shipped();
    assert!(policies.warnings().is_empty(), "{:?}", policies.warnings());
}

#[test]
fn the_shipped_policies_do_not_depend_on_the_time() {
    // so that a decision is remembered until one of its facts changes
    assert!(!shipped().reads_clock());
}
