//! Pictures are kept for as long as something shows them, and no more of them than a publisher may have.

use engine::service::publishing::{
    ListingEdit, NewOwnNamespace, PICTURES_MAX, ProfileChange, PublishAction, PublishingError,
};

use super::{BOB, Shop, by, connection, field, namespace, publisher, reviews::listing};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    a_picture_goes_when_nothing_shows_it_any_more,
    a_picture_that_somebody_else_shows_stays,
    what_is_in_public_is_shown_until_the_next_approval,
    a_publisher_has_so_many_pictures_and_no_more,
}

/// A picture with this number.
fn picture(number: usize) -> Vec<u8> {
    let size = number + 1;
    format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="{size}" height="1"/></svg>"#)
        .into()
}

fn icon_at(url: String) -> ListingEdit {
    ListingEdit { icon_url: Some(url), ..ListingEdit::default() }
}

impl Shop {
    async fn set_logo(&self, number: usize) -> String {
        self.services.set_own_logo(&by(), self.acme, &picture(number)).await.unwrap().logo.unwrap()
    }

    async fn set_icon(&self, number: usize) -> String {
        self.services.set_namespace_icon(&by(), self.acme, self.namespace, &picture(number)).await.unwrap()
    }

    async fn edit_icon(&self, url: String) -> Result<(), PublishingError> {
        self.services.edit_listing(&by(), self.acme, self.namespace, &icon_at(url)).await.map(drop)
    }

    async fn is_there(&self, picture: &str) -> bool {
        self.services.find_asset(picture).await.unwrap().is_some()
    }

    fn pictures(&self) -> i64 {
        self.desk.number("SELECT count(*) FROM asset")
    }
}

async fn a_picture_goes_when_nothing_shows_it_any_more(kind: Kind) {
    let shop = Shop::open(kind).await;
    let first = shop.set_logo(1).await;
    let second = shop.set_logo(2).await;
    assert_eq!((shop.is_there(&first).await, shop.is_there(&second).await), (false, true));
    // The same as the logo, kept once; each may go while the other one shows it.
    assert_eq!(shop.set_icon(2).await, second);
    let change = ProfileChange { logo_url: Some("https://acme.example/logo.png".to_owned()), ..Default::default() };
    shop.services.change_own_profile(&by(), shop.acme, &change).await.unwrap();
    assert!(shop.is_there(&second).await, "the namespace shows it");
    shop.edit_icon(String::new()).await.unwrap();
    assert_eq!((shop.is_there(&second).await, shop.pictures()), (false, 0));
    // What is gone is named by nobody.
    assert_eq!(field(shop.edit_icon(format!("/assets/{second}")).await), "namespace_icon_url");
    let change = ProfileChange { logo_url: Some(format!("/assets/{second}")), ..ProfileChange::default() };
    assert_eq!(field(shop.services.change_own_profile(&by(), shop.acme, &change).await), "logo_url");
    shop.desk.verify();
}

async fn a_picture_that_somebody_else_shows_stays(kind: Kind) {
    let shop = Shop::open(kind).await;
    let services = &shop.services;
    let logo = shop.set_logo(1).await;
    let bob = publisher(services, BOB, "Globex").await;
    let theirs = namespace(services, bob, "globex").await;
    let edit = icon_at(format!("/assets/{logo}"));
    services.edit_listing(&by(), bob, theirs, &edit).await.unwrap();
    shop.set_logo(2).await;
    assert!(shop.is_there(&logo).await);
    // That a text has its name keeps nothing.
    let text = format!(r#"{{"namespace_icon_url":"{logo}"}}"#);
    let edit = ListingEdit { description: Some(text), ..icon_at(String::new()) };
    services.edit_listing(&by(), bob, theirs, &edit).await.unwrap();
    assert_eq!((shop.is_there(&logo).await, shop.pictures()), (false, 1));
    shop.desk.verify();
}

async fn what_is_in_public_is_shown_until_the_next_approval(kind: Kind) {
    let shop = Shop::open(kind).await;
    let old = shop.set_icon(1).await;
    shop.edit(&listing()).await;
    shop.publish(PublishAction::Review).await.unwrap();
    shop.approve().await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    let waiting = shop.set_icon(2).await;
    assert_eq!(shop.look().await.icon.as_deref(), Some(&*old));
    let newer = shop.set_icon(3).await;
    assert_eq!((shop.is_there(&old).await, shop.is_there(&waiting).await), (true, false));
    shop.services.discard_draft(&by(), shop.acme, shop.namespace).await.unwrap();
    assert_eq!((shop.is_there(&old).await, shop.is_there(&newer).await), (true, false));
    let last = shop.set_icon(4).await;
    shop.publish(PublishAction::Review).await.unwrap();
    shop.approve().await.unwrap();
    assert_eq!((shop.is_there(&old).await, shop.is_there(&last).await, shop.pictures()), (false, true, 1));
    assert_eq!(shop.look().await.icon.as_deref(), Some(&*last));
    shop.desk.verify();
}

async fn a_publisher_has_so_many_pictures_and_no_more(kind: Kind) {
    let shop = Shop::open(kind).await;
    let services = &shop.services;
    let connection = connection(services, shop.acme).await;
    shop.set_logo(0).await;
    for number in 1..PICTURES_MAX {
        let name = format!("shop-{number}");
        let new = NewOwnNamespace { name: &name, connection, readme_source_url: None };
        let made = services.create_own_namespace(&by(), shop.acme, &new).await.unwrap().id;
        services.set_namespace_icon(&by(), shop.acme, made, &picture(number)).await.unwrap();
    }
    let most = i64::try_from(PICTURES_MAX).unwrap();
    assert_eq!(shop.pictures(), most);
    let one_more = services.set_namespace_icon(&by(), shop.acme, shop.namespace, &picture(PICTURES_MAX)).await;
    assert_eq!(field(one_more), "file");
    assert_eq!(shop.pictures(), most, "nothing of it is kept");
    // Of one that it has already there is no more, and in the place of another one there is room.
    let known = shop.set_icon(1).await;
    assert!(shop.is_there(&known).await);
    shop.set_logo(PICTURES_MAX).await;
    assert_eq!(shop.pictures(), most);
    // Others have room of their own.
    let bob = publisher(services, BOB, "Globex").await;
    services.set_own_logo(&by(), bob, &picture(PICTURES_MAX + 1)).await.unwrap();
    assert_eq!(shop.pictures(), most + 1);
    shop.desk.verify();
}
