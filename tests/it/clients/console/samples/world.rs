//! Makes what the pages of the console show, as customers and operators make it: over HTTP and with commands.

use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tests::{
    html,
    operator_console::{Operator, OperatorConsole},
    patience::wait_until,
    program::{Answer, curl, paste},
    upstream::Upstream,
};

use super::super::routes::leads_to;

pub(super) const REASON: (&str, &str) = ("reason", "So that there is something to see");

/// The paths of the pages of what was made, and identifiers that stand in queries.
pub(in crate::clients::console) struct Made {
    /// The demo's customer, with a token and a limit.
    pub(super) account: String,
    /// The publisher that was made in the console, its namespace and its tool, which has a price to come.
    pub(super) publisher: String,
    pub(super) namespace: String,
    pub(super) tool: String,
    /// A namespace that the demo's customer, as a publisher, has handed in.
    pub(super) listing: String,
    /// Who has a token, a limit, credits and an end user, and was told at a webhook that a part of a limit is spent.
    pub(super) partner: String,
    /// The identifier of a paid call of which a part went back; by its side one went whole, which waits for somebody.
    pub(super) call: String,
    /// The request for that.
    pub(super) approval: String,
    pub(super) refund: String,
    pub(super) payout: String,
    /// Purchases: one that waits, one that was paid, one that is disputed.
    pub(super) pending: String,
    pub(super) paid: String,
    pub(super) disputed: String,
    pub(super) chargeback: String,
    /// Policies: one that was in force, and a draft.
    pub(super) retired: String,
    pub(super) draft: String,
    /// Somebody else who may use the console, and somebody who reads the books.
    pub(super) operator: String,
    pub(super) auditor: String,
}

/// Who makes it.
pub(super) struct Maker<'w> {
    pub(super) console: &'w OperatorConsole,
    pub(super) owner: &'w Operator,
}

impl Made {
    pub(super) fn make(console: &OperatorConsole, owner: &Operator) -> Self {
        let maker = Maker { console, owner };
        let retired = maker.policies();
        maker.calls();
        // After a period is closed there are entries before it and behind it.
        maker.close_period();
        let account = maker.linked("/admin/accounts?email=demo%40tollgate.localhost", "/accounts/{id}");
        maker.cap(&account);
        maker.grant(&account);
        let (publisher, namespace, tool) = maker.catalog();
        let [call, costly] = [(); 2].map(|()| maker.call("acme/lookup", r#"{"text": "How much is it?"}"#));
        maker.price(&tool, "120", "2031-01-01T00:00");
        // Dearer than now: somebody else has to agree.
        maker.price(&tool, "300", "2032-01-01T00:00");
        let refund = maker.refund(&call, "10");
        let approval = maker.refund(&costly, "150");
        let [pending, paid, disputed] = [30, 20, 30].map(|credits| maker.purchase(credits));
        maker.confirm(&paid);
        let chargeback = maker.chargeback(&disputed);
        let made = Self {
            listing: maker.listing(),
            partner: maker.partner(),
            payout: maker.payout(&publisher),
            draft: maker.draft("Once more"),
            operator: maker.operator(&["--role", "support", "--name", "Bob", "--email", "bob@example.com"], ""),
            auditor: maker.operator(&["--role", "auditor", "--name", "Ernst & Jung"], "auditors/"),
            account,
            publisher,
            namespace,
            tool,
            call,
            approval,
            refund,
            pending,
            paid,
            disputed,
            chargeback,
            retired,
        };
        maker.sign_checkpoint();
        wait_until("the partner's webhook is told", || maker.is_told().then_some(()));
        made
    }
}

impl Maker<'_> {
    /// Fills in a form of the console and sends it; where it leads, without a query.
    #[track_caller]
    pub(super) fn done(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
        expect_done(&self.owner.visitor.submit(page, action, fields))
    }

    /// The same with a form that first shows what it would do.
    #[track_caller]
    pub(super) fn previewed(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
        let asked = [fields, &[("step", "preview")]].concat();
        let shown = self.owner.visitor.submit(page, action, &asked);
        assert_eq!(shown.status, 200, "{action}: {}", html::text(&shown.body));
        expect_done(&self.owner.visitor.submit_shown(&shown.body, action, &[("step", "confirm")]))
    }

    /// The first link on a page that leads to the route with this path, without its query.
    #[track_caller]
    fn linked(&self, page: &str, route: &str) -> String {
        let shown = self.owner.visitor.get(page);
        let links = html::links(&shown.body);
        let link = links.iter().find(|link| leads_to(link, route));
        without_query(link.unwrap_or_else(|| panic!("{page} has no link to {route}, but {links:?}")))
    }

    /// Sends a request of a customer.
    fn send(&self, token: &str, path: &str, body: &Value, headers: &[&str]) -> Answer {
        let (bearer, body) = (format!("Authorization: Bearer {token}"), body.to_string());
        let mut arguments = vec!["-H", &bearer, "-H", "Content-Type: application/json", "-d", &body];
        arguments.extend(headers.iter().flat_map(|header| ["-H", *header]));
        curl(&self.console.url(path), &arguments)
    }

    fn token(&self) -> &str {
        self.console.demo().expect("the demo").token()
    }

    /// A paid call of the demo's customer; its identifier.
    #[track_caller]
    fn call(&self, tool: &str, arguments: &str) -> String {
        let arguments: Value = serde_json::from_str(arguments).expect("arguments");
        let body = json!({"arguments": arguments});
        let paid = self.send(self.token(), &format!("/invoke/{tool}"), &body, &[]);
        assert_eq!(paid.status, 200, "{tool}: {}", paid.body);
        paid.json["invocation_id"].as_str().expect("an identifier").to_owned()
    }

    /// Calls that go well, that are refused for want of credits, that fail, and one of an agent.
    fn calls(&self) {
        for command in self.console.demo().expect("the demo").commands() {
            paste(command);
        }
        let failed = self.send(self.token(), "/invoke/demo/flaky", &json!({"arguments": {"fail": true}}), &[]);
        assert_ne!(failed.status, 200, "{}", failed.body);
    }

    /// A publisher with a namespace and a tool for 150 credits, which the demo's own server answers.
    fn catalog(&self) -> (String, String, String) {
        let named = [("slug", "acme"), ("display_name", "Acme & Sons"), ("share_bps", "8000"), REASON];
        let publisher = self.done("/admin/publishers/new", "/admin/publishers/new", &named);
        let form = format!("/admin/namespaces/new?publisher={}", id_of(&publisher));
        let named = [("name", "acme"), ("description", "Looks things up"), REASON];
        let namespace = self.done(&form, "/admin/namespaces/new", &named);

        let known = self.linked("/admin/tools?name=text_stats", "/tools/{id}");
        let form = format!("{known}/edit");
        let [url, schema] = ["url", "input_schema"].map(|name| self.field(&form, &form, name));
        let described = [
            ("name", "lookup"),
            ("short_description", "Looks a text up"),
            ("input_schema", schema.as_str()),
            ("url", url.as_str()),
            ("fixed_credit_cost", "150"),
            REASON,
        ];
        let tool = self.done("/admin/tools/new?namespace=acme", "/admin/tools/new", &described);
        (publisher, namespace, tool)
    }

    /// What stands in a field of a form.
    #[track_caller]
    fn field(&self, page: &str, action: &str, name: &str) -> String {
        let forms = html::forms(&self.owner.visitor.get(page).body);
        let form = forms.iter().find(|form| form.method == "post" && form.action == action);
        let fields = &form.unwrap_or_else(|| panic!("no form to {action} on {page}, but {forms:?}")).fields;
        let field = fields.iter().find(|(known, _)| known == name);
        field.unwrap_or_else(|| panic!("no {name} in {fields:?}")).1.clone()
    }

    /// A namespace with a tool that the demo's customer makes and hands in; the page on which it is looked at.
    pub(super) fn listing(&self) -> String {
        // Whoever is a publisher already is told so.
        let known = self.send(self.token(), "/publishers/register", &json!({"display_name": "Umbrella"}), &[]);
        assert!(matches!(known.status, 201 | 409), "{}", known.body);
        let made = |path: &str, body: &Value| {
            let answer = self.send(self.token(), path, body, &[]);
            assert!((200..300).contains(&answer.status), "{path}: {}", answer.body);
            answer.json["id"].as_str().expect("an identifier").to_owned()
        };
        let server = json!({"label": "Mine", "connection_type": "rest", "base_url": "https://tools.example/"});
        let connection = made("/connections/", &server);
        let name = format!("sums-{}", SystemClock::start().now_us());
        let namespace = made("/namespaces/", &json!({"namespace": name, "connection_id": connection}));
        let tool = json!({
            "name": "add",
            "rest_method": "POST",
            "rest_path": "/add",
            "visibility": "public",
            "short_description": "Adds",
            "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}},
        });
        made(&format!("/namespaces/{namespace}/tools/rest"), &tool);
        let listing =
            json!({"listing_name": "Sums", "description": "All sums", "category": "data", "tags": ["numbers"]});
        self.put(&format!("/namespaces/{namespace}/listing"), &listing);
        self.put(&format!("/namespaces/{namespace}/publish"), &json!({"action": "review"}));
        self.linked("/admin/listings", "/listings/{id}")
    }

    /// Changes something of the demo's customer.
    pub(super) fn put(&self, path: &str, body: &Value) {
        let (bearer, body) = (format!("Authorization: Bearer {}", self.token()), body.to_string());
        let arguments = ["-X", "PUT", "-H", &bearer, "-H", "Content-Type: application/json", "-d", &body];
        let answer = curl(&self.console.url(path), &arguments);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }

    fn price(&self, tool: &str, credits: &str, from: &str) {
        let form = format!("{tool}/price");
        self.previewed(&form, &form, &[("fixed_credit_cost", credits), ("valid_from", from), REASON]);
    }

    /// Gives credits back, or asks for it; the page of that.
    fn refund(&self, call: &str, credits: &str) -> String {
        let form = format!("/admin/refunds/new?invocation={call}");
        self.previewed(&form, "/admin/refunds/new", &[("credits", credits), REASON])
    }

    fn payout(&self, publisher: &str) -> String {
        let form = format!("/admin/payouts/new?payee={}", id_of(publisher));
        self.previewed(&form, "/admin/payouts/new", &[("credits", "50"), REASON])
    }

    /// A purchase that nobody has paid yet.
    pub(super) fn purchase(&self, credits: u32) -> String {
        let bought = self.send(self.token(), "/credits/purchase", &json!({"credits": credits}), &[]);
        assert_eq!(bought.status, 201, "{}", bought.body);
        format!("/admin/purchases/{}", bought.json["purchase_id"].as_str().expect("an identifier"))
    }

    /// Somebody at the machine says that it was paid: nobody else has to approve that, however much it comes to in all.
    fn confirm(&self, purchase: &str) {
        self.console.command(&["purchase", "confirm", id_of(purchase)]);
    }

    /// Somebody wants the money for a purchase back; the page of that.
    fn chargeback(&self, purchase: &str) -> String {
        self.confirm(purchase);
        let form = format!("{purchase}/dispute");
        self.previewed(&form, &form, &[REASON])
    }

    /// The same for a purchase of its own.
    pub(super) fn dispute(&self) -> String {
        self.chargeback(&self.purchase(10))
    }

    /// A request that somebody else has to decide.
    pub(super) fn request(&self) -> String {
        self.refund(&self.call("acme/lookup", r#"{"text": "How much is it?"}"#), "150")
    }

    /// A paid call that can be taken back without asking anybody.
    pub(super) fn cheap_call(&self) -> String {
        self.call("demo/text_stats", r#"{"text": "Hello."}"#)
    }

    /// A limit that nobody reaches.
    fn cap(&self, holder: &str) {
        let form = format!("{holder}/caps");
        self.done(&form, &form, &[("credits", "5000"), REASON]);
    }

    /// Credits that expire within the next days, of which a call takes some.
    fn grant(&self, account: &str) {
        let expires_us = SystemClock::start().now_us() + 10 * 86_400_000_000;
        let expires = jiff::Timestamp::from_microsecond(expires_us).expect("a moment").to_string();
        // Without seconds, as browsers send it.
        let expires: String = expires.chars().take(16).collect();
        let form = format!("{account}/grant");
        self.previewed(&form, &form, &[("credits", "2"), ("expires", &expires), REASON]);
        self.cheap_call();
    }

    /// A partner with credits, a limit, a token, and an end user who has called something.
    fn partner(&self) -> String {
        let named = [("name", "Globex"), ("margin_bps", "500"), REASON];
        let partner = self.done("/admin/partners/new", "/admin/partners/new", &named);
        let form = format!("{partner}/grant");
        self.previewed(&form, &form, &[("credits", "30"), REASON]);
        self.cap(&partner);
        let token = self.partner_token(&partner, "production");
        self.be_told(&partner);
        self.call_for(&token, "user-1");
        partner
    }

    /// A webhook of a partner, and a threshold that the first call with its only token reaches.
    fn be_told(&self, partner: &str) {
        let form = format!("{partner}/caps");
        let shown = self.owner.visitor.get(&form).body;
        let options = html::elements(&shown).into_iter().filter(|element| element.name == "option");
        let mut values = options.filter_map(|option| option.get("value").map(str::to_owned));
        let token = values.find(|value| value.starts_with("tok_")).expect("a token that can be limited");
        let of_token = [("of", token.as_str()), ("window", "month"), REASON];
        self.done(&form, &form, &[&of_token[..], &[("credits", "50")]].concat());
        let form = format!("{partner}/alerts");
        self.done(&form, &form, &[&of_token[..], &[("percent", "1")]].concat());
        let (form, receiver) = (format!("{partner}/webhooks"), Upstream::answering("{}"));
        let made = self.owner.visitor.submit(&form, &form, &[("url", &receiver.url("/told")), REASON]);
        assert_eq!(made.status, 200, "{}", html::text(&made.body));
    }

    /// Whether a webhook was told of something.
    fn is_told(&self) -> bool {
        let shown = self.owner.visitor.get("/admin/partners/deliveries?state=sent");
        html::links(&shown.body).iter().any(|link| leads_to(link, "/partners/{id}/webhooks/{webhook}"))
    }

    /// A new token of a partner.
    pub(super) fn partner_token(&self, partner: &str, name: &str) -> String {
        let form = format!("{partner}/tokens/new");
        let shown = self.owner.visitor.submit(&form, &form, &[("name", name), REASON]);
        let codes = html::texts_of(&shown.body, "code");
        let secret = codes.iter().find(|code| code.starts_with("faro_partner_"));
        secret.unwrap_or_else(|| panic!("no token among {codes:?}")).clone()
    }

    /// A paid call of a partner's end user.
    pub(super) fn call_for(&self, token: &str, user: &str) {
        let body = json!({"arguments": {"text": "Hello."}});
        let paid = self.send(token, "/invoke/demo/text_stats", &body, &[&format!("X-Faro-User: {user}")]);
        assert_eq!(paid.status, 200, "{}", paid.body);
    }

    /// A version of the policies that took the place of the first one; the first one's page.
    fn policies(&self) -> String {
        let first = self.linked("/admin/policies", "/policies/{number}");
        let second = self.draft("A comment");
        self.console.command(&["policy", "publish", id_of(&second)]);
        first
    }

    /// A version that says the same takes the place of what is in force.
    pub(super) fn publish_another(&self) {
        let draft = self.draft("Meanwhile");
        self.console.command(&["policy", "publish", id_of(&draft)]);
    }

    /// A draft that says what is in force, with a comment below.
    fn draft(&self, note: &str) -> String {
        let form = "/admin/policies/edit";
        let text = self.field(form, form, "text") + &format!("\n// {note}\n");
        self.done(form, form, &[("note", note), ("text", &text), ("do", "save")])
    }

    /// Lets somebody in; the page of that, which is below the operators' and this.
    fn operator(&self, who: &[&str], below: &str) -> String {
        let made = self.console.command(&[&["operator", "create"][..], who].concat());
        format!("/admin/operators/{below}{}", made["operator"].as_str().expect("an identifier"))
    }

    fn close_period(&self) {
        let now = jiff::Timestamp::from_microsecond(SystemClock::start().now_us()).expect("a moment").to_string();
        self.console.command(&["ledger", "close", "--until", &now]);
    }

    fn sign_checkpoint(&self) {
        let form = "/admin/ledger/checkpoints/sign";
        self.done(form, form, &[REASON]);
    }
}

/// Where a form led, without a query.
#[track_caller]
fn expect_done(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", html::text(&answer.body));
    without_query(answer.header("location").expect("where it leads"))
}

fn without_query(path: &str) -> String {
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// The last part of a path.
pub(super) fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
