//! What publishers do, in an order in which it can be done.

use super::{
    Look::{self, Call, File, Get, GetAsNobody, Run, Upstream},
    Row,
    Seen::{self, Gone, Has, Is, Lacks, There},
};

const fn row(run: &'static str) -> Row {
    Row { run, exit: 0, holds: &[], takes: &[], then: &[] }
}

impl Row {
    const fn exits(mut self, exit: i32) -> Self {
        self.exit = exit;
        self
    }

    const fn holds(mut self, holds: &'static [(&'static str, Seen)]) -> Self {
        self.holds = holds;
        self
    }

    const fn takes(mut self, takes: &'static [(&'static str, &'static str)]) -> Self {
        self.takes = takes;
        self
    }

    const fn then(mut self, then: &'static [(Look, &'static str, Seen)]) -> Self {
        self.then = then;
        self
    }
}

const SECRET: &str = "upstream-secret-73";
const GET: Look = Run("ns get market");
const ME: Look = Run("publisher me");
const GROUPS: Look = Run("ns groups list market");
const FIND: Look = Get("/tools/market/find");
const FIND_AS_NOBODY: Look = GetAsNobody("/tools/market/find");

pub(super) static ROWS: &[Row] = &[
    // The profile.
    row("publisher me").exits(2),
    row(
        "publisher register --display-name Quetzal --website https://quetzal.example --support-email a@quetzal.example",
    )
    .holds(&[("/display_name", Is("Quetzal"))])
    .then(&[
        (ME, "/website_url", Is("https://quetzal.example/")),
        (Run("doctor"), "", Has("✓ Publisher:      Quetzal")),
    ]),
    // 409, for which the client has no exit code of its own.
    row("publisher register --display-name Again").exits(1).holds(&[("", Has("request_failed"))]).then(&[(
        ME,
        "/display_name",
        Is("Quetzal"),
    )]),
    row("publisher update --bio Birds --country ES --legal-name Quetzal-SL").then(&[
        (ME, "/bio", Is("Birds")),
        (ME, "/country", Is("ES")),
        (ME, "/legal_name", Is("Quetzal-SL")),
        (ME, "/display_name", Is("Quetzal")),
    ]),
    row("publisher set-logo --file picture.svg").then(&[(ME, "/logo_url", There)]),
    // Connections.
    row("connections create --label Rest --type rest --base-url {rest}").takes(&[("rest_id", "/id")]),
    row("connections create --label Mcp --type mcp --mcp-url {mcp}").takes(&[("mcp_id", "/id")]),
    row("connections list").holds(&[("/0/id", There), ("/1/id", There)]),
    row("connections get {rest_id}").holds(&[("/label", Is("Rest"))]),
    row("connections set-credentials {rest_id} --api-key upstream-secret-73 --header-name x-key")
        .then(&[(Run("connections get {rest_id}"), "", Lacks(SECRET)), (Run("connections list"), "", Lacks(SECRET))]),
    row("connections scan {mcp_id}").holds(&[("", Has("echo"))]),
    row("connections create --label Third --type rest --base-url {rest}").takes(&[("third_id", "/id")]),
    row("connections delete {third_id} -y").then(&[(Run("connections get {third_id}"), "", Gone)]),
    row("connections import-openapi --namespace pets --spec-file spec.json").then(&[(
        Run("ns get pets"),
        "/tools/0/name",
        Is("add_pet"),
    )]),
    // A namespace over HTTP.
    row("ns create --namespace shop --connection-id {rest_id}").holds(&[("/namespace", Is("shop"))]),
    row("connections delete {rest_id} -y").exits(1).then(&[(Run("connections get {rest_id}"), "/label", Is("Rest"))]),
    row("ns list").holds(&[("", Has("shop")), ("", Has("pets"))]),
    row("ns update shop --namespace market")
        .then(&[(GET, "/namespace", Is("market")), (Run("ns list"), "", Lacks("\"shop\""))]),
    row("ns get market").holds(&[("/status", Is("draft")), ("/id", There)]),
    row("ns tools add-rest market --name look --method POST --path /s --description Looks --visibility private \
         --input-schema-file schema.json")
    .then(&[(GET, "/tools/0/name", Is("look")), (GET, "/tools/0/visibility", Is("private"))]),
    row("ns get market").takes(&[("tool", "/tools/0/id")]),
    row("ns tools set-name market {tool} --name find").then(&[
        (GET, "/tools/0/name", Is("find")),
        (FIND, "/name", Is("find")),
        (Get("/tools/market/look"), "", Gone),
        (Call("market/look"), "", Gone),
    ]),
    row("ns tools update-rest market {tool} --path /found").then(&[
        (Call("market/find"), "/result", There),
        (Upstream, "/path", Is("/found")),
        (Upstream, "/head", Has(SECRET)),
    ]),
    // It is a draft's: nobody else finds it yet.
    row("ns tools set-visibility market {tool} --visibility public")
        .then(&[(GET, "/tools/0/visibility", Is("public")), (FIND_AS_NOBODY, "", Gone)]),
    row("ns creds set market --api-key another-secret-74 --header-name x-key").then(&[
        (Run("ns creds get market"), "", Lacks("another-secret-74")),
        (Call("market/find"), "/result", There),
        (Upstream, "/head", Has("another-secret-74")),
    ]),
    row("ns creds get market").holds(&[("/key_identifier", Is("x-key"))]),
    // Prices.
    row("ns groups create market --name Paid --sort-order 1").takes(&[("group", "/id")]),
    row("ns groups list market").holds(&[("", Has("Paid"))]),
    row("ns groups update market {group} --name Dear").then(&[(GROUPS, "", Has("Dear"))]),
    row("ns tools set-group market {tool} --group-id {group}"),
    row("ns groups set-pricing market {group} --mode fixed_per_request --fixed-cost 5")
        .then(&[(FIND, "/pricing/fixed_credit_cost", Is("5")), (Call("market/find"), "/credits_charged", Is("5"))]),
    row("ns groups set-pricing market {group} --mode tool_returned --returned-path $.cost --returned-multiplier 1.5 \
         --base-cost 1 --max-estimated-cost 10")
    .then(&[
        (FIND, "/pricing/returned_credit_cost_path", Is("$.cost")),
        (Call("market/find"), "/credits_charged", Is("5.5")),
    ]),
    row("ns groups create market --name Other").takes(&[("other", "/id")]),
    row("ns groups delete market {other} -y").then(&[(GROUPS, "", Lacks("Other"))]),
    // The listing.
    row("ns check market").exits(4).holds(&[("", Has("listing_name is empty"))]),
    row("ns edit-listing market --listing-name Market --description Birds --category data --tags birds,nests")
        .holds(&[("/target", There)])
        .then(&[(GET, "/description", Is("Birds")), (GET, "/tags/1", Is("nests"))]),
    row("ns set-icon market --file picture.svg").holds(&[("/namespace_icon_url", There)]).then(&[(
        GET,
        "/namespace_icon_url",
        There,
    )]),
    row("ns fetch-readme market --url {rest}/readme").then(&[(GET, "/readme_content", There)]),
    // There is no language model here: 501, as the client tells it.
    row("ns generate-listing market").exits(6),
    row("ns auto-listing market").exits(6),
    row("init market")
        .holds(&[("", Has("Wrote faro.yaml"))])
        .then(&[(File("faro.yaml"), "", Has("listing_name: Market")), (File("faro.yaml"), "", Has("name: find"))]),
    row("pull").holds(&[("", Has("Updated faro.yaml"))]),
    row("diff").holds(&[("", Lacks("~ description"))]),
    row("push").holds(&[("", Has("target="))]).then(&[(GET, "/readme_content", Has("Read me"))]),
    row("ns check market").holds(&[("", Has("is ready for review"))]),
    // Review.
    row("ns publish market").then(&[(GET, "/status", Is("review")), (FIND_AS_NOBODY, "", Gone)]),
    row("publish market --action draft").then(&[(GET, "/status", Is("draft"))]),
    row("ns discard-draft market -y").then(&[(GET, "/description", Is("Birds"))]),
    row("ns status market --status suspended").then(&[(GET, "/status", Is("suspended")), (FIND_AS_NOBODY, "", Gone)]),
    row("ns status market --status draft").then(&[(GET, "/status", Is("draft"))]),
    // A namespace with an MCP server.
    row("ns quick-setup --namespace cloud --mcp-url {mcp}").then(&[(Run("ns get cloud"), "/tools/0/id", There)]),
    row("ns scan cloud").then(&[(Run("ns get cloud"), "", Has("echo"))]),
    row("ns create --namespace rain --connection-id {mcp_id}"),
    row("ns import-tools rain --connection-id {mcp_id} --tools echo")
        .then(&[(Run("ns get rain"), "/tools/0/name", Is("echo")), (Run("ns get rain"), "/tools/1", Gone)]),
    row("ns get rain").takes(&[("echo", "/tools/0/id")]),
    // What the publisher sets reaches the server, and no caller sees that there is such an argument.
    row("ns tools update-mcp rain {echo} --static-args-file static.json").then(&[
        (Get("/tools/rain/echo"), "/input_schema", Lacks("\"q\"")),
        (Call("rain/echo"), "/result", Has("from the publisher")),
    ]),
    row("ns tools update-mcp rain {echo} --clear-static-args").then(&[(
        Get("/tools/rain/echo"),
        "/input_schema",
        Has("\"q\""),
    )]),
    // What came of it.
    row("ns groups set-pricing market {group} --mode tool_returned --returned-path $.nothing --max-estimated-cost 10")
        .then(&[(Call("market/find"), "/credits_charged", Is("0"))]),
    row("publisher invocations")
        .holds(&[("/invocations/0/warning", There), ("/invocations/0/acknowledged", Is("false"))])
        .takes(&[("call", "/invocations/0/id")]),
    row("publisher ack-warning {call}").then(&[(
        Run("publisher invocations"),
        "/invocations/0/acknowledged",
        Is("true"),
    )]),
    row("publisher earnings").holds(&[("", There)]),
    row("publisher sales").holds(&[("", There)]),
    row("publisher sales --period month --month 2026-11").holds(&[("", There)]),
    row("doctor").holds(&[("", Has("✓ Namespaces:     4 total"))]),
];
