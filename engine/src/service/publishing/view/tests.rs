use super::*;

fn namespace() -> OwnNamespace {
    let tool = OwnTool {
        id: ToolId::from(Uuid::nil()),
        name: "add".to_owned(),
        visibility: Visibility::Public,
        staged_visibility: None,
        is_disabled: false,
        short_description: "Adds".to_owned(),
        long_description: String::new(),
        input_schema: "{}".to_owned(),
        public_schema: "{}".to_owned(),
        example_prompts: vec!["one and one".to_owned()],
        display_order: 3,
        group: Some(ToolGroupId::from(Uuid::nil())),
        mcp_tool: None,
        rest: None,
        static_args: None,
        default_args: None,
        units: ToolUnits { fields: vec!["n".to_owned()], credits_per_unit: None },
        pricing: None,
        staged_pricing: None,
    };
    let group = OwnGroup {
        id: ToolGroupId::from(Uuid::nil()),
        name: "Default".to_owned(),
        description: String::new(),
        sort_order: 0,
        is_default: true,
        pricing: "{}".to_owned(),
        staged_pricing: None,
    };
    OwnNamespace {
        id: NamespaceId::from(Uuid::nil()),
        name: "acme".to_owned(),
        publisher: PublisherId::from(Uuid::nil()),
        connection: None,
        status: NamespaceState::Review,
        is_stopped: false,
        listing_name: Some("Acme".to_owned()),
        description: "\"Adds\"".to_owned(),
        category: None,
        tags: vec!["a".to_owned(), "b".to_owned()],
        icon: None,
        readme_source_url: None,
        readme_content: None,
        draft: ListingDraft::default(),
        tools: vec![tool],
        groups: vec![group],
        created_us: 7,
    }
}

/// Servers of different versions have to agree: what is hashed never changes but with what an operator approves.
#[test]
fn what_is_hashed_is_the_same_on_every_server() {
    let (of, group) = (namespace(), ToolGroupId::from(Uuid::nil()));
    let text = format!(
        r#"["{}","acme","{}",null,"review",false,"Acme","\"Adds\"",null,["a","b"],null,null,null,null,[["{}","add","public",null,false,"Adds","","{{}}","{{}}",["one and one"],3,"{group}",null,null,null,null,["n"],null,null,null]],[["{group}","Default","",0,true,"{{}}",null]],7]"#,
        of.id, of.publisher, of.tools[0].id,
    );
    let expected: String = hex(&sha256(text.as_bytes())).chars().take(2 * SEEN_BYTES).collect();
    assert_eq!(of.fingerprint(), expected, "{text}");
}

#[test]
fn whatever_is_changed_is_seen() {
    let changes: [fn(&mut OwnNamespace); 14] = [
        |of| of.name.push('x'),
        |of| of.status = NamespaceState::Draft,
        |of| of.listing_name = None,
        |of| of.tags = vec!["a,b".to_owned()],
        |of| of.readme_content = Some("More".to_owned()),
        // One field is not another one.
        |of| (of.category, of.listing_name) = (of.listing_name.take(), None),
        |of| of.draft.edit.description = Some("Adds more".to_owned()),
        |of| of.draft.set_new_tool(ToolId::from(Uuid::nil()), Visibility::Public),
        |of| of.tools.clear(),
        |of| of.tools[0].static_args = Some("{}".to_owned()),
        |of| of.tools[0].units.credits_per_unit = Some("2".to_owned()),
        |of| of.tools[0].staged_pricing = Some("{}".to_owned()),
        |of| of.groups[0].staged_pricing = Some("{}".to_owned()),
        |of| of.groups[0].sort_order = 1,
    ];
    let mut seen = vec![namespace().fingerprint()];
    for change in changes {
        let mut changed = namespace();
        change(&mut changed);
        seen.push(changed.fingerprint());
    }
    let different: std::collections::HashSet<&String> = seen.iter().collect();
    assert_eq!(different.len(), seen.len(), "{seen:?}");
    assert_eq!(namespace().fingerprint(), seen[0]);
}
