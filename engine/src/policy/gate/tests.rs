use super::super::{
    Caller, DecisionRequest, Policies, Surface, ToolFacts,
    decide::Gates,
    tests::{NOON_S, REQUEST, load},
};

/// The same policies, asked one by one about entities that are made for the call.
fn plainly(policies: &str) -> Policies {
    let loaded = load(policies);
    let gates = Gates { marketplace: loaded.set.clone(), http: loaded.set.clone() };
    Policies { gates, kinds: None, ..loaded }
}

#[test]
fn gates_and_kinds_change_no_decision() {
    const PERMIT: &str = r#"@id("p") permit (principal, action in Action::"invoke", resource);"#;
    const HTTP: &str =
        r#"@id("h") permit (principal, action == Action::"invokeHttp", resource) when { resource.free };"#;
    let forbids = [
        r#"@id("a") @reason("A.") forbid (principal, action, resource) when { principal has account && principal.account.suspended };"#,
        r#"@id("b") @reason("B.") forbid (principal, action == Action::"invokeHttp", resource) when { resource.disabled } unless { resource.free };"#,
        r#"@id("c") @reason("C.") forbid (principal, action in [Action::"invokeMarketplace"], resource) unless { resource has namespace };"#,
        r#"@id("d") @reason("D.") forbid (principal, action, resource) when { resource.free } when { resource.tier == Tier::"unverified" };"#,
        r#"@id("e") @reason("E.") forbid (principal, action, resource) when { resource.disabled && context.now_s * 9223372036854775807 > 0 };"#,
        r#"@id("f") @reason("F.") forbid (principal in Account::"acc_a", action, resource) when { resource.disabled };"#,
        r#"@id("g") @reason("G.") forbid (principal, action, resource is Tool) when { resource.name == "acme/note_add" };"#,
        r#"@id("i") @reason("I.") forbid (principal, action, resource) when { resource has namespace && resource.namespace == {name: "acme", suspended: false} };"#,
    ];
    for chosen in 0_u32..1 << forbids.len() {
        // all together take long: every single one, every pair, and a few more
        if chosen.count_ones() > 2 && chosen % 37 != 0 {
            continue;
        }
        let some: Vec<&str> =
            forbids.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, text)| *text).collect();
        for permits in [PERMIT, HTTP] {
            let text = format!("{}\n{permits}", some.join("\n"));
            let (fast, plain) = (load(&text), plainly(&text));
            for surface in [Surface::Marketplace, Surface::Http] {
                for caller in Caller::of_all_kinds() {
                    for tool in ToolFacts::of_all_kinds().step_by(7) {
                        let tool = ToolFacts { name: "acme/note_add", ..tool };
                        let request = DecisionRequest { surface, caller, tool, now_s: NOON_S, ..REQUEST };
                        assert_eq!(fast.decide(&request), plain.decide(&request), "{request:?}\n{text}");
                    }
                }
            }
        }
    }
}

#[test]
fn names_are_left_out_only_where_no_policy_reads_one() {
    let table = [
        ("resource.disabled", false),
        (r#"resource.tier == Tier::"standard" && principal has account"#, false),
        ("principal is Token", false),
        (r#"resource.name == "x""#, true),
        (r#"resource has namespace && resource.namespace.name like "a*""#, true),
        ("resource has namespace.name", true),
        (r#"resource has namespace && resource.namespace == {name: "acme", suspended: false}"#, true),
        (r#"principal == Token::"t""#, true),
        (r#"[Tool::"t"].contains(resource)"#, true),
        (r#"principal in [Account::"a", Account::"b"]"#, true),
        (r#"resource in Publisher::"p""#, true),
    ];
    for (condition, reads_names) in table {
        let policies = super::super::tests::forbidding(condition);
        assert_eq!(policies.reads.names, reads_names, "{condition}");
        assert_eq!(policies.kinds.is_none(), reads_names, "{condition}");
    }
}
