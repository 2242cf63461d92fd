//! The section `egress`: which upstream addresses may be called.

use std::fmt::{Display, Formatter};

use super::reader::Fields;

/// The section `egress`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    /// Private addresses may be called, over plain HTTP too and on any port.
    pub allow_private: bool,
    /// Plain HTTP may be used for public addresses.
    pub allow_http: bool,
    /// Exempt from the rules about private addresses, plain HTTP and ports; nothing here is exclusive.
    pub allow_hosts: Vec<AllowedHost>,
    /// The ports that may be called.
    pub ports: Vec<u16>,
}

/// One entry of `egress.allow_hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    /// A name in lower case without a trailing dot, or an address without brackets.
    pub host: String,
    /// Only this port; without it every port.
    pub port: Option<u16>,
}

impl Display for AllowedHost {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match (self.host.contains(':'), self.port) {
            (false, None) => f.write_str(&self.host),
            (true, None) => write!(f, "[{}]", self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
        }
    }
}

impl Egress {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let ports = fields.take("ports").map(|value| {
            let port = |item: &super::reader::Value<'_>| item.whole_number(1..=u64::from(u16::MAX));
            value.items().iter().filter_map(port).filter_map(|port| u16::try_from(port).ok()).collect()
        });
        Self {
            allow_private: fields.flag("allow_private", false),
            allow_http: fields.flag("allow_http", false),
            allow_hosts: fields.list("allow_hosts", |item| item.parsed(parse_allowed_host)),
            ports: ports.unwrap_or_else(|| vec![80, 443]),
        }
    }
}

fn parse_allowed_host(text: &str) -> Result<AllowedHost, String> {
    let wanted = || "must be a host or `host:port`, such as `tools.internal:8080` or `[::1]:9000`".to_owned();
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(wanted)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_cause| wanted())?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(wanted)?) };
            (host, port)
        }
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(str::parse::<u16>).transpose().map_err(|_cause| wanted())?;
    // the parser of URLs knows what a host is, and writes it in the one way in which it will be compared
    let shown = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if shown.is_empty() || shown.contains(['/', '?', '#', '@', '\\', ' ']) || port == Some(0) {
        return Err(wanted());
    }
    let host = url::Host::parse(&shown).map_err(|_cause| wanted())?;
    let host = match host {
        url::Host::Domain(name) => name.trim_end_matches('.').to_owned(),
        url::Host::Ipv4(address) => address.to_string(),
        url::Host::Ipv6(address) => address.to_string(),
    };
    if host.is_empty() || host.contains('*') { Err(wanted()) } else { Ok(AllowedHost { host, port }) }
}
