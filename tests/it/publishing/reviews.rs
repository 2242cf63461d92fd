//! From a draft into public, and back.

use engine::{
    catalog::NamespaceState,
    id::ToolId,
    pricing::PricingSpec,
    service::publishing::{
        ArgumentsChange, ListingEdit, ListingTarget, OwnStatus, PublishAction, PublishingError, ToolListing,
    },
};

use super::{Shop, by, field, fixed};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    what_is_handed_in_is_complete,
    what_is_public_changes_with_an_approval_alone,
    what_was_changed_since_is_not_approved,
    a_price_that_waits_makes_sense_for_every_tool,
    whoever_has_suspended_it_lets_it_go_on,
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(super) fn listing() -> ListingEdit {
    ListingEdit {
        listing_name: text("Acme"),
        description: text("Adds"),
        category: text("data"),
        tags: Some(vec!["numbers".to_owned()]),
        ..ListingEdit::default()
    }
}

impl Shop {
    pub(super) async fn edit(&self, edit: &ListingEdit) -> ListingTarget {
        self.services.edit_listing(&by(), self.acme, self.namespace, edit).await.unwrap()
    }

    pub(super) async fn publish(&self, action: PublishAction) -> Result<NamespaceState, PublishingError> {
        let done = self.services.publish_namespace(&by(), self.acme, self.namespace, action).await;
        self.desk.clock.advance_us(SECOND_US);
        done.map(|namespace| namespace.status)
    }

    pub(super) async fn approve(&self) -> Result<NamespaceState, PublishingError> {
        let seen = self.look().await.fingerprint();
        let approved = self.services.approve_listing(&by(), self.namespace, &seen, None).await;
        self.desk.clock.advance_us(SECOND_US);
        approved.map(|namespace| namespace.status)
    }

    /// A desk whose namespace is in public, with the price of 5 credits.
    pub(super) async fn in_public(kind: Kind) -> Self {
        let shop = Self::open(kind).await;
        let group = shop.look().await.groups[0].id;
        shop.services.set_group_pricing(&by(), shop.acme, (shop.namespace, group), &fixed("5")).await.unwrap();
        shop.desk.clock.advance_us(SECOND_US);
        assert_eq!(shop.edit(&listing()).await, ListingTarget::Namespace);
        assert_eq!(shop.publish(PublishAction::Review).await.unwrap(), NamespaceState::Review);
        assert_eq!(shop.known(("acme", "add")).await, (false, true), "it waits");
        assert_eq!(shop.approve().await.unwrap(), NamespaceState::Active);
        shop
    }
}

async fn what_is_handed_in_is_complete(kind: Kind) {
    let shop = Shop::open(kind).await;
    let edit = ListingEdit {
        tools: vec![(shop.tool.id, ToolListing { short_description: text(""), ..ToolListing::default() })],
        ..ListingEdit::default()
    };
    shop.edit(&edit).await;
    let Err(PublishingError::Incomplete(faults)) = shop.publish(PublishAction::Review).await else {
        panic!("it was taken")
    };
    let named: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(named, ["listing_name", "description", "category", "tags", "tools.add.short_description"]);
    assert_eq!(shop.look().await.status, NamespaceState::Draft);
    for (edit, named) in [
        (ListingEdit { listing_name: text("a\nb"), ..listing() }, "listing_name"),
        (ListingEdit { tags: Some(vec!["a".to_owned(), "a".to_owned()]), ..listing() }, "tags"),
        (ListingEdit { icon_url: text("javascript:x"), ..listing() }, "namespace_icon_url"),
        (ListingEdit { category: Some("x".repeat(65)), ..listing() }, "category"),
        (
            ListingEdit { tools: vec![(shop.namespace.uuid().into(), ToolListing::default())], ..listing() },
            "tools.0.tool_id",
        ),
    ] {
        let refused = shop.services.edit_listing(&by(), shop.acme, shop.namespace, &edit).await;
        assert_eq!(field(refused), named);
    }
    assert_eq!(shop.look().await.listing_name, None, "nothing of a refused one is kept");
}

async fn what_is_public_changes_with_an_approval_alone(kind: Kind) {
    let shop = Shop::in_public(kind).await;
    assert_eq!(shop.known(("acme", "add")).await, (true, true));
    assert_eq!(shop.desk.number("SELECT count(*) FROM tool_document WHERE is_listed"), 1);
    assert_eq!(shop.price(("acme", "add")), 5_000_000);

    let change = ListingEdit {
        description: text("Adds more"),
        tools: vec![(shop.tool.id, ToolListing { display_order: Some(3), ..ToolListing::default() })],
        ..ListingEdit::default()
    };
    assert_eq!(shop.edit(&change).await, ListingTarget::Draft);
    let group = (shop.namespace, shop.look().await.groups[0].id);
    let (_, target) = shop.services.set_group_pricing(&by(), shop.acme, group, &fixed("9")).await.unwrap();
    assert_eq!(target, ListingTarget::Draft);
    shop.desk.clock.advance_us(SECOND_US);
    let seen = shop.look().await;
    assert_eq!((seen.description.as_str(), shop.price(("acme", "add"))), ("Adds", 5_000_000));
    assert!(seen.tools[0].staged_pricing.as_ref().unwrap().contains("\"9\""), "{seen:?}");
    assert_eq!(shop.services.list_handed_in().await.unwrap(), [], "it was not handed in");
    assert!(matches!(shop.approve().await, Err(PublishingError::Conflict(_))));

    assert_eq!(shop.publish(PublishAction::Review).await.unwrap(), NamespaceState::Active);
    assert_eq!(shop.services.list_handed_in().await.unwrap().len(), 1);
    let seen = shop.look().await.fingerprint();
    shop.services.reject_listing(&by(), shop.namespace, &seen, "too dear").await.unwrap();
    let rejected = shop.look().await;
    assert_eq!(
        (rejected.status, rejected.draft.rejected_because.as_deref()),
        (NamespaceState::Active, Some("too dear"))
    );
    assert_eq!(shop.price(("acme", "add")), 5_000_000);
    shop.publish(PublishAction::Review).await.unwrap();
    assert_eq!(shop.approve().await.unwrap(), NamespaceState::Active);
    let now = shop.look().await;
    assert_eq!((now.description.as_str(), now.tools[0].display_order), ("Adds more", 3));
    assert_eq!((shop.price(("acme", "add")), now.draft.is_empty()), (9_000_000, true));
    assert!(matches!(shop.publish(PublishAction::Review).await, Err(PublishingError::Conflict(_))), "nothing is new");

    shop.edit(&ListingEdit { description: text("No"), ..ListingEdit::default() }).await;
    shop.services.discard_draft(&by(), shop.acme, shop.namespace).await.unwrap();
    assert!(shop.look().await.draft.is_empty());
    for (action, count) in
        [("listing.submit", 3), ("listing.approve", 2), ("listing.reject", 1), ("listing.discard", 1)]
    {
        assert_eq!(shop.audit(action), count, "{action}");
    }
    shop.desk.verify();
}

async fn what_was_changed_since_is_not_approved(kind: Kind) {
    let shop = Shop::open(kind).await;
    shop.edit(&listing()).await;
    shop.publish(PublishAction::Review).await.unwrap();
    let seen = shop.look().await.fingerprint();
    shop.edit(&ListingEdit { description: text("Something else"), ..ListingEdit::default() }).await;
    let stale = shop.services.approve_listing(&by(), shop.namespace, &seen, None).await;
    assert!(matches!(stale, Err(PublishingError::Conflict(_))), "{stale:?}");
    let stale = shop.services.reject_listing(&by(), shop.namespace, &seen, "no").await;
    assert!(matches!(stale, Err(PublishingError::Conflict(_))), "{stale:?}");
    assert_eq!(shop.known(("acme", "add")).await, (false, true));
    assert_eq!(shop.publish(PublishAction::Draft).await.unwrap(), NamespaceState::Draft);
    assert!(matches!(shop.approve().await, Err(PublishingError::Conflict(_))), "it was taken back");
    shop.desk.verify();
}

/// The fields that are named by who refuses what is not complete.
fn incomplete<T: std::fmt::Debug>(refused: Result<T, PublishingError>) -> Vec<String> {
    let Err(PublishingError::Incomplete(faults)) = refused else { panic!("it was taken: {refused:?}") };
    faults.into_iter().map(|fault| fault.field).collect()
}

async fn a_price_that_waits_makes_sense_for_every_tool(kind: Kind) {
    let shop = Shop::in_public(kind).await;
    let count_units = async |tool: ToolId| {
        let units = ArgumentsChange {
            unit_fields: Some(vec!["n".to_owned()]),
            credits_per_unit: Some("2".to_owned()),
            ..ArgumentsChange::default()
        };
        let set = shop.services.set_tool_arguments(&by(), shop.acme, (shop.namespace, tool), &units).await;
        shop.desk.clock.advance_us(SECOND_US);
        set.unwrap()
    };
    count_units(shop.tool.id).await;
    let group = (shop.namespace, shop.look().await.groups[0].id);
    // It needs an estimate for tools that count no units; so far there is none of them.
    let returned = PricingSpec {
        pricing_mode: text("tool_returned"),
        returned_credit_cost_path: text("$.cost"),
        ..PricingSpec::default()
    };
    shop.services.set_group_pricing(&by(), shop.acme, group, &returned).await.unwrap();
    assert_eq!(shop.publish(PublishAction::Review).await.unwrap(), NamespaceState::Active);
    let sub = super::tool(&shop.services, shop.acme, shop.namespace, "sub").await;
    let named = ["tools.sub.estimated_max_credit_cost"];
    // Who reviews it is told, and nobody approves it; it is taken back, and not handed in again.
    let missing = shop.services.load_review("acme").await.unwrap().missing;
    assert_eq!(missing.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), named);
    assert_eq!(incomplete(shop.approve().await), named);
    assert_eq!(shop.publish(PublishAction::Draft).await.unwrap(), NamespaceState::Active);
    assert_eq!(incomplete(shop.publish(PublishAction::Review).await), named);
    assert_eq!(shop.price(("acme", "sub")), 5_000_000);

    // What makes no sense does not keep it in public: the tool keeps the price that it has.
    let set = shop.services.set_own_status(&by(), shop.acme, shop.namespace, OwnStatus::Draft).await;
    assert_eq!(set.unwrap().status, NamespaceState::Draft);
    shop.desk.clock.advance_us(SECOND_US);
    assert_eq!(shop.price(("acme", "sub")), 5_000_000);
    assert_eq!(incomplete(shop.publish(PublishAction::Review).await), named);
    // What has nothing to do with its price is changed all the same.
    shop.services.rename_tool(&by(), shop.acme, (shop.namespace, sub.id), "minus").await.unwrap();
    count_units(sub.id).await;
    assert_eq!(shop.publish(PublishAction::Review).await.unwrap(), NamespaceState::Review);
    assert_eq!(shop.approve().await.unwrap(), NamespaceState::Active);
    let priced = shop.look().await.tools;
    assert!(priced.iter().all(|tool| tool.pricing.as_ref().unwrap().contains("tool_returned")), "{priced:?}");
    shop.desk.verify();
}

async fn whoever_has_suspended_it_lets_it_go_on(kind: Kind) {
    let shop = Shop::in_public(kind).await;
    let set = async |status: OwnStatus| shop.services.set_own_status(&by(), shop.acme, shop.namespace, status).await;
    assert_eq!(set(OwnStatus::Suspended).await.unwrap().status, NamespaceState::Suspended);
    assert_eq!(shop.desk.number("SELECT count(*) FROM tool_document WHERE is_listed"), 0);
    assert!(matches!(shop.publish(PublishAction::Review).await, Err(PublishingError::Conflict(_))));
    assert_eq!(set(OwnStatus::Draft).await.unwrap().status, NamespaceState::Draft);
    assert_eq!(shop.known(("acme", "add")).await, (false, true), "it has to be approved again");
    // An operator's word counts for more.
    shop.services.set_namespace_suspended(&by(), shop.namespace, true, "a test").await.unwrap();
    for status in [OwnStatus::Draft, OwnStatus::Suspended] {
        let refused = set(status).await;
        assert!(matches!(refused, Err(PublishingError::Conflict(_))), "{refused:?}");
    }
    shop.services.set_namespace_suspended(&by(), shop.namespace, false, "a test").await.unwrap();
    set(OwnStatus::Suspended).await.unwrap();
    shop.services.set_namespace_suspended(&by(), shop.namespace, true, "a test").await.unwrap();
    assert!(matches!(set(OwnStatus::Draft).await, Err(PublishingError::Conflict(_))), "it is the operator's now");
    shop.desk.verify();
}
