//! The part `search` of the console: its use cases.

use engine::{
    audit::OpContext,
    credits::Credits,
    id::EntryId,
    service::{
        catalog::{Making, NewPublisher, PublisherFilter},
        movements::Note,
        partners::{NewPartner, PartnerFilter},
        search::{HITS_MAX, HitGroup, HitKind, SearchResult},
    },
};

use super::shop::{ALICE, Shop};
use crate::ledger::desk::{Kind, on_both};

on_both! {
    an_identifier_leads_to_what_it_names,
    the_beginning_of_an_identifier_is_enough,
    names_are_found_by_their_beginning,
    names_are_found_in_any_case_and_any_letters,
    nothing_is_found_of_what_one_may_not_see,
}

fn everything() -> Vec<HitKind> {
    HitKind::ALL.into_iter().map(|(kind, ..)| kind).collect()
}

async fn exact(shop: &Shop, text: &str) -> (HitKind, String) {
    match shop.services.search(text, &everything()).await.unwrap() {
        SearchResult::Exact(hit) => (hit.kind, hit.id),
        SearchResult::Groups(groups) => panic!("{text}: {groups:?}"),
    }
}

async fn groups(shop: &Shop, text: &str) -> Vec<HitGroup> {
    match shop.services.search(text, &everything()).await.unwrap() {
        SearchResult::Groups(groups) => groups,
        SearchResult::Exact(hit) => panic!("{text}: {hit:?}"),
    }
}

/// The kinds of what was found, with the names.
async fn names(shop: &Shop, text: &str) -> Vec<(HitKind, String)> {
    let groups = groups(shop, text).await;
    groups.into_iter().flat_map(|group| group.hits).map(|hit| (hit.kind, hit.name)).collect()
}

async fn an_identifier_leads_to_what_it_names(kind: Kind) {
    let shop = Shop::open(kind).await;
    let call = shop.paid_call("1").await;
    let account = shop.services.find_account_called(ALICE).await.unwrap().unwrap();
    let tool = shop.services.find_tool_called("acme/dear").unwrap();
    for (expected, id) in
        [(HitKind::Call, call.to_string()), (HitKind::Account, account.to_string()), (HitKind::Tool, tool.to_string())]
    {
        assert_eq!(exact(&shop, &id).await, (expected, id.clone()));
        assert_eq!(exact(&shop, &format!("  {} ", id.to_uppercase())).await, (expected, id.clone()));
        let bare = id.split_once('_').unwrap().1.to_owned();
        assert_eq!(exact(&shop, &bare).await, (expected, id), "{bare}");
    }
    let charge = EntryId::from(call);
    assert_eq!(exact(&shop, &charge.to_string()).await.0, HitKind::Call, "a charge has its call's identifier");
    let note = Note { reason: "a test", key: None };
    let refund = shop.services.refund(&OpContext::system(), charge, Some(Credits::from_micros(1)), note).await.unwrap();
    assert_eq!(exact(&shop, &refund.id.to_string()).await, (HitKind::Movement, refund.id.to_string()));
    let nothing = format!("acc_{}", "0".repeat(32));
    assert_eq!(groups(&shop, &nothing).await, []);
}

async fn the_beginning_of_an_identifier_is_enough(kind: Kind) {
    let shop = Shop::open(kind).await;
    for _ in 0..=HITS_MAX {
        shop.paid_call("1").await;
    }
    let call = shop.paid_call("1").await.to_string();
    let begin = |count: usize| call.chars().take(count).collect::<String>();
    let found = groups(&shop, &begin(6)).await;
    assert_eq!(
        (found.len(), found[0].kind, found[0].hits.len(), found[0].has_more),
        (1, HitKind::Call, HITS_MAX, true)
    );
    let most = begin(14);
    let found = groups(&shop, &most).await;
    assert!(found[0].hits.iter().all(|hit| hit.id.starts_with(&most)), "{most}: {found:?}");
    let whole = groups(&shop, &begin(35)).await;
    assert_eq!((whole[0].hits.len(), whole[0].hits[0].id.as_str()), (1, call.as_str()));
    let bare = groups(&shop, &call.chars().skip(4).take(8).collect::<String>()).await;
    assert!(bare.iter().any(|group| group.kind == HitKind::Call), "{bare:?}");
}

async fn names_are_found_by_their_beginning(kind: Kind) {
    let shop = Shop::open(kind).await;
    assert_eq!(names(&shop, "Alice@").await, [(HitKind::Account, ALICE.to_owned())]);
    assert_eq!(names(&shop, ALICE).await, [(HitKind::Account, ALICE.to_owned())]);
    let of_acme = names(&shop, "ACME").await;
    let expected = [(HitKind::Namespace, "acme".to_owned()), (HitKind::Publisher, "Acme Tools".to_owned())];
    assert_eq!(of_acme, expected);
    assert_eq!(names(&shop, "fre").await, [(HitKind::Tool, "acme/free".to_owned())]);
    assert_eq!(names(&shop, "acme/d").await, [(HitKind::Tool, "acme/dear".to_owned())]);
    let tools = names(&shop, "acme/").await;
    assert_eq!(tools.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["acme/dear", "acme/free"]);
    for nothing in ["", "   ", "%", "_", "lice", "nobody", "acme/x", "'; --", &"x".repeat(10_000)] {
        assert_eq!(names(&shop, nothing).await, [], "{nothing:?}");
    }
}

async fn names_are_found_in_any_case_and_any_letters(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (by, name) = (OpContext::system(), "Ölmühle Übersee");
    let new = NewPublisher { slug: "mill", display_name: name, share_bps: 0 };
    shop.services.create_publisher(&by, &new, Making { reason: "a test", key: None }).await.unwrap();
    let new = NewPartner { name, margin_bps: 0, reason: "a test", key: None };
    shop.services.create_partner(&by, new).await.unwrap();
    for typed in ["Ölmühle", "ölmühle ü", "ÖLMÜHLE", "Ölmühle Übersee", "ölMÜHLE ÜBERSEE"] {
        let expected = [(HitKind::Publisher, name.to_owned()), (HitKind::Partner, name.to_owned())];
        assert_eq!(names(&shop, typed).await, expected, "{typed}");
        let filter = PublisherFilter { name: typed.to_owned(), is_suspended: None };
        let listed = shop.services.list_publishers(&filter, None).await.unwrap().rows;
        assert_eq!(listed.iter().map(|row| row.display_name.as_str()).collect::<Vec<_>>(), [name], "{typed}");
        let filter = PartnerFilter { name: typed.to_owned(), is_suspended: None };
        let listed = shop.services.list_partners(&filter, None).await.unwrap().rows;
        assert_eq!(listed.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), [name], "{typed}");
    }
    for nobody in ["lmühle", "Olmuhle", "Ölmühle %", "Ölmühle_"] {
        assert_eq!(names(&shop, nobody).await, [], "{nobody}");
    }
}

async fn nothing_is_found_of_what_one_may_not_see(kind: Kind) {
    let shop = Shop::open(kind).await;
    let account = shop.services.find_account_called(ALICE).await.unwrap().unwrap();
    let seen = [HitKind::Tool];
    let beginning = account.to_string().chars().take(12).collect::<String>();
    for text in [ALICE.to_owned(), account.to_string(), beginning] {
        let found = shop.services.search(&text, &seen).await.unwrap();
        assert_eq!(found, SearchResult::Groups(Vec::new()), "{text}");
    }
}
