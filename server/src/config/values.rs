//! Small types of values that several sections hold.

use std::{
    fmt::{Debug, Display, Formatter},
    net::IpAddr,
};

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{reader::Value, tree::Kind};

const FRACTION_DIGITS_MAX: usize = 6;
const MICRO_PER_CREDIT: i64 = 1_000_000;

/// An amount in credits as decimal text, for example `2.50`: digits, then at most six decimals; never negative, never
/// with an exponent, and within the range of `i64` micro-credits.
///
/// The text is what the file says (only JSON5's liberties are taken out: `.5` is kept as `0.5`, `5.` as `5`, `+5` as
/// `5`), so that nothing on the way from the file to the ledger is a binary fraction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Amount(String);

impl Amount {
    /// The decimal text, ready for an exact parser.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The amount in micro-credits; both ends of the range were checked when the text was read.
    pub(super) fn micro_credits(&self) -> i64 {
        micro_credits(&self.0).unwrap_or(i64::MAX)
    }

    /// Reads plain decimal text.
    ///
    /// # Errors
    /// What the amount must be, as the rest of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_decimal = |digits: &str| !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        if !is_decimal(whole) || !is_decimal(fraction) {
            return Err("must be an amount in credits written with plain decimal digits, such as `2.50`".to_owned());
        }
        if fraction.len() > FRACTION_DIGITS_MAX {
            return Err(format!("must be an amount in credits with at most {FRACTION_DIGITS_MAX} decimals"));
        }
        if micro_credits(text).is_none() {
            return Err("must be an amount of at most 9223372036854.775807 credits".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl Display for Amount {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn micro_credits(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(MICRO_PER_CREDIT)?.checked_add(fraction)
}

/// Reads an amount from a number or a decimal string.
pub(super) fn read_amount(value: &Value<'_>) -> Option<Amount> {
    let written = match &value.node.kind {
        Kind::Number(text) => plain_decimal(text),
        Kind::Text(text) => text.clone(),
        Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Object(_) => {
            value.wrong(format!("must be an amount in credits, not {}", value.node.type_name()));
            return None;
        }
    };
    match Amount::parse(&written) {
        Ok(amount) => Some(amount),
        Err(error) => {
            value.wrong(format!("{error}, not {}", value.shown(&written)));
            None
        }
    }
}

/// Takes JSON5's liberties out of a number without touching its digits.
fn plain_decimal(number: &str) -> String {
    let number = number.strip_prefix('+').unwrap_or(number);
    let number = number.strip_suffix('.').unwrap_or(number);
    if number.starts_with('.') { format!("0{number}") } else { number.to_owned() }
}

/// A URL that may contain a password: printed without it.
#[derive(Clone)]
pub struct ConnectionUrl(SecretString);

impl ConnectionUrl {
    pub(super) fn new(url: &str) -> Self {
        Self(SecretString::from(url))
    }

    /// The URL with its password, for the client that connects.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The URL with `…` in the place of its password, for messages.
    pub fn redacted(&self) -> String {
        let url = self.expose();
        let Ok(mut parsed) = Url::parse(url) else { return "…".to_owned() };
        if parsed.password().is_none() && parsed.query().is_none() {
            return url.to_owned();
        }
        // a password may also stand in the query (`?password=`)
        parsed.set_query(None);
        if parsed.password().is_some() && parsed.set_password(Some("redacted")).is_err() {
            return "…".to_owned();
        }
        parsed.to_string()
    }
}

impl Debug for ConnectionUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.redacted())
    }
}

/// Reads a network such as `10.0.0.0/8`, or one address, which is a network of itself.
pub(super) fn parse_network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_not_a_network| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_neither| "must be an IP address or a network such as `10.0.0.0/8`".to_owned())
}

/// Reads an absolute `http` or `https` URL without user, password and fragment.
pub(super) fn parse_http_url(text: &str) -> Result<Url, String> {
    engine::catalog::http_url(text).map_err(|error| error.to_string())
}

/// Checks an e-mail address for what a mail header and a log line can bear; whether it exists is found out by mail.
pub(super) fn parse_email(text: &str) -> Result<String, String> {
    const ADDRESS_BYTES_MAX: usize = 254;
    const LOCAL_BYTES_MAX: usize = 64;
    let is_local = |part: &str| {
        !part.is_empty()
            && part.len() <= LOCAL_BYTES_MAX
            && !part.contains(|c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"@".contains(c))
    };
    let is_domain = |part: &str| {
        part.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c == '-' || c.is_alphanumeric())
        })
    };
    match text.rsplit_once('@') {
        Some((local, domain)) if text.len() <= ADDRESS_BYTES_MAX && is_local(local) && is_domain(domain) => {
            Ok(text.to_owned())
        }
        _ => Err("must be an e-mail address".to_owned()),
    }
}

/// Reads one line of text: not blank, no control characters.
pub(super) fn parse_line(text: &str) -> Result<String, String> {
    engine::catalog::check_line(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}
