//! The part `accounts` of the console: its use cases.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{AccountId, RequestId},
    ledger::{AccountKind, caps::CapWindow},
    operator::Role,
    service::{
        Services,
        accounts::{
            ACCOUNTS_LOOKED_AT, AccountFilter, CreateAccountError, FundedAccountError, GrantTerms, NewFundedAccount,
            REASON_CHARS_MAX, SuspendAccountError,
        },
        approvals::{APPROVAL_FROM, Decision, Deed},
        caps::CapHolder,
        operators::NewOperator,
        tokens::{CreateTokenError, TokenNote, TokenOwner},
    },
    store::{Ledger, UnitOfWork},
    testing::push_statement,
};
use secrecy::ExposeSecret as _;

use super::invocations::numbered;
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    an_account_is_made_with_a_token_credits_and_a_reason,
    the_same_form_makes_one_account,
    an_accounts_tokens_and_limits_are_its_own,
    a_suspended_account_is_suspended_on_every_server,
    an_account_is_suspended_once_and_with_a_reason,
    a_narrowed_list_stops_at_its_bound_and_goes_on_there,
    many_credits_for_an_account_are_given_once_another_operator_approves,
}

fn by() -> OpContext {
    OpContext::system()
}

async fn shop(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    services.complete_facts().await.unwrap();
    (desk, services)
}

const fn new(email: &str) -> NewFundedAccount<'_> {
    NewFundedAccount {
        email,
        is_verified: true,
        token_name: "first",
        credits: Credits::ZERO,
        reason: Some("a pilot customer"),
        key: None,
    }
}

async fn an_account_is_made_with_a_token_credits_and_a_reason(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let credits = Credits::from_micros(5_500_000);
    let made = services.open_account(&by(), NewFundedAccount { credits, ..new("Ann@Example.com") }).await.unwrap();
    assert_eq!((made.profile.email.as_str(), made.profile.is_verified), ("ann@example.com", true));
    assert_eq!(services.load_balance(made.profile.wallet, desk.now_us()).await.unwrap().available(), credits);
    assert!(services.find_principal(made.token.secret.expose_secret()).await.unwrap().is_some());
    let told = desk.rows("SELECT action, reason, coalesce(after_json, '') FROM audit ORDER BY slot, seq");
    let actions: Vec<(&str, &str)> = told.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    let why = "a pilot customer";
    assert_eq!(actions, [("account.create", why), ("token.create", why), ("grant.create", why)]);
    assert!(told.iter().all(|row| !row[2].contains('@')), "an address is told: {told:?}");

    let taken = services.open_account(&by(), new("ann@example.com")).await;
    assert!(matches!(taken, Err(FundedAccountError::Account(CreateAccountError::EmailTaken))));
    let invalid = services.open_account(&by(), new("ann")).await;
    assert!(matches!(invalid, Err(FundedAccountError::Account(CreateAccountError::EmailInvalid))));
    let unnamed = services.open_account(&by(), NewFundedAccount { token_name: "", ..new("ben@example.com") }).await;
    assert!(matches!(unnamed, Err(FundedAccountError::TokenName(_))));
    let listed = services.list_accounts(&AccountFilter::default(), None).await.unwrap();
    assert_eq!((listed.rows, listed.next), (vec![made.profile], None));
    desk.verify();
}

async fn the_same_form_makes_one_account(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let form = || Some(RequestId::new(&*desk.ids, desk.now_us()));
    let credits = Credits::from_micros(5_000_000);
    let sent = NewFundedAccount { credits, key: form(), ..new("ann@example.com") };
    let made = services.open_account(&by(), sent).await.unwrap().profile;
    let count = || ["account", "token", "txn"].map(|table| desk.number(&format!("SELECT count(*) FROM {table}")));
    let before = count();
    let again = services.open_account(&by(), NewFundedAccount { email: "Ann@example.com", ..sent }).await;
    assert!(matches!(&again, Err(FundedAccountError::MadeBefore(found)) if **found == made), "{again:?}");
    let changed = services.open_account(&by(), NewFundedAccount { email: "ben@example.com", ..sent }).await;
    assert!(matches!(changed, Err(FundedAccountError::KeyReused)), "{changed:?}");
    let other = services.open_account(&by(), NewFundedAccount { key: form(), ..sent }).await;
    assert!(matches!(other, Err(FundedAccountError::Account(CreateAccountError::EmailTaken))), "{other:?}");
    // Both at once, too.
    let (system, sent) = (by(), NewFundedAccount { key: form(), ..new("cleo@example.com") });
    let (one, other) = tokio::join!(services.open_account(&system, sent), services.open_account(&system, sent));
    let lost = if one.is_ok() { other } else { one };
    assert!(matches!(lost, Err(FundedAccountError::MadeBefore(_))), "{lost:?}");
    let after = count();
    assert_eq!((after[0], after[1]), (before[0] + 1, before[1] + 1));
    assert_eq!(services.load_balance(made.wallet, desk.now_us()).await.unwrap().available(), credits);
    desk.verify();
}

async fn an_accounts_tokens_and_limits_are_its_own(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let ann = services.open_account(&by(), new("ann@example.com")).await.unwrap().profile.id;
    desk.clock.advance_us(1_000);
    let ben = services.open_account(&by(), new("ben@example.com")).await.unwrap().profile.id;
    let key = Some(RequestId::new(&*desk.ids, desk.now_us()));
    let note = TokenNote { reason: Some("a second machine"), key };
    let token = services.create_owned_token(&by(), TokenOwner::Account(ann), "laptop", note).await.unwrap();
    let secret = token.secret.expose_secret();
    assert!(secret.starts_with("faro_") && !secret.starts_with("faro_partner_"));
    let again = services.create_owned_token(&by(), TokenOwner::Account(ann), "laptop", note).await;
    assert!(matches!(again, Err(CreateTokenError::MadeBefore(_))), "{again:?}");
    let names = async |account: AccountId| {
        let tokens = services.list_tokens(account).await.unwrap();
        tokens.into_iter().map(|token| token.name).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(ann).await, names(ben).await),
        (vec!["laptop".to_owned(), "first".to_owned()], vec!["first".to_owned()])
    );
    assert_eq!(services.find_owned_token(TokenOwner::Account(ben), token.view.id).await.unwrap(), None);

    let limit = Credits::from_micros(3);
    for holder in [CapHolder::Account(ann), CapHolder::Token(token.view.id)] {
        services.set_cap(&by(), (holder, CapWindow::Day), (None, limit), "a pilot").await.unwrap();
    }
    let limits = async |secret: &str| services.find_principal(secret).await.unwrap().unwrap().caps.len();
    assert_eq!(limits(secret).await, 2);
    let holders = [CapHolder::Account(ann), CapHolder::Token(token.view.id), CapHolder::Account(ben)];
    let caps = services.list_caps_of(&holders, desk.now_us()).await.unwrap();
    assert_eq!(caps.iter().map(|cap| cap.holder).collect::<Vec<_>>(), holders[..2]);
    services.remove_cap(&by(), (CapHolder::Account(ann), CapWindow::Day), limit, "over").await.unwrap();
    assert_eq!(limits(secret).await, 1);
    desk.verify();
}

async fn a_suspended_account_is_suspended_on_every_server(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let made = here.open_account(&by(), new("ann@example.com")).await.unwrap();
    let set = async |to: bool| here.set_account_suspended(&by(), made.profile.id, to, "abuse").await;
    assert!(matches!(set(false).await, Err(SuspendAccountError::AlreadySo(false))));
    set(true).await.unwrap();
    assert!(matches!(set(true).await, Err(SuspendAccountError::AlreadySo(true))));
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        let principal = server.find_principal(made.token.secret.expose_secret()).await.unwrap().unwrap();
        let owner = &principal.owner;
        assert!(matches!(owner, engine::service::access::Owner::Account(account) if account.is_suspended));
    }
    let nobody = AccountId::new(&*desk.ids, 0);
    let refused = here.set_account_suspended(&by(), nobody, true, "abuse").await;
    assert!(matches!(refused, Err(SuspendAccountError::NotFound)));
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action = 'account.suspend' AND reason = 'abuse'"), 1);
    desk.verify();
}

async fn an_account_is_suspended_once_and_with_a_reason(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let made = here.open_account(&by(), new("ann@example.com")).await.unwrap();
    let set = async |to: bool, reason: &str| here.set_account_suspended(&by(), made.profile.id, to, reason).await;
    let long = "x".repeat(REASON_CHARS_MAX + 1);
    for reason in ["", " ", "two\nlines", long.as_str()] {
        assert!(matches!(set(true, reason).await, Err(SuspendAccountError::Reason)), "{reason:?}");
    }
    for (round, to) in [true, false, true, false, true, false].into_iter().enumerate() {
        let (one, other) = tokio::join!(set(to, "one"), set(to, "other"));
        assert_ne!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
        let late = one.err().or(other.err());
        assert!(matches!(late, Some(SuspendAccountError::AlreadySo(so)) if so == to), "{late:?}");
        let told = desk.number("SELECT count(*) FROM audit WHERE action IN ('account.suspend', 'account.resume')");
        assert_eq!(told, i64::try_from(round + 1).unwrap());
    }
    desk.verify();
}

/// Adds `count` accounts a millisecond apart, the first at `from_us`: `c0@example.com` and so on.
async fn add_accounts(desk: &Desk, kind: Kind, count: i64, from_us: i64) {
    let first_ms = from_us / 1_000;
    let (numbers, id) = numbered(kind, count, first_ms);
    let wallet = AccountKind::Wallet;
    let opened = format!(
        "{numbers} INSERT INTO ledger_account (id, code, kind, created_us)
         SELECT 1000000 + n, '{}' || n, {}, {from_us} FROM number",
        wallet.code("c"),
        wallet.raw()
    );
    let made = format!(
        "{numbers} INSERT INTO account (id, email, is_verified, is_suspended, wallet, sessions_from_us, created_us)
         SELECT {id}, 'c' || n || '@example.com', true, false, 1000000 + n, 0, ({first_ms} + n) * 1000 FROM number"
    );
    let mut unit = UnitOfWork::new();
    for sql in [opened, made] {
        push_statement(&mut unit, &sql, Some(u64::try_from(count).unwrap()));
    }
    desk.save(unit).await.unwrap();
}

async fn a_narrowed_list_stops_at_its_bound_and_goes_on_there(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let ann = services.open_account(&by(), new("ann@example.com")).await.unwrap().profile;
    services.set_account_suspended(&by(), ann.id, true, "abuse").await.unwrap();
    desk.clock.advance_us(SECOND_US);
    add_accounts(&desk, kind, ACCOUNTS_LOOKED_AT, desk.now_us()).await;
    let list = async |email: &str, is_suspended: Option<bool>, after: Option<&str>| {
        let filter = AccountFilter { email: email.to_owned(), is_suspended };
        let page = services.list_accounts(&filter, after.map(|after| after.parse().unwrap())).await.unwrap();
        (page.rows.into_iter().map(|row| row.email).collect::<Vec<_>>(), page.next, page.looked_at)
    };
    let hers = || vec!["ann@example.com".to_owned()];
    for (email, is_suspended) in [("ann", None), ("", Some(true)), ("ANN@", Some(true))] {
        let (rows, next, looked_at) = list(email, is_suspended, None).await;
        assert_eq!((rows.len(), looked_at), (0, Some(ACCOUNTS_LOOKED_AT)), "{email}");
        assert_eq!(list(email, is_suspended, next.as_deref()).await, (hers(), None, None), "{email}");
    }
    // Who knows the whole address need not go on, and comes by her once.
    for email in ["ann@example.com", "Ann@Example.com"] {
        let (rows, next, looked_at) = list(email, None, None).await;
        assert_eq!((rows, looked_at), (hers(), Some(ACCOUNTS_LOOKED_AT)));
        assert_eq!(list(email, None, next.as_deref()).await, (Vec::new(), None, None));
        assert_eq!(list(email, Some(false), None).await.0, Vec::<String>::new());
    }
    // A full page ends where it is full, and a list that is not narrowed needs no bound.
    for (email, is_suspended) in [("C", None), ("", Some(false)), ("", None)] {
        let (rows, next, looked_at) = list(email, is_suspended, None).await;
        assert_eq!((rows.len(), next.is_some(), looked_at), (50, true, None), "{email}");
    }
}

async fn many_credits_for_an_account_are_given_once_another_operator_approves(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let made = services.open_account(&by(), new("ann@example.com")).await.unwrap().profile;
    let mut operators = Vec::new();
    for name in ["cleo", "dan"] {
        let email = format!("{name}@example.com");
        let new = NewOperator { email: &email, name, roles: &[Role::Owner] };
        operators.push(services.create_operator(&by(), new).await.unwrap().operator.id);
    }
    let credits = APPROVAL_FROM.checked_add(Credits::from_micros(1)).unwrap();
    let terms = Some(GrantTerms { expires_us: desk.now_us() + 60 * SECOND_US, priority: 7 });
    let asked = Deed::GrantCreate { account: made.id, credits, terms, reason: "sorry".to_owned() };
    let id = services.request_deed(&by(), operators[0], &asked, "sorry", Some("op")).await.unwrap();
    let own = services.decide_approval(&by(), id, operators[0], Decision::Approve, None).await;
    assert!(own.is_err(), "{own:?}");
    let approved = services.decide_approval(&by(), id, operators[1], Decision::Approve, None).await.unwrap();
    assert_eq!(approved.kind, "grant.create");
    for _ in 0..2 {
        services.carry_out_approval(&approved).await.unwrap();
    }
    let balance = async || services.load_balance(made.wallet, desk.now_us()).await.unwrap().available();
    assert_eq!(balance().await, credits);
    let grants = services.list_expiring_grants(made.wallet, desk.now_us()).await.unwrap();
    assert_eq!(grants.iter().map(|grant| (grant.left, grant.priority)).collect::<Vec<_>>(), [(credits, 7)]);
    desk.clock.advance_us(60 * SECOND_US);
    assert_eq!(balance().await, Credits::ZERO, "they expire as was asked for");
    desk.ledger().tick().await.unwrap();
    desk.verify();
}
