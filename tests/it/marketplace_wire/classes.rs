//! What becomes of every request of the file. The first rule that fits decides; a request that none fits is a failure.

use serde_json::Value;
use tests::program::Answer;

use super::line::Line;

/// What a request is to be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// With a 2xx that has these members, by JSON pointer: those that the client reads.
    Answered(&'static [&'static str]),
    /// With a 2xx that is no JSON.
    Text,
    /// With this status and this public code (empty: whichever), for a documented reason.
    Refused(u16, &'static str),
}

/// Which requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// `METHOD /path` without a query; a `*` stands for one part of the path.
    requests: &'static str,
    /// What has to stand in the body.
    with: &'static str,
    class: Class,
    /// The sentence that says so, for what is refused.
    pub(super) reason: &'static str,
}

const fn rule(requests: &'static str, class: Class) -> Rule {
    Rule { requests, with: "", class, reason: "" }
}

const fn refused(requests: &'static str, status: u16, code: &'static str, reason: &'static str) -> Rule {
    Rule { requests, with: "", class: Class::Refused(status, code), reason }
}

const SKILLS: &str = "marketplace-api.md, decision 1: generation 2 (skill runs, pcx browse) comes later";
const NO_TOOL: &str = "marketplace-api.md 2.1: 404, namespace or tool not found";
const NO_MODEL: &str = "generate-listing and auto-listing answer 501 with a reason: this server has no language model";
const PLAIN: Class = Class::Answered(&[]);

pub(super) static RULES: &[Rule] = &[
    rule("POST /auth/login", Class::Answered(&["/access_token"])),
    rule("GET /auth/me", Class::Answered(&["/email"])),
    rule("POST /tokens/", Class::Answered(&["/token"])),
    rule("GET /tokens/", Class::Answered(&["/0/id", "/0/name"])),
    rule("DELETE /tokens/*", PLAIN),
    rule("GET /credits/balance", Class::Answered(&["/balance", "/credits_remaining"])),
    rule("GET /credits/purchases", PLAIN),
    rule("GET /tools/search", Class::Answered(&["/items/0/name", "/items/0/namespace", "/items/0/object_type"])),
    rule("POST /tools/search", Class::Answered(&["/items/0/name"])),
    rule("GET /tools/acme/echo", Class::Answered(&["/input_schema", "/pricing/pricing_mode"])),
    rule(
        "POST /invoke/acme/echo",
        Class::Answered(&["/result", "/credits_charged", "/credits_remaining", "/invocation_id"]),
    ),
    rule("GET /llms-full.txt", Class::Text),
    rule("GET /llms/run.md", Class::Text),
    rule("GET /llms/namespaces/acme/echo.md", Class::Text),
    // The client was shown every status there is under these names; here there is no such tool.
    refused("GET /tools/err/*", 404, "not_found", NO_TOOL),
    refused("GET /catalog/public/*", 404, "not_found", SKILLS),
    refused("GET /pcx/*", 404, "not_found", SKILLS),
    refused("POST /skills/*/run", 404, "not_found", SKILLS),
    // Publishers.
    rule("POST /publishers/register", Class::Answered(&["/id", "/display_name"])),
    rule("GET /publishers/me", Class::Answered(&["/id", "/display_name"])),
    Rule {
        requests: "PUT /publishers/me",
        with: r#""logo_url":"u""#,
        class: Class::Refused(422, "invalid_request"),
        reason: "docs/errors.md, invalid_request: the address of a logo has to be a URL, which `u` is not",
    },
    rule("GET /publishers/earnings", PLAIN),
    rule("GET /publishers/sales-summary", PLAIN),
    rule("GET /publishers/invocations", PLAIN),
    rule("PATCH /publishers/invocations/*/acknowledge", PLAIN),
    rule("POST /publishers/me/logo", PLAIN),
    rule("GET /connections/", PLAIN),
    rule("GET /connections/*", Class::Answered(&["/id"])),
    rule("POST /connections/", Class::Answered(&["/id"])),
    rule("DELETE /connections/*", PLAIN),
    rule("POST /connections/import-openapi", PLAIN),
    rule("POST /connections/*/scan", PLAIN),
    rule("PUT /connections/*/credentials", PLAIN),
    rule("GET /namespaces/", Class::Answered(&["/0/id", "/0/namespace", "/0/status"])),
    rule("GET /namespaces/*", Class::Answered(&["/id", "/namespace", "/status"])),
    rule("GET /namespaces/*/groups", PLAIN),
    rule("GET /namespaces/*/credentials", PLAIN),
    rule("POST /namespaces/", Class::Answered(&["/id"])),
    rule("POST /namespaces/quick-setup", PLAIN),
    refused("POST /namespaces/*/generate-listing", 501, "not_offered", NO_MODEL),
    refused("POST /namespaces/*/auto-listing", 501, "not_offered", NO_MODEL),
    rule("POST /namespaces/*/icon", Class::Answered(&["/namespace_icon_url"])),
    rule("PUT /namespaces/*/listing", Class::Answered(&["/target"])),
    Rule {
        requests: "PUT /namespaces/*/groups/*/pricing",
        with: "pricing_rules",
        class: Class::Refused(422, "invalid_request"),
        reason: "marketplace-api.md 3: the schema of pricing_rules is not public; they are refused",
    },
    rule("POST /namespaces/*/*", PLAIN),
    rule("POST /namespaces/*/tools/rest", PLAIN),
    rule("PUT /namespaces/*", PLAIN),
    rule("PUT /namespaces/*/*", PLAIN),
    rule("PUT /namespaces/*/*/*", PLAIN),
    rule("PUT /namespaces/*/*/*/*", PLAIN),
    rule("DELETE /namespaces/*/*", PLAIN),
    rule("DELETE /namespaces/*/groups/*", PLAIN),
];

impl Rule {
    pub(super) const fn class(&self) -> Class {
        self.class
    }

    fn fits(&self, line: &Line) -> bool {
        line.is_one_of(self.requests) && line.body.contains(self.with)
    }
}

/// The rule for a line.
pub(super) fn rule_of<'a>(line: &Line, rules: &'a [Rule]) -> Result<&'a Rule, String> {
    rules.iter().find(|rule| rule.fits(line)).ok_or_else(|| "is in no class".to_owned())
}

/// Whether an answer is that of its class.
pub(super) fn judge(class: Class, answer: &Answer) -> Result<(), String> {
    let shown: String = answer.body.chars().take(200).collect();
    let demand = |is_so: bool, what: &str| {
        if is_so { Ok(()) } else { Err(format!("{what}; the answer was {} {shown}", answer.status)) }
    };
    let is_2xx = (200..300).contains(&answer.status);
    let is_json = answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    match class {
        Class::Answered(members) => {
            demand(is_2xx && (is_json || answer.body.is_empty()), "expected a 2xx with JSON")?;
            let is_there = |pointer: &&str| answer.json.pointer(pointer).is_some();
            members.iter().try_for_each(|pointer| demand(is_there(pointer), &format!("no `{pointer}`")))
        }
        Class::Text => demand(is_2xx && !is_json && !answer.body.is_empty(), "expected a 2xx with a text"),
        Class::Refused(status, code) => {
            let is_code = code.is_empty() || answer.code() == code;
            demand(answer.status == status && is_code, &format!("expected {status} {code}"))?;
            // The client prints it.
            let detail = answer.json.get("detail").unwrap_or(&Value::Null);
            demand(detail.is_string() || detail.is_array(), "no `detail`")
        }
    }
}
