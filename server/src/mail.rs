//! Mail: takes what is due from the outbox, writes it out and hands it over.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use engine::{
    service::{
        Services,
        outbox::{MailFault, OutgoingMail},
    },
    store::StoreError,
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};

use self::smtp::Refusal;
use crate::config::{Mail, MailTransport};

pub mod low_balance;
mod smtp;
mod text;

pub use text::{Text, TextError, render};

/// How long handing over one mail may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// For how long nothing is handed over after no mail could have been, in microseconds: every attempt costs a mail one of its
/// own.
const REST_US: i64 = 30_000_000;

/// Where mails go, and what stands on all of them.
pub struct Transport {
    way: Way,
    from: Mailbox,
    base_url: String,
    /// Until when nothing is handed over, in microseconds since the Unix epoch.
    rests_until_us: AtomicI64,
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
    /// The server's URL, or the certificate of its authority, cannot be used.
    #[error("`mail.url` or `mail.ca` cannot be used: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// The server's URL names no host.
    #[error("`mail.url` names no host")]
    Host,
    /// The certificate of its authority cannot be read.
    #[error("`mail.ca`: `{0}` cannot be read: {1}")]
    Ca(String, std::io::ErrorKind),
    /// The file of its authority is there, and holds something else.
    #[error("`mail.ca`: `{0}` holds no certificate in PEM")]
    NoCertificate(String),
    /// An authority is named, and the connection is to be in the clear.
    #[error("`mail.ca` is of no use without TLS: begin `mail.url` with `smtps://`, or end it with `?tls=required`")]
    NoTls,
}

/// Why one mail was not sent. The texts name no address.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the recipient is not an address")]
    Recipient,
    #[error("the mail could not be written: {0}")]
    Text(#[from] TextError),
    #[error("the mail could not be put together")]
    Message,
    #[error("what the mail is about cannot be found")]
    Facts,
    #[error("the link in the mail has ended")]
    Over,
    #[error("the file could not be written: {0}")]
    File(std::io::ErrorKind),
    #[error("{0}")]
    Smtp(Refusal),
    #[error("the server did not answer in time")]
    Timeout,
}

impl SendError {
    /// The next attempt would fare the same.
    fn is_permanent(&self) -> bool {
        match self {
            Self::Recipient | Self::Text(_) | Self::Message | Self::Facts | Self::Over => true,
            Self::Smtp(refusal) => refusal.is_permanent(),
            Self::File(_) | Self::Timeout => false,
        }
    }

    /// Any other mail would fare the same now.
    fn is_of_server(&self) -> bool {
        match self {
            Self::Smtp(refusal) => refusal.is_of_server(),
            Self::File(_) | Self::Timeout => true,
            Self::Recipient | Self::Text(_) | Self::Message | Self::Facts | Self::Over => false,
        }
    }
}

/// Says that no person has written a mail, so that none is answered by another program (RFC 3834, section 5).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Transport {
    /// As configured. `base_url` is where links lead, without a trailing slash.
    ///
    /// # Errors
    /// The sender or the server's URL cannot be used.
    pub fn new(config: &Mail, base_url: &str) -> Result<Self, TransportError> {
        let way = match &config.transport {
            MailTransport::File { dir } => Way::File(dir.clone()),
            MailTransport::Smtp { url, ca } => Way::Smtp(Box::new(smtp::open(url.expose(), ca.as_deref())?)),
        };
        let (from, base_url) = (config.from.parse()?, base_url.to_owned());
        Ok(Self { way, from, base_url, rests_until_us: AtomicI64::new(i64::MIN) })
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
                sent.map_err(|_elapsed| SendError::Timeout)?.map_err(|error| SendError::Smtp(Refusal::of(&error)))?;
                Ok(())
            }
        }
    }

    /// The whole message. Addresses are parsed and headers encoded by the library, so nothing can add a header.
    fn message(&self, mail: &OutgoingMail) -> Result<Message, SendError> {
        let address = mail.recipient.parse().map_err(|_invalid| SendError::Recipient)?;
        let text = render(mail, &self.base_url)?;
        let sent = u64::try_from(mail.created_us).unwrap_or(0);
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(text.subject)
            .header(AutoSubmitted)
            .date(std::time::UNIX_EPOCH + Duration::from_micros(sent))
            // The same in every attempt: a mail that arrives twice is recognised.
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .multipart(MultiPart::alternative_plain_html(text.plain, text.html))
            .map_err(|_incomplete| SendError::Message)
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
/// went out. One that fails is tried again later, with growing pauses, and in the end given up; one that is refused for good
/// is given up at once. When no mail can be handed over at all, none is tried for a while.
///
/// # Errors
/// The database failed; a mail that was sent and could not be marked is sent again when its claim is over.
pub async fn send_due(services: &Services, transport: &Transport, now_us: i64) -> Result<usize, StoreError> {
    let mut sent = 0_usize;
    if transport.rests_until_us.load(Ordering::Relaxed) > now_us {
        return Ok(sent);
    }
    for mail in services.list_due_mail(now_us).await? {
        if !services.claim_mail(&mail).await? {
            continue;
        }
        let outcome = send_whole(services, transport, &mail).await?;
        // The mails before this one may have taken their time.
        let now_us = services.clock.now_us();
        let Err(error) = outcome else {
            services.mark_mail_sent(&mail, now_us).await?;
            sent = sent.saturating_add(1);
            continue;
        };
        let text = error.to_string();
        let fault = MailFault { text: &text, is_permanent: error.is_permanent() };
        let is_given_up = services.mark_mail_failed(&mail, fault, now_us).await?;
        tracing::warn!(mail = %mail.id, %error, is_given_up, "a mail was not sent");
        if error.is_of_server() {
            transport.rests_until_us.store(now_us.saturating_add(REST_US), Ordering::Relaxed);
            break;
        }
    }
    Ok(sent)
}

/// Sends a mail with what the books say about it.
async fn send_whole(
    services: &Services,
    transport: &Transport,
    mail: &OutgoingMail,
) -> Result<Result<(), SendError>, StoreError> {
    if mail.is_over(services.clock.now_us()) {
        return Ok(Err(SendError::Over));
    }
    match services.complete_mail(mail.clone()).await {
        Ok(whole) => Ok(transport.send(&whole).await),
        Err(StoreError::Inconsistent { .. }) => Ok(Err(SendError::Facts)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
