use engine::{
    catalog::{NamespaceState, Visibility},
    id::{NamespaceId, PublisherId, ToolGroupId, ToolId, uuid_v7},
    service::publishing::{
        CredentialView, ListingDraft, ListingEdit, ListingFacts, OwnGroup, OwnNamespace, OwnTool, Review, ToolListing,
        ToolUnits,
    },
};

use super::*;

fn fixed(credits: &str) -> String {
    format!(r#"{{"pricing_mode":"fixed_per_request","fixed_credit_cost":"{credits}"}}"#)
}

fn id(number: u8) -> uuid::Uuid {
    uuid_v7(1, [number; 10])
}

fn tool() -> OwnTool {
    OwnTool {
        id: ToolId::from(id(1)),
        name: "add".to_owned(),
        visibility: Visibility::Public,
        staged_visibility: None,
        is_disabled: false,
        short_description: "Adds".to_owned(),
        long_description: String::new(),
        input_schema: "{}".to_owned(),
        public_schema: "{}".to_owned(),
        example_prompts: Vec::new(),
        display_order: 0,
        group: Some(ToolGroupId::from(id(2))),
        mcp_tool: None,
        rest: None,
        static_args: None,
        default_args: None,
        units: ToolUnits::default(),
        pricing: Some(fixed("5")),
        staged_pricing: None,
    }
}

fn review() -> Review {
    let group = OwnGroup {
        id: ToolGroupId::from(id(2)),
        name: "Default".to_owned(),
        description: String::new(),
        sort_order: 0,
        is_default: true,
        pricing: fixed("5"),
        staged_pricing: None,
    };
    let shown = OwnNamespace {
        id: NamespaceId::from(id(3)),
        name: "acme".to_owned(),
        publisher: PublisherId::from(id(4)),
        connection: None,
        status: NamespaceState::Active,
        is_stopped: false,
        listing_name: Some("Acme".to_owned()),
        description: "Adds".to_owned(),
        category: None,
        tags: vec!["numbers".to_owned()],
        icon: None,
        readme_source_url: None,
        readme_content: None,
        draft: ListingDraft::default(),
        tools: vec![tool()],
        groups: vec![group],
        created_us: 1,
    };
    let facts = ListingFacts { shown, connection: None, credential: CredentialView::default() };
    Review { facts, missing: Vec::new() }
}

fn written(lines: &[DiffLine]) -> Vec<String> {
    lines.iter().map(|line| format!("{} {}", line.mark, line.text)).collect()
}

#[test]
fn what_is_public_stands_beside_what_it_is_to_become() {
    let mut review = review();
    assert_eq!(differences(&review.facts.shown), []);
    let shown = &mut review.facts.shown;
    let listing = ToolListing {
        example_prompts: Some(vec!["Add 1".to_owned()]),
        long_description: Some("At length".to_owned()),
        ..ToolListing::default()
    };
    shown.draft.edit = ListingEdit {
        description: Some("Adds more".to_owned()),
        tools: vec![(shown.tools[0].id, listing)],
        ..ListingEdit::default()
    };
    shown.groups[0].staged_pricing = Some(fixed("9"));
    shown.tools[0].staged_pricing = Some(fixed("9"));
    shown.tools[0].visibility = Visibility::Private;
    shown.tools[0].staged_visibility = Some(Visibility::Public);
    let lines = written(&differences(shown));
    for wanted in ["Adds more", "Add 1", "At length", "everybody", "9"] {
        assert!(lines.iter().any(|line| line.starts_with('+') && line.contains(wanted)), "{wanted}: {lines:?}");
    }
    assert!(lines.iter().any(|line| line.starts_with('-') && line.contains('5')), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("Acme")), "what stays is left out: {lines:?}");
    // Of what nobody knows of nothing is different.
    shown.status = NamespaceState::Review;
    assert_eq!(differences(shown), []);
}

#[test]
fn a_price_rises_where_it_is_in_public_and_some_call_may_cost_more() {
    let mut shown = review().facts.shown;
    for (next, status, expected) in [
        (None, NamespaceState::Active, false),
        (Some("9"), NamespaceState::Active, true),
        (Some("4"), NamespaceState::Active, false),
        (Some("9"), NamespaceState::Review, false),
    ] {
        shown.status = status;
        shown.tools[0].staged_pricing = next.map(fixed);
        assert_eq!(rises(&shown, &shown.tools[0]), expected, "{next:?} {status}");
    }
}

#[test]
fn whatever_has_changed_since_is_shown() {
    let before = review();
    let seen = seen_text(&before);
    assert_eq!(changed_since(&seen, &before), []);
    let mut dearer = before.clone();
    dearer.facts.shown.tools[0].pricing = Some(fixed("7"));
    let lines = written(&changed_since(&seen, &dearer));
    assert!(lines.iter().any(|line| line.starts_with('+') && line.contains('7')), "{lines:?}");
    let mut hidden = before.clone();
    hidden.facts.shown.tools[0].input_schema = r#"{"type":"object"}"#.to_owned();
    assert_eq!(changed_since(&seen, &hidden).len(), 2, "what is not shown whole has a digest");
    let mut fewer = before.clone();
    fewer.facts.shown.tools.clear();
    assert!(!changed_since(&seen, &fewer).is_empty());
    assert!(!changed_since(&seen_text(&fewer), &before).is_empty(), "one more");
    for nonsense in ["", "x", "[1]", "{}"] {
        assert_eq!(changed_since(nonsense, &before), [], "{nonsense}");
    }
}

#[test]
fn a_form_does_not_grow_with_what_it_was_made_from() {
    let mut large = review();
    large.facts.shown.readme_content = Some("x".repeat(100_000));
    assert!(seen_text(&large).len() < 5_000);
    let tool = tool();
    large.facts.shown.tools = (0..1_000)
        .map(|number| OwnTool { name: format!("tool_{number}"), short_description: "long ".repeat(60), ..tool.clone() })
        .collect();
    let seen = seen_text(&large);
    assert!(seen.len() < 200_000, "{}", seen.len());
    large.facts.shown.tools[7].visibility = Visibility::Private;
    assert!(!changed_since(&seen, &large).is_empty(), "digests are enough to see it");
}
