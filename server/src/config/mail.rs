//! The section `mail`: how messages leave.

use std::path::PathBuf;

use url::Url;

use super::{
    reader::Fields,
    server::parse_path,
    values::{ConnectionUrl, parse_email},
};

const DEFAULT_DIR: &str = "data/mail";
const DEFAULT_FROM: &str = "Tollgate <tollgate@localhost>";

/// The section `mail`.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Where messages go.
    pub transport: MailTransport,
    /// The sender: an address, or a name with an address in angle brackets.
    pub from: String,
}

/// Where messages go.
#[derive(Debug, Clone)]
pub enum MailTransport {
    /// One file per message in this folder, relative to the working directory.
    File {
        /// The folder, made when it is missing.
        dir: PathBuf,
    },
    /// A mail server.
    Smtp {
        /// A `smtp://` or `smtps://` URL with user and password.
        url: ConnectionUrl,
        /// The authority that the server's certificate must come from, as PEM, instead of the public ones; relative to the
        /// working directory.
        ca: Option<PathBuf>,
    },
}

impl Mail {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let is_smtp = fields.choice("transport", &[("file", false), ("smtp", true)]).unwrap_or(false);
        let dir = fields.parsed("dir", parse_path).unwrap_or_else(|| PathBuf::from(DEFAULT_DIR));
        let url = fields.take("url");
        let ca = fields.parsed("ca", parse_path);
        let from = fields.parsed("from", parse_mailbox);
        if is_smtp && url.is_none() {
            fields.reader.problem(&fields.place, "`mail` needs the key `url` for the transport `smtp`");
        }
        if is_smtp && from.is_none() {
            fields.reader.problem(&fields.place, "`mail` needs a valid `from` for the transport `smtp`");
        }
        let url = url.and_then(|value| {
            let text = value.text()?;
            // the URL may hold a password, so the message does not repeat it
            parse_smtp_url(text).map_err(|error| value.wrong(error)).ok()
        });
        let transport = match url {
            Some(url) if is_smtp => MailTransport::Smtp { url, ca },
            _ => MailTransport::File { dir },
        };
        Self { transport, from: from.unwrap_or_else(|| DEFAULT_FROM.to_owned()) }
    }
}

fn parse_smtp_url(text: &str) -> Result<ConnectionUrl, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "smtp" | "smtps") && url.has_host() => Ok(ConnectionUrl::new(text)),
        _ => Err("must be a `smtp://` or `smtps://` URL".to_owned()),
    }
}

fn parse_mailbox(text: &str) -> Result<String, String> {
    let wanted = "must be an address, or a name and an address as in `Tollgate <tollgate@example.com>`";
    let address = match text.split_once('<') {
        None => text,
        Some((name, rest)) => {
            let is_plain = |c: char| c == ' ' || c == '-' || c == '.' || c.is_alphanumeric();
            if name.trim().is_empty() || !name.chars().all(is_plain) {
                return Err(wanted.to_owned());
            }
            rest.strip_suffix('>').ok_or(wanted)?
        }
    };
    parse_email(address).map(|_address| text.to_owned()).map_err(|_cause| wanted.to_owned())
}
