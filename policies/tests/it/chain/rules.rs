//! Single rules, what documents may not be, and what operators can say beside them.

use engine::policy::{
    Caller, Decision, DecisionRequest, PartnerFacts, Surface,
    chain::{ChainPlace, ChainWarningKind, SessionKind, Verdict},
};
use serde_json::{Value, json};

use super::{Asked, Tool, dialect, facts, is_available, load, policies_for, request, try_compile};

fn tools(names: &[&str]) -> Vec<Tool> {
    let split = |name: &&str| match name.split_once('/') {
        Some((space, name)) => (Some(space.to_owned()), name.to_owned()),
        None => (None, (*name).to_owned()),
    };
    names.iter().map(split).collect()
}

fn main_session() -> Asked {
    Asked { key: "agent:main:main".into(), ..Asked::default() }
}

fn problems(document: &Value) -> Vec<String> {
    let found = try_compile(&dialect("fased"), document, &[]).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn what_a_document_may_not_be() {
    let many: Vec<&str> = vec!["a"; 10_001];
    let table = [
        (json!([]), "the document must be an object, not a list"),
        (
            json!({"tools": {"profile": "codign"}}),
            "`tools.profile` must be one of the profiles `coding`, `full`, `messaging`, `minimal`, `wen`",
        ),
        (json!({"tools": {"alow": []}}), "`tools.alow` is not a known key"),
        (json!({"tools": {"allow": "web"}}), "`tools.allow` must be a list, not a string"),
        (json!({"tools": {"deny": ["a", 7]}}), "`tools.deny[1]` must be a string, not a number"),
        (json!({"tools": {"deny": many}}), "`tools.deny` has 10001 entries, and at most 10000 are taken"),
        (
            json!({"tools": {"deny": ["a".repeat(257)]}}),
            "`tools.deny` has an entry, number 0 from 0, of more than 256 bytes",
        ),
        (
            json!({"agents": {"list": [{"id": "a"}, {"id": " A "}]}}),
            "`agents.list[1]` has the same `id` as another agent: `a`",
        ),
        (json!({"agents": {"list": [{}]}}), "`agents.list[0]` needs the key `id`"),
        (
            json!({"channels": {"x": {"groups": {"a b": {"tool": {}}}}}}),
            "`channels.x.groups[\"a b\"].tool` is not a known key",
        ),
        (json!({"session": {"scope": "globl"}}), "`session.scope` must be one of `global`, `per-sender`, `agent`"),
    ];
    for (document, wanted) in table {
        assert_eq!(problems(&document), [wanted]);
    }
}

#[test]
fn keys_that_mean_nothing_here_are_listed() {
    let chain = try_compile(&dialect("fased"), &json!({"tools": {"exec": {}}, "session": {"reset": 1}}), &[]).unwrap();
    let unused: Vec<String> = chain.document().unused().iter().map(ToString::to_string).collect();
    assert_eq!(unused, ["tools.exec", "session.reset"]);
}

#[test]
fn a_name_that_two_namespaces_offer_is_reached_by_its_path_alone() {
    let catalog = tools(&["acme/note", "weather/note", "acme/image", "image"]);
    let policies = policies_for(&dialect("fased"), &json!({}), &catalog);
    let chain = policies.chain().unwrap();
    assert_eq!(chain.find_tool("note"), None);
    assert!(chain.find_tool("acme/note").is_some() && chain.find_tool("weather/note").is_some());
    assert_eq!(chain.find_tool("image").map(|tool| chain.tool_name(tool)), Some("image"));
    assert!(
        chain.warnings().iter().any(|warning| warning.key == "note" && warning.kind == ChainWarningKind::Contested)
    );
    // to deny the name denies both, to allow it allows neither
    let denied = policies_for(&dialect("fased"), &json!({"tools": {"deny": ["note"]}}), &catalog);
    let allowed = policies_for(&dialect("fased"), &json!({"tools": {"allow": ["note", "weather/note"]}}), &catalog);
    for (name, wanted) in [("acme/note", false), ("weather/note", true)] {
        assert!(!is_available(&denied, &main_session(), name, true));
        assert_eq!(is_available(&allowed, &main_session(), name, true), wanted);
    }
}

#[test]
fn a_path_in_a_list_means_what_it_reads_and_a_name_no_more_than_its_own_tool() {
    let catalog = tools(&["exec", "cron", "tts", "acme/bash", "acme/cron", "bash/run", "apply-patch/undo"]);
    for name in ["fased", "zero", "openclaw"] {
        // `bash`, `cron` and `apply-patch` are aliases as whole names, and not inside of paths
        for path in ["acme/bash", "acme/cron", "bash/run"] {
            let denied = policies_for(&dialect(name), &json!({"tools": {"deny": [path]}}), &catalog);
            assert!(!is_available(&denied, &main_session(), path, true), "{name}: {path}");
            assert!(is_available(&denied, &main_session(), "tts", true), "{name}: {path}");
        }
        // neither a tool that is called by an alias, nor a namespace called like what `exec` and `write` bring
        let allowed = json!({"tools": {"allow": ["exec", "write"]}, "gateway": {"tools": {"allow": ["exec"]}}});
        let allowed = policies_for(&dialect(name), &allowed, &catalog);
        for (path, wanted) in [("exec", true), ("acme/bash", false), ("apply-patch/undo", false)] {
            assert_eq!(is_available(&allowed, &main_session(), path, true), wanted, "{name}: {path}");
        }
    }
}

#[test]
fn warnings_name_the_key_and_what_is_odd() {
    let catalog = tools(&["web_search", "web_fetch", "tts", "acme/note"]);
    let document = json!({"tools": {
        "allow": ["web_search", "nope", "group:fs"], "deny": ["web_search", "zz*"],
        "byProvider": {"orbit": {"allow": ["*"], "deny": []}, "comet": {"allow": ["acme"], "alsoAllow": ["tts"]}},
    }, "channels": {"slack": {"channels": {"C0": {"toolsBySender": {"id:1": {"deny": ["tts"]}, "*": {}}}}}}});
    let texts = |name: &str| {
        let chain = try_compile(&dialect(name), &document, &catalog).unwrap();
        chain.warnings().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let common = [
        "`tools.allow`: nothing is called `group:fs`",
        "`tools.allow`: nothing is called `nope`",
        "`tools.allow`: everything that `web_search` allows is denied beside it",
        "`tools.byProvider.orbit.allow` restricts nothing",
        "`tools.byProvider.orbit.deny` restricts nothing",
        "`tools.deny`: nothing is called `zz*`",
    ];
    assert_eq!(texts("fased"), common);
    let dropped = "`tools.byProvider.comet.allow` is dropped and restricts nothing: this dialect ignores an allow list \
                   without a core tool that is there";
    let ignored = ["tools.byProvider.comet.alsoAllow", "channels.slack.channels.C0.toolsBySender"];
    let ignored = ignored.map(|key| format!("`{key}` means nothing in this dialect"));
    let zero = texts("zero");
    assert!(zero.iter().any(|text| text == dropped), "{zero:#?}");
    for warning in ignored {
        assert_eq!(zero.iter().filter(|text| **text == warning).count(), 1, "{warning} {zero:#?}");
    }
}

#[test]
fn a_list_of_blanks_is_an_empty_one_and_restricts_nothing() {
    for name in ["fased", "zero", "openclaw"] {
        for list in [json!([]), json!([""]), json!([" ", "\n\t", ""])] {
            let policy = json!({"allow": list, "deny": list});
            let document = json!({"tools": {"allow": list, "deny": list, "subagents": {"tools": policy}}});
            let policies = policies_for(&dialect(name), &document, &tools(&["tts", "acme/note"]));
            for key in ["agent:main:main", "agent:main:subagent:1"] {
                let asked = Asked { key: key.into(), ..Asked::default() };
                assert!(is_available(&policies, &asked, "tts", true), "{name}: {key}: {list}");
                assert!(is_available(&policies, &asked, "acme/note", true), "{name}: {key}: {list}");
            }
        }
    }
}

#[test]
fn an_explanation_names_step_key_entry_and_policy() {
    let document = json!({
        "tools": {"profile": "coding", "deny": ["*_get"]},
        "agents": {"list": [{"id": "rhea", "tools": {"allow": ["web_*", "memory_get"]}}]},
    });
    let policies = policies_for(&dialect("fased"), &document, &tools(&["web_search", "memory_get", "tts"]));
    let chain = policies.chain().unwrap();
    let asked = Asked { key: "agent:rhea:main".into(), ..Asked::default() };
    let explain = |name: &str| {
        let place = ChainPlace { scope: chain.scope(&facts(&asked)), tool: chain.find_tool(name).unwrap() };
        let verdicts: Vec<String> = chain
            .explain(&place)
            .steps
            .iter()
            .map(|step| match &step.verdict {
                Verdict::Unrestricted => format!("{}: -, {}", step.id, step.tools_left),
                Verdict::Allowed(cause) => format!("{}: {} {}, {}", step.id, cause.key, cause.entry, step.tools_left),
                Verdict::Denied(cause) => format!("{}: no {} {}, {}", step.id, cause.key, cause.entry, step.tools_left),
                Verdict::NotAllowed { keys } => format!("{}: not in {}, {}", step.id, keys.join(", "), step.tools_left),
            })
            .collect();
        let decision = policies.decide(&request(name, Some(place)));
        (verdicts, decision.determining.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let (steps, policies_of) = explain("memory_get");
    assert_eq!(
        steps,
        [
            "tools.profile: profile `coding` memory_get, 2",
            "tools: no tools.deny *_get, 1",
            "agents.rhea.tools: agents.list[0].tools.allow memory_get, 1",
            "gateway.tools: -, 1",
        ]
    );
    assert_eq!(policies_of, ["tools.deny"]);
    let (steps, policies_of) = explain("tts");
    assert_eq!(steps[0], "tools.profile: not in profile `coding`, 2");
    assert_eq!(policies_of, ["tools.profile", "agents.rhea.tools.allow"]);
    let sources = chain.source_map();
    let source = |id: &str| sources.iter().find(|(own, _)| own.as_str() == id).map(|(_, keys)| keys.join(", "));
    assert_eq!(source("agents.rhea.tools.allow").as_deref(), Some("agents.list[0].tools.allow"));
}

#[test]
fn a_diff_lists_what_changes_for_whom() {
    let catalog = tools(&["web_search", "tts", "image"]);
    let compile = |document: &Value| try_compile(&dialect("fased"), document, &catalog).unwrap();
    let old = compile(&json!({"tools": {"deny": ["tts"]}, "agents": {"list": [{"id": "rhea"}]}}));
    let new = compile(&json!({
        "agents": {"list": [{"id": "rhea", "tools": {"deny": ["image"]}}]},
        "tools": {"subagents": {"tools": {"deny": ["tts"]}}},
    }));
    let changes: Vec<_> =
        old.diff(&new).into_iter().map(|diff| (diff.agent, diff.session, diff.allowed, diff.denied)).collect();
    let (rhea, tts, image) = (Some("rhea".to_owned()), vec!["tts".to_owned()], vec!["image".to_owned()]);
    assert_eq!(
        changes,
        [
            (None, SessionKind::Main, tts.clone(), vec![]),
            (rhea.clone(), SessionKind::Main, tts, image.clone()),
            (rhea, SessionKind::Subagent, vec![], image),
        ]
    );
}

fn decide(
    operator: &str,
    document: &Value,
    request_of: impl FnOnce(ChainPlace) -> DecisionRequest<'static>,
) -> Decision {
    let catalog = tools(&["web_search", "tts", "acme/note"]);
    let policies = load(try_compile(&dialect("fased"), document, &catalog).unwrap(), operator);
    let chain = policies.chain().unwrap();
    let place = ChainPlace { scope: chain.scope(&facts(&main_session())), tool: chain.find_tool("acme/note").unwrap() };
    policies.decide(&request_of(place))
}

#[test]
fn operators_policies_stand_beside_the_chain_on_both_endpoints() {
    let partner = r#"@id("no.globex") @reason("Globex may not call acme.")
        forbid (principal in Partner::"par_g", action in Action::"invoke", resource in Namespace::"acme");"#;
    let globex = Caller::Partner {
        partner: PartnerFacts { id: "par_g", is_suspended: false },
        end_user: engine::policy::EndUserFacts { id: "usr_u", is_blocked: false },
    };
    let http = |place| DecisionRequest { caller: globex, ..request("acme/note", Some(place)) };
    let marketplace =
        |_| DecisionRequest { caller: globex, surface: Surface::Marketplace, ..request("acme/note", None) };
    for decision in [decide(partner, &json!({}), http), decide(partner, &json!({}), marketplace)] {
        assert_eq!(decision.determining, ["no.globex".into()]);
        assert_eq!(decision.reason.as_deref(), Some("Globex may not call acme."));
    }
    let hours = r#"@id("hours") @reason("Open from 8 to 18.") forbid (principal, action in Action::"invoke", resource == Tool::"acme/note")
        when { context.second_of_day < 28800 || context.second_of_day >= 64800 };"#;
    let at = |now_s| move |place| DecisionRequest { now_s, ..request("acme/note", Some(place)) };
    assert!(decide(hours, &json!({}), at(43_200)).allowed);
    assert!(!decide(hours, &json!({}), at(64_800)).allowed);
    let token = r#"@id("three") @reason("This token calls three tools only.") forbid (principal == Token::"tok_gateway",
        action in Action::"invoke", resource) unless { ["web_search", "tts"].contains(resource.name) };"#;
    assert_eq!(decide(token, &json!({}), at(0)).determining, ["three".into()]);
    // the chain speaks on its endpoint alone, and after the operator
    let document = json!({"tools": {"deny": ["acme"]}});
    assert_eq!(decide(token, &document, at(0)).determining, ["three".into(), "tools.deny".into()]);
    assert!(
        decide("", &document, |_| DecisionRequest { surface: Surface::Marketplace, ..request("acme/note", None) })
            .allowed
    );
    // an agent can be named, and a call without a place in the chain is denied
    let agent = r#"@id("agent") @reason("Not for main.") forbid (principal in Agent::"main", action, resource);"#;
    assert_eq!(decide(agent, &json!({"agents": {"list": [{"id": "Main"}]}}), at(0)).determining, ["agent".into()]);
    assert!(!decide("", &json!({}), |_| request("acme/note", None)).allowed);
}
