//! Where calls may go: pure decisions about URLs and addresses.
//!
//! A URL is judged twice. [`EgressRules::check_url`] looks at everything the text says (scheme, port, user information,
//! address literals in every notation) and answers with a [`Reach`]: the kinds of address that a name in it may turn
//! out to have. [`Reach::check_address`] then judges every address that the name resolves to, and the connection is
//! made to an address that passed, without a second lookup.
//!
//! The rules of the configuration's `egress` section:
//! - without any of them: `https` on a listed port, public addresses only;
//! - `allow_http`: also plain `http` on a listed port;
//! - `allow_private`: private addresses too (loopback, RFC 1918, unique-local, link-local, carrier-grade NAT), and for
//!   those, and only those, plain `http` and any port;
//! - `allow_hosts`: hosts that are exempt from the private-address, plain-http and port rules. Nothing is exclusive
//!   about the list: other hosts stay reachable under the ordinary rules;
//! - exact socket addresses exempted by the program itself (the demonstration's own upstream).
//!
//! Metadata services of clouds, multicast, unspecified, reserved and documentation addresses are refused under every
//! rule, also for allowed hosts.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use crate::config::{AllowedHost, Egress};

pub use address::{AddressKind, classify};

mod address;
#[cfg(test)]
mod tests;

/// The longest upstream URL, in bytes.
pub const URL_BYTES_MAX: usize = 8 * 1024;

/// The rules in force. The default is the strictest set: `https` to public addresses on ports 80 and 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressRules {
    /// Private addresses may be called, with any scheme and port.
    pub allow_private: bool,
    /// Plain `http` may be used.
    pub allow_http: bool,
    /// Hosts exempt from the private-address, plain-http and port rules.
    pub allow_hosts: Vec<AllowedHost>,
    /// The ports that may be called.
    pub ports: Vec<u16>,
    /// Exact addresses that the program itself opened and calls, for example the demonstration's upstream.
    pub exempt_addresses: Vec<SocketAddr>,
}

impl Default for EgressRules {
    fn default() -> Self {
        Self {
            allow_private: false,
            allow_http: false,
            allow_hosts: Vec::new(),
            ports: vec![80, 443],
            exempt_addresses: Vec::new(),
        }
    }
}

impl From<&Egress> for EgressRules {
    /// The rules that the configuration states. Nothing is exempt by address.
    fn from(section: &Egress) -> Self {
        Self {
            allow_private: section.allow_private,
            allow_http: section.allow_http,
            allow_hosts: section.allow_hosts.clone(),
            ports: section.ports.clone(),
            exempt_addresses: Vec::new(),
        }
    }
}

/// Why a URL or an address may not be called, in the order in which the rules are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressRefusal {
    /// More than [`URL_BYTES_MAX`] bytes.
    #[error("the url is longer than {URL_BYTES_MAX} bytes")]
    UrlTooLong,
    /// Neither `https` nor `http`.
    #[error("scheme `{0}` is not `https`")]
    Scheme(String),
    /// The URL carries a user name or a password.
    #[error("the url carries a user name or a password")]
    UserInfo,
    /// The URL has no host, or one that ends in a dot.
    #[error("the url has no usable host")]
    Host,
    /// The address is of a kind that the rules do not open.
    #[error("address `{address}` is {kind}")]
    Address {
        /// The refused address.
        address: IpAddr,
        /// What it is.
        kind: AddressKind,
    },
    /// Plain `http` where only `https` is allowed (`egress.allow_http`).
    #[error("plain `http` is not allowed")]
    PlainHttp,
    /// The port is not listed (`egress.ports`).
    #[error("port `{0}` is not allowed")]
    Port(u16),
}

/// Which kinds of address a URL's host may turn out to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Public addresses.
    Public,
    /// Private addresses: the scheme or the port is open for those alone.
    Private,
    /// Public and private addresses.
    PublicAndPrivate,
}

impl Reach {
    /// Every reach.
    pub const ALL: [Self; 3] = [Self::Public, Self::Private, Self::PublicAndPrivate];

    /// Judges one address, for example one that a name resolved to.
    ///
    /// # Errors
    ///
    /// [`EgressRefusal::Address`] when the address is of a kind that this reach leaves closed.
    pub fn check_address(self, address: IpAddr) -> Result<(), EgressRefusal> {
        let kind = classify(address);
        let is_open = match kind {
            AddressKind::Public => matches!(self, Self::Public | Self::PublicAndPrivate),
            AddressKind::Loopback
            | AddressKind::PrivateUse
            | AddressKind::UniqueLocal
            | AddressKind::LinkLocal
            | AddressKind::CarrierNat => matches!(self, Self::Private | Self::PublicAndPrivate),
            AddressKind::Metadata
            | AddressKind::Unspecified
            | AddressKind::Multicast
            | AddressKind::Documentation
            | AddressKind::Benchmarking
            | AddressKind::Reserved
            | AddressKind::Tunnelled => false,
        };
        if is_open { Ok(()) } else { Err(EgressRefusal::Address { address, kind }) }
    }
}

impl EgressRules {
    /// Judges a URL. When its host is an address literal, in whatever notation, the address has been judged as well.
    ///
    /// # Errors
    ///
    /// The first rule that the URL breaks.
    pub fn check_url(&self, url: &Url) -> Result<Reach, EgressRefusal> {
        if url.as_str().len() > URL_BYTES_MAX {
            return Err(EgressRefusal::UrlTooLong);
        }
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(EgressRefusal::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressRefusal::UserInfo);
        }
        let host = url.host().ok_or(EgressRefusal::Host)?;
        let port = url.port_or_known_default().ok_or(EgressRefusal::Host)?;
        match host {
            Host::Domain(name) if name.is_empty() || name.ends_with('.') => Err(EgressRefusal::Host),
            Host::Domain(_) if self.is_allowed_host(&host, port) => Ok(Reach::PublicAndPrivate),
            Host::Domain(_) => self.decide_reach(is_https, port),
            Host::Ipv4(address) => self.check_literal(address.into(), &host, is_https, port),
            Host::Ipv6(address) => self.check_literal(address.into(), &host, is_https, port),
        }
    }

    /// A literal is its own answer from the name service: the reach must cover it here and now.
    fn check_literal(
        &self,
        address: IpAddr,
        host: &Host<&str>,
        is_https: bool,
        port: u16,
    ) -> Result<Reach, EgressRefusal> {
        if self.exempt_addresses.contains(&SocketAddr::new(address, port)) {
            return Ok(Reach::PublicAndPrivate);
        }
        let widest = if self.allow_private || self.is_allowed_host(host, port) {
            Reach::PublicAndPrivate
        } else {
            Reach::Public
        };
        widest.check_address(address)?;
        if self.is_allowed_host(host, port) || classify(address) != AddressKind::Public {
            return Ok(widest);
        }
        self.check_scheme_and_port(is_https, port).map(|()| widest)
    }

    /// What a name may resolve to. A scheme or a port that only private addresses may be called with leaves those.
    fn decide_reach(&self, is_https: bool, port: u16) -> Result<Reach, EgressRefusal> {
        match (self.check_scheme_and_port(is_https, port), self.allow_private) {
            (Ok(()), false) => Ok(Reach::Public),
            (Ok(()), true) => Ok(Reach::PublicAndPrivate),
            (Err(_closed_for_public), true) => Ok(Reach::Private),
            (Err(refusal), false) => Err(refusal),
        }
    }

    fn check_scheme_and_port(&self, is_https: bool, port: u16) -> Result<(), EgressRefusal> {
        if !is_https && !self.allow_http {
            return Err(EgressRefusal::PlainHttp);
        }
        if self.ports.contains(&port) { Ok(()) } else { Err(EgressRefusal::Port(port)) }
    }

    fn is_allowed_host(&self, host: &Host<&str>, port: u16) -> bool {
        self.allow_hosts.iter().any(|allowed| {
            // the configuration keeps names in the form that a URL has them in, and addresses without brackets
            let is_same_host = match host {
                Host::Domain(name) => allowed.host == *name,
                Host::Ipv4(address) => allowed.host == address.to_string(),
                Host::Ipv6(address) => allowed.host == address.to_string(),
            };
            is_same_host && allowed.port.is_none_or(|allowed_port| allowed_port == port)
        })
    }
}
