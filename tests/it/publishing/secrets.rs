//! What publishers' servers ask of their callers.

use engine::{catalog::CredentialPlace, service::publishing::CredentialInput};

use super::{Shop, by, field};
use crate::ledger::desk::{Kind, on_both};

on_both! {
    a_secret_is_nowhere_in_the_open,
    a_namespaces_own_secret_stands_over_its_servers,
    what_is_no_secret_is_named,
}

pub(super) fn input(secret: &str, name: &str) -> CredentialInput {
    CredentialInput {
        secret: secret.into(),
        name: name.to_owned(),
        place: CredentialPlace::Header,
        note: Some("from the dashboard".to_owned()),
    }
}

impl Shop {
    /// The secret that a call of `acme/add` carries. That it has one is in the snapshot.
    async fn carried(&self) -> Option<(String, String)> {
        let open = self.services.open_namespace_credential(self.acme, self.namespace).await.unwrap();
        let snapshot = self.services.snapshot();
        let seller = snapshot.find_offer("acme", "add").unwrap().seller.as_ref().unwrap();
        assert_eq!(open.is_some(), seller.credential.is_some());
        open.map(|open| (open.name().to_owned(), open.secret().to_owned()))
    }

    async fn set(&self, secret: &str) {
        let id = self.look().await.connection.unwrap();
        let set = self.services.set_connection_credential(&by(), self.acme, id, &input(secret, "X-Key")).await.unwrap();
        assert!(set.is_set && !set.is_own, "{set:?}");
    }
}

async fn a_secret_is_nowhere_in_the_open(kind: Kind) {
    let shop = Shop::open(kind).await;
    assert_eq!(shop.carried().await, None);
    shop.set("hunter2-hunter2").await;
    assert_eq!(shop.carried().await, Some(("X-Key".to_owned(), "hunter2-hunter2".to_owned())));
    let id = shop.look().await.connection.unwrap();
    let shown = format!("{:?} {:?}", shop.look().await, shop.services.load_connection(shop.acme, id).await.unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    let said =
        shop.desk.rows("SELECT coalesce(before_json, '') || coalesce(after_json, '') FROM audit").concat().concat();
    assert!(!said.contains("hunter2") && said.contains("X-Key"), "{said}");
    let stored = shop.desk.rows("SELECT credential FROM connection").concat().concat();
    let in_the_open: String = b"hunter2".iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!stored.to_lowercase().contains(&in_the_open) && !stored.contains("hunter2"), "{stored}");
    // Put in another one's place it does not open.
    let other = super::connection(&shop.services, shop.acme).await;
    let foreign = shop.services.open_connection_credential(shop.acme, other).await.unwrap();
    assert!(foreign.is_none());
    shop.desk.verify();
}

async fn a_namespaces_own_secret_stands_over_its_servers(kind: Kind) {
    let shop = Shop::open(kind).await;
    shop.set("of the server").await;
    let own = input("of the namespace", "Authorization");
    let set = shop.services.set_namespace_credential(&by(), shop.acme, shop.namespace, &own).await.unwrap();
    assert!(set.is_set && set.is_own && set.name.as_deref() == Some("Authorization"), "{set:?}");
    assert_eq!(shop.carried().await, Some(("Authorization".to_owned(), "of the namespace".to_owned())));
    let open = shop.services.open_namespace_credential(shop.acme, shop.namespace).await.unwrap().unwrap();
    assert_eq!(open.secret(), "of the namespace");
    shop.desk.verify();
}

async fn what_is_no_secret_is_named(kind: Kind) {
    let shop = Shop::open(kind).await;
    let id = shop.look().await.connection.unwrap();
    for (secret, name, named) in [
        ("", "X-Key", "api_key"),
        ("a\r\nHost: b", "X-Key", "api_key"),
        (" a", "X-Key", "api_key"),
        ("a", "", "key_identifier"),
        ("a", "X Key", "key_identifier"),
        ("a", "X-Key: b\r\nHost", "key_identifier"),
        ("a", "Host", "key_identifier"),
        ("a", "Content-Length", "key_identifier"),
        ("a", "X-Tollgate-Invocation-Id", "key_identifier"),
    ] {
        let refused = shop.services.set_connection_credential(&by(), shop.acme, id, &input(secret, name)).await;
        assert_eq!(field(refused), named, "{name:?}");
    }
    assert_eq!(shop.carried().await, None);
}
