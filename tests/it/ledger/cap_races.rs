//! Every kind of limit on spending, for every holder, against many callers at once: exactly as many pass as it allows.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::{CapId, EndUserId, PartnerId},
    ledger::{
        AccountKind, LedgerAccountId, PlaceHold, Refusal,
        batch::{Begun, Finish},
        caps::{CapUse, CapWindow},
        refusal::Limit,
    },
    service::{
        Services,
        access::{CapOwner, OwnedCap},
        caps::CapHolder,
        movements::Note,
        partners::NewPartner,
        tokens::TokenNote,
    },
    testing::Dice,
};
use secrecy::ExposeSecret as _;
use tests::environment::extent;
use tokio::task::JoinSet;

use super::{
    desk::{Desk, Kind, hold, on_both, payable_id},
    races::{begin, finish},
};

const CALLERS: i64 = 64;
const WINDOWS: [CapWindow; 4] = [CapWindow::Call, CapWindow::Day, CapWindow::Month, CapWindow::Total];
/// An end user whom nothing limits.
const NOBODY: &str = "";

on_both! {
    of_64_callers_exactly_as_many_pass_as_a_limit_allows,
    of_nested_limits_the_tightest_says_no,
}

fn by() -> OpContext {
    OpContext::system()
}

const fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

/// Somebody who calls: with which token, for whom, and who pays.
struct Caller {
    token: String,
    partner: Option<(PartnerId, &'static str)>,
    wallet: LedgerAccountId,
}

impl Caller {
    /// All limits that hold for a call of theirs, as a call finds them.
    async fn caps(&self, services: &Services) -> Vec<OwnedCap> {
        let mut caps = services.find_principal(&self.token).await.unwrap().unwrap().caps.clone();
        if let Some((partner, name)) = self.partner.filter(|(_, name)| *name != NOBODY) {
            caps.extend(services.load_end_user(partner, name).await.unwrap().caps.iter().copied());
        }
        caps
    }
}

/// An account and a partner with more than anybody spends here, and every holder of a limit with who calls under it.
struct Street {
    desk: Desk,
    services: Services,
    holders: Vec<(CapHolder, CapOwner, Caller)>,
}

async fn street(kind: Kind) -> Street {
    let desk = Desk::open_on(kind).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    let services = desk.services().await;
    services.complete_facts().await.unwrap();
    let plenty = credits(1_000_000_000_000);
    let made = services.create_funded_account(&by(), "ann@example.com", true, "cli", plenty).await.unwrap();
    let (account, wallet) = (made.profile.id, made.profile.wallet);
    let of_account = || Caller { token: made.token.secret.expose_secret().to_owned(), partner: None, wallet };
    let new = NewPartner { name: "Globex", margin_bps: 500, reason: "a contract", key: None };
    let globex = services.create_partner(&by(), new).await.unwrap();
    let note = Note { reason: "a start", key: None };
    services.grant_to_partner(&by(), globex.id, plenty, note).await.unwrap();
    let token = services.create_owned_token(&by(), globex.id.into(), "cli", TokenNote::default()).await.unwrap();
    let user: EndUserId = services.load_end_user(globex.id, "ann").await.unwrap().id;
    let of_partner = |name| Caller {
        token: token.secret.expose_secret().to_owned(),
        partner: Some((globex.id, name)),
        wallet: globex.wallet,
    };
    let holders = vec![
        (CapHolder::Account(account), CapOwner::Account, of_account()),
        (CapHolder::Token(made.token.view.id), CapOwner::Token, of_account()),
        (CapHolder::Partner(globex.id), CapOwner::Partner, of_partner("ann")),
        (CapHolder::EachEndUser(globex.id), CapOwner::EndUser, of_partner("ben")),
        (CapHolder::EndUser(user), CapOwner::EndUser, of_partner("ann")),
        (CapHolder::Token(token.view.id), CapOwner::Token, of_partner(NOBODY)),
    ];
    Street { desk, services, holders }
}

/// What the callers were told.
#[derive(Debug, Default)]
struct Told {
    passed: i64,
    /// The limits that said no.
    refused_by: Vec<(CapId, Option<i64>)>,
}

/// 64 callers at once, number n with `price(n)`; whoever passes pays it all.
async fn race(street: &Street, wallet: LedgerAccountId, caps: &[OwnedCap], price: impl Fn(i64) -> i64) -> Told {
    let desk = &street.desk;
    let used: Vec<CapUse> = caps.iter().map(|owned| CapUse::at(owned.cap, desk.now_us())).collect();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let (ledger, used, price) = (desk.ledger().clone(), used.clone(), price(number));
        let place = PlaceHold { caps: used.clone(), ..hold(desk.fresh(), wallet, payable_id(1), price) };
        let begin = begin(place, None, desk.now_us());
        callers.spawn(async move {
            match ledger.begin(begin.clone()).await.unwrap() {
                Begun::Go => {
                    let end = Finish { caps: used, ..finish(&begin, price) };
                    assert_eq!(ledger.finish(end).await.unwrap().unwrap().charged.micros(), price);
                    None
                }
                Begun::Refused { refusal: Refusal::Insufficient { limit, needed, available }, .. } => {
                    assert!(needed == credits(price) && available < needed, "{needed:?} {available:?}");
                    let Limit::Cap { cap, resets_us } = limit else { panic!("{limit:?}") };
                    Some((cap, resets_us))
                }
                other => panic!("{other:?}"),
            }
        });
    }
    let answers = callers.join_all().await;
    let refused_by: Vec<_> = answers.iter().flatten().copied().collect();
    let passed = CALLERS - i64::try_from(refused_by.len()).unwrap();
    Told { passed, refused_by }
}

async fn of_64_callers_exactly_as_many_pass_as_a_limit_allows(kind: Kind) {
    let rounds = extent().pick(1, 20);
    let mut dice = Dice::new(7);
    let street = street(kind).await;
    let mut charged = 0;
    for round in 0..rounds {
        for (holder, per, caller) in &street.holders {
            for window in WINDOWS {
                let what = format!("round {round}: {holder:?} {window:?}");
                let (cost, worth) = (dice.between(2, 1_000_000), dice.between(0, CALLERS + 2));
                // Of single calls nothing is counted: every other one is above the limit.
                let is_call = window == CapWindow::Call;
                let limit = if is_call { cost } else { cost * worth + dice.between(0, cost - 1) };
                let at = (*holder, window);
                street.services.set_cap(&by(), at, (None, credits(limit)), "a test").await.unwrap();
                let caps = caller.caps(&street.services).await;
                let [cap] = caps.as_slice() else { panic!("{what}: {caps:?}") };
                assert_eq!((cap.per, cap.cap.window), (*per, window), "{what}");
                let price = |number: i64| if is_call { cost + number % 2 } else { cost };
                let told = race(&street, caller.wallet, &caps, price).await;
                let expected = if is_call { CALLERS / 2 } else { worth.min(CALLERS) };
                assert_eq!(told.passed, expected, "{what}: {limit} for calls of {cost}");
                let resets = matches!(window, CapWindow::Day | CapWindow::Month);
                for (cap_id, resets_us) in told.refused_by {
                    assert_eq!((cap_id, resets_us.is_some()), (cap.cap.id, resets), "{what}");
                }
                charged += cost * expected;
                let now_us = street.desk.now_us();
                let used = [CapUse::at(cap.cap, now_us)];
                let rest = street.services.spendable(caller.wallet, &used, now_us).await.unwrap();
                let left = if is_call { limit } else { limit - cost * expected };
                assert_eq!(rest, credits(left), "{what}: what is left of it");
                street.services.remove_cap(&by(), at, credits(limit), "a test").await.unwrap();
            }
        }
    }
    assert_eq!(street.desk.hot_balance(payable_id(1)), charged);
    println!("{rounds} rounds of {} limits for {} holders", WINDOWS.len(), street.holders.len());
    street.desk.verify();
}

async fn of_nested_limits_the_tightest_says_no(kind: Kind) {
    let street = street(kind).await;
    let nested: Vec<CapHolder> = street.holders.iter().skip(2).map(|(holder, ..)| *holder).collect();
    // The partner, each of its end users, this one, and the token: one after the other is the tightest.
    for tightest in 0..nested.len() {
        for (number, holder) in nested.iter().enumerate() {
            let limit = if number == tightest { 17 * 100 + 99 } else { 40 * 100 };
            let at = (*holder, CapWindow::Total);
            street.services.set_cap(&by(), at, (None, credits(limit)), "a test").await.unwrap();
        }
        let (_, _, caller) = &street.holders[4];
        let caps = caller.caps(&street.services).await;
        assert_eq!(caps.len(), nested.len());
        let told = race(&street, caller.wallet, &caps, |_| 100).await;
        assert_eq!(told.passed, 17, "{tightest}");
        let named: Vec<_> = caps.iter().filter(|owned| owned.cap.limit == credits(1_799)).collect();
        let [named] = named.as_slice() else { panic!("{named:?}") };
        assert!(told.refused_by.iter().all(|(cap, _)| *cap == named.cap.id), "{tightest}: {:?}", told.refused_by);
        for (number, holder) in nested.iter().enumerate() {
            let limit = if number == tightest { 1_799 } else { 4_000 };
            let at = (*holder, CapWindow::Total);
            street.services.remove_cap(&by(), at, credits(limit), "a test").await.unwrap();
        }
    }
    street.desk.verify();
}
