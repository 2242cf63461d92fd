//! Who may use which route: every route is asked as nobody and as an operator of every role, and answers as the console's
//! policies decide.

use admin::console::{Access, Verb};
use engine::{
    id::OperatorId,
    operator::Role,
    policy::{
        PolicySources,
        console::{ConsoleCaller, ConsoleDecision, ConsoleDenialCode, ConsolePolicies},
    },
    testing::SeededIds,
};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    operator_console::{OperatorConsole, visitor::Visitor},
    program::Answer,
};

use super::routes::with_stand_ins;

on_both_databases!(every_route_is_for_whom_the_policies_say,);

fn ask(visitor: &Visitor, verb: Verb, path: &str) -> Answer {
    match verb {
        Verb::Get => visitor.get(path),
        Verb::Post => visitor.post_with(path, &[("sec-fetch-site", "same-origin")], &[]),
    }
}

fn every_route_is_for_whom_the_policies_say(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let sources = PolicySources { schema: policies::CONSOLE_SCHEMA, policies: policies::CONSOLE };
    let policies = ConsolePolicies::load(sources).unwrap();
    let id = OperatorId::new(&SeededIds::new(1), 1);
    let nobody = console.visitor();
    let mut wrong = Vec::new();
    for (role, word) in Role::ALL {
        let operator = console.operator(word, &format!("{word}@example.com"), word);
        for route in admin::routes() {
            let path = with_stand_ins(route.path);
            let Access::Needs(action) = route.access else { continue };
            // Signing out would end the walk.
            if route.path == "/sign-out" {
                continue;
            }
            let caller = ConsoleCaller { id, roles: &[role], is_fresh: true, has_factor: false, may_postpone: false };
            let is_denied = match policies.decide(&caller, action, Some(0)) {
                ConsoleDecision::Allowed => false,
                ConsoleDecision::Denied(denial) => denial.code != ConsoleDenialCode::StepUp,
            };
            let status = ask(&operator.visitor, route.verb, &path).status;
            // What a form without fields is refused for is the form's own affair.
            let is_right = if is_denied { status == 403 } else { status != 403 && status < 500 };
            if !is_right {
                wrong.push(format!("{word}: {route:?}: {status}, denied: {is_denied}"));
            }
            let stopped = ask(&nobody, route.verb, &path);
            let to = stopped.header("location").unwrap_or_default();
            if stopped.status != 303 || !to.starts_with("/admin/sign-in?next=") {
                wrong.push(format!("nobody: {route:?}: {} {to}", stopped.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
