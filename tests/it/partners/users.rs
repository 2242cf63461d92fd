//! End users that partners note, change and erase themselves.

use engine::{
    id::TokenId,
    ledger::caps::CapWindow,
    service::{
        caps::{CapError, CapHolder, PartnerHolder},
        partners::{ChangeEndUserError, EndUserChange, EndUserFilter, MetadataChange},
        tokens::TokenNote,
    },
    store::Ledger,
};

use super::{by, credits, open, partner};
use crate::ledger::desk::{Kind, on_both};

on_both! {
    an_end_user_is_noted_once_and_changed_by_its_partner_alone,
    what_is_erased_is_known_nowhere_and_the_books_are_whole,
    limits_are_set_by_whose_they_are,
}

fn blocked(is_blocked: bool) -> EndUserChange {
    EndUserChange { is_blocked: Some(is_blocked), ..EndUserChange::default() }
}

async fn an_end_user_is_noted_once_and_changed_by_its_partner_alone(kind: Kind) {
    let (desk, here) = open(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let (globex, initech) = (partner(&here, "Globex").await, partner(&here, "Initech").await);
    let note = async |metadata: Option<&str>| {
        here.create_own_end_user(&by(), globex.id, "u-1", metadata.map(str::to_owned)).await.unwrap()
    };
    let (user, is_new) = note(Some(r#"{"plan":"gold"}"#)).await;
    assert!(is_new && !user.is_blocked && user.erased_us.is_none(), "{user:?}");
    let (again, is_new) = note(None).await;
    assert_eq!((again, is_new), (user.clone(), false), "one that is known is left as it is");
    // A call for it finds the same one.
    assert_eq!(here.load_end_user(globex.id, "u-1").await.unwrap().id, user.id);
    assert_eq!(here.find_own_end_user(initech.id, "u-1").await.unwrap(), None);
    let foreign = here.change_own_end_user(&by(), initech.id, "u-1", &blocked(true)).await;
    assert!(matches!(foreign, Err(ChangeEndUserError::NotFound)), "{foreign:?}");
    let foreign = here.erase_own_end_user(&by(), initech.id, "u-1").await;
    assert!(matches!(foreign, Err(ChangeEndUserError::NotFound)), "{foreign:?}");

    there.load_end_user(globex.id, "u-1").await.unwrap();
    let change = EndUserChange { is_blocked: Some(true), metadata: MetadataChange::Remove };
    let changed = here.change_own_end_user(&by(), globex.id, "u-1", &change).await.unwrap();
    assert!(changed.is_blocked && changed.metadata.is_none(), "{changed:?}");
    assert_eq!(here.change_own_end_user(&by(), globex.id, "u-1", &change).await.unwrap(), changed);
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        assert!(server.load_end_user(globex.id, "u-1").await.unwrap().is_blocked);
    }
    here.change_own_end_user(&by(), globex.id, "u-1", &blocked(false)).await.unwrap();
    let told = desk.rows(&format!(
        "SELECT action, coalesce(before_json, ''), coalesce(after_json, '') FROM audit WHERE object_id = '{}' ORDER BY slot, seq",
        user.id
    ));
    let actions: Vec<&str> = told.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(actions, ["end_user.create", "end_user.block", "end_user.change", "end_user.unblock"]);
    assert!(told.iter().flatten().all(|text| !text.contains("u-1") && !text.contains("gold")), "{told:?}");
    desk.verify();
}

async fn what_is_erased_is_known_nowhere_and_the_books_are_whole(kind: Kind) {
    let (desk, services) = open(kind).await;
    let globex = partner(&services, "Globex").await;
    let name = "ann.secret@example.com";
    let user = services.load_end_user(globex.id, name).await.unwrap();
    let whom = PartnerHolder::EndUser(name);
    services.set_partner_cap(&by(), globex.id, (whom, CapWindow::Day), credits(50)).await.unwrap();
    services.set_partner_cap(&by(), globex.id, (whom, CapWindow::Total), credits(70)).await.unwrap();
    let metadata = MetadataChange::Set(r#"{"name":"Ann Secret"}"#.to_owned());
    let metadata = EndUserChange { is_blocked: None, metadata };
    services.change_own_end_user(&by(), globex.id, name, &metadata).await.unwrap();

    assert_eq!(services.erase_own_end_user(&by(), globex.id, name).await.unwrap(), user.id);
    let again = services.erase_own_end_user(&by(), globex.id, name).await;
    assert!(matches!(again, Err(ChangeEndUserError::NotFound)), "{again:?}");
    assert_eq!(services.find_own_end_user(globex.id, name).await.unwrap(), None);
    let placeholder = desk.rows("SELECT external_id FROM end_user").concat();
    assert_eq!(services.find_own_end_user(globex.id, &placeholder[0]).await.unwrap(), None, "{placeholder:?}");
    for (table, columns) in [
        ("end_user", "external_id || coalesce(metadata, '')"),
        ("audit", "coalesce(before_json, '') || coalesce(after_json, '') || coalesce(reason, '') || object_id"),
        ("mail", "data || recipient"),
    ] {
        let all = desk.rows(&format!("SELECT {columns} FROM {table}")).concat().concat();
        assert!(!all.to_lowercase().contains("secret"), "{table}: {all}");
    }
    assert_eq!(services.list_caps_of(&[CapHolder::EndUser(user.id)], desk.now_us()).await.unwrap(), []);
    let listed = services.list_end_users(globex.id, &EndUserFilter::default(), None).await.unwrap().rows;
    assert!(listed.len() == 1 && listed[0].id == user.id && listed[0].erased_us.is_some(), "{listed:?}");
    // The same name is somebody new from now on.
    let anew = services.load_end_user(globex.id, name).await.unwrap();
    assert!(anew.id != user.id && anew.caps.is_empty() && !anew.is_blocked, "{anew:?}");
    let told =
        desk.rows(&format!("SELECT action FROM audit WHERE object_id = '{}' ORDER BY slot, seq", user.id)).concat();
    assert_eq!(told, ["cap.set", "cap.set", "end_user.change", "end_user.erase", "cap.set", "cap.set"]);
    desk.verify();
}

async fn limits_are_set_by_whose_they_are(kind: Kind) {
    let (desk, services) = open(kind).await;
    let (globex, initech) = (partner(&services, "Globex").await, partner(&services, "Initech").await);
    services.load_end_user(globex.id, "u-1").await.unwrap();
    let token = services.create_owned_token(&by(), globex.id.into(), "cli", TokenNote::default()).await.unwrap();
    let holders = [
        PartnerHolder::Itself,
        PartnerHolder::EachEndUser,
        PartnerHolder::EndUser("u-1"),
        PartnerHolder::Token(token.view.id),
    ];
    for whom in holders {
        let named = (whom, CapWindow::Month);
        let set = services.set_partner_cap(&by(), globex.id, named, credits(90)).await.unwrap();
        assert_eq!((set.window, set.limit), (CapWindow::Month, credits(90)), "{whom:?}");
        assert_eq!(services.set_partner_cap(&by(), globex.id, named, credits(80)).await.unwrap().limit, credits(80));
        let found = services.list_partner_caps(globex.id, whom).await.unwrap().unwrap();
        assert!(found.iter().any(|cap| cap.limit == credits(80)), "{whom:?}: {found:?}");
    }
    // What is another partner's is not there.
    let unknown = TokenId::new(&*desk.ids, desk.now_us());
    for whom in [holders[2], holders[3], PartnerHolder::Token(unknown), PartnerHolder::EndUser("u-2")] {
        assert_eq!(services.list_partner_caps(initech.id, whom).await.unwrap(), None, "{whom:?}");
        let set = services.set_partner_cap(&by(), initech.id, (whom, CapWindow::Day), credits(1)).await;
        assert!(matches!(set, Err(CapError::NoHolder)), "{whom:?}: {set:?}");
        let removed = services.remove_partner_cap(&by(), initech.id, (whom, CapWindow::Month)).await;
        assert!(matches!(removed, Err(CapError::NoHolder)), "{whom:?}: {removed:?}");
    }
    for whom in holders {
        services.remove_partner_cap(&by(), globex.id, (whom, CapWindow::Month)).await.unwrap();
        let again = services.remove_partner_cap(&by(), globex.id, (whom, CapWindow::Month)).await;
        assert!(matches!(again, Err(CapError::NotFound)), "{whom:?}: {again:?}");
    }
    desk.verify();
}
