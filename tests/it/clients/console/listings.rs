//! What publishers hand in is looked at in the console, and only what was seen is approved.

use tests::{
    home::{Home, Kind},
    html, on_both_databases,
};

use super::{routes::leads_to, samples::World, sending::trail};

on_both_databases!(what_has_changed_meanwhile_is_shown_and_asked_for_again);

const REASON: (&str, &str) = ("reason", "All of it is there");
const CONFIRM: (&str, &str) = ("step", "confirm");

fn what_has_changed_meanwhile_is_shown_and_asked_for_again(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    let visitor = &world.owner.visitor;
    let page = world.describe_listing("Sums of two numbers").to_owned();
    let shown = html::text(&visitor.get(&page).body);
    for wanted in ["Sums of two numbers", "Umbrella", "https://tools.example/", "numbers", "demo@tollgate.localhost"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    let needs = visitor.get("/admin/");
    assert!(html::links(&needs.body).iter().any(|link| leads_to(link, "/listings")), "{}", html::text(&needs.body));

    let form = format!("{page}/approve");
    let opened = visitor.get(&form).body;
    world.describe_listing("Sums of three numbers");
    let stale = visitor.submit_shown(&opened, &form, &[REASON, CONFIRM]);
    let said = html::text(&stale.body);
    assert_eq!(stale.status, 422, "{said}");
    assert!(said.contains("Sums of two numbers") && said.contains("Sums of three numbers"), "{said}");
    let told = || trail(&home).into_iter().filter(|entry| entry.action == "listing.approve").count();
    assert_eq!(told(), 0, "nobody approves what they have not seen");
    // What was typed stays.
    let done = visitor.submit_shown(&stale.body, &form, &[CONFIRM]);
    assert_eq!((done.status, done.header("location")), (303, Some(page.as_str())), "{}", html::text(&done.body));
    assert_eq!(told(), 1);
    let late = visitor.submit_shown(&opened, &form, &[REASON, CONFIRM]);
    assert_eq!((late.status, told()), (303, 1), "it was decided before");
    assert_eq!(visitor.get(&form).status, 404, "nothing waits any more");

    let mails = visitor.get("/admin/mail?template=listing_decision");
    let links = html::links(&mails.body);
    let mail = links.iter().find(|link| leads_to(link, "/mail/{id}")).expect("a mail to the publisher");
    let mail = html::text(&visitor.get(mail).body);
    assert!(mail.contains("approved") && mail.contains(REASON.1), "{mail}");
}
