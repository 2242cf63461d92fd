//! What mails say of money: read from the books when it is said, because only the ledger knows what came of an order.

use serde_json::{Value, json};

use super::{MailTemplate, OutgoingMail};
use crate::{
    credits::Credits,
    id::EntryId,
    service::{Services, movements::MovementError},
    store::{StoreError, journal},
};

impl Services {
    /// The mail with everything that its template needs.
    ///
    /// # Errors
    /// The database cannot be read, or does not have what the mail is about.
    pub async fn complete_mail(&self, mut mail: OutgoingMail) -> Result<OutgoingMail, StoreError> {
        let missing = |mail: &OutgoingMail| StoreError::Inconsistent { table: "mail", what: mail.id.to_string() };
        match mail.template {
            MailTemplate::Refund => {
                let id = entry(&mail.data, "transaction").ok_or_else(|| missing(&mail))?;
                let legs = journal::find_postings(&self.db, id).await?;
                let credits = Credits::checked_sum(legs.iter().map(|(_, leg)| leg.amount));
                let credits = credits.filter(|credits| !credits.is_zero()).ok_or_else(|| missing(&mail))?;
                add(&mut mail.data, &json!({"credits": credits.to_string()}));
            }
            MailTemplate::Statement => {
                let id = entry(&mail.data, "payout").ok_or_else(|| missing(&mail))?;
                let found = self.find_payout(id).await.map_err(|error| match error {
                    MovementError::Store(error) => error,
                    _ => missing(&mail),
                })?;
                let (_, payee, paid) = found.ok_or_else(|| missing(&mail))?;
                let facts = json!({
                    "name": payee.name,
                    "opening": paid.opening.to_string(),
                    "earned": paid.earned.to_string(),
                    "taken_back": paid.taken_back.to_string(),
                    "netted": paid.netted.to_string(),
                    "paid": paid.paid.to_string(),
                    "closing": paid.closing.to_string(),
                });
                add(&mut mail.data, &facts);
            }
            MailTemplate::CapAlert => {
                let name = self.find_named_user(&mail.data).await?;
                let known = |field: &str| mail.data.get(field).and_then(Value::as_str);
                let whose = match (known("user_id"), name, known("token_id")) {
                    (Some(_), Some(name), _) => format!("the end user {name}"),
                    (Some(id), None, _) => format!("the end user {id}"),
                    (None, _, Some(token)) => format!("the token {token}"),
                    (None, _, None) => "all end users together".to_owned(),
                };
                add(&mut mail.data, &json!({"whose": whose}));
            }
            _ => {}
        }
        Ok(mail)
    }
}

fn entry(data: &Value, name: &str) -> Option<EntryId> {
    data.get(name).and_then(Value::as_str)?.parse().ok()
}

fn add(data: &mut Value, facts: &Value) {
    if let (Value::Object(data), Value::Object(facts)) = (data, facts) {
        data.extend(facts.iter().map(|(name, fact)| (name.clone(), fact.clone())));
    }
}
