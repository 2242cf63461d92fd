//! What each writing request of the file has changed, as its GET shows it afterwards, and which test shows that it acts. A
//! writing request without a row fails, and so does a row without a request.

use serde_json::Value;
use tests::{program::Answer, workspace};

use super::{line::Line, stage::Stage};

/// A request that was sent, its answer, and where to look.
pub(super) struct Sent<'a> {
    pub(super) stage: &'a Stage,
    pub(super) line: &'a Line,
    pub(super) body: Value,
    pub(super) answer: &'a Answer,
}

/// Whether it is there.
type Look = fn(&Sent<'_>) -> bool;

/// What becomes of a writing request.
#[derive(Clone, Copy)]
pub(super) enum Proof {
    /// This is true afterwards; and the test shows what else follows from it.
    Shown(Look, &'static str),
    /// There is nothing to read back, for this reason.
    Nothing(&'static str),
}

/// The same for each request of this kind.
pub(super) struct Row {
    /// `METHOD /path` without a query; a `*` stands for one part of the path.
    pub(super) requests: &'static str,
    pub(super) proof: Proof,
}

const fn shown(requests: &'static str, look: Look, test: &'static str) -> Row {
    Row { requests, proof: Proof::Shown(look, test) }
}

const fn nothing(requests: &'static str, reason: &'static str) -> Row {
    Row { requests, proof: Proof::Nothing(reason) }
}

const TOKENS: &str = "tests/it/clients/askfaro.rs::tokens_are_listed_and_revoked_by_name_and_by_identifier";
const PROFILE: &str =
    "tests/it/clients/publishing/written.rs::what_a_publisher_says_of_itself_stays_until_it_says_otherwise";
const PICTURE: &str = "tests/it/clients/publishing/surface.rs::a_picture_is_served_as_what_it_is";
const SECRET: &str = "tests/it/clients/publishing/written.rs::a_request_carries_what_its_publisher_sets";
const SCAN: &str =
    "tests/it/clients/imports/mcp_secrets.rs::a_server_is_scanned_with_the_secret_of_the_namespace_it_is_scanned_for";
const NAMED: &str = "tests/it/clients/publishing/public.rs::what_is_not_public_is_not_there";
const PRICED: &str = "tests/it/clients/publishing/public.rs::what_a_listing_shows_is_what_is_charged";
const READ_BACK: &str = "tests/it/clients/publishing/surface.rs::every_write_is_read_back";
const LISTED: &str = "tests/it/clients/publishing/surface.rs::whoever_approves_has_seen_all_of_it_and_no_secret";
const CLIENT: &str = "tests/it/clients/askfaro/publishers.rs::what_publishers_do_is_done_and_read_back";

pub(super) static ROWS: &[Row] = &[
    nothing("POST /auth/login", "a session is opened, which changes nothing: the next requests come with its token"),
    nothing("POST /tools/search", "a question, which changes nothing"),
    shown("POST /tokens/", |sent| sent.get("/tokens/").has(|token| token["id"] == sent.answer.json["id"]), TOKENS),
    shown(
        "DELETE /tokens/*",
        |sent| sent.get("/tokens/").has(|token| token["id"] == *sent.part(2) && token["is_active"] == false),
        TOKENS,
    ),
    shown(
        "POST /invoke/acme/echo",
        |sent| {
            let call = sent.get(&format!("/invocations/{}", sent.told("/invocation_id")));
            call["state"] == "succeeded" && call["credits_charged"] == sent.answer.json["credits_charged"]
        },
        "tests/it/clients/demo.rs::the_printed_calls_work_as_pasted_and_the_books_agree",
    ),
    // The profile.
    shown(
        "POST /publishers/register",
        |sent| sent.is_kept(&sent.get("/publishers/me"), &["display_name", "website_url", "support_email", "bio"]),
        PROFILE,
    ),
    shown("POST /publishers/me/logo", |sent| sent.is_told(&sent.get("/publishers/me"), "logo_url"), PICTURE),
    shown(
        "PATCH /publishers/invocations/*/acknowledge",
        |sent| {
            let calls = sent.get("/publishers/invocations");
            calls["invocations"].has(|call| call["id"] == *sent.part(3) && call["acknowledged"] == true)
        },
        "tests/it/publishing/sales.rs::a_warning_is_seen_by_its_publisher",
    ),
    // Connections.
    shown(
        "POST /connections/",
        |sent| {
            let made = sent.get(&format!("/connections/{}", sent.told("/id")));
            let url = if sent.body["connection_type"] == "mcp" { "mcp_url" } else { "base_url" };
            sent.is_kept(&made, &["label", "connection_type", url])
        },
        CLIENT,
    ),
    shown("DELETE /connections/*", |sent| sent.is_gone(&sent.line.path), CLIENT),
    shown(
        "POST /connections/*/scan",
        |sent| sent.has_tools(&sent.space_of_query(), &sent.answer.json["tools"].names("name")),
        SCAN,
    ),
    shown(
        "PUT /connections/*/credentials",
        |sent| sent.is_secret(&sent.get(&format!("/connections/{}", sent.part(2)))["credentials"]),
        SECRET,
    ),
    shown(
        "POST /connections/import-openapi",
        |sent| {
            let made = sent.get(&format!("/namespaces/{}", sent.told("/id")));
            let server = sent.get(&format!("/connections/{}", sent.told("/connection_id")));
            let is_there = same(&server["base_url"], &sent.body["base_url_override"]);
            is_there && sent.is_kept(&made, &["namespace"]) && made["tools"].names("name") == ["s"]
        },
        "tests/it/clients/imports/documents.rs::operations_are_where_their_publisher_says_not_where_the_document_does",
    ),
    // Namespaces.
    shown(
        "POST /namespaces/",
        |sent| {
            let made = sent.get(&format!("/namespaces/{}", sent.told("/id")));
            sent.is_kept(&made, &["namespace", "connection_id"])
        },
        CLIENT,
    ),
    shown(
        "POST /namespaces/quick-setup",
        |sent| {
            let made = sent.get(&format!("/namespaces/{}", sent.told("/id")));
            let server = sent.get(&format!("/connections/{}", sent.told("/connection_id")));
            let has_all = made["tools"].names("mcp_tool_name").contains(&"echo".to_owned());
            has_all && sent.is_kept(&made, &["namespace"]) && same(&server["mcp_url"], &sent.body["mcp_url"])
        },
        "tests/it/clients/imports/mcp.rs::one_step_leads_from_an_address_to_tools_that_can_be_called",
    ),
    shown("PUT /namespaces/*", |sent| sent.is_kept(&sent.space(), &["namespace"]), NAMED),
    shown("POST /namespaces/*/icon", |sent| sent.is_told(&sent.space(), "namespace_icon_url"), PICTURE),
    shown(
        "POST /namespaces/*/scan",
        |sent| sent.has_tools(sent.part(2), &sent.answer.json["tools"].names("name")),
        "tests/it/clients/imports/mcp.rs::what_is_imported_is_what_was_named",
    ),
    shown(
        "POST /namespaces/*/import-tools",
        |sent| {
            let named = sent.body["mcp_tool_names"].as_array().into_iter().flatten();
            let named: Vec<String> = named.filter_map(Value::as_str).map(str::to_owned).collect();
            !named.is_empty() && sent.has_tools(sent.part(2), &named)
        },
        "tests/it/clients/publishing/written.rs::what_is_imported_in_public_is_there_for_others",
    ),
    shown(
        "POST /namespaces/*/fetch-readme",
        |sent| {
            let space = sent.space();
            same(&space["readme_source_url"], &sent.body["url"])
                && space["readme_content"].as_str().is_some_and(|text| text.contains("# hi"))
        },
        "tests/it/clients/imports/documents.rs::a_text_is_fetched_and_kept",
    ),
    shown(
        "PUT /namespaces/*/listing",
        |sent| {
            let space = sent.space();
            let is_kept = |(name, value): (&String, &Value)| match name.as_str() {
                "tools" => are_listed(&space["tools"], value),
                name => same(&space[name], value),
            };
            sent.body.as_object().is_some_and(|members| members.len() > 1 && members.iter().all(is_kept))
        },
        LISTED,
    ),
    shown(
        "PUT /namespaces/*/publish",
        |sent| sent.space()["status"] == "review",
        "tests/it/clients/publishing/surface.rs::reviews_are_given_from_the_command_line",
    ),
    shown("PUT /namespaces/*/status", |sent| sent.is_kept(&sent.space(), &["status"]), NAMED),
    shown(
        "DELETE /namespaces/*/draft",
        |sent| sent.space()["has_draft"] == false && sent.space()["draft_listing"].is_null(),
        "tests/it/clients/publishing/written.rs::a_picture_elsewhere_is_shown_once_it_is_approved",
    ),
    shown(
        "PUT /namespaces/*/credentials",
        |sent| sent.is_secret(&sent.get(&format!("/namespaces/{}/credentials", sent.part(2)))),
        "tests/it/clients/imports/mcp_secrets.rs::two_secrets_at_one_address_are_two_sessions",
    ),
    // Tools.
    shown("PUT /namespaces/*/tools/*/name", |sent| sent.is_kept(&sent.tool(), &["name"]), NAMED),
    shown("PUT /namespaces/*/tools/*/visibility", |sent| sent.is_kept(&sent.tool(), &["visibility"]), NAMED),
    shown("PUT /namespaces/*/tools/*/group", |sent| sent.is_kept(&sent.tool(), &["tool_group_id"]), CLIENT),
    shown("PUT /namespaces/*/tools/*/rest", |sent| sent.is_kept(&sent.tool(), &["rest_path"]), CLIENT),
    shown(
        "PUT /namespaces/*/tools/*/mcp",
        |sent| {
            let members = ["mcp_default_args", "pricing_unit_fields", "pricing_credits_per_unit"];
            sent.is_kept(&sent.tool(), &members)
        },
        "tests/it/clients/imports/mcp.rs::static_arguments_reach_the_server_and_are_nobody_elses_business",
    ),
    shown(
        "POST /namespaces/*/tools/rest",
        |sent| {
            let space = sent.space();
            let made = space["tools"].find(|tool| tool["id"] == sent.answer.json["id"]);
            sent.is_kept(&made, &["name", "rest_method", "rest_path", "visibility"])
        },
        "tests/it/clients/imports/secrets.rs::a_request_is_made_as_its_publisher_describes_it",
    ),
    // Groups.
    shown(
        "POST /namespaces/*/groups",
        |sent| {
            let made = sent.groups().find(|group| group["id"] == sent.answer.json["id"]);
            sent.is_kept(&made, &["name", "sort_order"])
        },
        READ_BACK,
    ),
    shown("PUT /namespaces/*/groups/*", |sent| sent.is_kept(&sent.group(), &["name"]), READ_BACK),
    shown("DELETE /namespaces/*/groups/*", |sent| sent.group().is_null() && !sent.groups().is_null(), READ_BACK),
    shown(
        "PUT /namespaces/*/groups/*/pricing",
        |sent| sent.is_kept(&sent.group()["pricing"], &["pricing_mode", "charge_on", "fixed_credit_cost"]),
        PRICED,
    ),
];

/// What lists are asked.
trait Listed {
    fn find(&self, is_it: impl Fn(&Value) -> bool) -> Value;
    fn has(&self, is_it: impl Fn(&Value) -> bool) -> bool;
    fn names(&self, member: &str) -> Vec<String>;
}

impl Listed for Value {
    fn find(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        self.as_array().into_iter().flatten().find(|item| is_it(item)).cloned().unwrap_or_default()
    }

    fn has(&self, is_it: impl Fn(&Value) -> bool) -> bool {
        !self.find(is_it).is_null()
    }

    fn names(&self, member: &str) -> Vec<String> {
        let items = self.as_array().into_iter().flatten();
        items.filter_map(|item| item[member].as_str()).map(str::to_owned).collect()
    }
}

/// Whether both say the same: numbers may be texts, and a URL may end with a stroke.
fn same(shown: &Value, wanted: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::String(text) => text.trim_end_matches('/').to_owned(),
        other => other.to_string(),
    };
    let number = |value: &Value| plain(value).parse::<f64>().ok();
    let is_same_number = number(wanted).is_some_and(|wanted| number(shown) == Some(wanted));
    shown == wanted || (!shown.is_null() && (is_same_number || plain(shown) == plain(wanted)))
}

impl Sent<'_> {
    fn get(&self, path: &str) -> Value {
        self.stage.get_as(self.line, path).json
    }

    /// A part of the path that it was sent to; the first is 1.
    fn part(&self, number: usize) -> &str {
        let path = self.line.path.split('?').next().unwrap_or_default();
        path.split('/').nth(number).unwrap_or_default()
    }

    fn told(&self, pointer: &str) -> &str {
        self.answer.json.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether these members of the body, which are in it, are there.
    fn is_kept(&self, shown: &Value, members: &[&str]) -> bool {
        members.iter().all(|member| !self.body[*member].is_null() && same(&shown[*member], &self.body[*member]))
    }

    /// Whether this member of the answer is there.
    fn is_told(&self, shown: &Value, member: &str) -> bool {
        !shown[member].is_null() && shown[member] == self.answer.json[member]
    }

    fn is_gone(&self, path: &str) -> bool {
        self.stage.get_as(self.line, path).status == 404
    }

    fn is_secret(&self, shown: &Value) -> bool {
        let is_hidden = shown.as_object().is_some_and(|members| !members.contains_key("api_key"));
        is_hidden && shown["has_credentials"] == true && self.is_kept(shown, &["key_identifier", "param_location"])
    }

    fn space(&self) -> Value {
        self.get(&format!("/namespaces/{}", self.part(2)))
    }

    fn space_of_query(&self) -> String {
        self.line.path.split_once("namespace_id=").map(|(_, id)| id.to_owned()).unwrap_or_default()
    }

    /// Whether a namespace has these tools of its server, and there are some.
    fn has_tools(&self, space: &str, names: &[String]) -> bool {
        let there = self.get(&format!("/namespaces/{space}"))["tools"].names("mcp_tool_name");
        !names.is_empty() && names.iter().all(|name| there.contains(name))
    }

    fn tool(&self) -> Value {
        self.space()["tools"].find(|tool| tool["id"] == *self.part(4))
    }

    fn groups(&self) -> Value {
        self.get(&format!("/namespaces/{}/groups", self.part(2)))
    }

    fn group(&self) -> Value {
        self.groups().find(|group| group["id"] == *self.part(4))
    }
}

/// Whether tools have what a listing says of them.
fn are_listed(tools: &Value, wanted: &Value) -> bool {
    let is_listed = |wanted: &Value| {
        let tool = tools.find(|tool| tool["id"] == wanted["tool_id"]);
        let mut members = wanted.as_object().into_iter().flatten().filter(|(name, _)| *name != "tool_id");
        members.all(|(name, value)| same(&tool[name], value))
    };
    wanted.as_array().is_some_and(|tools| !tools.is_empty() && tools.iter().all(is_listed))
}

/// The rows for a line. There is to be one.
pub(super) fn rows_of<'a>(line: &Line, rows: &'a [Row]) -> Vec<&'a Row> {
    rows.iter().filter(|row| line.is_one_of(row.requests)).collect()
}

/// Whether what was sent is there.
pub(super) fn check(stage: &Stage, line: &Line, answer: &Answer) -> Result<(), String> {
    let rows = rows_of(line, ROWS);
    let [row] = rows.as_slice() else { return Err(format!("{} rows say how it is read back", rows.len())) };
    let sent = Sent { stage, line, body: serde_json::from_str(&line.body).unwrap_or_default(), answer };
    match row.proof {
        Proof::Shown(look, _) if !look(&sent) => {
            Err(format!("it is not there afterwards; sent {}, answered {}", line.body, answer.body))
        }
        Proof::Shown(..) | Proof::Nothing(_) => Ok(()),
    }
}

/// Whether there is this test, as `path::name`.
pub(super) fn is_test(named: &str) -> bool {
    let Some((path, name)) = named.split_once("::") else { return false };
    let text = workspace::read(path);
    let is_made = text.contains(&format!("fn {name}("));
    // It is run where it is named a second time, or stands below the attribute.
    is_made && (text.matches(name).count() > 1 || text.contains(&format!("#[test]\nfn {name}(")))
}
