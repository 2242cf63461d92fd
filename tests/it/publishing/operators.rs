//! What operators see of publishers, and how these hear of what was decided.

use std::collections::BTreeSet;

use engine::{
    catalog::{NamespaceState, Visibility},
    service::{
        catalog::{CatalogError, ToolFilter, ToolStanding, ToolTerms},
        outbox::MailTemplate,
        paging::PAGE_ROWS,
        publishing::{
            ArgumentsChange, CredentialInput, ListedListing, ListingEdit, ListingFilter, OwnStatus, PublishAction,
            PublishingError, ReviewQueue,
        },
    },
};
use secrecy::SecretString;

use super::{ALICE, Shop, by, field, namespace, reviews::listing};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    a_decision_is_mailed_with_its_reason,
    a_publisher_without_an_account_is_not_written_to,
    what_waits_is_listed_page_by_page,
    whoever_reviews_sees_the_server_and_no_secret,
    a_tool_says_by_whom_it_can_be_called,
    an_operator_keeps_hidden_what_a_publisher_hides,
}

impl Shop {
    /// To whom decisions were mailed, with what they say: what was decided, of what, and why.
    async fn mailed(&self) -> Vec<(String, [String; 3])> {
        let due = self.services.list_due_mail(self.desk.now_us()).await.unwrap();
        let decisions = due.into_iter().filter(|mail| mail.template == MailTemplate::ListingDecision);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        decisions
            .map(|mail| (mail.recipient, ["decided", "what", "reason"].map(|name| text(&mail.data[name]))))
            .collect()
    }

    async fn names(&self, wanted: ListingFilter) -> Vec<String> {
        let listed = self.services.list_listings(wanted, None).await.unwrap();
        assert_eq!(listed.next, None, "{wanted}");
        listed.rows.into_iter().map(|row| row.name).collect()
    }
}

fn told(decided: &str, what: &str, reason: &str) -> (String, [String; 3]) {
    (ALICE.to_owned(), [decided, what, reason].map(str::to_owned))
}

async fn a_decision_is_mailed_with_its_reason(kind: Kind) {
    let shop = Shop::open(kind).await;
    shop.edit(&listing()).await;
    shop.publish(PublishAction::Review).await.unwrap();
    let seen = shop.look().await.fingerprint();
    assert_eq!(shop.mailed().await, [], "handing in is no decision");
    let refused = shop.services.reject_listing(&by(), shop.namespace, "0000", "no").await;
    assert!(matches!(refused, Err(PublishingError::Conflict(_))), "{refused:?}");
    let refused = shop.services.reject_listing(&by(), shop.namespace, &seen, "two\nlines").await;
    assert_eq!(field(refused), "reason");
    let refused = shop.services.approve_listing(&by(), shop.namespace, &seen, Some("")).await;
    assert_eq!(field(refused), "reason");
    assert_eq!(shop.mailed().await, [], "nothing was decided");
    shop.services.reject_listing(&by(), shop.namespace, &seen, "no examples").await.unwrap();
    let rejected = told("rejected", "a new namespace", "no examples");
    assert_eq!(shop.mailed().await.as_slice(), std::slice::from_ref(&rejected));
    shop.desk.clock.advance_us(SECOND_US);

    shop.publish(PublishAction::Review).await.unwrap();
    let again = shop.look().await.fingerprint();
    assert_ne!(seen, again, "what was handed in anew was not looked at before");
    shop.services.approve_listing(&by(), shop.namespace, &again, Some("fine")).await.unwrap();
    let approved = told("approved", "a new namespace", "fine");
    assert_eq!(shop.mailed().await, [rejected.clone(), approved.clone()]);
    shop.desk.clock.advance_us(SECOND_US);
    shop.edit(&ListingEdit { description: Some("Adds more".to_owned()), ..ListingEdit::default() }).await;
    shop.publish(PublishAction::Review).await.unwrap();
    shop.approve().await.unwrap();
    let changes = told("approved", "changes of a namespace in public", "");
    assert_eq!(shop.mailed().await, [rejected, approved, changes]);
    for (action, reason) in [("listing.reject", "no examples"), ("listing.approve", "fine")] {
        let told = format!("SELECT count(*) FROM audit WHERE action = '{action}' AND reason = '{reason}'");
        assert_eq!(shop.desk.number(&told), 1, "{action}");
    }
    let addresses = "SELECT count(*) FROM audit WHERE action LIKE 'listing.%' \
                     AND coalesce(before_json, '') || coalesce(after_json, '') || coalesce(reason, '') LIKE '%alice@%'";
    assert_eq!(shop.desk.number(addresses), 0, "the trail is kept for ever");
    shop.desk.verify();
}

async fn a_publisher_without_an_account_is_not_written_to(kind: Kind) {
    let shop = Shop::in_public(kind).await;
    assert_eq!(shop.mailed().await.len(), 1);
    shop.desk.change("UPDATE publisher SET account_id = NULL").await;
    shop.edit(&ListingEdit { description: Some("Adds more".to_owned()), ..ListingEdit::default() }).await;
    shop.publish(PublishAction::Review).await.unwrap();
    assert_eq!(shop.approve().await.unwrap(), NamespaceState::Active);
    assert_eq!(shop.mailed().await.len(), 1, "there is nobody to write to");
}

async fn what_waits_is_listed_page_by_page(kind: Kind) {
    let shop = Shop::open(kind).await;
    for number in 0..PAGE_ROWS {
        namespace(&shop.services, shop.acme, &format!("more-{number}")).await;
        shop.desk.clock.advance_us(SECOND_US);
    }
    let first = shop.services.list_listings(ListingFilter::Draft, None).await.unwrap();
    let after = first.next.as_ref().expect("another page").parse().unwrap();
    let second = shop.services.list_listings(ListingFilter::Draft, Some(after)).await.unwrap();
    let names = |rows: &[ListedListing]| rows.iter().map(|row| row.name.clone()).collect::<BTreeSet<_>>();
    assert_eq!((first.rows.len(), second.rows.len(), second.next), (50, 1, None));
    assert!(names(&first.rows).is_disjoint(&names(&second.rows)), "the oldest is on the last page");
    assert_eq!(shop.services.load_review_queue().await.unwrap(), ReviewQueue::default());

    // Nothing that somebody types is taken for the mark of what was handed in.
    let edit = ListingEdit { description: Some(r#"{"submitted":true}"#.to_owned()), ..listing() };
    shop.edit(&edit).await;
    assert_eq!(shop.names(ListingFilter::Waiting).await, [""; 0]);
    let (queued, now_us) = (shop.services.load_review_queue(), shop.desk.now_us());
    assert_eq!(queued.await.unwrap().waiting.count, 0);
    shop.publish(PublishAction::Review).await.unwrap();
    let queue = shop.services.load_review_queue().await.unwrap();
    assert_eq!((queue.waiting.count, queue.oldest_us), (1, Some(now_us)));
    let waiting = shop.services.list_listings(ListingFilter::Waiting, None).await.unwrap().rows;
    let [row] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!((row.name.as_str(), row.publisher_name.as_str(), row.status), ("acme", "Acme", NamespaceState::Review));
    assert_eq!((row.is_waiting, row.submitted_us), (true, Some(now_us)));
    // Handed in once more it is what it was.
    shop.publish(PublishAction::Review).await.unwrap();
    assert_eq!(shop.services.load_review_queue().await.unwrap(), queue);
    assert_eq!(shop.names(ListingFilter::New).await, ["acme"]);
    assert_eq!(shop.names(ListingFilter::Changes).await, [""; 0]);

    shop.approve().await.unwrap();
    assert_eq!(shop.names(ListingFilter::Waiting).await, [""; 0]);
    assert_eq!(shop.names(ListingFilter::Active).await, ["acme"]);
    shop.edit(&edit).await;
    assert_eq!(shop.names(ListingFilter::Changes).await, [""; 0], "it was not handed in");
    shop.publish(PublishAction::Review).await.unwrap();
    assert_eq!(shop.names(ListingFilter::Changes).await, ["acme"]);
    assert_eq!(shop.names(ListingFilter::New).await, [""; 0]);
    shop.publish(PublishAction::Draft).await.unwrap();
    assert_eq!(shop.services.load_review_queue().await.unwrap(), ReviewQueue::default(), "it was taken back");
    shop.publish(PublishAction::Review).await.unwrap();
    shop.services.set_own_status(&by(), shop.acme, shop.namespace, OwnStatus::Suspended).await.unwrap();
    assert_eq!(shop.names(ListingFilter::Suspended).await, ["acme"]);
    assert_eq!(shop.names(ListingFilter::Waiting).await, [""; 0], "nobody approves what is stopped");
    let any = shop.services.list_listings(ListingFilter::Any, None).await.unwrap();
    assert!(any.rows.len() == 50 && any.next.is_some());
}

async fn whoever_reviews_sees_the_server_and_no_secret(kind: Kind) {
    let shop = Shop::open(kind).await;
    let review = shop.services.load_review("acme").await.unwrap();
    let missing: Vec<&str> = review.missing.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(missing, ["listing_name", "description", "category", "tags"]);
    let server = review.facts.connection.expect("a server");
    assert_eq!(server.shown_url(), "https://upstream.example/api", "what stands in the query may be a secret");
    assert!(!review.facts.credential.is_set);
    let credential = CredentialInput {
        secret: SecretString::from("hunter2"),
        name: "X-Key".to_owned(),
        place: engine::catalog::CredentialPlace::Header,
        note: None,
    };
    shop.services.set_connection_credential(&by(), shop.acme, server.id, &credential).await.unwrap();
    let arguments =
        ArgumentsChange { static_args: Some(r#"{"key":"s3cret"}"#.to_owned()), ..ArgumentsChange::default() };
    shop.services.set_tool_arguments(&by(), shop.acme, (shop.namespace, shop.tool.id), &arguments).await.unwrap();
    shop.edit(&listing()).await;
    let review = shop.services.load_review(&shop.namespace.to_string()).await.unwrap();
    assert_eq!(review.missing, []);
    let facts = shop.services.load_listing_facts(shop.namespace).await.unwrap();
    for credential in [&review.facts.credential, &facts.credential] {
        assert!(credential.is_set && !credential.is_own, "{credential:?}");
        assert_eq!(credential.name.as_deref(), Some("X-Key"));
    }
    assert_eq!((facts.shown.groups.len(), facts.shown.tools.len()), (1, 0));
    let offer = shop.services.load_tool_offer(shop.tool.id).await.unwrap();
    assert_eq!(offer.static_args, ["key"]);
    assert_eq!(offer.request, Some(("POST".to_owned(), "/add".to_owned())));
    assert_eq!(offer.group.as_ref().map(|(_, name)| name.as_str()), Some("Default"));
    let shown = format!("{offer:?}{:?}", review.facts.credential);
    assert!(!shown.contains("s3cret") && !shown.contains("hunter2"), "{shown}");
    let nobody = shop.services.load_review("nobody").await;
    assert!(matches!(nobody, Err(PublishingError::NotFound(_))), "{nobody:?}");
}

async fn a_tool_says_by_whom_it_can_be_called(kind: Kind) {
    let shop = Shop::open(kind).await;
    let standing = async || {
        let wanted = ToolFilter { namespace: "acme".to_owned(), ..ToolFilter::default() };
        shop.services.list_tools(&wanted, None).await.unwrap().rows[0].standing()
    };
    assert_eq!(standing().await, ToolStanding::Unapproved);
    shop.edit(&listing()).await;
    shop.publish(PublishAction::Review).await.unwrap();
    assert_eq!(standing().await, ToolStanding::Unapproved);
    shop.approve().await.unwrap();
    assert_eq!(standing().await, ToolStanding::Active);
    let tool = (shop.namespace, shop.tool.id);
    shop.services.set_tool_visibility(&by(), shop.acme, tool, Visibility::Private).await.unwrap();
    assert_eq!(standing().await, ToolStanding::Private);
    let found = shop.services.find_tool(shop.tool.id).await.unwrap().unwrap();
    assert_eq!(found.profile.standing(), ToolStanding::Private);
    shop.services.set_own_status(&by(), shop.acme, shop.namespace, OwnStatus::Suspended).await.unwrap();
    assert_eq!(standing().await, ToolStanding::NamespaceSuspended);
    let seen = shop.services.find_namespace("acme").await.unwrap().unwrap();
    assert_eq!((seen.status, seen.state()), (NamespaceState::Active, NamespaceState::Suspended));
}

async fn an_operator_keeps_hidden_what_a_publisher_hides(kind: Kind) {
    let shop = Shop::open(kind).await;
    let set = ArgumentsChange { static_args: Some(r#"{"n": 3}"#.to_owned()), ..ArgumentsChange::default() };
    shop.services.set_tool_arguments(&by(), shop.acme, (shop.namespace, shop.tool.id), &set).await.unwrap();
    let seen = shop.services.find_tool(shop.tool.id).await.unwrap().unwrap().terms;
    for input_schema in [
        r#"{"properties":{"n":{}},"anyOf":[{"required":["n"]}]}"#,
        // Without `n` there would be nothing that this refers to.
        r##"{"properties":{"n":{},"q":{"$ref":"#/properties/n"}}}"##,
    ] {
        let new = ToolTerms { input_schema: input_schema.to_owned(), ..seen.clone() };
        let refused = shop.services.change_tool(&by(), shop.tool.id, &seen.fingerprint(), &new, "a test").await;
        assert!(matches!(refused, Err(CatalogError::Field { field: "input_schema", .. })), "{refused:?}");
    }
    let new = ToolTerms { input_schema: r#"{"properties":{"n":{},"q":{}}}"#.to_owned(), ..seen.clone() };
    shop.services.change_tool(&by(), shop.tool.id, &seen.fingerprint(), &new, "a test").await.unwrap();
    let snapshot = shop.services.snapshot();
    assert_eq!(&*snapshot.find_offer("acme", "add").unwrap().tool.input_schema_text, r#"{"properties":{"q":{}}}"#);
    shop.desk.verify();
}
