//! End users who pay for themselves: their wallets are filled from the partner's, and what is left goes back.

use std::sync::Arc;

use engine::{
    credits::Credits,
    ledger::{PlaceHold, Refusal, batch::Done, caps::CapWindow, refusal::Limit},
    service::{
        Services,
        access::{EndUser, Owner, PartnerPrincipal},
        caps::PartnerHolder,
        catalog::{DeclaredCatalog, DeclaredPartner, ImportError},
        partners::{
            EndUserTransfer, Funding, FundingError, HeldByUsers, NewTransfer, PartnerFilter, PartnerProfile,
            TransferDirection, TransferError,
        },
        tokens::TokenNote,
    },
    store::{Ledger, writer::Command},
};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::{by, credits, open, partner};
use crate::ledger::desk::{Desk, Kind, capture_all, hold, on_both, payable_id, release};

on_both! {
    each_end_user_pays_from_a_wallet_of_its_own,
    what_a_key_has_moved_is_moved_once,
    what_is_left_goes_back_to_the_partner,
    of_64_transfers_exactly_as_many_pass_as_the_wallet_is_worth,
    who_pays_changes_only_while_no_end_user_has_credits,
    filling_and_the_change_of_who_pays_exclude_each_other,
    the_catalog_declares_who_pays,
}

/// A partner with 1,000 micro-credits, each of whose end users pays for itself.
async fn filler(services: &Services, name: &str) -> PartnerProfile {
    let made = partner(services, name).await;
    services.set_partner_funding(&by(), made.id, Funding::PerUser, "a contract").await.unwrap();
    made
}

/// The partner as it calls.
async fn principal(services: &Services, partner: &PartnerProfile) -> PartnerPrincipal {
    let made = services.create_owned_token(&by(), partner.id.into(), "cli", TokenNote::default()).await.unwrap();
    let principal = services.find_principal(made.secret.expose_secret()).await.unwrap().unwrap();
    let Owner::Partner(partner) = &principal.owner else { panic!("a partner's token") };
    partner.clone()
}

async fn user(services: &Services, partner: &PartnerPrincipal, name: &str) -> Arc<EndUser> {
    services.load_calling_end_user(partner, name).await.unwrap()
}

async fn moved(
    services: &Services,
    partner: &PartnerProfile,
    (direction, name, amount, key): (TransferDirection, &str, i64, &str),
) -> Result<EndUserTransfer, TransferError> {
    let new = NewTransfer { external_id: name, direction, credits: credits(amount), key };
    services.transfer(&by(), partner.id, new).await
}

async fn fund(services: &Services, partner: &PartnerProfile, name: &str, amount: i64, key: &str) {
    moved(services, partner, (TransferDirection::ToUser, name, amount, key)).await.unwrap();
}

/// What is in a wallet, held or not, in micro-credits.
async fn has(desk: &Desk, services: &Services, wallet: engine::ledger::LedgerAccountId) -> i64 {
    services.load_balance(wallet, desk.now_us()).await.unwrap().balance.micros()
}

fn insufficient(result: &Result<EndUserTransfer, TransferError>) -> (i64, i64) {
    let Err(TransferError::Refused(Refusal::Insufficient { needed, available, .. })) = result else {
        panic!("{result:?}")
    };
    (needed.micros(), available.micros())
}

async fn each_end_user_pays_from_a_wallet_of_its_own(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = filler(&services, "Globex").await;
    let calling = principal(&services, &globex).await;
    assert_eq!(calling.funding, Funding::PerUser);
    let (ann, ben) = (user(&services, &calling, "ann").await, user(&services, &calling, "ben").await);
    let wallets = [globex.wallet, ann.wallet.unwrap(), ben.wallet.unwrap()];
    assert!(wallets[0] != wallets[1] && wallets[0] != wallets[2] && wallets[1] != wallets[2], "{wallets:?}");
    assert_eq!(user(&services, &calling, "ann").await.wallet, ann.wallet, "it is opened once");

    let pays = |wallet, amount| hold(desk.fresh(), wallet, payable_id(1), amount);
    let limit = Limit::Wallet(wallets[1]);
    let empty = Refusal::Insufficient { limit, needed: credits(1), available: Credits::ZERO };
    assert_eq!(desk.ask(Command::Hold(pays(wallets[1], 1))).await, Err(empty), "the partner pays for nobody");
    fund(&services, &globex, "ann", 300, "k-1").await;
    let balances = async || {
        let mut found = Vec::new();
        for wallet in wallets {
            found.push(has(&desk, &services, wallet).await);
        }
        found
    };
    assert_eq!(balances().await, [700, 300, 0]);
    let place = pays(wallets[1], 100);
    assert_eq!(desk.ask(Command::Hold(place.clone())).await, Ok(Done::Held));
    assert!(desk.ask(Command::Settle(capture_all(desk.fresh(), place.id))).await.is_ok());
    assert_eq!(balances().await, [700, 200, 0], "what one has, nobody else spends");
    let above = Refusal::Insufficient { limit, needed: credits(201), available: credits(200) };
    assert_eq!(desk.ask(Command::Hold(pays(wallets[1], 201))).await, Err(above));

    // A limit of the end user counts beside its wallet: the smallest is what can be spent.
    let named = (PartnerHolder::EndUser("ann"), CapWindow::Day);
    services.set_partner_cap(&by(), globex.id, named, credits(50)).await.unwrap();
    let ann = user(&services, &calling, "ann").await;
    let caps: Vec<_> =
        ann.caps.iter().map(|owned| engine::ledger::caps::CapUse::at(owned.cap, desk.now_us())).collect();
    assert_eq!(services.spendable(wallets[1], &caps, desk.now_us()).await.unwrap(), credits(50));
    let capped = PlaceHold { caps, ..pays(wallets[1], 51) };
    let refused = desk.ask(Command::Hold(capped)).await;
    assert!(matches!(refused, Err(Refusal::Insufficient { limit: Limit::Cap { .. }, .. })), "{refused:?}");

    // More than there is goes neither way.
    let to = TransferDirection::ToUser;
    assert_eq!(insufficient(&moved(&services, &globex, (to, "ben", 701, "k-2")).await), (701, 700));
    let back = TransferDirection::ToPartner;
    assert_eq!(insufficient(&moved(&services, &globex, (back, "ann", 201, "k-3")).await), (201, 200));
    services.create_own_end_user(&by(), globex.id, "cleo", None).await.unwrap();
    let empty = moved(&services, &globex, (back, "cleo", 1, "k-4")).await;
    assert!(matches!(empty, Err(TransferError::NoWallet { needed }) if needed == credits(1)), "{empty:?}");
    moved(&services, &globex, (back, "ann", 200, "k-3")).await.unwrap();
    assert_eq!(balances().await, [900, 0, 0]);
    desk.verify();
}

async fn what_a_key_has_moved_is_moved_once(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (globex, initech) = (filler(&services, "Globex").await, filler(&services, "Initech").await);
    for name in ["ann", "ben"] {
        services.create_own_end_user(&by(), globex.id, name, None).await.unwrap();
    }
    let to = TransferDirection::ToUser;
    let first = moved(&services, &globex, (to, "ann", 300, "k")).await.unwrap();
    assert_eq!((first.credits, first.is_replay), (credits(300), false));
    let again = moved(&services, &globex, (to, "ann", 300, "k")).await.unwrap();
    assert_eq!((again.id, again.user, again.is_replay), (first.id, first.user, true));
    for other in [(to, "ann", 301, "k"), (to, "ben", 300, "k"), (TransferDirection::ToPartner, "ann", 300, "k")] {
        let refused = moved(&services, &globex, other).await;
        assert!(
            matches!(refused, Err(TransferError::KeyReused { id, .. }) if id == first.id),
            "{other:?}: {refused:?}"
        );
    }
    for (direction, name, amount) in [(to, "ann", 0), (to, "ann", -1)] {
        let refused = moved(&services, &globex, (direction, name, amount, "x")).await;
        assert!(matches!(refused, Err(TransferError::NotPositive)), "{refused:?}");
    }
    for (whose, name) in [(&globex, "nobody"), (&initech, "ann"), (&globex, ""), (&globex, "a b")] {
        let refused = moved(&services, whose, (to, name, 1, "y")).await;
        assert!(matches!(refused, Err(TransferError::NotFound)), "{name}: {refused:?}");
    }
    // Where the partner pays, nothing is filled that would pay for nothing.
    let hooli = partner(&services, "Hooli").await;
    services.create_own_end_user(&by(), hooli.id, "ann", None).await.unwrap();
    let refused = moved(&services, &hooli, (to, "ann", 1, "k")).await;
    assert!(matches!(refused, Err(TransferError::PartnerPays)), "{refused:?}");

    assert_eq!(has(&desk, &services, globex.wallet).await, 700);
    assert_eq!(desk.number("SELECT count(*) FROM txn WHERE kind = 10"), 1);
    let told = desk.rows(
        "SELECT object_id, coalesce(before_json, ''), after_json, reason FROM audit WHERE action = 'end_user.transfer'",
    );
    let after = format!(r#"{{"partner":"{}","transaction":"{}","credits":"0.0003"}}"#, globex.id, first.id);
    assert_eq!(told, [[first.user.to_string(), String::new(), after, "the partner asked for it".to_owned()]]);
    desk.verify();
}

async fn what_is_left_goes_back_to_the_partner(kind: Kind) {
    let (desk, here) = open(kind).await;
    let there = desk.services_of(desk.ledger().clone()).await;
    let globex = filler(&here, "Globex").await;
    let calling = principal(&here, &globex).await;
    let ann = user(&here, &calling, "ann").await;
    let wallet = ann.wallet.unwrap();
    fund(&here, &globex, "ann", 300, "k-1").await;
    let open_hold = hold(desk.fresh(), wallet, payable_id(1), 100);
    assert_eq!(desk.ask(Command::Hold(open_hold.clone())).await, Ok(Done::Held));
    assert_eq!(here.preview_erasure(ann.id).await.unwrap().credits, credits(300));

    here.erase_own_end_user(&by(), globex.id, "ann").await.unwrap();
    assert_eq!((has(&desk, &here, globex.wallet).await, has(&desk, &here, wallet).await), (900, 100));
    let round = async |services: &Services| {
        let mut place = services.return_what_is_left(None).await.unwrap();
        while place.is_some() {
            place = services.return_what_is_left(place).await.unwrap();
        }
    };
    round(&here).await;
    assert_eq!(has(&desk, &here, wallet).await, 100, "what a call under way has reserved is not taken from it");
    assert!(desk.ask(Command::Settle(release(desk.fresh(), open_hold.id))).await.is_ok());
    // Two servers see it at once.
    tokio::join!(round(&here), round(&there));
    round(&here).await;
    assert_eq!((has(&desk, &here, globex.wallet).await, has(&desk, &here, wallet).await), (1_000, 0));
    assert_eq!(desk.number("SELECT count(*) FROM txn WHERE kind = 10"), 3, "once in, and twice back");

    let refused = moved(&here, &globex, (TransferDirection::ToUser, "ann", 1, "k-2")).await;
    assert!(matches!(refused, Err(TransferError::NotFound)), "{refused:?}");
    let anew = user(&here, &calling, "ann").await;
    assert!(anew.id != ann.id && anew.wallet != ann.wallet, "{anew:?}");
    assert_eq!(has(&desk, &here, anew.wallet.unwrap()).await, 0);
    desk.verify();
}

async fn of_64_transfers_exactly_as_many_pass_as_the_wallet_is_worth(kind: Kind) {
    let (desk, services) = open(kind).await;
    let services = Arc::new(services);
    let globex = Arc::new(filler(&services, "Globex").await);
    services.create_own_end_user(&by(), globex.id, "ann", None).await.unwrap();
    fund(&services, &globex, "ann", 10, "before").await;
    let mut transfers = JoinSet::new();
    for number in 0..64 {
        let (services, globex) = (Arc::clone(&services), Arc::clone(&globex));
        transfers.spawn(async move {
            // Every key twice.
            let key = format!("k-{}", number % 32);
            match moved(&services, &globex, (TransferDirection::ToUser, "ann", 55, &key)).await {
                Ok(done) => Some((done.id, done.is_replay)),
                Err(TransferError::Refused(Refusal::Insufficient { available, .. })) => {
                    assert!(available < credits(55), "{available:?}");
                    None
                }
                Err(error) => panic!("{error}"),
            }
        });
    }
    let passed: Vec<_> = transfers.join_all().await.into_iter().flatten().collect();
    let first = passed.iter().filter(|(_, is_replay)| !is_replay).count();
    assert_eq!(first, 18, "990 are worth 18 times 55: {passed:?}");
    let balance = services.load_end_user_balance(services.load_end_user(globex.id, "ann").await.unwrap().id).await;
    assert_eq!(balance.unwrap().unwrap().balance, credits(1_000));
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action = 'end_user.transfer'"), 19);
    desk.verify();
}

async fn who_pays_changes_only_while_no_end_user_has_credits(kind: Kind) {
    let (desk, here) = open(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let globex = partner(&here, "Globex").await;
    let calling = principal(&here, &globex).await;
    assert_eq!((calling.funding, user(&here, &calling, "ann").await.wallet), (Funding::Partner, None));
    let set = async |funding| here.set_partner_funding(&by(), globex.id, funding, "a contract").await;
    assert!(matches!(set(Funding::Partner).await, Err(FundingError::AlreadySo(Funding::Partner))));
    set(Funding::PerUser).await.unwrap();
    assert!(matches!(set(Funding::PerUser).await, Err(FundingError::AlreadySo(Funding::PerUser))));
    there.follow_changes().await.unwrap();
    assert_eq!(there.load_partner_funding(globex.id).await.unwrap(), Funding::PerUser);

    // An end user from before gets its wallet now.
    fund(&here, &globex, "ann", 300, "k-1").await;
    let calling = PartnerPrincipal { funding: Funding::PerUser, ..calling };
    assert!(user(&here, &calling, "ann").await.wallet.is_some());
    let held = HeldByUsers { users: 1, credits: credits(300) };
    let refused = set(Funding::Partner).await;
    assert!(matches!(&refused, Err(FundingError::Held(found)) if *found == held), "{refused:?}");
    moved(&here, &globex, (TransferDirection::ToPartner, "ann", 300, "k-2")).await.unwrap();
    set(Funding::Partner).await.unwrap();
    assert_eq!(has(&desk, &here, globex.wallet).await, 1_000);
    let told = desk
        .rows("SELECT before_json, after_json, reason FROM audit WHERE action = 'partner.change' ORDER BY slot, seq");
    let (one, each) = (r#"{"funding":"partner"}"#, r#"{"funding":"per_user"}"#);
    assert_eq!(told, [[one, each, "a contract"], [each, one, "a contract"]]);
    desk.verify();
}

async fn filling_and_the_change_of_who_pays_exclude_each_other(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = filler(&services, "Globex").await;
    services.create_own_end_user(&by(), globex.id, "ann", None).await.unwrap();
    let set = async |funding| services.set_partner_funding(&by(), globex.id, funding, "a contract").await;
    for round in 0..16 {
        let key = format!("to {round}");
        let fill = moved(&services, &globex, (TransferDirection::ToUser, "ann", 10, &key));
        let (filled, changed) = tokio::join!(fill, set(Funding::Partner));
        let held = services.load_held_by_users(globex.id).await.unwrap();
        let funding = services.load_partner_funding(globex.id).await.unwrap();
        match (&filled, &changed) {
            (Ok(_), Err(FundingError::Held(found))) => {
                assert_eq!((*found, held.users, funding), (held, 1, Funding::PerUser));
                let key = format!("back {round}");
                moved(&services, &globex, (TransferDirection::ToPartner, "ann", 10, &key)).await.unwrap();
            }
            (Err(TransferError::PartnerPays), Ok(())) => {
                assert_eq!((held.users, funding), (0, Funding::Partner));
                set(Funding::PerUser).await.unwrap();
            }
            both => panic!("{both:?}, and {held:?} in wallets"),
        }
    }
    desk.verify();
}

async fn the_catalog_declares_who_pays(kind: Kind) {
    let (desk, services) = open(kind).await;
    let declare = async |funding, fingerprint: &str| {
        let partner = DeclaredPartner {
            name: "Globex".to_owned(),
            margin_bps: 500,
            funding,
            grant: credits(1_000),
            tokens: Vec::new(),
            caps: Vec::new(),
            fingerprint: fingerprint.to_owned(),
        };
        let catalog = DeclaredCatalog { partners: vec![partner], ..DeclaredCatalog::default() };
        services.import(&by(), &catalog).await
    };
    declare(Some(Funding::PerUser), "1").await.unwrap();
    let found = services.list_partners(&PartnerFilter::default(), None).await.unwrap().rows;
    let [globex] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(services.load_partner_funding(globex.id).await.unwrap(), Funding::PerUser);
    services.create_own_end_user(&by(), globex.id, "ann", None).await.unwrap();
    fund(&services, globex, "ann", 300, "k-1").await;

    let refused = declare(Some(Funding::Partner), "2").await;
    let Err(ImportError::Item { item, message }) = &refused else { panic!("{refused:?}") };
    assert!(item.contains("Globex") && message.contains("have 0.0003 credits"), "{item}: {message}");
    assert_eq!(services.load_partner_funding(globex.id).await.unwrap(), Funding::PerUser, "nothing is half done");
    moved(&services, globex, (TransferDirection::ToPartner, "ann", 300, "k-2")).await.unwrap();
    declare(Some(Funding::Partner), "2").await.unwrap();
    assert_eq!(services.load_partner_funding(globex.id).await.unwrap(), Funding::Partner);
    // What an operator changes stays until the declaration does.
    services.set_partner_funding(&by(), globex.id, Funding::PerUser, "a contract").await.unwrap();
    declare(Some(Funding::Partner), "2").await.unwrap();
    assert_eq!(services.load_partner_funding(globex.id).await.unwrap(), Funding::PerUser);
    declare(Some(Funding::Partner), "3").await.unwrap();
    assert_eq!(services.load_partner_funding(globex.id).await.unwrap(), Funding::Partner);
    // And what is not declared stays as well.
    services.set_partner_funding(&by(), globex.id, Funding::PerUser, "a contract").await.unwrap();
    declare(None, "4").await.unwrap();
    assert_eq!(services.load_partner_funding(globex.id).await.unwrap(), Funding::PerUser);
    desk.verify();
}
