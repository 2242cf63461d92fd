//! Refunds, chargebacks, payouts and corrections, as operators order them from the command line: each with its numbers,
//! its key, and its refusals, after which the books are what they were.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    server::{ALICE, BOB, Server, config, tool},
    upstream::Upstream,
};

use super::{json_of, run, verify};
use crate::rows;

on_both_databases!(
    a_charge_goes_back_in_parts_and_whole_and_every_party_gives_its_share,
    a_publisher_is_paid_with_a_statement_and_owes_what_goes_back_later,
    a_wallet_is_corrected_by_as_much_as_it_has,
    a_disputed_payment_is_held_and_comes_back_or_goes,
    a_failed_purchase_stays_failed,
    orders_without_a_server_do_and_say_the_same,
);

const GLOBEX: &str = "faro_partner_globex00";

/// A server with a tool for 50 credits, of which the publisher gets 80 %, and a partner 5 % of its users' calls.
struct Shop {
    server: Server,
    home: Home,
    _upstream: Upstream,
}

impl Shop {
    fn open(kind: Kind) -> Self {
        let upstream = Upstream::answering(r#"{"done": true}"#);
        let home = Home::on(kind);
        let partner = format!("{{name: 'Globex', token: '{GLOBEX}', margin_bps: 500, grant_credits: 1000}}");
        let tools = tool("paid", &upstream.url("/"), 50, "success", 5_000);
        let server = Server::start(home.path(), &config(&tools, &partner, ""));
        Self { server, home, _upstream: upstream }
    }

    /// A call of Alice's; its identifier.
    fn call(&self) -> String {
        let paid = self.server.invoke(ALICE, "paid", "{}");
        assert_eq!(paid.status, 200, "{}", paid.body);
        paid.json["invocation_id"].as_str().unwrap().to_owned()
    }

    fn order(&self, arguments: &[&str]) -> Value {
        json_of(self.home.path(), arguments)
    }

    /// All balances, and how many rows stand in the tables that orders write.
    fn state(&self) -> Vec<Vec<String>> {
        let balances = "SELECT account_id, credits, debits, held FROM wallet_balance
                        UNION ALL SELECT account_id, credits, debits, slot FROM hot_balance ORDER BY 1, 2, 3";
        let counts = "SELECT (SELECT count(*) FROM txn), (SELECT count(*) FROM posting), (SELECT count(*) FROM hold),
                             (SELECT count(*) FROM movement), (SELECT count(*) FROM payout),
                             (SELECT coalesce(sum(refunded), 0) FROM refund_total),
                             (SELECT count(*) FROM chargeback WHERE state = 'open')";
        [rows::of_home(&self.home, balances), rows::of_home(&self.home, counts)].concat()
    }

    /// Orders something that is refused with these words, and nothing changes.
    fn refused(&self, arguments: &[&str], words: &str) {
        let before = self.state();
        let said = run(self.home.path(), arguments);
        assert!(said.exit == Some(1) && said.errors.contains(words), "{arguments:?}: {words}: {said:?}");
        assert_eq!(said.out, "", "{arguments:?}");
        assert_eq!(self.state(), before, "{arguments:?} was refused and changed something");
    }

    fn buy(&self, credits: u32) -> String {
        let body = json!({"credits": credits}).to_string();
        let headers = [("authorization", &*format!("Bearer {BOB}"))];
        let bought = self.server.send("POST", "/credits/purchase", &headers, &body);
        assert_eq!(bought.status, 201, "{}", bought.body);
        bought.json["purchase_id"].as_str().unwrap().to_owned()
    }

    fn close(self) {
        verify(self.home.path());
        let accounts = self.server.ledger("trial-balance");
        let rows = accounts["accounts"].as_array().unwrap().iter();
        let sum: i64 = rows.map(|row| row["balance_micros"].as_str().unwrap().parse::<i64>().unwrap()).sum();
        assert_eq!(sum, 0, "{accounts}");
    }
}

fn a_charge_goes_back_in_parts_and_whole_and_every_party_gives_its_share(kind: Kind) {
    let shop = Shop::open(kind);
    let id = shop.call();
    let first = shop.order(&["refund", &id, "--credits", "0.000001", "--reason", "late", "--key", "k1"]);
    assert_eq!((&first["publisher"], &first["platform"]), (&json!(0.000_001), &json!(0)), "{first}");
    let part = shop.order(&["refund", &id, "--credits", "20", "--reason", "slow"]);
    let expected = json!({"credits": 20, "publisher": 16, "publisher_owes": 0, "partner": 0, "platform": 4,
                          "charged": 50, "refunded": 20.000_001, "refundable": 29.999_999, "replayed": false});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&part[name], value, "{name}: {part}");
    }
    assert_eq!(part["available"], json!(9_970.000_001));
    // The same key again is the same refund, for others it is taken.
    let again = shop.order(&["refund", &id, "--credits", "0.000001", "--reason", "late", "--key", "k1"]);
    assert_eq!((&again["replayed"], &again["refund"]), (&json!(true), &first["refund"]));
    let above = "30 of 50 cannot go back: 20.000001 went back before, 29.999999 are left";
    shop.refused(&["refund", &id, "--credits", "30", "--reason", "r"], above);
    let used = "used for another command: refund of 0.000001 credits for ent_";
    shop.refused(&["refund", &id, "--credits", "1", "--reason", "late", "--key", "k1"], used);
    let refund = part["refund"].as_str().unwrap();
    shop.refused(
        &["refund", refund, "--credits", "1", "--reason", "r"],
        "nothing of this can be taken back: it is refund",
    );
    shop.refused(&["refund", &id, "--credits", "0", "--reason", "r"], "`credits` must be more than 0");
    shop.refused(&["refund", &id, "--credits", "-1", "--reason", "r"], "`credits` must not be negative");
    shop.refused(&["refund", &id, "--reason", " "], "`reason` is one line of 1 to 200");
    shop.refused(&["refund", &id, "--reason", "r", "--key", ""], "`key` has 1 to 255 bytes");
    let nobody = "inv_00000000000000000000000000000000";
    shop.refused(&["refund", nobody, "--reason", "r"], "there is no such transaction");
    shop.refused(&["refund", "tok_1", "--reason", "r"], "`tok_1` is not an identifier");

    let rest = shop.order(&["refund", &id, "--reason", "all of it"]);
    assert_eq!((&rest["credits"], &rest["refunded"], &rest["refundable"]), (&json!(29.999_999), &json!(50), &json!(0)));
    assert_eq!(shop.server.balance(ALICE)["available"], json!(10_000));
    let nothing = "0 of 50 cannot go back: 50 went back before, 0 are left";
    shop.refused(&["refund", &id, "--reason", "r"], nothing);

    // A partner's call: three parties.
    let headers = [("authorization", &*format!("Bearer {GLOBEX}")), ("x-faro-user", "u-1")];
    let paid = shop.server.send("POST", "/invoke/acme/paid", &headers, "{}");
    let id = paid.json["invocation_id"].as_str().unwrap();
    let part = shop.order(&["refund", id, "--credits", "10", "--reason", "r"]);
    assert_eq!(
        (&part["publisher"], &part["partner"], &part["platform"]),
        (&json!(8), &json!(0.5), &json!(1.5)),
        "{part}"
    );
    shop.close();
}

fn a_publisher_is_paid_with_a_statement_and_owes_what_goes_back_later(kind: Kind) {
    let shop = Shop::open(kind);
    let (first, second) = (shop.call(), shop.call());
    shop.refused(
        &["payout", "acme", "--credits", "80.000001", "--reason", "r"],
        "above what can be paid: 80 are payable",
    );
    shop.refused(&["payout", "nobody", "--reason", "r"], "there is no such publisher");
    shop.refused(&["payout", "acme", "--credits", "0", "--reason", "r"], "`credits` must be more than 0");
    let paid = shop.order(&["payout", "acme", "--credits", "70", "--reason", "july", "--key", "p1"]);
    let statement =
        json!({"opening": 0, "earned": 80, "taken_back": 0, "netted": 0, "paid": 70, "closing": 10, "owed": 0});
    assert_eq!((&paid["statement"], &paid["name"]), (&statement, &json!("acme")), "{paid}");
    let again = shop.order(&["payout", "acme", "--credits", "70", "--reason", "july", "--key", "p1"]);
    assert_eq!((&again["replayed"], &again["statement"]), (&json!(true), &statement));
    shop.refused(
        &["payout", "acme", "--credits", "70", "--reason", "july"],
        "a payout of 70 is above what can be paid",
    );

    // 40 of the publisher's go back, and 10 are there.
    let refund = shop.order(&["refund", &first, "--reason", "r"]);
    assert_eq!(
        (&refund["publisher"], &refund["publisher_owes"], &refund["platform"]),
        (&json!(10), &json!(30), &json!(10))
    );
    shop.refused(&["payout", "acme", "--reason", "r"], "0 are payable, 30 of that are owed");
    shop.call();
    let publisher = paid["payee"].as_str().unwrap();
    let next = shop.order(&["payout", publisher, "--reason", "august"]);
    let statement =
        json!({"opening": 10, "earned": 40, "taken_back": 10, "netted": 30, "paid": 10, "closing": 0, "owed": 0});
    assert_eq!((&next["credits"], &next["statement"]), (&json!(10), &statement), "{next}");
    shop.order(&["refund", &second, "--credits", "1", "--reason", "r"]);
    shop.close();
}

fn a_wallet_is_corrected_by_as_much_as_it_has(kind: Kind) {
    let shop = Shop::open(kind);
    let up = shop.order(&["account", "adjust", "bob@example.com", "2.5", "--reason", "sorry", "--key", "a1"]);
    assert_eq!((&up["available"], &up["replayed"]), (&json!(102.5), &json!(false)), "{up}");
    let again = shop.order(&["account", "adjust", "bob@example.com", "2.5", "--reason", "sorry", "--key", "a1"]);
    assert_eq!(
        (&again["available"], &again["replayed"], &again["adjustment"]),
        (&json!(102.5), &json!(true), &up["adjustment"])
    );
    let down = shop.order(&["account", "adjust", "bob@example.com", "-102.5", "--reason", "all"]);
    assert_eq!((&down["available"], &down["credits"]), (&json!(0), &json!(-102.5)));
    let adjust = |credits: &'static str| ["account", "adjust", "bob@example.com", credits, "--reason", "r"];
    shop.refused(&adjust("-0.000001"), "needs 0.000001, available 0");
    shop.refused(&adjust("0"), "`credits` must not be 0");
    shop.refused(&adjust("1e3"), "`credits` must not have an exponent");
    shop.refused(&adjust("9223372036854.775807"), "a balance would overflow");
    shop.refused(&["account", "adjust", "c@example.com", "1", "--reason", "r"], "there is no account `c@example.com`");
    let used = "used for another command: adjustment of 2.5 credits for acc_";
    shop.refused(&["account", "adjust", "bob@example.com", "1", "--reason", "r", "--key", "a1"], used);
    shop.close();
}

fn a_disputed_payment_is_held_and_comes_back_or_goes(kind: Kind) {
    let shop = Shop::open(kind);
    let bought = shop.buy(30);
    shop.refused(&["chargeback", "open", &bought, "--reason", "r"], "the purchase is pending");
    shop.order(&["purchase", "confirm", &bought]);
    shop.refused(&["purchase", "confirm", &bought], "the purchase of 30 credits is confirmed already");
    shop.refused(&["chargeback", "won", &bought, "--reason", "r"], "no chargeback of this purchase is open");
    let above = "31 of 30 cannot go back: 0 went back before, 30 are left";
    shop.refused(&["chargeback", "open", &bought, "--credits", "31", "--reason", "r"], above);
    let nobody = "pur_00000000000000000000000000000000";
    shop.refused(&["chargeback", "open", nobody, "--reason", "r"], "there is no such purchase");

    let open = ["chargeback", "open", &bought, "--reason", "dispute 1", "--key", "c1"];
    let opened = shop.order(&open);
    assert_eq!(
        (&opened["state"], &opened["held"], &opened["missing"]),
        (&json!("open"), &json!(30), &json!(0)),
        "{opened}"
    );
    assert_eq!((&opened["available"], &shop.order(&open)["replayed"]), (&json!(100), &json!(true)));
    assert_eq!(shop.server.balance(BOB)["available"], json!(100));
    shop.refused(&["chargeback", "open", &bought, "--reason", "r"], "a chargeback of 30 is open already");
    let won = shop.order(&["chargeback", "won", &bought, "--reason", "they paid"]);
    assert_eq!((&won["state"], &won["available"]), (&json!("won"), &json!(130)));
    shop.refused(&["chargeback", "lost", &bought, "--reason", "r"], "is open: the last one was won");

    // Once more, and by now the wallet has less than was bought.
    shop.order(&["account", "adjust", "bob@example.com", "-110", "--reason", "spent"]);
    let opened = shop.order(&["chargeback", "open", &bought, "--reason", "dispute 2"]);
    assert_eq!(
        (&opened["held"], &opened["missing"], &opened["available"]),
        (&json!(20), &json!(10), &json!(0)),
        "{opened}"
    );
    shop.order(&["account", "grant", "bob@example.com", "4", "--reason", "a present"]);
    let lost = shop.order(&["chargeback", "lost", &bought, "--reason", "they did not", "--key", "c2"]);
    let parts = (&lost["state"], &lost["taken"], &lost["loss"], &lost["available"]);
    assert_eq!(parts, (&json!("lost"), &json!(24), &json!(6), &json!(0)), "{lost}");
    let again = shop.order(&["chargeback", "lost", &bought, "--reason", "they did not", "--key", "c2"]);
    assert_eq!((&again["replayed"], &again["loss"]), (&json!(true), &json!(6)));
    shop.refused(&["chargeback", "open", &bought, "--reason", "r"], "a chargeback of 30 is lost already");
    shop.refused(&["chargeback", "won", &bought, "--reason", "r"], "is open: the last one was lost");
    let loss = rows::of_home(&shop.home, "SELECT sum(debits) FROM hot_balance WHERE account_id = 7");
    assert_eq!(loss, [["6000000"]]);
    shop.close();
}

fn a_failed_purchase_stays_failed(kind: Kind) {
    let shop = Shop::open(kind);
    let bought = shop.buy(30);
    shop.refused(&["purchase", "fail", &bought, "--reason", ""], "`reason` is one line of 1 to 200");
    let failed = shop.order(&["purchase", "fail", &bought, "--reason", "card declined"]);
    assert_eq!((&failed["status"], &failed["available"]), (&json!("failed"), &json!(100)));
    shop.refused(&["purchase", "confirm", &bought], "the purchase of 30 credits has failed");
    shop.refused(&["purchase", "fail", &bought, "--reason", "again"], "the purchase of 30 credits has failed");
    let confirmed = shop.buy(5);
    shop.order(&["purchase", "confirm", &confirmed]);
    shop.refused(&["purchase", "fail", &confirmed, "--reason", "r"], "the purchase of 5 credits is confirmed already");
    let list = shop.server.get(BOB, "/credits/purchases").json;
    let status =
        |id: &str| list.as_array().unwrap().iter().find(|row| row["purchase_id"] == id).unwrap()["status"].clone();
    assert_eq!((status(&bought), status(&confirmed)), (json!("failed"), json!("confirmed")));
    shop.close();
}

fn orders_without_a_server_do_and_say_the_same(kind: Kind) {
    let shop = Shop::open(kind);
    let id = shop.call();
    let Shop { server, home, _upstream } = shop;
    server.kill();
    let refund = json_of(home.path(), &["refund", &id, "--credits", "20", "--reason", "r", "--key", "k"]);
    assert_eq!(
        (&refund["publisher"], &refund["platform"], &refund["available"]),
        (&json!(16), &json!(4), &json!(9_970))
    );
    let paid = json_of(home.path(), &["payout", "acme", "--reason", "r"]);
    assert_eq!(paid["statement"]["paid"], json!(24));
    let said = run(home.path(), &["payout", "acme", "--reason", "r"]);
    assert!(said.exit == Some(1) && said.errors.contains("0 are payable"), "{said:?}");
    let people = run(home.path(), &["refund", &id, "--reason", "r"]);
    let lines = "publisher 0, partner 0, platform 6\nthe publisher owes 24: it had been paid out\n";
    assert!(people.exit == Some(0) && people.out.ends_with(lines), "{people:?}");
    verify(home.path());
}
