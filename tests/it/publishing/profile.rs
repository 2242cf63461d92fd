//! Accounts that become publishers.

use engine::service::{
    accounts::NewAccount,
    partners::NewPartner,
    publishing::{ConnectionKind, NewConnection, ProfileChange, PublishingError, SetUp},
};

use super::{ALICE, BOB, account_of, by, field, new_tool, open, publisher};
use crate::ledger::desk::{Kind, on_both};

on_both! {
    an_account_becomes_a_publisher_once,
    who_is_not_verified_becomes_none_on_any_way,
    a_new_publisher_leaves_room_for_the_highest_margin,
    what_is_no_profile_is_named_and_changes_nothing,
    a_picture_is_kept_by_what_it_is,
}

/// How a picture begins that is cut off.
const BEGINNING: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";

async fn an_account_becomes_a_publisher_once(kind: Kind) {
    let (desk, services) = open(kind).await;
    let alice = account_of(&services, ALICE).await;
    assert_eq!(services.find_own_publisher(alice).await.unwrap(), None);
    let acme = publisher(&services, ALICE, "Acme").await;
    assert_eq!(services.find_own_publisher(alice).await.unwrap(), Some(acme));
    let profile = ProfileChange { display_name: Some("Again".to_owned()), ..ProfileChange::default() };
    let again = services.register_publisher(&by(), alice, &profile).await;
    assert!(matches!(again, Err(PublishingError::Conflict(_))), "{again:?}");
    let shown = services.load_own_profile(acme).await.unwrap();
    assert_eq!((shown.display_name.as_str(), shown.share_bps, shown.is_suspended), ("Acme", 8_000, false));
    let change = ProfileChange {
        website_url: Some("https://acme.example".to_owned()),
        support_email: Some("secret-help@acme.example".to_owned()),
        legal_name: Some("Secret Holding".to_owned()),
        country: Some("ES".to_owned()),
        ..ProfileChange::default()
    };
    let changed = services.change_own_profile(&by(), acme, &change).await.unwrap();
    assert_eq!(changed, services.load_own_profile(acme).await.unwrap());
    assert_eq!(changed.website_url.as_deref(), Some("https://acme.example/"));
    assert_eq!(changed.display_name, "Acme");
    let nothing = ProfileChange { country: Some(String::new()), ..ProfileChange::default() };
    assert_eq!(services.change_own_profile(&by(), acme, &nothing).await.unwrap().country, None);
    // What is so already is no change.
    services.change_own_profile(&by(), acme, &nothing).await.unwrap();
    let told = desk.rows("SELECT action FROM audit WHERE object_kind = 'publisher' ORDER BY slot, seq").concat();
    assert_eq!(told, ["publisher.create", "publisher.change", "publisher.change"]);
    let said = desk.rows("SELECT coalesce(before_json, '') || coalesce(after_json, '') FROM audit").concat().concat();
    assert!(!said.to_lowercase().contains("secret"), "{said}");
    desk.verify();
}

async fn who_is_not_verified_becomes_none_on_any_way(kind: Kind) {
    let (desk, services) = open(kind).await;
    let new = NewAccount { email: "carol@example.com", is_verified: false, password: None };
    let carol = services.create_account(&by(), new).await.unwrap();
    let tables = ["publisher", "connection", "namespace", "tool", "audit"];
    let counts = || tables.map(|table| desk.number(&format!("SELECT count(*) FROM {table}")));
    let before = counts();
    let profile = ProfileChange { display_name: Some("Carol".to_owned()), ..ProfileChange::default() };
    let registered = services.register_publisher(&by(), carol, &profile).await;
    assert!(matches!(registered, Err(PublishingError::Unverified)), "{registered:?}");
    let wanted = SetUp {
        register_as: Some("Carol"),
        connection: NewConnection { label: "Mine", kind: ConnectionKind::Rest, url: "https://upstream.example" },
        namespace: "carols",
        readme_source_url: None,
        tools: vec![new_tool("add")],
    };
    let set_up = services.set_up_namespace(&by(), carol, wanted).await;
    assert!(matches!(set_up, Err(PublishingError::Unverified)), "{set_up:?}");
    let checked = services.check_may_publish(carol).await;
    assert!(matches!(checked, Err(PublishingError::Unverified)), "{checked:?}");
    assert_eq!(counts(), before, "nothing of it was done");
    // A publisher stays one.
    let alice = account_of(&services, ALICE).await;
    services.check_may_publish(alice).await.unwrap();
    publisher(&services, ALICE, "Acme").await;
    desk.change("UPDATE account SET is_verified = false WHERE email = 'alice@example.com'").await;
    services.check_may_publish(alice).await.unwrap();
}

async fn a_new_publisher_leaves_room_for_the_highest_margin(kind: Kind) {
    let (desk, services) = open(kind).await;
    let new = NewPartner { name: "Globex", margin_bps: 3_000, reason: "a contract", key: None };
    services.create_partner(&by(), new).await.unwrap();
    let acme = publisher(&services, ALICE, "Acme").await;
    assert_eq!(services.load_own_profile(acme).await.unwrap().share_bps, 7_000);
    desk.verify();
}

async fn what_is_no_profile_is_named_and_changes_nothing(kind: Kind) {
    let (desk, services) = open(kind).await;
    let bob = account_of(&services, BOB).await;
    let refused = services.register_publisher(&by(), bob, &ProfileChange::default()).await;
    assert_eq!(field(refused), "display_name");
    assert_eq!(services.find_own_publisher(bob).await.unwrap(), None);
    let acme = publisher(&services, ALICE, "Acme").await;
    let before = services.load_own_profile(acme).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    for (change, named) in [
        (ProfileChange { display_name: text("a\nb"), ..Default::default() }, "display_name"),
        (ProfileChange { display_name: text(""), ..Default::default() }, "display_name"),
        (ProfileChange { website_url: text("javascript:alert(1)"), ..Default::default() }, "website_url"),
        (ProfileChange { website_url: text("https://user:pw@a.example"), ..Default::default() }, "website_url"),
        (ProfileChange { support_email: text("a@b\r\nbcc: c@d"), ..Default::default() }, "support_email"),
        (ProfileChange { support_email: text("nobody"), ..Default::default() }, "support_email"),
        (ProfileChange { bio: Some("x".repeat(2_001)), ..Default::default() }, "bio"),
        (ProfileChange { bio: text("\u{1b}[2J"), ..Default::default() }, "bio"),
        (ProfileChange { country: text("es"), ..Default::default() }, "country"),
        (ProfileChange { logo_url: text("u"), ..Default::default() }, "logo_url"),
    ] {
        assert_eq!(field(services.change_own_profile(&by(), acme, &change).await), named, "{change:?}");
    }
    assert_eq!(services.load_own_profile(acme).await.unwrap(), before);
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action = 'publisher.change'"), 0);
}

async fn a_picture_is_kept_by_what_it_is(kind: Kind) {
    let (desk, services) = open(kind).await;
    let acme = publisher(&services, ALICE, "Acme").await;
    for nothing in [&b""[..], b"x", b"<html></html>", BEGINNING] {
        assert_eq!(field(services.set_own_logo(&by(), acme, nothing).await), "file", "{nothing:?}");
    }
    assert_eq!(desk.number("SELECT count(*) FROM asset"), 0);
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>"#;
    for _ in 0..2 {
        let logo = services.set_own_logo(&by(), acme, svg).await.unwrap().logo.unwrap();
        let asset = services.find_asset(&logo).await.unwrap().unwrap();
        assert_eq!((asset.media_type.as_str(), asset.bytes.as_slice()), ("image/svg+xml", &svg[..]));
    }
    assert_eq!(desk.number("SELECT count(*) FROM asset"), 1);
    assert_eq!(services.find_asset("' OR 1=1").await.unwrap(), None);
    desk.verify();
}
