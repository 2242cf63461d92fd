use engine::{
    id::{MailId, uuid_v7},
    service::outbox::{MAIL_CLAIM_US, MailTemplate, OutgoingMail},
};
use serde_json::{Value, json};

use super::{SEND_TIMEOUT, SendError, TextError, Transport, render};
use crate::config::{ConfigSource, Environment, load};

fn mail(recipient: &str, template: MailTemplate, data: Value) -> OutgoingMail {
    OutgoingMail {
        id: MailId::from(uuid_v7(1, [3; 10])),
        recipient: recipient.to_owned(),
        template,
        data,
        attempts: 0,
        due_us: 1_800_000_000_000_000,
        created_us: 1_800_000_000_000_000,
    }
}

fn transport() -> Transport {
    let source = ConfigSource::Text { name: "test".to_owned(), text: "{}".to_owned() };
    Transport::new(&load(&source, &Environment::default()).unwrap().config.mail, "http://house").unwrap()
}

#[test]
fn a_recipient_cannot_add_a_header() {
    let data = json!({"secret": "vx", "minutes": 30});
    for recipient in ["a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com", "", "a"] {
        let refused = transport().message(&mail(recipient, MailTemplate::Verification, data.clone()));
        assert!(matches!(refused, Err(SendError::Recipient)), "{recipient:?}");
    }
}

#[test]
fn a_message_names_sender_receiver_and_itself_once() {
    let data = json!({"secret": "vx", "minutes": 30});
    let message = transport().message(&mail("a@example.com", MailTemplate::Verification, data)).unwrap();
    let text = String::from_utf8(message.formatted()).unwrap();
    for line in ["To: a@example.com", "Subject: Confirm your address for Tollgate", "Message-ID: <mai_"] {
        assert_eq!(text.matches(line).count(), 1, "{line}: {text}");
    }
}

#[test]
fn html_is_escaped_and_missing_data_is_named() {
    let receipt = |data| render(&mail("a@example.com", MailTemplate::Receipt, data), "http://house");
    let text = receipt(json!({"purchase_id": "<b>", "credits": "5", "usd": "0.005"})).unwrap();
    assert!(text.html.contains("&#60;b&#62;") && text.plain.contains("<b>"), "{text:?}");
    let error = receipt(json!({"credits": "5"})).unwrap_err();
    assert_eq!(error.to_string(), "its data has no `purchase_id`");
}

/// What a template is given, with a name in it that would be markup, a header and more.
fn filled(template: MailTemplate) -> Value {
    let link = json!({"secret": "s3cret", "minutes": 30, "name": NAME});
    match template {
        MailTemplate::Verification
        | MailTemplate::PasswordReset
        | MailTemplate::OperatorLink
        | MailTemplate::OperatorReset => link,
        MailTemplate::Receipt => json!({"purchase_id": "pur_1", "credits": "5", "usd": "0.005"}),
        MailTemplate::Refund => json!({"transaction": "ent_1", "call": "inv_1", "credits": "2.5"}),
        MailTemplate::LowBalance => json!({"left": "9.5", "bought": "100"}),
        MailTemplate::CapAlert => json!({
            "whose": NAME, "window": "day", "percent": 80, "limit": "100", "spent": "80.5",
            "resets_us": 1_800_000_000_000_000_i64,
        }),
        MailTemplate::ApprovalRequest => json!({
            "approval_id": "apr_1", "what": "Give back what a call was charged", "object": "inv_1", "author": NAME,
            "reason": "the answer <was> empty", "credits": "120",
        }),
        MailTemplate::ApprovalDecision => json!({
            "approval_id": "apr_1", "what": "Give back what a call was charged", "object": "inv_1", "decided": "rejected",
            "by": NAME, "note": "it was <not>",
        }),
        MailTemplate::ListingDecision => json!({
            "namespace": "sums", "what": "a new namespace", "decided": "rejected", "reason": "it has <no> examples",
        }),
        MailTemplate::Statement => json!({
            "name": NAME, "payout": "ent_1", "opening": "0", "earned": "80", "taken_back": "1", "netted": "2", "paid": "77",
            "closing": "0.5",
        }),
        MailTemplate::Checkpoint => {
            json!({"number": 7, "made_us": 1_800_000_000_000_000_i64, "hash": "ab", "checkpoint": "{\"number\":7}"})
        }
        MailTemplate::Test => json!({}),
    }
}

const NAME: &str = "Zoë <b>\r\nBcc: b@example.com";

#[test]
fn every_mail_says_the_same_as_text_and_as_html_and_fetches_nothing() {
    for (template, word) in MailTemplate::ALL {
        let data = filled(template);
        let text = render(&mail("a@example.com", template, data.clone()), "http://house").unwrap();
        assert!(!text.subject.is_empty() && !text.subject.chars().any(char::is_control), "{word}: {}", text.subject);
        let values = data.as_object().unwrap().iter().filter_map(|(name, value)| match name.as_str() {
            "approval_id" | "checkpoint" | "made_us" | "resets_us" => None,
            _ => Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        });
        // The name is not in those that an account's owner gets.
        let is_said = |value: &String| value != NAME || text.plain.contains("Zoë");
        for value in values.filter(is_said) {
            assert!(text.plain.contains(&value), "{word}: {value} in {}", text.plain);
            let escaped = value.replace('<', "&#60;").replace('>', "&#62;").replace('"', "&#34;");
            assert!(text.html.contains(&escaped), "{word}: {value} in {}", text.html);
        }
        let html = &text.html;
        assert!(html.starts_with("<!doctype html>") && html.contains("color-scheme"), "{word}: {html}");
        assert!(!html.contains("{{") && !html.contains("<b>"), "{word}: {html}");
        for fetched in ["src=", "url(", "@import", "<link", "<script", "background="] {
            assert!(!html.contains(fetched), "{word}: {fetched} in {html}");
        }
        // Whoever shows no HTML reads all of it.
        assert!(!text.plain.contains("<p>") && !text.plain.contains("&#"), "{word}: {}", text.plain);
    }
}

#[test]
fn links_lead_where_they_are_good() {
    for (template, link) in [
        (MailTemplate::Verification, "http://house/auth/link/s3cret"),
        (MailTemplate::PasswordReset, "http://house/auth/link/s3cret"),
        (MailTemplate::OperatorLink, "http://house/admin/link/s3cret"),
        (MailTemplate::OperatorReset, "http://house/admin/link/s3cret"),
        (MailTemplate::ApprovalRequest, "http://house/admin/approvals/apr_1"),
        (MailTemplate::ApprovalDecision, "http://house/admin/approvals/apr_1"),
    ] {
        let text = render(&mail("a@example.com", template, filled(template)), "http://house").unwrap();
        assert!(text.plain.lines().any(|line| line == link), "{}", text.plain);
        assert!(text.html.contains(&format!("href=\"{link}\"")), "{}", text.html);
    }
}

#[test]
fn a_subject_with_a_name_in_it_is_one_header() {
    let template = MailTemplate::Statement;
    let message = transport().message(&mail("a@example.com", template, filled(template))).unwrap();
    let text = String::from_utf8(message.formatted()).unwrap();
    let (headers, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(headers.is_ascii() && headers.contains("Subject: "), "{headers}");
    assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
    assert!(headers.contains("Auto-Submitted: auto-generated"), "{headers}");
    assert!(headers.contains("multipart/alternative"), "{headers}");
}

#[test]
fn what_cannot_go_well_is_not_tried_again_and_what_is_of_the_server_rests() {
    let cases = [
        (SendError::Recipient, true, false),
        (SendError::Text(TextError::Missing("credits")), true, false),
        (SendError::Facts, true, false),
        (SendError::Over, true, false),
        (SendError::File(std::io::ErrorKind::StorageFull), false, true),
        (SendError::Timeout, false, true),
    ];
    for (error, is_permanent, is_of_server) in cases {
        assert_eq!((error.is_permanent(), error.is_of_server()), (is_permanent, is_of_server), "{error}");
    }
}

#[test]
fn nobody_else_takes_a_mail_while_it_may_still_be_on_its_way() {
    assert!(SEND_TIMEOUT.as_micros() < u128::try_from(MAIL_CLAIM_US).unwrap());
}
