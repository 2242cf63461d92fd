//! One wrong value in each field of each form: what was typed stays, what is wrong stands beside the field and above the
//! form, and nothing is done.

use tests::{
    home::{Home, Kind},
    html::{self, Element},
};

use super::{
    routes::leads_to,
    samples::{
        World,
        forms::{SENDINGS, Sending},
    },
    sending::{Filled, Opened, Senders, Sent, seen_fields, trail},
};

/// What is wrong in a field of this name, on whichever form.
const WRONG: [(&str, &str); 60] = [
    ("account", "nobody"),
    ("again", "something else"),
    ("base_credit_cost", "much"),
    ("cases", "["),
    ("category", TOO_LONG),
    ("charge_on", "nonsense"),
    ("code", "000000"),
    ("credits", "much"),
    ("days", "some"),
    ("description", TOO_LONG),
    ("direction", "nonsense"),
    ("display_name", TOO_LONG),
    ("email", "nobody"),
    ("estimated_max_credit_cost", "much"),
    ("expires", "someday"),
    ("fixed_credit_cost", "much"),
    ("format", "nonsense"),
    ("from", "someday"),
    ("input_schema", "{"),
    ("listing_name", TOO_LONG),
    ("long_description", TOO_LONG),
    ("margin_bps", "many"),
    ("method", "nonsense"),
    ("month", "soon"),
    ("name", TOO_LONG),
    ("namespace", "nowhere"),
    ("note", TOO_LONG),
    ("of", "nobody"),
    ("old", "wrong"),
    ("operator", "forbid ("),
    ("partner", "nobody"),
    ("password", "short"),
    ("payee", "nobody"),
    ("percent", "much"),
    ("pricing_credits_per_unit", "much"),
    ("pricing_description", TOO_LONG),
    ("pricing_mode", "nonsense"),
    ("pricing_unit_fields", "a, a"),
    ("priority", "high"),
    ("publisher", "nobody"),
    ("reason", TOO_LONG),
    ("report", "nonsense"),
    ("returned_credit_cost_path", ".."),
    ("returned_credit_multiplier", "much"),
    ("roles", "nobody"),
    ("share_bps", "many"),
    ("short_description", TOO_LONG),
    ("slug", "Not a slug"),
    ("tags", TOO_LONG),
    ("tell", "nobody"),
    ("text", "{"),
    ("tier", "nonsense"),
    ("timeout_ms", "soon"),
    ("to", "someday"),
    ("token", TOO_LONG),
    ("transaction", "nothing"),
    ("until", "someday"),
    ("url", "nowhere"),
    ("valid_from", "someday"),
    ("window", "nonsense"),
];

/// Fields of a route in which nothing can be wrong, with the reason.
const NEVER_WRONG: [(&str, &str, &str); 6] = [
    ("/accounts/new", "verified", "a box"),
    ("/ledger/exports", "full", "a box"),
    ("/policies/edit", "entry", "what the buttons of the lanes add: who saves has nothing to add"),
    ("/sign-in", "email", "an unknown one is not told from a wrong password"),
    ("/sign-in", "password", "the same"),
    ("/sign-in", "code", "who has no second factor needs none, and a wrong one is not told from a wrong password"),
];

const TOO_LONG: &str = "{too long}";

fn wrong_value(field: &str) -> Option<String> {
    let value = WRONG.iter().find(|(name, _)| *name == field).map(|(_, value)| *value);
    value.map(|value| if value == TOO_LONG { "Far too long. ".repeat(1_600) } else { value.to_owned() })
}

fn is_password(element: &Element) -> bool {
    element.get("type") == Some("password")
}

/// Whether what was typed into it stands there again: of a list that is only so for what stands in the list.
fn is_kept(element: &Element, is_wrong: bool) -> bool {
    let is_chosen = element.name == "select" || element.get("type") == Some("checkbox");
    !(is_password(element) || is_wrong && is_chosen)
}

/// What is wrong with the answer to a form with one wrong field, a sentence for each.
fn faults(sending: &Sending, sent: &Sent, field: &str, fields: &[(String, Element)]) -> Vec<String> {
    let answer = &sent.answer;
    if answer.status != 422 {
        return vec![format!("answered {}: {}", answer.status, html::text(&answer.body))];
    }
    let elements = html::elements(&answer.body);
    let with_id = |id: String| elements.iter().find(|element| element.get("id") == Some(&id));
    let mut found = Vec::new();
    let link = format!("#field-{field}");
    if !elements.iter().any(|element| element.name == "a" && element.get("href") == Some(&link)) {
        found.push("the summary does not lead to it".to_owned());
    }
    let problem = format!("field-{field}-problem");
    if with_id(problem.clone()).is_none() {
        let notices = html::texts_of(&answer.body, "li").join(" | ");
        found.push(format!("nothing stands beside it, but above: {notices}"));
    }
    match with_id(format!("field-{field}")) {
        None => found.push("there is no such field any more".to_owned()),
        Some(element) => {
            let described = element.get("aria-describedby").unwrap_or_default();
            if !described.split(' ').any(|id| id == problem) {
                found.push("it is not described by what is wrong".to_owned());
            }
            if element.name != "fieldset" && element.get("aria-invalid") != Some("true") {
                found.push("it is not marked as wrong".to_owned());
            }
        }
    }
    let forms = html::forms(&answer.body);
    let form = forms.iter().find(|form| form.method == "post" && leads_to(&form.action, sending.route));
    let Some(form) = form else { return [found, vec!["there is no form any more".to_owned()]].concat() };
    for (name, _) in fields.iter().filter(|(name, element)| is_kept(element, name == field)) {
        let of = |values: &Filled| -> Vec<String> {
            values.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
        };
        let (typed, kept) = (of(&sent.filled), of(&form.fields));
        if typed != kept && typed.iter().any(|text| !text.is_empty()) {
            found.push(format!("`{name}` was {typed:?} and is {kept:?}"));
        }
    }
    found
}

#[test]
fn a_wrong_field_is_named_and_nothing_typed_is_lost() {
    let home = Home::on(Kind::Sqlite);
    let world = World::start(&home);
    let senders = Senders::of(&world);
    let mut found = Vec::new();
    for sending in SENDINGS {
        let opened = senders.open(sending);
        let forms = html::forms(&opened.body);
        if !forms.iter().any(|form| form.method == "post" && leads_to(&form.action, sending.route)) {
            // A button of a form that is looked at elsewhere.
            continue;
        }
        let fields = seen_fields(&opened.body);
        for (field, _) in &fields {
            if NEVER_WRONG.iter().any(|(route, name, _)| (*route, *name) == (sending.route, field.as_str())) {
                continue;
            }
            let Some(wrong) = wrong_value(field) else {
                found.push(format!("{} `{field}`: nobody says what is wrong in it", sending.route));
                continue;
            };
            let mut values = opened.values.clone();
            values.retain(|(name, _)| name != field);
            // Whoever chooses a password that cannot be used types it twice.
            if let Some((_, again)) = values.iter_mut().find(|(name, _)| field == "password" && name == "again") {
                again.clone_from(&wrong);
            }
            values.push((field.clone(), wrong));
            let tried = Opened { page: opened.page.clone(), body: opened.body.clone(), values };
            let before = trail(&home).len();
            let sent = senders.send(sending, &tried);
            let mut faults = faults(sending, &sent, field, &fields);
            let told = trail(&home);
            if told.len() != before {
                faults.push(format!("something was done: {:?}", &told[before..]));
            }
            found.extend(faults.into_iter().map(|fault| format!("{} `{field}`: {fault}", sending.route)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
