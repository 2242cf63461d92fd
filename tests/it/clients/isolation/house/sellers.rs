//! What publishers have, made with their own requests.

use serde_json::{Value, json};

use super::{COUNTED, COUNTED_DAY_US, COUNTED_MICROS, House, Who, text};
use crate::{
    clients::isolation::things::{Made, Thing},
    rows,
};

impl House {
    pub(super) fn make_of_publisher(&self, who: Who, thing: Thing, made: &mut Made) -> String {
        match thing {
            Thing::Connection | Thing::McpConnection => self.connect(who, thing, made),
            Thing::Slug => self.name(),
            Thing::Namespace | Thing::McpNamespace => {
                let of = if thing == Thing::Namespace { Thing::Connection } else { Thing::McpConnection };
                let connection = self.connect(who, of, made);
                let slug = self.name();
                let new = json!({"namespace": slug, "connection_id": connection});
                let id = text(&self.create(who, "/namespaces/", &new), "id");
                made.words.extend([slug, connection]);
                id
            }
            Thing::Tool => {
                let space = made.first(&[Thing::Namespace, Thing::McpNamespace]).unwrap().to_owned();
                if made.first(&[Thing::McpNamespace]).is_some() {
                    self.create(who, &format!("/namespaces/{space}/scan"), &json!({}));
                } else {
                    let name = self.name();
                    let new = json!({"name": name, "rest_method": "POST", "rest_path": "/s", "visibility": "private"});
                    self.create(who, &format!("/namespaces/{space}/tools/rest"), &new);
                    made.words.push(name);
                }
                text(&self.look(who, &format!("/namespaces/{space}")).json["tools"][0], "id")
            }
            Thing::Group => {
                let space = made.first(&[Thing::Namespace, Thing::McpNamespace]).unwrap().to_owned();
                let new = json!({"name": self.name(), "sort_order": 1});
                made.words.push(text(&new, "name"));
                text(&self.create(who, &format!("/namespaces/{space}/groups"), &new), "id")
            }
            Thing::Sale => {
                // It returns no cost where its price looks for one: there is a warning.
                let price = json!({
                    "pricing_mode": "tool_returned", "charge_on": "success", "returned_credit_cost_path": "$.cost",
                    "estimated_max_credit_cost": "5",
                });
                self.sell(who, made, &price)
            }
            Thing::Earned => {
                let price = json!({"pricing_mode": "fixed_per_request", "fixed_credit_cost": "12.000345"});
                self.sell(who, made, &price);
                let earned = self.look(who, "/publishers/earnings").json["earned_in_all"].to_string();
                assert!(earned.ends_with(".600276"), "80 % of an odd price: {earned}");
                earned
            }
            Thing::CountedSale => self.count_sale(who, made),
            Thing::Picture => {
                let shown = self.ask_with_curl(who, "POST", "/publishers/me/logo", true).json;
                text(&shown, "logo_url").rsplit('/').next().unwrap().to_owned()
            }
            other => panic!("{other:?} is nothing of a publisher's"),
        }
    }

    /// The connection that was made before, or a new one.
    fn connect(&self, who: Who, thing: Thing, made: &mut Made) -> String {
        if let Some(known) = &made.connection {
            return known.clone();
        }
        let (kind, url, address) = if thing == Thing::Connection {
            ("rest", "base_url", self.receiver.url(""))
        } else {
            ("mcp", "mcp_url", self.mcp_url())
        };
        let (label, secret) = (self.name(), self.name());
        let new = json!({"label": label, "connection_type": kind, url: address});
        let id = text(&self.create(who, "/connections/", &new), "id");
        let credential = json!({"api_key": secret, "key_identifier": "Authorization", "param_location": "header"});
        self.do_as(who, "PUT", &format!("/connections/{id}/credentials"), &credential);
        made.words.extend([label, secret]);
        made.connection = Some(id.clone());
        id
    }

    /// Puts a sum of long ago into the publisher's sales, as it would be counted minutes behind the calls.
    fn count_sale(&self, who: Who, made: &mut Made) -> String {
        let space = self.make_of_publisher(who, Thing::Namespace, made);
        made.values.push(("+space", Thing::Namespace, space));
        let tool = self.make_of_publisher(who, Thing::Tool, made);
        let publisher = self.literal(&text(&self.look(who, "/publishers/me").json, "id"));
        let sql = format!(
            "INSERT INTO sales_day (publisher_id, start_us, tool_id, calls, paid_calls, charged)
             VALUES ({publisher}, {COUNTED_DAY_US}, {}, 7, 5, {COUNTED_MICROS})",
            self.literal(&tool),
        );
        rows::change_home(&self.home, &sql);
        made.words.push(tool);
        COUNTED.to_owned()
    }

    /// A call of a publisher's own tool at this price.
    fn sell(&self, who: Who, made: &mut Made, price: &Value) -> String {
        let space = self.make_of_publisher(who, Thing::Namespace, made);
        made.values.push(("+space", Thing::Namespace, space.clone()));
        let tool = self.make_of_publisher(who, Thing::Tool, made);
        let group = self.make_of_publisher(who, Thing::Group, made);
        let base = format!("/namespaces/{space}");
        self.do_as(who, "PUT", &format!("{base}/groups/{group}/pricing"), price);
        self.do_as(who, "PUT", &format!("{base}/tools/{tool}/group"), &json!({"tool_group_id": group}));
        let shown = self.look(who, &base).json;
        let path = format!("/invoke/{}/{}", text(&shown, "namespace"), text(&shown["tools"][0], "name"));
        made.words.extend([tool, group]);
        text(&self.create(who, &path, &json!({})), "invocation_id")
    }
}
