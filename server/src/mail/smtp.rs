//! The way through a mail server: how it is reached, and what its refusals mean.

use std::{error::Error as _, fmt, fs, io, ops::RangeInclusive, path::Path};

use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    transport::smtp::{
        Error,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};

use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::{SEND_TIMEOUT, TransportError};

/// The way to the server at `url`, whose certificate comes from `ca`, or from a public authority. Nothing is asked yet.
///
/// # Errors
/// The URL or the file cannot be used.
pub(super) fn open(url: &str, ca: Option<&Path>) -> Result<AsyncSmtpTransport<Tokio1Executor>, TransportError> {
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?;
    if let Some(path) = ca {
        builder = builder.tls(trusting(url, path)?);
    }
    Ok(builder.timeout(Some(SEND_TIMEOUT)).build())
}

/// What the library makes of the URL, with another authority.
fn trusting(url: &str, ca: &Path) -> Result<Tls, TransportError> {
    let url = url::Url::parse(url).map_err(|_unreadable| TransportError::Host)?;
    let host = url.host_str().ok_or(TransportError::Host)?;
    let unreadable = |error: io::Error| TransportError::Ca(ca.display().to_string(), error.kind());
    let pem = fs::read(ca).map_err(unreadable)?;
    // To the library a file without any certificate is one with none to trust.
    if !matches!(CertificateDer::pem_slice_iter(&pem).next(), Some(Ok(_))) {
        return Err(TransportError::NoCertificate(ca.display().to_string()));
    }
    let certificate = Certificate::from_pem(&pem)?;
    let parameters = TlsParameters::builder(host.to_owned())
        .certificate_store(CertificateStore::None)
        .add_root_certificate(certificate)
        .build()?;
    let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    match (url.scheme(), asked.as_deref()) {
        ("smtps", _) => Ok(Tls::Wrapper(parameters)),
        (_, Some("opportunistic")) => Ok(Tls::Opportunistic(parameters)),
        (_, Some(_)) => Ok(Tls::Required(parameters)),
        // Whoever names an authority and asks for no TLS would be surprised.
        (_, None) => Err(TransportError::NoTls),
    }
}

/// Why a server did not take a mail. The reply of a mail server often repeats the address, so only its number is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    sort: Sort,
    code: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// This mail is never taken.
    ForGood,
    /// Not now.
    ForNow,
    /// No mail of ours is taken: what we say to the server, or how we sign in, is wrong.
    OfUs,
    Timeout,
    Tls,
    Connection,
}

impl Refusal {
    pub(super) fn of(error: &Error) -> Self {
        let code = error.status().map(u16::from);
        let sort = match code {
            Some(code) => sort_of(code),
            None if error.is_timeout() => Sort::Timeout,
            None if is_tls(error) => Sort::Tls,
            // It has no TLS, or no way to sign in that we know.
            None if error.is_client() => Sort::OfUs,
            None => Sort::Connection,
        };
        Self { sort, code }
    }

    /// The next attempt would fare the same.
    pub(super) fn is_permanent(self) -> bool {
        self.sort == Sort::ForGood
    }

    /// Any other mail would fare the same now.
    pub(super) fn is_of_server(self) -> bool {
        matches!(self.sort, Sort::OfUs | Sort::Timeout | Sort::Tls | Sort::Connection) || self.code == Some(421)
    }
}

/// The library calls a certificate that cannot be trusted a lost connection.
fn is_tls(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        let inside = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if cause.is::<rustls::Error>() || inside.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        {
            return true;
        }
        source = cause.source();
    }
    error.is_tls()
}

/// Replies of a server that has not looked at the mail: it does not know a command of ours, or does not let us in (RFC 5321,
/// section 4.2.2; RFC 4954, section 6; RFC 7504).
const OF_US: [RangeInclusive<u16>; 3] = [500..=504, 521..=521, 523..=538];
/// From here on a reply holds for good (RFC 5321, section 4.2.1).
const FOR_GOOD_FROM: u16 = 500;

/// What the number of a reply means for a mail.
fn sort_of(code: u16) -> Sort {
    if OF_US.iter().any(|range| range.contains(&code)) {
        Sort::OfUs
    } else if code >= FOR_GOOD_FROM {
        Sort::ForGood
    } else {
        Sort::ForNow
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.sort {
            Sort::ForGood => "the server refused the mail for good",
            Sort::ForNow => "the server refused the mail for now",
            Sort::OfUs => "the server takes nothing from here",
            Sort::Timeout => "the server did not answer in time",
            Sort::Tls => "no safe connection to the server",
            Sort::Connection => "the server cannot be reached",
        })?;
        match self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
