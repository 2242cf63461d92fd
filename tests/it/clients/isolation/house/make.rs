//! Making what a row names, for whoever it is to belong to.

use serde_json::{Value, json};
use tests::patience::wait_until;

use super::{COUNTED, COUNTED_DAY_US, COUNTED_MICROS, COUNTED_MONTH_US, House, NOBODY, Who, text};
use crate::{
    clients::isolation::things::{Made, Thing, digits_of},
    rows,
};

impl House {
    /// Something to name a thing with that nothing else is named.
    pub(super) fn name(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("quetzal-{:04}", self.made.get())
    }

    /// Makes the things of a row for somebody, one after the other.
    pub(in crate::clients::isolation) fn make(&self, who: Who, ids: &[(&'static str, Thing)]) -> Made {
        let mut made = Made::default();
        for (name, thing) in ids {
            let value = self.make_one(who, *thing, &mut made);
            made.values.push((*name, *thing, value));
        }
        made
    }

    fn make_one(&self, who: Who, thing: Thing, made: &mut Made) -> String {
        let is_alice = matches!(who, Who::Alice | Who::AliceSignedIn | Who::AliceHerself);
        match thing {
            Thing::Fixed(text) => text.to_owned(),
            Thing::Address => "alice@example.com".to_owned(),
            Thing::NewAddress => format!("{}@example.com", self.name()),
            Thing::Key => self.name(),
            Thing::AgentSession => format!("agent:a:{}", self.name()),
            // What is hidden is Alice's to know; strangers have what everybody has.
            Thing::HiddenNamespace if is_alice => {
                made.words.extend(["cellar".to_owned(), "medlar".to_owned()]);
                "attic".to_owned()
            }
            Thing::HiddenTool if is_alice => "quince".to_owned(),
            Thing::HiddenNamespace => "acme".to_owned(),
            Thing::HiddenTool => "open".to_owned(),
            Thing::Call | Thing::Purchase | Thing::Balance | Thing::Turn | Thing::Token | Thing::CappedToken => {
                self.make_of_account(who, thing, made)
            }
            Thing::Connection
            | Thing::McpConnection
            | Thing::Namespace
            | Thing::McpNamespace
            | Thing::Slug
            | Thing::Tool
            | Thing::Group
            | Thing::Sale
            | Thing::Earned
            | Thing::CountedSale
            | Thing::Picture => self.make_of_publisher(who, thing, made),
            _ => self.make_of_partner(who, thing, made),
        }
    }

    fn make_of_account(&self, who: Who, thing: Thing, made: &mut Made) -> String {
        let is_alice = matches!(who, Who::Alice | Who::AliceSignedIn);
        let (signed_in, key) = if is_alice { (Who::AliceSignedIn, Who::Alice) } else { (Who::BobSignedIn, Who::Bob) };
        match thing {
            Thing::Purchase => text(&self.create(key, "/credits/purchase", &json!({"credits": 7})), "purchase_id"),
            Thing::Balance => self.look(key, "/credits/balance").json["balance"].to_string(),
            Thing::Token | Thing::CappedToken => {
                let token = self.create(signed_in, "/tokens/", &json!({"name": self.name()}));
                made.words.extend([text(&token, "token"), text(&token, "name")]);
                let id = text(&token, "id");
                if thing == Thing::CappedToken {
                    made.words.push("777.000321".to_owned());
                    self.do_as(signed_in, "PUT", &format!("/tokens/{id}/caps/day"), &json!({"credits": "777.000321"}));
                }
                id
            }
            _ => {
                let call = text(&self.create(key, "/invoke/acme/paid", &json!({})), "invocation_id");
                if thing == Thing::Call {
                    return call;
                }
                made.words.extend(digits_of(&call));
                text(&self.look(key, "/credits/transactions?limit=1").json, "next")
            }
        }
    }

    fn make_of_partner(&self, who: Who, thing: Thing, made: &mut Made) -> String {
        let cap = json!({"credits": "777.000321"});
        match thing {
            Thing::PartnerToken | Thing::CappedPartnerToken => {
                let token = self.create(who, "/partners/tokens", &json!({"name": self.name()}));
                made.words.extend([text(&token, "token"), text(&token, "name")]);
                let id = text(&token, "id");
                if thing == Thing::CappedPartnerToken {
                    made.words.push("777.000321".to_owned());
                    self.do_as(who, "PUT", &format!("/partners/tokens/{id}/caps/day"), &cap);
                }
                id
            }
            Thing::PartnerCap => {
                // Either has one.
                let path = "/partners/caps/partner/day";
                self.do_as(Who::Initech, "PUT", path, &json!({"credits": 888_000}));
                self.do_as(Who::Globex, "PUT", path, &json!({"credits": "777000.000321"}));
                made.words.push("777000.000321".to_owned());
                String::new()
            }
            Thing::EndUser | Thing::CappedEndUser | Thing::FundedEndUser | Thing::CountedEndUser => {
                let (name, note) = (self.name(), self.name());
                let user =
                    self.create(who, "/partners/users", &json!({"external_id": name, "metadata": {"note": note}}));
                let id = text(&user, "id");
                if thing == Thing::CountedEndUser {
                    self.count_calls_of(who, &id);
                    made.words.push(COUNTED.to_owned());
                }
                made.words.extend([id, note]);
                if thing == Thing::CappedEndUser {
                    made.words.push("777.000321".to_owned());
                    self.do_as(who, "PUT", &format!("/partners/users/{name}/caps/day"), &cap);
                }
                if thing == Thing::FundedEndUser {
                    let moved = json!({"credits": "777.000321", "idempotency_key": self.name()});
                    made.words.push("777.000321".to_owned());
                    self.create(who, &format!("/partners/users/{name}/fund"), &moved);
                }
                name
            }
            Thing::CallOfEndUser => {
                let user = self.user_of(who, made);
                text(&self.call_for(who, &user), "invocation_id")
            }
            Thing::Alert => {
                let email = format!("{}@example.com", self.name());
                let alert = json!({"applies_to": "partner", "window": "month", "percent": 77, "email": email});
                made.words.push(email);
                text(&self.create(who, "/partners/alerts", &alert), "id")
            }
            Thing::Hook => {
                let url = self.receiver.url(&format!("/{}", self.name()));
                let hook = self.create(who, "/partners/webhooks", &json!({"url": url}));
                made.words.extend([text(&hook, "secret"), url]);
                text(&hook, "id")
            }
            Thing::Delivery => {
                self.tell(who, made);
                let path = format!("/partners/webhooks/{}/deliveries", made.first(&[Thing::Hook]).unwrap());
                let look = || self.look(who, &path).json["deliveries"][0]["id"].as_str().map(str::to_owned);
                wait_until("a delivery", look).0
            }
            Thing::Event => {
                let user = self.tell(who, made);
                let of_user = |event: &Value| event.to_string().contains(&user).then(|| text(event, "id"));
                let look = || self.look(who, "/partners/events").json["events"].as_array()?.iter().find_map(of_user);
                wait_until("an event", look).0
            }
            other => panic!("{other:?} is nothing of a partner's"),
        }
    }

    /// Puts sums of long ago into the partner's usage, as they would be counted minutes behind the calls: of all calls of a
    /// day (1) and of a month (2), and of this end user's (3, 4).
    fn count_calls_of(&self, who: Who, user: &str) {
        let partner = self.literal(&text(&self.look(who, "/partners/me").json, "id"));
        let (all, one) = (self.literal(NOBODY), self.literal(user));
        for (kind, start_us, subject) in [
            (1, COUNTED_DAY_US, &all),
            (2, COUNTED_MONTH_US, &all),
            (3, COUNTED_DAY_US, &one),
            (4, COUNTED_MONTH_US, &one),
        ] {
            let sql = format!(
                "INSERT INTO partner_usage (partner_id, kind, start_us, subject_id, calls, paid_calls, charged)
                 VALUES ({partner}, {kind}, {start_us}, {subject}, 7, 5, {COUNTED_MICROS})
                 ON CONFLICT (partner_id, kind, start_us, subject_id) DO NOTHING"
            );
            rows::change_home(&self.home, &sql);
        }
    }

    /// The end user that is named, or a new one.
    fn user_of(&self, who: Who, made: &mut Made) -> String {
        if let Some(user) = made.first(&[Thing::EndUser, Thing::CappedEndUser]) {
            return user.to_owned();
        }
        let user = self.make_of_partner(who, Thing::EndUser, made);
        made.words.push(user.clone());
        user
    }

    fn call_for(&self, who: Who, user: &str) -> Value {
        let bearer = format!("Bearer {}", self.token_of(who).unwrap());
        let headers = [("authorization", bearer.as_str()), ("x-faro-user", user)];
        let paid = self.server.send("POST", "/invoke/acme/paid", &headers, "{}");
        assert_eq!(paid.status, 200, "{}", paid.body);
        paid.json
    }

    /// Lets half of a limit of a new end user be spent, which its partner is told of; the user's name.
    fn tell(&self, who: Who, made: &mut Made) -> String {
        let user = self.user_of(who, made);
        self.do_as(who, "PUT", &format!("/partners/users/{user}/caps/day"), &json!({"credits": 100}));
        let alert = json!({"applies_to": "end_user", "external_id": user, "window": "day", "percent": 50});
        self.create(who, "/partners/alerts", &alert);
        self.call_for(who, &user);
        user
    }
}
