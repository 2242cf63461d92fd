//! Who comes first, and who looks at what the others have done.

use tests::{
    authenticator::Authenticator,
    operator_console::{PASSWORD, secret_on},
};

use super::{Story, job::Job};

/// The demo prints a link for its owner, who comes in, enrols a second factor, and asks for somebody else to be let in.
pub(super) fn come_in(job: &Job<'_>, _: &mut Story) {
    let world = job.world;
    let owner = job.hands();
    owner.open(world.console.demo().expect("the demo").console_link(), "the printed link");
    owner.fill("New password", PASSWORD);
    owner.fill("Once more", PASSWORD);
    owner.press("Set the password");
    owner.fill("E-mail", "owner@tollgate.localhost");
    owner.fill("Password", PASSWORD);
    owner.press("Sign in");
    owner.press_own_name("Demo owner");
    owner.press("Enrol a second factor");
    let authenticator = Authenticator::new(&secret_on(&owner.browser.html()));
    owner.fill("Code from your authenticator", &authenticator.code());
    owner.press("Enrol");
    world.told("operator.enrol_factor");
    owner.press("Operators");
    owner.press("Let somebody in");
    owner.fill("E-mail", "yuri@example.com");
    owner.fill("Name", "Yuri");
    owner.tick("support");
    owner.fill("Why", "Somebody has to answer the mail");
    owner.press("Ask for it");
    let told = world.told("approval.request");
    assert_eq!((&told["method"], &told["object"]["kind"]), (&"session".into(), &"approval".into()), "{told}");
    assert_eq!(told["after"]["kind"], "operator.create", "{told}");
    owner.see("somebody else has to decide it");
}

/// What was just done stands in the audit trail, with who did it and why.
pub(super) fn read_the_trail(job: &Job<'_>, story: &mut Story) {
    let world = job.world;
    let xena = job.sign_in(world.who("Xena"), "/admin/", "/admin/");
    xena.press("Audit");
    xena.fill("Action", "publisher.suspend");
    xena.press("Filter");
    xena.open_row(story.why_suspended);
    let told = world.told("publisher.suspend");
    assert_eq!(told["reason"], story.why_suspended, "{told}");
    assert_eq!((&told["before"]["suspended"], &told["after"]["suspended"]), (&false.into(), &true.into()), "{told}");
    xena.see(told["hash"].as_str().expect("a digest"));
}
