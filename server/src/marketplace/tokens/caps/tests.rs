use actix_web::ResponseError as _;
use engine::{
    id::uuid_v7,
    service::caps::{CapHolder, CapUsed},
};

use super::*;

fn credits(text: &str) -> Credits {
    Credits::parse_exact(text).unwrap()
}

fn cap(window: CapWindow, limit: &str, used: Option<(&str, &str)>) -> CapStanding {
    let resets_us = (window == CapWindow::Day).then_some(1_000_000);
    CapStanding {
        holder: CapHolder::Token(TokenId::from(uuid_v7(1, [7; 10]))),
        window,
        limit: credits(limit),
        used: used.map(|(spent, held)| CapUsed { spent: credits(spent), held: credits(held), resets_us }),
    }
}

#[test]
fn a_limit_is_shown_with_what_is_left_of_it() {
    for (cap, expected) in [
        (
            cap(CapWindow::Call, "50", None),
            json!({"window": "call", "credits": 50, "spent": null, "reserved": null, "left": 50, "resets_at": null}),
        ),
        (
            cap(CapWindow::Day, "50.5", Some(("20.25", "10"))),
            json!({"window": "day", "credits": 50.5, "spent": 20.25, "reserved": 10, "left": 20.25,
                   "resets_at": "1970-01-01T00:00:01Z"}),
        ),
        // It was lowered below what had been spent.
        (
            cap(CapWindow::Total, "5", Some(("20", "0"))),
            json!({"window": "total", "credits": 5, "spent": 20, "reserved": 0, "left": 0, "resets_at": null}),
        ),
    ] {
        assert_eq!(view(&cap), expected);
    }
}

#[test]
fn a_body_is_one_amount_and_nothing_else() {
    for (body, expected) in [
        (r#"{"credits": 1.5}"#, Ok(credits("1.5"))),
        (r#"{"credits": "50"}"#, Ok(credits("50"))),
        (r#"{"credits": 0}"#, Ok(Credits::ZERO)),
        ("{}", Err("body.credits: is missing")),
        (r#"{"credits": null}"#, Err("body.credits: is missing")),
        (r#"{"credits": -1}"#, Err("body.credits: must not be negative")),
        (r#"{"credits": 1, "window": "day"}"#, Err("body.window: is not a member of this request")),
    ] {
        let read = parse_limit(body).map_err(|problem| problem.body()["error"]["message"].clone());
        assert_eq!(read, expected.map_err(Value::from), "{body}");
    }
}

#[test]
fn a_path_names_a_token_and_a_window() {
    let token = TokenId::from(uuid_v7(1, [7; 10])).to_string();
    let status = |id: &str, window: &str| {
        parse_path(&(id.to_owned(), window.to_owned())).map_err(|problem| problem.status_code().as_u16())
    };
    assert_eq!(status(&token, "day"), Ok((token.parse().unwrap(), CapWindow::Day)));
    assert_eq!(status(&token, "week"), Err(422));
    assert_eq!(status("tok_x", "day"), Err(404));
    assert_eq!(status("", "week"), Err(404), "a token that is not there is not asked for its windows");
}
