//! Operators let each other in by two: whoever asks for it is never shown a link.

use tests::{
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::{Operator, OperatorConsole, PASSWORD, expect_redirect},
    program::Answer,
};

use super::routes::leads_to;

on_both_databases!(
    an_owner_alone_gets_no_second_self,
    a_form_that_was_changed_after_it_was_sent_is_refused,
    a_link_and_a_way_back_take_two,
);

const NEW: &str = "/admin/operators/new";
const ALONE: &str = "Nobody else here could approve this.";
const EVE: [(&str, &str); 4] =
    [("email", "eve@example.com"), ("name", "Eve Second"), ("roles", "finance"), ("reason", "more hands")];

/// Where the request waits that a form has made.
#[track_caller]
fn asked(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", html::text(&answer.body));
    let to = answer.header("location").unwrap();
    assert!(to.starts_with("/admin/approvals/apr_"), "{to}");
    to.to_owned()
}

#[track_caller]
fn approve(operator: &Operator, request: &str) -> Answer {
    let form = format!("{request}/approve");
    operator.visitor.submit(&form, &form, &[])
}

/// The path of the link that a page shows, and that of whom it is for.
#[track_caller]
fn shown(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", html::text(&answer.body));
    let codes = html::texts_of(&answer.body, "code");
    let link = codes.iter().find_map(|code| code.find("/admin/link/").map(|at| code[at..].to_owned()));
    let whose = html::links(&answer.body).into_iter().find(|link| leads_to(link, "/operators/{id}"));
    (link.unwrap_or_else(|| panic!("no link among {codes:?}")), whose.unwrap())
}

/// Ada and Grace, who both own the place.
fn owners(console: &OperatorConsole) -> (Operator, Operator) {
    let mut grace = console.operator("Grace", "grace@example.com", "owner");
    grace.enrol();
    (console.owner(), grace)
}

fn an_owner_alone_gets_no_second_self(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let page = html::text(&ada.visitor.get(NEW).body);
    for part in [ALONE, "tollgate operator create --role ROLE --name NAME --email ADDRESS"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let request = asked(&ada.visitor.submit(NEW, NEW, &EVE));
    let waiting = ada.visitor.get(&request).body;
    assert!(html::text(&waiting).contains("somebody else has to decide it"), "{}", html::text(&waiting));
    let own = ada.visitor.post(&format!("{request}/approve"), &[]);
    assert_eq!(own.status, 422);
    assert!(html::text(&own.body).contains("somebody else has to decide what you have asked for"), "{}", own.body);
    let listed = ada.visitor.get("/admin/operators").body;
    assert!(
        html::text(&listed).contains("Ada") && !html::text(&listed).contains("Eve Second"),
        "{}",
        html::text(&listed)
    );
    for body in [waiting, own.body, listed] {
        assert!(!body.contains("/admin/link/"), "{}", html::text(&body));
    }

    // Whoever has the machine lets a second owner in, who is shown the link once.
    let mut grace = console.operator("Grace", "grace@example.com", "owner");
    grace.enrol();
    assert!(!html::text(&ada.visitor.get(NEW).body).contains(ALONE));
    let said = html::text(&grace.visitor.get(&format!("{request}/approve")).body);
    assert!(said.contains("you are shown their link, once") && said.contains("eve@example.com"), "{said}");
    let (link, eve) = shown(&approve(&grace, &request));
    assert_eq!(grace.visitor.post(&format!("{request}/approve"), &[]).status, 422);
    let secret = link.rsplit('/').next().unwrap();
    for operator in [&ada, &grace] {
        for page in [&*request, &*eve, "/admin/operators", "/admin/audit", "/admin/approvals?view=all"] {
            let body = operator.visitor.get(page).body;
            assert!(!body.contains(secret) && !body.contains("/admin/link/"), "{page}: {}", html::text(&body));
        }
    }
    let chosen = console.visitor().submit(&link, &link, &[("password", PASSWORD), ("again", PASSWORD)]);
    expect_redirect(&chosen, "/admin/sign-in");
}

fn a_form_that_was_changed_after_it_was_sent_is_refused(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let form = ada.visitor.get(NEW).body;
    let first = asked(&ada.visitor.submit_shown(&form, NEW, &EVE));
    assert_eq!(asked(&ada.visitor.submit_shown(&form, NEW, &EVE)), first, "sent twice, asked once");
    let mut other = EVE;
    other[2].1 = "owner";
    let refused = ada.visitor.submit_shown(&form, NEW, &other);
    assert_eq!(refused.status, 422);
    assert!(
        html::text(&refused.body).contains("has asked for something else already"),
        "{}",
        html::text(&refused.body)
    );
    assert_ne!(asked(&ada.visitor.submit(NEW, NEW, &other)), first, "opened again it is another form");
}

fn a_link_and_a_way_back_take_two(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let (ada, grace) = owners(&console);
    let (_, eve) = shown(&approve(&grace, &asked(&ada.visitor.submit(NEW, NEW, &EVE))));
    let reason = [("reason", "it has to be")];

    let form = format!("{eve}/link");
    let request = asked(&ada.visitor.submit(&form, &form, &reason));
    assert_eq!(ada.visitor.post(&format!("{request}/approve"), &[]).status, 422);
    let (link, whose) = shown(&approve(&grace, &request));
    assert_eq!(whose, eve);
    assert_eq!(console.visitor().get(&link).status, 200);

    let form = format!("{eve}/disable");
    expect_redirect(&ada.visitor.submit(&form, &form, &reason), &eve);
    let form = format!("{eve}/enable");
    let is_out = || html::links(&ada.visitor.get(&eve).body).contains(&form);
    assert!(is_out(), "one is enough to shut somebody out");
    let request = asked(&ada.visitor.submit(&form, &form, &reason));
    assert!(is_out(), "and not to let them in again");
    expect_redirect(&approve(&grace, &request), &request);
    assert!(!is_out());
    // Where it is so already there is nothing to ask for.
    let refused = ada.visitor.post(&form, &reason);
    assert_eq!(refused.status, 422);
    assert!(html::text(&refused.body).contains("This operator is not shut out."), "{}", html::text(&refused.body));
}
