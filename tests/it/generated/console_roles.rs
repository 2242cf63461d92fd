//! Who may do what in the console, as tables for people: every answer is the policies' own. The second one has every route.

use admin::console::{Access, ROOT, Route, Verb};
use engine::{
    credits::Credits,
    id::OperatorId,
    operator::Role,
    policy::{
        PolicySources,
        console::{ConsoleAction, ConsoleCaller, ConsoleDecision, ConsoleDenialCode, ConsoleGroup, ConsolePolicies},
    },
    service::operators::FRESH_MINUTES,
};

/// What stands over the table of a group.
const HEADINGS: [(ConsoleGroup, &str); 11] = [
    (ConsoleGroup::Read, "Seeing"),
    (ConsoleGroup::Export, "Taking away"),
    (ConsoleGroup::Catalog, "Catalog and prices"),
    (ConsoleGroup::Partners, "Partners and their end users"),
    (ConsoleGroup::Accounts, "Accounts"),
    (ConsoleGroup::Money, "Money"),
    (ConsoleGroup::Books, "Books"),
    (ConsoleGroup::Policy, "Policies"),
    (ConsoleGroup::People, "Operators and auditors"),
    (ConsoleGroup::Mail, "Mail"),
    (ConsoleGroup::Own, "Oneself"),
];

/// Amounts that are tried: a limit is one that passes where a micro-credit more does not.
const LIMITS: [i64; 4] = [1_000_000, 10_000_000, 50_000_000, 100_000_000];

fn policies() -> ConsolePolicies {
    let sources = PolicySources { schema: policies::CONSOLE_SCHEMA, policies: policies::CONSOLE };
    ConsolePolicies::load(sources).unwrap()
}

fn caller(roles: &[Role]) -> ConsoleCaller<'_> {
    let id = OperatorId::from(uuid::Uuid::nil());
    ConsoleCaller { id, roles, is_fresh: true, has_factor: true, may_postpone: false }
}

fn code_of(decision: &ConsoleDecision) -> Option<ConsoleDenialCode> {
    match decision {
        ConsoleDecision::Allowed => None,
        ConsoleDecision::Denied(denial) => Some(denial.code),
    }
}

fn cell(policies: &ConsolePolicies, role: Role, action: ConsoleAction) -> String {
    let roles = [role];
    let code = |amount| code_of(&policies.decide(&caller(&roles), action, amount));
    match code(None) {
        None => "✔".to_owned(),
        Some(ConsoleDenialCode::Role) => "✘".to_owned(),
        Some(ConsoleDenialCode::Amount) => {
            let is_limit = |limit: &&i64| {
                code(Some(**limit)).is_none() && code(Some(**limit + 1)) == Some(ConsoleDenialCode::Amount)
            };
            let limit = LIMITS.iter().find(is_limit).expect("the limit is one of those that are tried");
            format!("≤ {} credits", Credits::from_micros(*limit))
        }
        Some(other) => panic!("{} is denied to a fresh {role} with a factor: {other:?}", action.as_str()),
    }
}

/// What an owner, who may do everything, needs besides.
fn needs(policies: &ConsolePolicies, action: ConsoleAction) -> String {
    let roles = [Role::Owner];
    let without_factor = ConsoleCaller { has_factor: false, ..caller(&roles) };
    let stale = ConsoleCaller { is_fresh: false, ..caller(&roles) };
    let code = |caller| code_of(&policies.decide(caller, action, None));
    let mut needs = Vec::new();
    if code(&without_factor) == Some(ConsoleDenialCode::Factor) {
        needs.push("second factor");
    }
    if code(&stale) == Some(ConsoleDenialCode::StepUp) {
        needs.push("password");
    }
    needs.join(", ")
}

/// The whole file.
pub(super) fn render() -> String {
    let policies = policies();
    let mut text = format!(
        "<!-- Generated from policies/console.cedar, and compared by a test. -->\n\n\
         # Who may do what in the console\n\n\
         ✔ means that the role may, ✘ that it may not, and an amount that it may up to there of a charge. Several roles of \
         one\nperson add up. What stands under \"needs\" is wanted of everybody: a second factor has to be enrolled, and \
         the password\nhas to have been shown within the last {FRESH_MINUTES} minutes, else it is asked for again.\n"
    );
    for (group, heading) in HEADINGS {
        let roles: Vec<String> = Role::ALL.iter().map(|(_, word)| word.replace('_', " ")).collect();
        text += &format!("\n## {heading}\n\n| | {} | needs |\n", roles.join(" | "));
        text += &format!("| --- |{} --- |\n", " :-: |".repeat(roles.len()));
        for (action, word, _) in ConsoleAction::ALL.iter().filter(|(.., of)| *of == group) {
            let cells: Vec<String> = Role::ALL.iter().map(|(role, _)| cell(&policies, *role, *action)).collect();
            let row =
                [action.sentence().to_owned() + &format!(" (`{word}`)"), cells.join(" | "), needs(&policies, *action)];
            text += &format!("| {} |\n", row.join(" | ").trim_end());
        }
    }
    text + &routes(&policies)
}

/// What stands in the place of an action where a route is for everybody.
const ANYBODY: &str = "anybody, signed in or not";

/// Every route with who may use it. The routes' own test asks each of them as every role, and compares with this.
fn routes(policies: &ConsolePolicies) -> String {
    let words: Vec<String> = Role::ALL.iter().map(|(_, word)| word.replace('_', " ")).collect();
    let mut text = format!(
        "\n## Every route\n\nThe action that is asked about before anything else is done; a form asks again, with its \
         amount.\n\n| method | path | action | {} | needs |\n| --- | --- | --- |{} --- |\n",
        words.join(" | "),
        " :-: |".repeat(words.len())
    );
    let mut all = admin::routes();
    all.sort_by_key(|route| (route.path, route.verb));
    for route in &all {
        text += &format!("| {} |\n", route_row(policies, route).join(" | ").trim_end());
    }
    text
}

fn route_row(policies: &ConsolePolicies, route: &Route) -> Vec<String> {
    let method = match route.verb {
        Verb::Get => "GET",
        Verb::Post => "POST",
    };
    let mut row = vec![method.to_owned(), format!("`{ROOT}{}`", route.path)];
    match route.access {
        Access::Anybody => {
            row.push(ANYBODY.to_owned());
            row.extend(Role::ALL.iter().map(|_role| "✔".to_owned()));
            row.push(String::new());
        }
        Access::Needs(action) => {
            row.push(format!("`{}`", action.as_str()));
            row.extend(Role::ALL.iter().map(|(role, _)| cell(policies, *role, action)));
            row.push(needs(policies, action));
        }
    }
    row
}

#[test]
fn every_group_has_a_heading() {
    let headed = HEADINGS.map(|(group, _)| group);
    assert_eq!(headed, ConsoleGroup::ALL.map(|(group, _)| group));
}
