//! The part `partners` of the console: its use cases.

mod erasure;
mod limits;
mod told;
mod users;

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{PartnerId, RequestId},
    ledger::AccountKind,
    operator::Role,
    service::{
        Services,
        access::Owner,
        approvals::{ApprovalState, Deed},
        catalog::{CatalogError, Making, NewPublisher, PublisherChange},
        movements::{MovementError, Note},
        operators::NewOperator,
        partners::{NewPartner, PartnerError, PartnerFilter, PartnerProfile},
        tokens::{CreateTokenError, RevokeTokenError, TokenNote, TokenOwner},
    },
    store::Ledger,
};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::ledger::desk::{Desk, Kind, on_both, payable_id};

on_both! {
    a_partner_is_made_once_and_calls_with_its_token,
    what_cannot_be_a_partner_is_refused_and_changes_nothing,
    a_margin_is_changed_by_who_has_seen_it_and_holds_on_every_server,
    of_a_share_and_a_margin_at_once_one_is_written,
    a_suspended_partner_is_suspended_on_every_server,
    credits_for_a_partner_are_given_once,
    many_credits_for_a_partner_are_given_once_another_operator_approves,
}

fn by() -> OpContext {
    OpContext::system()
}

/// An identifier as the database's own language has it.
fn literal(kind: Kind, id: Uuid) -> String {
    match kind {
        Kind::Sqlite => format!("X'{}'", id.as_simple()),
        Kind::Postgres => format!("'{id}'"),
    }
}

/// A desk with somebody to be paid, as a server is when it has started.
async fn shop(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    let services = desk.services().await;
    services.complete_facts().await.unwrap();
    (desk, services)
}

fn new(name: &str) -> NewPartner<'_> {
    NewPartner { name, margin_bps: 500, reason: "a contract", key: None }
}

async fn globex(services: &Services) -> PartnerProfile {
    services.create_partner(&by(), new("Globex")).await.unwrap()
}

/// What the audit trail says of this object, the oldest first: action, before, after, reason.
fn told(desk: &Desk, object: &str) -> Vec<Vec<String>> {
    desk.rows(&format!(
        "SELECT action, coalesce(before_json, ''), coalesce(after_json, ''), coalesce(reason, '') FROM audit
         WHERE object_id = '{object}' ORDER BY slot, seq"
    ))
}

async fn a_partner_is_made_once_and_calls_with_its_token(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let key = Some(RequestId::new(&*desk.ids, desk.now_us()));
    let made = here.create_partner(&by(), NewPartner { key, ..new(" Globex ") }).await.unwrap();
    assert_eq!((made.name.as_str(), made.margin_bps, made.is_suspended), ("Globex", 500, false));
    assert_eq!(here.create_partner(&by(), NewPartner { key, ..new("Globex") }).await.unwrap(), made);
    let other = here.create_partner(&by(), NewPartner { key, ..new("Initech") }).await;
    assert!(matches!(&other, Err(PartnerError::MadeBefore(name)) if name == "Globex"), "{other:?}");
    assert!(matches!(here.create_partner(&by(), new("Globex")).await, Err(PartnerError::NameTaken)));
    assert_eq!(desk.number("SELECT count(*) FROM partner"), 1);
    let told_of = told(&desk, &made.id.to_string());
    assert_eq!(told_of, [["partner.create", "", r#"{"name":"Globex","margin_bps":500}"#, "a contract"]]);

    let owner = TokenOwner::Partner(made.id);
    let key = Some(RequestId::new(&*desk.ids, desk.now_us()));
    let note = TokenNote { reason: Some("for production"), key };
    let token = here.create_owned_token(&by(), owner, "production", note).await.unwrap();
    let secret = token.secret.expose_secret();
    assert!(secret.starts_with("faro_partner_") && secret.ends_with(&token.view.hint), "{}", token.view.hint);
    let again = here.create_owned_token(&by(), owner, "production", note).await;
    assert!(matches!(again, Err(CreateTokenError::MadeBefore(id)) if id == token.view.id), "{again:?}");
    assert_eq!(here.list_owned_tokens(owner).await.unwrap(), std::slice::from_ref(&token.view));
    for server in [&here, &there] {
        let principal = server.find_principal(secret).await.unwrap().unwrap();
        assert!(matches!(&principal.owner, Owner::Partner(partner) if partner.id == made.id));
    }
    let stranger = TokenOwner::Partner(PartnerId::new(&*desk.ids, desk.now_us()));
    assert_eq!(here.find_owned_token(stranger, token.view.id).await.unwrap(), None);
    let refused = here.revoke_owned_token(&by(), stranger, token.view.id, None).await;
    assert!(matches!(refused, Err(RevokeTokenError::NotFound)));
    here.revoke_owned_token(&by(), owner, token.view.id, Some("leaked")).await.unwrap();
    here.revoke_owned_token(&by(), owner, token.view.id, Some("again")).await.unwrap();
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        assert!(server.find_principal(secret).await.unwrap().is_none());
    }
    let told_of = told(&desk, &token.view.id.to_string());
    let reasons: Vec<_> = told_of.iter().map(|row| (row[0].as_str(), row[3].as_str())).collect();
    assert_eq!(reasons, [("token.create", "for production"), ("token.revoke", "leaked")]);
    assert!(told_of.iter().flatten().all(|text| !text.contains(secret)), "a secret is told");
    desk.verify();
}

async fn what_cannot_be_a_partner_is_refused_and_changes_nothing(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let (longest, long) = ("x".repeat(100), "x".repeat(101));
    for name in ["", "   ", "two\nlines", long.as_str()] {
        assert!(matches!(services.create_partner(&by(), new(name)).await, Err(PartnerError::Name)), "{name:?}");
    }
    let silent = services.create_partner(&by(), NewPartner { reason: " ", ..new("Globex") }).await;
    assert!(matches!(silent, Err(PartnerError::Reason)));
    let greedy = services.create_partner(&by(), NewPartner { margin_bps: 10_001, ..new("Globex") }).await;
    assert!(matches!(greedy, Err(PartnerError::Margin { margin_bps: 10_001, share_bps: 0 })), "{greedy:?}");
    assert_eq!(desk.number("SELECT count(*) FROM partner"), 0);
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action LIKE 'partner.%'"), 0);
    let most = services.create_partner(&by(), NewPartner { margin_bps: 10_000, ..new(&longest) }).await.unwrap();
    assert_eq!(services.find_partner(most.id).await.unwrap(), Some(most.clone()));
    assert_eq!(services.find_partner(PartnerId::new(&*desk.ids, 0)).await.unwrap(), None);
    let listed = async |name: &str, is_suspended| {
        let filter = PartnerFilter { name: name.to_owned(), is_suspended };
        services.list_partners(&filter, None).await.unwrap().rows.len()
    };
    for (name, is_suspended, count) in
        [("", None, 1), ("XX", None, 1), ("x%", None, 0), ("_", None, 0), ("", Some(true), 0), ("x", Some(false), 1)]
    {
        assert_eq!(listed(name, is_suspended).await, count, "{name} {is_suspended:?}");
    }
    desk.verify();
}

async fn a_margin_is_changed_by_who_has_seen_it_and_holds_on_every_server(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let partner = globex(&here).await;
    let token = here.create_owned_token(&by(), partner.id.into(), "cli", TokenNote::default()).await.unwrap();
    let margin_at = async |server: &Services| {
        let principal = server.find_principal(token.secret.expose_secret()).await.unwrap().unwrap();
        let Owner::Partner(partner) = &principal.owner else { panic!("a partner's token") };
        partner.margin_bps
    };
    assert_eq!((margin_at(&here).await, margin_at(&there).await), (500, 500));
    let change = async |from: u16, to: u16| here.change_partner(&by(), partner.id, (from, to), "new terms").await;
    assert!(change(500, 725).await.unwrap());
    assert!(!change(500, 725).await.unwrap(), "the same form again");
    let stale = change(500, 800).await;
    assert!(matches!(stale, Err(PartnerError::Changed { now_bps: 725 })), "{stale:?}");
    assert!(matches!(change(725, 10_001).await, Err(PartnerError::Margin { .. })));
    let silent = here.change_partner(&by(), partner.id, (725, 1), "").await;
    assert!(matches!(silent, Err(PartnerError::Reason)));
    let nobody = here.change_partner(&by(), PartnerId::new(&*desk.ids, 0), (1, 2), "why").await;
    assert!(matches!(nobody, Err(PartnerError::NotFound)));
    there.follow_changes().await.unwrap();
    assert_eq!((margin_at(&here).await, margin_at(&there).await), (725, 725));
    let told_of = told(&desk, &partner.id.to_string());
    assert_eq!(told_of.len(), 2, "{told_of:?}");
    assert_eq!(told_of[1], ["partner.change", r#"{"margin_bps":500}"#, r#"{"margin_bps":725}"#, "new terms"]);
    desk.verify();
}

/// Either was written, and the other one was told why not.
fn assert_one_is_written<S, M>(share: &Result<S, CatalogError>, margin: &Result<M, PartnerError>) {
    match (share, margin) {
        (Ok(_), Err(PartnerError::Margin { .. } | PartnerError::Overtaken))
        | (Err(CatalogError::Field { field: "share_bps", .. } | CatalogError::Overtaken), Ok(_)) => {}
        (share, margin) => panic!("{:?} and {:?}", share.as_ref().err(), margin.as_ref().err()),
    }
}

async fn of_a_share_and_a_margin_at_once_one_is_written(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let by = by();
    let making = Making { reason: "a test", key: None };
    let terms = |share_bps| PublisherChange { display_name: "Acme".to_owned(), share_bps };
    for round in 0..6 {
        let (slug, name) = (format!("acme-{round}"), format!("Globex {round}"));
        let publisher = NewPublisher { slug: &slug, display_name: "Acme", share_bps: 9_500 };
        let partner = NewPartner { margin_bps: 1_000, ..new(&name) };
        let (share, margin) =
            tokio::join!(services.create_publisher(&by, &publisher, making), services.create_partner(&by, partner));
        assert_one_is_written(&share, &margin);
        // Who was too late fits in beside it.
        let publisher = match share {
            Ok(id) => id,
            Err(_) => {
                let publisher = NewPublisher { share_bps: 9_000, ..publisher };
                services.create_publisher(&by, &publisher, making).await.unwrap()
            }
        };
        let partner = match margin {
            Ok(partner) => partner,
            Err(_) => services.create_partner(&by, NewPartner { margin_bps: 500, ..partner }).await.unwrap(),
        };
        let share = async || u16::try_from(services.find_publisher(&slug).await.unwrap().unwrap().share_bps).unwrap();
        let margin = async || services.find_partner(partner.id).await.unwrap().unwrap().margin_bps;
        let set_share = async |from: u16, to: u16| {
            services.change_publisher(&by, publisher, &terms(from), &terms(to), "new terms").await
        };
        let set_margin =
            async |from: u16, to: u16| services.change_partner(&by, partner.id, (from, to), "new terms").await;
        set_share(share().await, 8_000).await.unwrap();
        set_margin(margin().await, 400).await.unwrap();
        let (one, other) = tokio::join!(set_share(8_000, 9_500), set_margin(400, 1_000));
        assert_one_is_written(&one, &other);
        assert!(share().await + margin().await <= 10_000);
        // Nobody's terms are in the way of the next ones.
        set_share(share().await, 0).await.unwrap();
        set_margin(margin().await, 0).await.unwrap();
    }
    desk.verify();
}

async fn a_suspended_partner_is_suspended_on_every_server(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let partner = globex(&here).await;
    let token = here.create_owned_token(&by(), partner.id.into(), "cli", TokenNote::default()).await.unwrap();
    let is_suspended = async |server: &Services| {
        let principal = server.find_principal(token.secret.expose_secret()).await.unwrap().unwrap();
        matches!(&principal.owner, Owner::Partner(partner) if partner.is_suspended)
    };
    assert!(!is_suspended(&there).await);
    let set = async |to: bool| here.set_partner_suspended(&by(), partner.id, to, "not paid").await;
    assert!(matches!(set(false).await, Err(PartnerError::AlreadySo(false))));
    set(true).await.unwrap();
    assert!(matches!(set(true).await, Err(PartnerError::AlreadySo(true))));
    there.follow_changes().await.unwrap();
    assert!(is_suspended(&here).await && is_suspended(&there).await);
    set(false).await.unwrap();
    there.follow_changes().await.unwrap();
    assert!(!is_suspended(&here).await && !is_suspended(&there).await);
    let told_of = told(&desk, &partner.id.to_string());
    let actions: Vec<&str> = told_of.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(actions, ["partner.create", "partner.suspend", "partner.resume"]);
    assert_eq!(told_of[1][1..], [r#"{"suspended":false}"#, r#"{"suspended":true}"#, "not paid"]);
    desk.verify();
}

fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

async fn credits_for_a_partner_are_given_once(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let partner = globex(&services).await;
    let give = async |id, amount: i64, reason: &str, key: Option<&str>| {
        services.grant_to_partner(&by(), id, credits(amount), Note { reason, key }).await
    };
    let first = give(partner.id, 70, "a start", Some("k")).await.unwrap();
    let again = give(partner.id, 70, "a start", Some("k")).await.unwrap();
    assert!(!first.is_replay && again.is_replay && first.id == again.id);
    let other = give(partner.id, 71, "a start", Some("k")).await;
    assert!(matches!(other, Err(MovementError::KeyReused { .. })), "{other:?}");
    for amount in [0, -1] {
        assert!(matches!(give(partner.id, amount, "why", None).await, Err(MovementError::NotPositive)), "{amount}");
    }
    assert!(matches!(give(partner.id, 1, "", None).await, Err(MovementError::Reason)));
    assert!(matches!(give(partner.id, 1, "why", Some("")).await, Err(MovementError::Key)));
    let nobody = PartnerId::new(&*desk.ids, 0);
    assert!(matches!(give(nobody, 1, "why", None).await, Err(MovementError::NotFound("partner"))));
    assert_eq!(services.load_balance(partner.wallet, desk.now_us()).await.unwrap().balance, credits(70));
    let told_of = told(&desk, &partner.id.to_string());
    assert_eq!(told_of.len(), 2, "{told_of:?}");
    assert_eq!((told_of[1][0].as_str(), told_of[1][3].as_str()), ("grant.create", "a start"));
    assert!(services.list_partner_payouts(&partner).await.unwrap().is_empty());
    assert_eq!(services.load_partner_margin(&partner).await.unwrap().credits, 0);
    desk.verify();
}

async fn many_credits_for_a_partner_are_given_once_another_operator_approves(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let partner = globex(&services).await;
    let mut operators = Vec::new();
    for name in ["ann", "ben"] {
        let email = format!("{name}@example.com");
        let new = NewOperator { email: &email, name, roles: &[Role::Owner] };
        operators.push(services.create_operator(&by(), new).await.unwrap().operator.id);
    }
    let amount = credits(150_000_000);
    let asked = Deed::PartnerGrant { partner: partner.id, credits: amount, reason: "a big start".to_owned() };
    let id = services.request_deed(&by(), operators[0], &asked, "a big start", Some("op")).await.unwrap();
    assert_eq!(services.request_deed(&by(), operators[0], &asked, "a big start", Some("op")).await.unwrap(), id);
    let waiting = services.find_approval(id).await.unwrap().unwrap();
    assert_eq!((waiting.kind.as_str(), waiting.amount), ("partner.grant", Some(amount.micros())));
    assert_eq!((waiting.object_kind.as_str(), waiting.object_id), ("partner", partner.id.to_string()));
    let balance = async || services.load_balance(partner.wallet, desk.now_us()).await.unwrap().balance;
    assert_eq!(balance().await, Credits::ZERO);
    let approved = services.approve_and_carry_out(&by(), id, operators[1], None).await.unwrap().0;
    assert_eq!(approved.state, ApprovalState::Approved, "{:?}", approved.outcome);
    services.carry_out_approval(&approved).await.unwrap();
    assert_eq!(balance().await, amount, "once, also after a crash");
    desk.verify();
}
