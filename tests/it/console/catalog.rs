//! The part `catalog` of the console: publishers, namespaces and tools are added, changed and stopped.

mod switches;

use engine::{
    audit::{Action, OpContext},
    catalog::Topics,
    credits::Credits,
    id::{InvocationId, NamespaceId, PublisherId, RequestId, ToolId},
    invocation::{CallRecord, CallState},
    limits::TAGS_MAX,
    pricing::PricingSpec,
    service::{
        Services,
        catalog::{
            CatalogError, DeclaredCatalog, DeclaredPartner, Making, NamespaceTerms, NewNamespace, NewPublisher,
            NewTool, PublisherChange, PublisherFilter, ToolFilter, ToolStanding, ToolTerms,
        },
        paging::PAGE_ROWS,
    },
    store::Ledger,
    testing::{call_end, running_call},
};

use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both, post};

on_both! {
    what_operators_add_is_offered_and_stated_and_told,
    a_form_that_is_sent_twice_makes_one_thing,
    what_cannot_be_added_is_refused_and_leaves_nothing,
    a_share_is_changed_only_by_who_has_seen_it,
    a_tool_is_changed_only_by_who_has_seen_it,
    a_namespace_is_changed_only_by_who_has_seen_it,
    lists_go_on_behind_their_last_row_and_are_narrowed,
    earnings_are_what_payouts_pay,
}

pub(super) fn by() -> OpContext {
    OpContext::system()
}

pub(super) fn fixed(credits: &str) -> PricingSpec {
    PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some(credits.to_owned()),
        ..PricingSpec::default()
    }
}

pub(super) fn terms() -> ToolTerms {
    ToolTerms {
        short_description: "Adds a note".to_owned(),
        long_description: "Line one.\nLine two.".to_owned(),
        topics: Topics { category: Some("Notes".to_owned()), tags: vec!["notes".to_owned(), "to do".to_owned()] },
        input_schema: r#"{"type":"object"}"#.to_owned(),
        is_unverified_ok: false,
        method: "POST".to_owned(),
        url: "https://upstream.example/add?key=secret".to_owned(),
        timeout_ms: 1_000,
    }
}

/// What of a namespace can be changed, with this description.
pub(super) fn about(description: &str) -> NamespaceTerms {
    NamespaceTerms { description: description.to_owned(), ..NamespaceTerms::default() }
}

fn category(text: &str) -> Topics {
    Topics { category: Some(text.to_owned()), tags: Vec::new() }
}

fn tags(words: &[&str]) -> Topics {
    Topics { category: None, tags: words.iter().map(|word| (*word).to_owned()).collect() }
}

pub(super) const fn because(key: Option<RequestId>) -> Making<'static> {
    Making { reason: "a test", key }
}

/// A desk whose books say everything, and its services.
pub(super) async fn house(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    services.complete_facts().await.unwrap();
    (desk, services)
}

/// A publisher `acme` with 80 % and a namespace of the same name.
async fn seller(services: &Services) -> (PublisherId, NamespaceId) {
    let new = NewPublisher { slug: "acme", display_name: "Acme", share_bps: 8_000 };
    let publisher = services.create_publisher(&by(), &new, because(None)).await.unwrap();
    let new = NewNamespace { publisher, name: "acme", terms: &about("Notes") };
    (publisher, services.create_namespace(&by(), &new, because(None)).await.unwrap())
}

/// The tool `name` in a namespace, for so many credits a call.
pub(super) async fn add_tool(services: &Services, namespace: NamespaceId, name: &str, credits: &str) -> ToolId {
    let (terms, pricing) = (terms(), fixed(credits));
    let new = NewTool { namespace, name, terms: &terms, pricing: &pricing };
    services.create_tool(&by(), &new, because(None)).await.unwrap()
}

/// A publisher with a namespace and the tool `acme/add`, which costs 5.
pub(super) async fn shop(kind: Kind) -> (Desk, Services, ToolId) {
    let (desk, services) = house(kind).await;
    let (_, namespace) = seller(&services).await;
    let tool = add_tool(&services, namespace, "add", "5").await;
    desk.clock.advance_us(SECOND_US);
    (desk, services, tool)
}

/// A call of `tool` that has ended.
pub(super) async fn record_call(desk: &Desk, tool: ToolId, state: CallState, charged: i64) {
    let id = InvocationId::from(desk.fresh().uuid());
    let mut end = call_end(state);
    end.charged = Credits::from_micros(charged);
    let call = CallRecord {
        tool: Some(tool),
        state,
        end: Some(end),
        ..(*running_call(id, None, None, desk.now_us())).clone()
    };
    desk.ledger().record(call.into()).await.unwrap();
    desk.ledger().tick().await.unwrap();
}

fn count_audit(desk: &Desk, action: Action) -> i64 {
    desk.number(&format!("SELECT count(*) FROM audit WHERE action = '{}'", action.as_str()))
}

/// How many rows the catalog and the trail have.
fn counts(desk: &Desk) -> Vec<i64> {
    let tables = ["publisher", "namespace", "tool", "price_version", "ledger_account", "audit", "txn"];
    tables.map(|table| desk.number(&format!("SELECT count(*) FROM {table}"))).into()
}

async fn what_operators_add_is_offered_and_stated_and_told(kind: Kind) {
    let (desk, here) = house(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let (publisher, namespace) = seller(&here).await;
    let tool = add_tool(&here, namespace, "add", "5").await;
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        let snapshot = server.snapshot();
        let offer = snapshot.find_offer("acme", "add").unwrap();
        let seller = offer.seller.as_ref().unwrap();
        assert_eq!((offer.tool.id, seller.publisher.id, seller.publisher.share_bps), (tool, publisher, 8_000));
        assert!(offer.tool.prices.in_force_at(desk.now_us()).is_some());
    }
    for (action, object) in [
        (Action::PublisherCreate, publisher.to_string()),
        (Action::NamespaceCreate, namespace.to_string()),
        (Action::ToolCreate, tool.to_string()),
    ] {
        let word = action.as_str();
        let rows = desk.rows(&format!("SELECT object_id, reason, after_json FROM audit WHERE action = '{word}'"));
        assert_eq!(rows.len(), 1, "{word}");
        assert_eq!((&rows[0][0], rows[0][1].as_str()), (&object, "a test"));
        assert!(!rows[0][2].contains("secret"), "{}", rows[0][2]);
    }
    assert_eq!(desk.number("SELECT count(*) FROM audit"), 3, "one entry for each");
    let detail = here.find_tool(tool).await.unwrap().unwrap();
    assert_eq!((detail.profile.path().as_str(), detail.profile.standing()), ("acme/add", ToolStanding::Active));
    assert_eq!(detail.terms, terms());
    assert_eq!(detail.terms.shown_url(), "https://upstream.example/add");
    assert_eq!(here.find_publisher("acme").await.unwrap().unwrap().id, publisher);
    assert_eq!(here.find_publisher(&publisher.to_string()).await.unwrap().unwrap().slug, "acme");
    assert_eq!(here.find_namespace("acme").await.unwrap().unwrap().id, namespace);
    // What happened to it, by whichever name.
    let names = [("tool", tool.to_string()), ("tool", "acme/add".to_owned()), ("publisher", publisher.to_string())];
    let (events, has_more) = here.list_events(&names, 20).await.unwrap();
    assert_eq!((events.len(), has_more), (2, false));
    assert!(here.list_events(&names, 1).await.unwrap().1);
    desk.verify();
}

async fn a_form_that_is_sent_twice_makes_one_thing(kind: Kind) {
    let (desk, services) = house(kind).await;
    let key = || Some(RequestId::new(&*desk.ids, desk.now_us()));
    let (first, second, third) = (key(), key(), key());
    let new = NewPublisher { slug: "acme", display_name: "Acme", share_bps: 8_000 };
    let publisher = services.create_publisher(&by(), &new, because(first)).await.unwrap();
    assert_eq!(services.create_publisher(&by(), &new, because(first)).await.unwrap(), publisher);
    let other = NewPublisher { slug: "other", ..new };
    let refused = services.create_publisher(&by(), &other, because(first)).await;
    assert!(matches!(refused, Err(CatalogError::KeyReused)), "{refused:?}");
    let new = NewNamespace { publisher, name: "notes", terms: &about("") };
    let namespace = services.create_namespace(&by(), &new, because(second)).await.unwrap();
    assert_eq!(services.create_namespace(&by(), &new, because(second)).await.unwrap(), namespace);
    let (terms, pricing) = (terms(), fixed("0"));
    let new = NewTool { namespace, name: "add", terms: &terms, pricing: &pricing };
    let tool = services.create_tool(&by(), &new, because(third)).await.unwrap();
    assert_eq!(services.create_tool(&by(), &new, because(third)).await.unwrap(), tool);
    let other = NewTool { name: "other", ..new };
    let refused = services.create_tool(&by(), &other, because(third)).await;
    assert!(matches!(refused, Err(CatalogError::KeyReused)), "{refused:?}");
    assert_eq!(counts(&desk)[..4], [1, 1, 1, 1]);
    assert_eq!(desk.number("SELECT count(*) FROM audit"), 3);
    desk.verify();
}

async fn what_cannot_be_added_is_refused_and_leaves_nothing(kind: Kind) {
    let (desk, services, _tool) = shop(kind).await;
    let catalog = DeclaredCatalog {
        partners: vec![DeclaredPartner {
            name: "Globex".to_owned(),
            margin_bps: 1_500,
            funding: None,
            grant: Credits::ZERO,
            tokens: Vec::new(),
            caps: Vec::new(),
            fingerprint: "1".to_owned(),
        }],
        ..DeclaredCatalog::default()
    };
    services.import(&by(), &catalog).await.unwrap();
    let publisher = services.find_publisher("acme").await.unwrap().unwrap().id;
    let namespace = services.find_namespace("acme").await.unwrap().unwrap().id;
    let before = counts(&desk);
    let field = |error: CatalogError| match error {
        CatalogError::Field { field, .. } | CatalogError::Taken { field, .. } => field,
        CatalogError::Price(error) => error.field(),
        error => panic!("{error}"),
    };
    for (slug, display_name, share_bps, wrong) in [
        ("Acme", "Acme", 8_000, "slug"),
        ("acme", "Acme", 8_000, "slug"),
        ("new", "", 8_000, "display_name"),
        ("new", "two\nlines", 8_000, "display_name"),
        ("new", "New", 10_001, "share_bps"),
        // With the partner's margin it would be more than the whole.
        ("new", "New", 8_501, "share_bps"),
    ] {
        let new = NewPublisher { slug, display_name, share_bps };
        let refused = services.create_publisher(&by(), &new, because(None)).await.unwrap_err();
        assert_eq!(field(refused), wrong, "{slug} {display_name} {share_bps}");
    }
    for name in ["a", "acme"] {
        let new = NewNamespace { publisher, name, terms: &about("") };
        assert_eq!(field(services.create_namespace(&by(), &new, because(None)).await.unwrap_err()), "name");
    }
    for (terms, wrong) in [
        (NamespaceTerms { listing_name: Some("a\nb".to_owned()), ..about("") }, "listing_name"),
        (NamespaceTerms { topics: category(" "), ..about("") }, "category"),
        (NamespaceTerms { topics: tags(&[""]), ..about("") }, "tags"),
        (about(&"x".repeat(20_001)), "description"),
    ] {
        let new = NewNamespace { publisher, name: "new", terms: &terms };
        assert_eq!(field(services.create_namespace(&by(), &new, because(None)).await.unwrap_err()), wrong);
    }
    let nobody = NewNamespace { publisher: PublisherId::from(namespace.uuid()), name: "new", terms: &about("") };
    let refused = services.create_namespace(&by(), &nobody, because(None)).await;
    assert!(matches!(refused, Err(CatalogError::NotFound("publisher"))), "{refused:?}");
    for (name, change, credits, wrong) in [
        ("..", None, "5", "name"),
        ("add", None, "5", "name"),
        ("new", Some(ToolTerms { input_schema: "[]".to_owned(), ..terms() }), "5", "input_schema"),
        ("new", Some(ToolTerms { input_schema: r#"{"type":"x"}"#.to_owned(), ..terms() }), "5", "input_schema"),
        ("new", Some(ToolTerms { method: "TRACE".to_owned(), ..terms() }), "5", "method"),
        ("new", Some(ToolTerms { url: "ftp://x.example".to_owned(), ..terms() }), "5", "url"),
        ("new", Some(ToolTerms { url: "https://u:p@x.example".to_owned(), ..terms() }), "5", "url"),
        ("new", Some(ToolTerms { timeout_ms: 0, ..terms() }), "5", "timeout_ms"),
        ("new", Some(ToolTerms { timeout_ms: 600_001, ..terms() }), "5", "timeout_ms"),
        ("new", Some(ToolTerms { short_description: "a\nb".to_owned(), ..terms() }), "5", "short_description"),
        ("new", Some(ToolTerms { topics: category("a\nb"), ..terms() }), "5", "category"),
        ("new", Some(ToolTerms { topics: tags(&["a", "two\nlines"]), ..terms() }), "5", "tags"),
        ("new", Some(ToolTerms { topics: tags(&["a"; TAGS_MAX + 1]), ..terms() }), "5", "tags"),
        ("new", Some(ToolTerms { is_unverified_ok: true, ..terms() }), "5", "tier"),
        ("new", None, "-1", "fixed_credit_cost"),
    ] {
        let (terms, pricing) = (change.unwrap_or_else(terms), fixed(credits));
        let new = NewTool { namespace, name, terms: &terms, pricing: &pricing };
        let refused = services.create_tool(&by(), &new, because(None)).await.unwrap_err();
        assert_eq!(field(refused), wrong, "{name} {terms:?} {credits}");
    }
    let new = NewPublisher { slug: "new", display_name: "New", share_bps: 8_500 };
    let silent = services.create_publisher(&by(), &new, Making { reason: " ", key: None }).await;
    assert!(matches!(silent, Err(CatalogError::Reason)), "{silent:?}");
    assert_eq!(counts(&desk), before);
    services.create_publisher(&by(), &new, because(None)).await.unwrap();
    desk.verify();
}

async fn a_share_is_changed_only_by_who_has_seen_it(kind: Kind) {
    let (desk, services, _tool) = shop(kind).await;
    let id = services.find_publisher("acme").await.unwrap().unwrap().id;
    let terms = |name: &str, share_bps| PublisherChange { display_name: name.to_owned(), share_bps };
    let (seen, new) = (terms("Acme", 8_000), terms("Acme Ltd.", 7_500));
    services.change_publisher(&by(), id, &seen, &new, "a new contract").await.unwrap();
    let share = services.snapshot().find_offer("acme", "add").unwrap().seller.as_ref().unwrap().publisher.share_bps;
    assert_eq!(share, 7_500, "at once in this process");
    let again = services.change_publisher(&by(), id, &seen, &new, "a new contract").await;
    assert!(matches!(again, Err(CatalogError::Unchanged)), "{again:?}");
    let stale = services.change_publisher(&by(), id, &seen, &terms("Acme", 9_000), "a new contract").await;
    assert!(matches!(stale, Err(CatalogError::Stale)), "{stale:?}");
    let above = services.change_publisher(&by(), id, &new, &terms("Acme", 10_001), "a new contract").await;
    assert!(matches!(above, Err(CatalogError::Field { field: "share_bps", .. })), "{above:?}");
    let rows = desk.rows("SELECT before_json, after_json, reason FROM audit WHERE action = 'publisher.change'");
    assert_eq!(rows.len(), 1);
    assert!(rows[0][0].contains("8000") && rows[0][1].contains("7500") && rows[0][2] == "a new contract");
    // The books know both shares: a row that was changed past them would be found.
    desk.verify();
}

async fn a_tool_is_changed_only_by_who_has_seen_it(kind: Kind) {
    let (desk, services, tool) = shop(kind).await;
    let seen = terms().fingerprint();
    let new = ToolTerms {
        input_schema: r#"{"type":"object","required":["text"]}"#.to_owned(),
        timeout_ms: 2_000,
        url: "HTTPS://Upstream.Example/add".to_owned(),
        ..terms()
    };
    services.change_tool(&by(), tool, &seen, &new, "it takes a text").await.unwrap();
    let stored = services.find_tool(tool).await.unwrap().unwrap().terms;
    assert_eq!(stored, ToolTerms { url: "https://upstream.example/add".to_owned(), ..new.clone() });
    let again = services.change_tool(&by(), tool, &seen, &new, "it takes a text").await;
    assert!(matches!(again, Err(CatalogError::Unchanged)), "{again:?}");
    let stale = services.change_tool(&by(), tool, &seen, &terms(), "back again").await;
    assert!(matches!(stale, Err(CatalogError::Stale)), "{stale:?}");
    let open = ToolTerms { is_unverified_ok: true, ..stored.clone() };
    let refused = services.change_tool(&by(), tool, &stored.fingerprint(), &open, "for everybody").await;
    assert!(matches!(refused, Err(CatalogError::Field { field: "tier", .. })), "it costs 5: {refused:?}");
    let snapshot = services.snapshot();
    let offer = snapshot.find_offer("acme", "add").unwrap();
    assert_eq!(offer.tool.input_schema_text.as_ref(), new.input_schema);
    assert_eq!(count_audit(&desk, Action::ToolChange), 1);
    desk.verify();
}

async fn a_namespace_is_changed_only_by_who_has_seen_it(kind: Kind) {
    let (desk, here, _tool) = shop(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let found = here.find_namespace("acme").await.unwrap().unwrap();
    assert_eq!(found.terms, about("Notes"));
    let seen = found.terms.fingerprint();
    let new = NamespaceTerms {
        listing_name: Some("Acme's notes".to_owned()),
        description: "Everything noted".to_owned(),
        topics: Topics { category: Some("Office".to_owned()), ..tags(&["notes", "a, b"]) },
    };
    here.change_namespace(&by(), found.id, &seen, &new, "a listing").await.unwrap();
    assert_eq!(here.find_namespace("acme").await.unwrap().unwrap().terms, new);
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        let snapshot = server.snapshot();
        let listing = &snapshot.find_offer("acme", "add").unwrap().seller.as_ref().unwrap().namespace.listing;
        let shown = (listing.name.as_deref(), listing.description.as_str(), &listing.topics);
        assert_eq!(shown, (Some("Acme's notes"), "Everything noted", &new.topics));
    }
    let again = here.change_namespace(&by(), found.id, &seen, &new, "a listing").await;
    assert!(matches!(again, Err(CatalogError::Unchanged)), "{again:?}");
    let stale = here.change_namespace(&by(), found.id, &seen, &about("Notes"), "back again").await;
    assert!(matches!(stale, Err(CatalogError::Stale)), "{stale:?}");
    let broken = NamespaceTerms { topics: category("a\nb"), ..new.clone() };
    let refused = here.change_namespace(&by(), found.id, &new.fingerprint(), &broken, "a listing").await;
    assert!(matches!(refused, Err(CatalogError::Field { field: "category", .. })), "{refused:?}");
    let silent = here.change_namespace(&by(), found.id, &new.fingerprint(), &about(""), " ").await;
    assert!(matches!(silent, Err(CatalogError::Reason)), "{silent:?}");
    let nobody = NamespaceId::from(desk.fresh().uuid());
    let missing = here.change_namespace(&by(), nobody, &seen, &about(""), "a listing").await;
    assert!(matches!(missing, Err(CatalogError::NotFound("namespace"))), "{missing:?}");
    let rows = desk.rows("SELECT before_json, after_json, reason FROM audit WHERE action = 'namespace.change'");
    assert_eq!(rows.len(), 1);
    assert!(rows[0][0].contains("Notes") && rows[0][1].contains("a, b") && rows[0][2] == "a listing", "{rows:?}");
    desk.verify();
}

async fn lists_go_on_behind_their_last_row_and_are_narrowed(kind: Kind) {
    let (desk, services, _tool) = shop(kind).await;
    let (first, namespace) = {
        let publisher = services.find_publisher("acme").await.unwrap().unwrap().id;
        (publisher, services.find_namespace("acme").await.unwrap().unwrap().id)
    };
    let count = usize::try_from(PAGE_ROWS).unwrap() + 5;
    for number in 0..count {
        desk.clock.advance_us(SECOND_US);
        let (slug, name) = (format!("p{number:03}"), format!("100%_{number:03}"));
        let new = NewPublisher { slug: &slug, display_name: &name, share_bps: 1 };
        services.create_publisher(&by(), &new, because(None)).await.unwrap();
        let new = NewNamespace { publisher: first, name: &format!("n{number:03}"), terms: &about("") };
        services.create_namespace(&by(), &new, because(None)).await.unwrap();
        add_tool(&services, namespace, &format!("t{number:03}"), "0").await;
    }
    let place = |next: &Option<String>| next.as_ref().map(|next| next.parse().unwrap());
    let everybody = PublisherFilter::default();
    let page = services.list_publishers(&everybody, None).await.unwrap();
    let rest = services.list_publishers(&everybody, place(&page.next)).await.unwrap();
    assert_eq!((page.rows.len(), rest.rows.len(), rest.next), (count - 5, 6, None));
    assert_eq!((page.rows[0].slug.as_str(), rest.rows[5].slug.as_str()), ("p054", "acme"), "the newest first");
    for (name, found) in [("p05", 5), ("100%_00", 10), ("100%_", 55), ("1000", 0), ("ACM", 1), ("_", 0), ("%", 0)] {
        let filter = PublisherFilter { name: name.to_owned(), is_suspended: Some(false) };
        let page = services.list_publishers(&filter, None).await.unwrap();
        let rest = services.list_publishers(&filter, place(&page.next)).await.unwrap();
        let rest = if page.next.is_some() { rest.rows.len() } else { 0 };
        assert_eq!(page.rows.len() + rest, found, "{name}");
    }
    let suspended = PublisherFilter { is_suspended: Some(true), ..everybody };
    assert_eq!(services.list_publishers(&suspended, None).await.unwrap().rows, []);
    let page = services.list_namespaces(first, None).await.unwrap();
    let rest = services.list_namespaces(first, place(&page.next)).await.unwrap();
    assert_eq!((page.rows.len(), rest.rows.len()), (count - 5, 6));
    for (filter, found) in [
        (ToolFilter { name: "t00".to_owned(), ..ToolFilter::default() }, 10),
        (ToolFilter { name: "add".to_owned(), namespace: "acme".to_owned(), ..ToolFilter::default() }, 1),
        (ToolFilter { name: "ADD".to_owned(), ..ToolFilter::default() }, 1),
        (ToolFilter { namespace: "n001".to_owned(), ..ToolFilter::default() }, 0),
        (ToolFilter { namespace: "nobody".to_owned(), ..ToolFilter::default() }, 0),
        (ToolFilter { publisher: Some(first), name: "t05".to_owned(), ..ToolFilter::default() }, 5),
        (ToolFilter { is_disabled: Some(true), ..ToolFilter::default() }, 0),
    ] {
        assert_eq!(services.list_tools(&filter, None).await.unwrap().rows.len(), found, "{filter:?}");
    }
    let page = services.list_tools(&ToolFilter::default(), None).await.unwrap();
    let rest = services.list_tools(&ToolFilter::default(), place(&page.next)).await.unwrap();
    assert_eq!((page.rows.len(), rest.rows.len()), (count - 5, 6));
    assert_eq!(rest.rows[5].path(), "acme/add");
}

async fn earnings_are_what_payouts_pay(kind: Kind) {
    let (desk, services, _tool) = shop(kind).await;
    let publisher = services.find_publisher("acme").await.unwrap().unwrap();
    let earning = post(desk.fresh(), &[(engine::ledger::LedgerAccountId::OPENING, publisher.payable, 7_000_000)]);
    desk.ask(engine::store::writer::Command::Post(earning)).await.unwrap();
    let earned = services.load_earnings(&publisher).await.unwrap();
    assert_eq!((earned.payable.micros(), earned.owed.micros(), earned.received.micros()), (7_000_000, 0, 7_000_000));
    let payee = services.find_payee("acme").await.unwrap();
    let note = engine::service::movements::Note { reason: "a test", key: None };
    services.pay_out(&by(), &payee, Some(Credits::from_micros(3_000_000)), note).await.unwrap();
    let earned = services.load_earnings(&publisher).await.unwrap();
    assert_eq!((earned.payable.micros(), earned.received.micros()), (4_000_000, 7_000_000));
    desk.verify();
}
