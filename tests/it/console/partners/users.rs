//! End users of partners, and who called lately.

use std::sync::Arc;

use engine::{
    id::{EndUserId, EntryId, InvocationId, TokenId},
    invocation::{CallParties, CallRecord},
    ledger::batch::{Begin, Begun},
    service::{
        movements::Note,
        paging::PAGE_ROWS,
        partners::{BlockEndUserError, EndUserFilter},
        recent::RecentBy,
    },
    store::Ledger,
    testing::running_call,
};

use super::{by, credits, globex, new, shop, told};
use crate::ledger::desk::{Kind, SECOND_US, hold, on_both, payable_id};

on_both! {
    end_users_are_listed_by_their_names_and_blocked_on_every_server,
    who_called_lately_is_known_from_the_newest_calls,
}

async fn end_users_are_listed_by_their_names_and_blocked_on_every_server(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let (partner, other) = (globex(&here).await, here.create_partner(&by(), new("Initech")).await.unwrap());
    let count = usize::try_from(PAGE_ROWS).unwrap() + 3;
    for number in 0..count {
        here.load_end_user(partner.id, &format!("user-{number:03}")).await.unwrap();
    }
    for name in ["User-000", "u%", "u_1"] {
        here.load_end_user(partner.id, name).await.unwrap();
    }
    here.load_end_user(other.id, "user-000").await.unwrap();
    let list = async |name: &str, after: Option<&str>| {
        let filter = EndUserFilter { external_id: name.to_owned(), is_blocked: None };
        let listed = here.list_end_users(partner.id, &filter, after).await.unwrap();
        (listed.rows.iter().map(|user| user.external_id.clone()).collect::<Vec<_>>(), listed.next)
    };
    // Page after page everybody comes once.
    for name in ["", "user-"] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (names, next) = list(name, after.as_deref()).await;
            assert!(names.len() <= count, "{names:?}");
            seen.extend(names);
            after = next;
            if after.is_none() {
                break;
            }
        }
        let expected = if name.is_empty() { count + 3 } else { count };
        assert_eq!(seen.len(), expected, "{name}: {seen:?}");
        seen.dedup();
        assert_eq!(seen.len(), expected, "{name}: somebody comes twice");
    }
    assert_eq!(list("user-", None).await.0.len(), count - 3, "a page");
    for (name, found) in [("user-001", vec!["user-001"]), ("u%", vec!["u%"]), ("u_", vec!["u_1"]), ("z", vec![])] {
        assert_eq!(list(name, None).await, (found.into_iter().map(str::to_owned).collect(), None), "{name}");
    }
    let size = here.load_partner_size(partner.id).await.unwrap();
    assert_eq!((size.tokens, size.end_users), (0, u64::try_from(count + 3).unwrap()));

    let user = here.load_end_user(partner.id, "user-001").await.unwrap();
    assert!(!there.load_end_user(partner.id, "user-001").await.unwrap().is_blocked);
    assert_eq!(here.find_end_user_of(other.id, user.id).await.unwrap(), None, "another partner's");
    let set = async |id: EndUserId, to: bool| here.set_end_user_blocked(&by(), id, to, "abuse").await;
    let nobody = EndUserId::new(&*desk.ids, 0);
    assert!(matches!(set(nobody, true).await, Err(BlockEndUserError::NotFound)));
    assert!(matches!(set(user.id, false).await, Err(BlockEndUserError::AlreadySo(false))));
    set(user.id, true).await.unwrap();
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        assert!(server.load_end_user(partner.id, "user-001").await.unwrap().is_blocked);
    }
    let blocked = EndUserFilter { is_blocked: Some(true), ..EndUserFilter::default() };
    let blocked = here.list_end_users(partner.id, &blocked, None).await.unwrap();
    assert_eq!(blocked.rows.iter().map(|user| user.id).collect::<Vec<_>>(), [user.id]);
    set(user.id, false).await.unwrap();
    let told_of = told(&desk, &user.id.to_string());
    assert_eq!(told_of.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["end_user.block", "end_user.unblock"]);
    assert!(told_of.iter().flatten().all(|text| !text.contains("user-001")), "a partner's name for somebody is told");
    desk.verify();
}

async fn who_called_lately_is_known_from_the_newest_calls(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let partner = globex(&services).await;
    let note = Note { reason: "a start", key: None };
    services.grant_to_partner(&by(), partner.id, credits(1_000), note).await.unwrap();
    let user = services.load_end_user(partner.id, "u-1").await.unwrap();
    let token = TokenId::new(&*desk.ids, desk.now_us());
    let parties = CallParties { account: None, token: Some(token), partner: Some(partner.id), end_user: Some(user.id) };
    for _ in 0..3 {
        desk.clock.advance_us(SECOND_US);
        let place = hold(EntryId::from(InvocationId::new(&*desk.ids, desk.now_us())), partner.wallet, payable_id(1), 5);
        let call = running_call(InvocationId::from(place.id.uuid()), Some(&place), None, desk.now_us());
        let call = Arc::new(CallRecord { parties, ..(*call).clone() });
        let begun = desk.ledger().begin(Begin { call, key: None, hold: Some(place) }).await.unwrap();
        assert_eq!(begun, Begun::Go);
    }
    for (by, who) in
        [(RecentBy::Token, token.uuid()), (RecentBy::Partner, partner.id.uuid()), (RecentBy::EndUser, user.id.uuid())]
    {
        let recent = services.recent_calls(by).await.unwrap();
        assert_eq!(recent.len(), 1, "{by:?}");
        assert_eq!((recent[&who].calls, recent[&who].last_us), (3, desk.now_us()), "{by:?}");
    }
    assert!(services.recent_calls(RecentBy::Account).await.unwrap().is_empty());
}
