use engine::{
    id::{MailId, uuid_v7},
    service::outbox::{MAIL_CLAIM_US, MailTemplate, OutgoingMail},
};
use serde_json::{Value, json};

use super::{SEND_TIMEOUT, SendError, Transport, text::render};
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

#[test]
fn nobody_else_takes_a_mail_while_it_may_still_be_on_its_way() {
    assert!(SEND_TIMEOUT.as_micros() < u128::try_from(MAIL_CLAIM_US).unwrap());
}
