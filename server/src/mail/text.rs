//! What mails say: subject, plain text and HTML of each template.

use askama::Template;
use engine::service::outbox::{MailTemplate, OutgoingMail};
use serde_json::Value;

use crate::marketplace::time_text;

/// A mail's texts.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) plain: String,
    pub(super) html: String,
}

/// Why a mail has no text.
#[derive(Debug, thiserror::Error)]
pub(super) enum TextError {
    #[error("its data has no `{0}`")]
    Missing(&'static str),
    #[error(transparent)]
    Template(#[from] askama::Error),
}

#[derive(Template)]
#[template(path = "mail/verification/body.txt")]
struct VerificationText<'a> {
    url: &'a str,
    minutes: i64,
}

#[derive(Template)]
#[template(path = "mail/verification/body.html")]
struct VerificationHtml<'a> {
    url: &'a str,
    minutes: i64,
}

#[derive(Template)]
#[template(path = "mail/receipt/body.txt")]
struct ReceiptText<'a> {
    purchase_id: &'a str,
    credits: &'a str,
    usd: &'a str,
}

#[derive(Template)]
#[template(path = "mail/receipt/body.html")]
struct ReceiptHtml<'a> {
    purchase_id: &'a str,
    credits: &'a str,
    usd: &'a str,
}

#[derive(Template)]
#[template(path = "mail/checkpoint/body.txt")]
struct CheckpointText<'a> {
    base_url: &'a str,
    number: i64,
    made_at: &'a str,
    hash: &'a str,
    checkpoint: &'a str,
}

#[derive(Template)]
#[template(path = "mail/checkpoint/body.html")]
struct CheckpointHtml<'a> {
    base_url: &'a str,
    number: i64,
    made_at: &'a str,
    hash: &'a str,
    checkpoint: &'a str,
}

/// Subjects hold nothing that anybody else has written, so they need no template engine.
const VERIFICATION_SUBJECT: &str = include_str!("../../templates/mail/verification/subject.txt");
const CHECKPOINT_SUBJECT: &str = include_str!("../../templates/mail/checkpoint/subject.txt");
const RECEIPT_SUBJECT: &str = include_str!("../../templates/mail/receipt/subject.txt");

/// Writes a mail out; links lead to `base_url`.
pub(super) fn render(mail: &OutgoingMail, base_url: &str) -> Result<Text, TextError> {
    let text = |name: &'static str| mail.data.get(name).and_then(Value::as_str).ok_or(TextError::Missing(name));
    match mail.template {
        MailTemplate::Verification => {
            let url = &format!("{base_url}/auth/link/{}", text("secret")?);
            let minutes = mail.data.get("minutes").and_then(Value::as_i64).ok_or(TextError::Missing("minutes"))?;
            Ok(Text {
                subject: VERIFICATION_SUBJECT.trim().to_owned(),
                plain: VerificationText { url, minutes }.render()?,
                html: VerificationHtml { url, minutes }.render()?,
            })
        }
        MailTemplate::Checkpoint => {
            let int = |name: &'static str| mail.data.get(name).and_then(Value::as_i64).ok_or(TextError::Missing(name));
            let (number, made_at) = (int("number")?, &time_text(int("made_us")?));
            let (hash, checkpoint) = (text("hash")?, text("checkpoint")?);
            Ok(Text {
                subject: format!("{} {number}", CHECKPOINT_SUBJECT.trim()),
                plain: CheckpointText { base_url, number, made_at, hash, checkpoint }.render()?,
                html: CheckpointHtml { base_url, number, made_at, hash, checkpoint }.render()?,
            })
        }
        MailTemplate::Receipt => {
            let (purchase_id, credits, usd) = (text("purchase_id")?, text("credits")?, text("usd")?);
            Ok(Text {
                subject: RECEIPT_SUBJECT.trim().to_owned(),
                plain: ReceiptText { purchase_id, credits, usd }.render()?,
                html: ReceiptHtml { purchase_id, credits, usd }.render()?,
            })
        }
    }
}
