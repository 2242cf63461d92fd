//! What mails say: subject, plain text and HTML of each template. HTML and text say the same; nothing in a mail is fetched
//! from anywhere.

use askama::Template;
use engine::service::outbox::{MailTemplate, OutgoingMail};
use serde_json::Value;

use crate::marketplace::time_text;

/// A mail's texts.
#[derive(Debug)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// For who reads text.
    pub plain: String,
    /// The same for who reads HTML.
    pub html: String,
}

/// Why a mail has no text.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// Something that it has to say.
    #[error("its data has no `{0}`")]
    Missing(&'static str),
    /// Its template.
    #[error(transparent)]
    Template(#[from] askama::Error),
}

/// The two bodies of a mail over the same values.
macro_rules! bodies {
    ($name:ident, $plain:tt, $html:tt, { $($field:ident),+ }) => {
        struct $name<'a> {
            $($field: &'a str,)+
        }

        impl $name<'_> {
            /// With this subject.
            fn under(&self, subject: impl Into<String>) -> Result<Text, TextError> {
                #[derive(Template)]
                #[template(path = $plain)]
                struct Plain<'a> {
                    $($field: &'a str,)+
                }

                #[derive(Template)]
                #[template(path = $html)]
                struct Html<'a> {
                    $($field: &'a str,)+
                }

                let plain = Plain { $($field: self.$field,)+ }.render()?;
                let html = Html { $($field: self.$field,)+ }.render()?;
                Ok(Text { subject: one_line(&subject.into()), plain, html })
            }
        }
    };
}

bodies!(Verification, "mail/verification/body.txt", "mail/verification/body.html", { url, minutes });
bodies!(PasswordReset, "mail/password_reset/body.txt", "mail/password_reset/body.html", { url, minutes });
bodies!(OperatorLink, "mail/operator_link/body.txt", "mail/operator_link/body.html", { url, minutes, name, base_url });
bodies!(OperatorReset, "mail/operator_reset/body.txt", "mail/operator_reset/body.html", { url, minutes, name, base_url });
bodies!(Receipt, "mail/receipt/body.txt", "mail/receipt/body.html", { purchase_id, credits, usd });
bodies!(Refund, "mail/refund/body.txt", "mail/refund/body.html", { transaction, call, credits });
bodies!(LowBalance, "mail/low_balance/body.txt", "mail/low_balance/body.html", { left, bought, base_url });
bodies!(CapAlert, "mail/cap_alert/body.txt", "mail/cap_alert/body.html", {
    base_url, whose, window, percent, limit, spent, resets_at
});
bodies!(ApprovalRequest, "mail/approval_request/body.txt", "mail/approval_request/body.html", {
    url, author, what, object, credits, reason
});
bodies!(ApprovalDecision, "mail/approval_decision/body.txt", "mail/approval_decision/body.html", {
    url, what, object, decided, by, note
});
bodies!(ListingDecision, "mail/listing_decision/body.txt", "mail/listing_decision/body.html", {
    base_url, namespace, what, decided, reason, next
});
bodies!(Statement, "mail/statement/body.txt", "mail/statement/body.html", {
    name, payout, opening, earned, taken_back, netted, paid, closing
});
bodies!(SignedBooks, "mail/checkpoint/body.txt", "mail/checkpoint/body.html", {
    base_url, number, made_at, hash, checkpoint
});
bodies!(Test, "mail/test/body.txt", "mail/test/body.html", { base_url });

/// Subjects need no template engine: they are no markup, and the library encodes them.
macro_rules! subject {
    ($folder:literal) => {
        include_str!(concat!("../../templates/mail/", $folder, "/subject.txt")).trim()
    };
}

/// A subject with names in it is still one line.
fn one_line(subject: &str) -> String {
    let plain = subject.chars().map(|character| if character.is_control() { ' ' } else { character });
    plain.collect::<String>().trim().to_owned()
}

/// What a mail was given.
struct Data<'m>(&'m Value);

impl<'m> Data<'m> {
    fn text(&self, name: &'static str) -> Result<&'m str, TextError> {
        self.0.get(name).and_then(Value::as_str).ok_or(TextError::Missing(name))
    }

    /// Empty where there is none.
    fn maybe(&self, name: &str) -> &'m str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, name: &'static str) -> Result<i64, TextError> {
        self.0.get(name).and_then(Value::as_i64).ok_or(TextError::Missing(name))
    }
}

/// Writes a mail out; links lead to `base_url`.
///
/// # Errors
/// Its data lacks something, or its template could not be written.
pub fn render(mail: &OutgoingMail, base_url: &str) -> Result<Text, TextError> {
    let data = Data(&mail.data);
    match mail.template {
        MailTemplate::Verification
        | MailTemplate::PasswordReset
        | MailTemplate::OperatorLink
        | MailTemplate::OperatorReset => link(mail.template, &data, base_url),
        MailTemplate::ApprovalRequest | MailTemplate::ApprovalDecision => approval(mail.template, &data, base_url),
        MailTemplate::Receipt => {
            let (purchase_id, credits, usd) = (data.text("purchase_id")?, data.text("credits")?, data.text("usd")?);
            Receipt { purchase_id, credits, usd }.under(subject!("receipt"))
        }
        MailTemplate::Refund => {
            let (transaction, call, credits) = (data.text("transaction")?, data.text("call")?, data.text("credits")?);
            Refund { transaction, call, credits }.under(subject!("refund"))
        }
        MailTemplate::LowBalance => {
            let (left, bought) = (data.text("left")?, data.text("bought")?);
            LowBalance { left, bought, base_url }.under(subject!("low_balance"))
        }
        MailTemplate::CapAlert => cap_alert(&data, base_url),
        MailTemplate::ListingDecision => listing_decision(&data, base_url),
        MailTemplate::Statement => statement(&data),
        MailTemplate::Checkpoint => {
            let (number, made_at) = (&data.number("number")?.to_string(), &time_text(data.number("made_us")?));
            let (hash, checkpoint) = (data.text("hash")?, data.text("checkpoint")?);
            let subject = format!("{} {number}", subject!("checkpoint"));
            SignedBooks { base_url, number, made_at, hash, checkpoint }.under(subject)
        }
        MailTemplate::Test => Test { base_url }.under(subject!("test")),
    }
}

/// A mail with a link that signs somebody in.
fn link(template: MailTemplate, data: &Data<'_>, base_url: &str) -> Result<Text, TextError> {
    let (secret, minutes) = (data.text("secret")?, &data.number("minutes")?.to_string());
    let account = &format!("{base_url}/auth/link/{secret}");
    let url = &format!("{base_url}/admin/link/{secret}");
    match template {
        MailTemplate::OperatorLink => {
            let name = data.text("name")?;
            OperatorLink { url, minutes, name, base_url }.under(format!("{name}, {}", subject!("operator_link")))
        }
        MailTemplate::OperatorReset => {
            let name = data.text("name")?;
            OperatorReset { url, minutes, name, base_url }.under(format!("{name}, {}", subject!("operator_reset")))
        }
        MailTemplate::PasswordReset => PasswordReset { url: account, minutes }.under(subject!("password_reset")),
        _ => Verification { url: account, minutes }.under(subject!("verification")),
    }
}

/// A mail about what one operator asks for and another one decides.
fn approval(template: MailTemplate, data: &Data<'_>, base_url: &str) -> Result<Text, TextError> {
    let url = &format!("{base_url}/admin/approvals/{}", data.text("approval_id")?);
    let (what, object) = (data.text("what")?, data.text("object")?);
    if template == MailTemplate::ApprovalDecision {
        let (decided, by, note) = (data.text("decided")?, data.text("by")?, data.maybe("note"));
        let subject = format!("{} {decided}: {what}", subject!("approval_decision"));
        return ApprovalDecision { url, what, object, decided, by, note }.under(subject);
    }
    let (author, credits, reason) = (data.text("author")?, data.maybe("credits"), data.text("reason")?);
    let subject = format!("{author} {}: {what}", subject!("approval_request"));
    ApprovalRequest { url, author, what, object, credits, reason }.under(subject)
}

fn cap_alert(data: &Data<'_>, base_url: &str) -> Result<Text, TextError> {
    let percent = data.number("percent")?.to_string();
    // A limit for ever does not reset.
    let resets_at = data.number("resets_us").map(time_text).unwrap_or_default();
    let alert = CapAlert {
        base_url,
        whose: data.text("whose")?,
        window: data.text("window")?,
        percent: &percent,
        limit: data.text("limit")?,
        spent: data.text("spent")?,
        resets_at: &resets_at,
    };
    alert.under(format!("{} ({percent} %)", subject!("cap_alert")))
}

/// What an operator has said of a listing, and what its publisher can do now.
fn listing_decision(data: &Data<'_>, base_url: &str) -> Result<Text, TextError> {
    let (namespace, what, decided) = (data.text("namespace")?, data.text("what")?, data.text("decided")?);
    let next = if decided == "approved" {
        "It is in public now, with the prices that it was handed in with."
    } else {
        "It is a draft, as it was before you handed it in, and what is in public stays as it is. Change it, and hand it in again."
    };
    let subject = format!("{} {decided}: {namespace}", subject!("listing_decision"));
    ListingDecision { base_url, namespace, what, decided, reason: data.maybe("reason"), next }.under(subject)
}

fn statement(data: &Data<'_>) -> Result<Text, TextError> {
    let name = data.text("name")?;
    let statement = Statement {
        name,
        payout: data.text("payout")?,
        opening: data.text("opening")?,
        earned: data.text("earned")?,
        taken_back: data.text("taken_back")?,
        netted: data.text("netted")?,
        paid: data.text("paid")?,
        closing: data.text("closing")?,
    };
    statement.under(format!("{} {name}", subject!("statement")))
}
