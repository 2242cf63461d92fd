//! Mail: takes what is due from the outbox, writes it out and hands it over.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf, time::Duration};

use engine::{
    service::{Services, outbox::OutgoingMail},
    store::StoreError,
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};

use crate::config::{Mail, MailTransport};

mod text;

/// How long handing over one mail may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Where mails go, and what stands on all of them.
pub struct Transport {
    way: Way,
    from: Mailbox,
    base_url: String,
}

enum Way {
    File(PathBuf),
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let way = match &self.way {
            Way::File(_) => "file",
            Way::Smtp(_) => "smtp",
        };
        f.debug_struct("Transport").field("way", &way).finish_non_exhaustive()
    }
}

/// Why no mail can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The sender is not an address.
    #[error("`mail.from` is not an address: {0}")]
    From(#[from] lettre::address::AddressError),
    /// The server's URL cannot be used.
    #[error("`mail.url` cannot be used: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// Why one mail was not sent. The texts name no address.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the recipient is not an address")]
    Recipient,
    #[error("the mail could not be written: {0}")]
    Text(#[from] text::TextError),
    #[error("the mail could not be put together")]
    Message,
    #[error("the file could not be written: {0}")]
    File(std::io::ErrorKind),
    #[error("the server did not take it ({0})")]
    Smtp(&'static str),
    #[error("the server did not answer in time")]
    Timeout,
}

impl Transport {
    /// As configured. `base_url` is where links lead, without a trailing slash.
    ///
    /// # Errors
    /// The sender or the server's URL cannot be used.
    pub fn new(config: &Mail, base_url: &str) -> Result<Self, TransportError> {
        let way = match &config.transport {
            MailTransport::File { dir } => Way::File(dir.clone()),
            MailTransport::Smtp { url } => {
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose())?;
                Way::Smtp(Box::new(builder.timeout(Some(SEND_TIMEOUT)).build()))
            }
        };
        Ok(Self { way, from: config.from.parse()?, base_url: base_url.to_owned() })
    }

    async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        let message = self.message(mail)?;
        match &self.way {
            Way::File(dir) => {
                let (dir, path) = (dir.clone(), dir.join(format!("{}.eml", mail.id)));
                tokio::task::spawn_blocking(move || write_private(&dir, &path, &message.formatted()))
                    .await
                    .map_err(|_panicked| SendError::Message)?
                    .map_err(|error| SendError::File(error.kind()))
            }
            Way::Smtp(server) => {
                let sent = tokio::time::timeout(SEND_TIMEOUT, server.send(message)).await;
                sent.map_err(|_elapsed| SendError::Timeout)?.map_err(|error| SendError::Smtp(smtp_reason(&error)))?;
                Ok(())
            }
        }
    }

    /// The whole message. Addresses are parsed and headers encoded by the library, so nothing can add a header.
    fn message(&self, mail: &OutgoingMail) -> Result<Message, SendError> {
        let address = mail.recipient.parse().map_err(|_invalid| SendError::Recipient)?;
        let text = text::render(mail, &self.base_url)?;
        let sent = u64::try_from(mail.created_us).unwrap_or(0);
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(text.subject)
            .date(std::time::UNIX_EPOCH + Duration::from_micros(sent))
            // The same in every attempt: a mail that arrives twice is recognised.
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .multipart(MultiPart::alternative_plain_html(text.plain, text.html))
            .map_err(|_incomplete| SendError::Message)
    }
}

/// The reply of a mail server often repeats the address, so only its sort is kept.
fn smtp_reason(error: &lettre::transport::smtp::Error) -> &'static str {
    if error.is_permanent() {
        "refused for good"
    } else if error.is_transient() {
        "refused for now"
    } else if error.is_timeout() {
        "timeout"
    } else if error.is_tls() {
        "TLS"
    } else {
        "connection"
    }
}

/// Links are secrets, so the file is its owner's alone. Written under another name first: whoever watches the folder
/// never sees half a mail.
fn write_private(dir: &std::path::Path, path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let draft = path.with_extension("eml.new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)
}

/// Sends what is due at `now_us` (microseconds since the Unix epoch) and no other server has claimed; says how many mails
/// went out. One that fails is tried again later, with growing pauses, and in the end given up.
///
/// # Errors
/// The database failed; a mail that was sent and could not be marked is sent again when its claim is over.
pub async fn send_due(services: &Services, transport: &Transport, now_us: i64) -> Result<usize, StoreError> {
    let mut sent = 0_usize;
    for mail in services.list_due_mail(now_us).await? {
        if !services.claim_mail(&mail).await? {
            continue;
        }
        let outcome = transport.send(&mail).await;
        // The mails before this one may have taken their time.
        let now_us = services.clock.now_us();
        match outcome {
            Ok(()) => {
                services.mark_mail_sent(mail.id, now_us).await?;
                sent = sent.saturating_add(1);
            }
            Err(error) => {
                let is_given_up = services.mark_mail_failed(&mail, &error.to_string(), now_us).await?;
                tracing::warn!(mail = %mail.id, %error, is_given_up, "a mail was not sent");
            }
        }
    }
    Ok(sent)
}

#[cfg(test)]
mod tests;
