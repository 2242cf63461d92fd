//! End users whom operators erase: what would go, that it goes, and what is told of it.

use engine::{
    credits::Credits,
    id::EndUserId,
    ledger::caps::CapWindow,
    service::{
        caps::{CapHolder, PartnerHolder},
        dashboard::AtLeast,
        partners::{EndUserChange, EraseEndUserError, Erasure, MetadataChange, NewCapAlert},
    },
    store::UnitOfWork,
    testing::push_statement,
};

use super::{by, credits, globex, literal, new, shop, told};
use crate::ledger::desk::{Desk, Kind, on_both};

on_both! {
    what_would_go_is_said_and_goes_with_the_operators_reason,
    a_file_of_an_end_user_is_told_without_its_name,
}

const NAME: &str = "ann.secret@example.com";

/// What a call for this end user carried, as it is kept.
async fn keep_payload(desk: &Desk, kind: Kind, user: EndUserId) {
    let (call, user) = (literal(kind, desk.fresh().uuid()), literal(kind, user.uuid()));
    let arguments = match kind {
        Kind::Sqlite => "X'00'",
        Kind::Postgres => r"'\x00'",
    };
    let sql = format!(
        "INSERT INTO payload (call, arguments, arguments_bytes, until_us, end_user_id)
         VALUES ({call}, {arguments}, 1, {}, {user})",
        i64::MAX
    );
    let mut unit = UnitOfWork::new();
    push_statement(&mut unit, &sql, Some(1));
    desk.save(unit).await.unwrap();
}

async fn what_would_go_is_said_and_goes_with_the_operators_reason(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = desk.services_of(desk.ledger().clone()).await;
    let (partner, other) = (globex(&here).await, here.create_partner(&by(), new("Initech")).await.unwrap());
    let user = here.load_end_user(partner.id, NAME).await.unwrap();
    let nothing = Erasure {
        has_metadata: false,
        caps: 0,
        imposed_caps: 0,
        credits: Credits::ZERO,
        alerts: 0,
        payloads: AtLeast { count: 0, is_more: false },
    };
    assert_eq!(here.preview_erasure(user.id).await.unwrap(), nothing);

    let metadata = MetadataChange::Set(r#"{"name":"Ann Secret"}"#.to_owned());
    let change = EndUserChange { is_blocked: None, metadata };
    here.change_own_end_user(&by(), partner.id, NAME, &change).await.unwrap();
    let holder = CapHolder::EndUser(user.id);
    here.set_cap(&by(), (holder, CapWindow::Total), (None, credits(50)), "a test").await.unwrap();
    let whom = PartnerHolder::EndUser(NAME);
    here.set_partner_cap(&by(), partner.id, (whom, CapWindow::Day), credits(50)).await.unwrap();
    let alert = NewCapAlert {
        whom: PartnerHolder::EndUser(NAME),
        window: CapWindow::Day,
        percent: 80,
        email: None,
        reason: None,
        key: None,
    };
    here.create_cap_alert(&by(), partner.id, alert).await.unwrap();
    // One of everybody stays.
    let each = NewCapAlert { whom: PartnerHolder::EachEndUser, ..alert };
    here.create_cap_alert(&by(), partner.id, each).await.unwrap();
    for _ in 0..3 {
        keep_payload(&desk, kind, user.id).await;
    }
    let payloads = AtLeast { count: 3, is_more: false };
    let all = Erasure { has_metadata: true, caps: 1, imposed_caps: 1, alerts: 1, payloads, ..nothing };
    assert_eq!(here.preview_erasure(user.id).await.unwrap(), all);
    assert_eq!(here.list_end_user_alerts(user.id).await.unwrap().len(), 1);

    let erase = async |partner, id, reason: &str| here.erase_end_user(&by(), partner, id, reason).await;
    assert!(matches!(erase(partner.id, user.id, " ").await, Err(EraseEndUserError::Reason)));
    let nobody = EndUserId::new(&*desk.ids, desk.now_us());
    for (partner, id) in [(other.id, user.id), (partner.id, nobody)] {
        let refused = erase(partner, id, "asked by letter").await;
        assert!(matches!(refused, Err(EraseEndUserError::NotFound)), "{refused:?}");
    }
    assert_eq!(here.preview_erasure(user.id).await.unwrap(), all, "nothing has gone");
    there.load_end_user(partner.id, NAME).await.unwrap();
    erase(partner.id, user.id, "asked by letter").await.unwrap();
    assert!(matches!(erase(partner.id, user.id, "once more").await, Err(EraseEndUserError::Already)));
    let stays = Erasure { imposed_caps: 1, ..nothing };
    assert_eq!(here.preview_erasure(user.id).await.unwrap(), stays, "what an operator has limited stays limited");
    assert_eq!(here.list_cap_alerts(partner.id, None).await.unwrap().rows.len(), 1);
    there.follow_changes().await.unwrap();
    assert_ne!(there.load_end_user(partner.id, NAME).await.unwrap().id, user.id, "somebody new on every server");

    let told_of = told(&desk, &user.id.to_string());
    let erased: Vec<_> = told_of.iter().filter(|row| row[3] == "asked by letter").map(|row| &*row[0]).collect();
    assert_eq!(erased, ["end_user.erase", "cap.set"], "{told_of:?}");
    assert!(told_of.iter().flatten().all(|text| !text.to_lowercase().contains("secret")), "{told_of:?}");
    desk.verify();
}

async fn a_file_of_an_end_user_is_told_without_its_name(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let partner = globex(&services).await;
    let user = services.load_end_user(partner.id, NAME).await.unwrap();
    services.record_end_user_export(&by(), partner.id, user.id).await.unwrap();
    let told_of = told(&desk, &user.id.to_string());
    let facts = format!(r#"{{"partner":"{}"}}"#, partner.id);
    assert_eq!(told_of, [["export.create", "", facts.as_str(), ""]]);
}
