//! The section `server`: where we listen, and who stands in front of us.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use url::Url;

use super::{
    reader::{Fields, Value},
    values::{parse_http_url, parse_network},
};

const WORKERS_MAX: u64 = 1024;

/// The section `server`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The address and port of everything; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// The origin that callers and browsers use, without a trailing slash; see [`Server::base_url`].
    pub public_url: Option<String>,
    /// Networks whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate and key, when we speak TLS ourselves.
    pub tls: Option<TlsFiles>,
    /// An address of its own for the console; without it the console is on [`Server::bind`].
    pub admin_bind: Option<SocketAddr>,
    /// The origin that operators' browsers use for [`Server::admin_bind`]; see [`Server::console_url`].
    pub admin_url: Option<String>,
    /// Allows a public address without TLS and without a trusted proxy.
    pub insecure_http: bool,
    /// Worker threads for HTTP; without it one per core.
    pub workers: Option<usize>,
}

/// The files of the section `server.tls`, relative to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain in PEM, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key in PEM.
    pub key: PathBuf,
}

impl Server {
    /// The origin to put into links: `public_url`, else one made from the address that was really bound.
    pub fn base_url(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| self.origin_of(bound))
    }

    /// The origin at which operators find the console: that of everything, unless it has an address of its own. Both
    /// addresses are those that were really bound.
    pub fn console_url(&self) -> String {
        match self.admin_bind {
            None => self.base_url(self.bind),
            Some(bound) => self.admin_url.clone().unwrap_or_else(|| self.origin_of(bound)),
        }
    }

    fn origin_of(&self, bound: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        if bound.ip().is_unspecified() {
            return format!("{scheme}://localhost:{}", bound.port());
        }
        format!("{scheme}://{bound}")
    }

    /// Whether something other than this machine can reach us.
    pub fn is_public(&self) -> bool {
        is_public(self.bind.ip())
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let bind = fields.take("bind");
        let bind_value = bind.as_ref().and_then(|value| value.parsed(parse_socket)).unwrap_or(DEFAULT_BIND);
        let public_url = fields.parsed("public_url", parse_origin);
        let trusted_proxies = fields.list("trusted_proxies", |item| item.parsed(parse_network));
        let tls = fields.optional("tls", TlsFiles::read).flatten();
        let admin_bind = fields.take("admin_bind");
        let admin_bind_value = admin_bind.as_ref().and_then(|value| value.parsed(parse_socket));
        let admin_url = fields.parsed("admin_url", parse_origin);
        let insecure_http = fields.flag("insecure_http", false);
        let workers = fields.take("workers").and_then(|value| value.whole_number(1..=WORKERS_MAX));
        let server = Self {
            bind: bind_value,
            public_url,
            trusted_proxies,
            tls,
            admin_bind: admin_bind_value,
            admin_url,
            insecure_http,
            workers: workers.and_then(|workers| usize::try_from(workers).ok()),
        };
        if server.admin_bind == Some(server.bind) && server.bind.port() != 0 {
            fields.reader.problem(&fields.place, "`server.admin_bind` must differ from `server.bind`");
        }
        if server.admin_url.is_some() && server.admin_bind.is_none() {
            fields.reader.problem(&fields.place, "`server.admin_url` is of no use without `server.admin_bind`");
        }
        for (value, address) in [(bind, Some(server.bind)), (admin_bind, server.admin_bind)] {
            if let (Some(value), Some(address)) = (value, address) {
                server.check_exposure(&value, address);
            }
        }
        server.warn(fields);
        server
    }

    fn check_exposure(&self, value: &Value<'_>, address: SocketAddr) {
        if !is_public(address.ip()) || self.tls.is_some() || !self.trusted_proxies.is_empty() {
            return;
        }
        if self.insecure_http {
            value.reader.warn(format!(
                "`{}` is reachable from other machines and serves plain HTTP: tokens can be read on the way",
                value.path
            ));
        } else {
            value.wrong(
                "is reachable from other machines, but there is neither `server.tls` nor `server.trusted_proxies`: \
                 set one of them, bind to 127.0.0.1, or accept plain HTTP with `server.insecure_http: true`",
            );
        }
    }

    fn warn(&self, fields: &Fields<'_>) {
        if self.is_public() && self.public_url.is_none() {
            fields.reader.warn("`server.public_url` is not set: links in mails will name the bound address");
        }
        for network in self.trusted_proxies.iter().filter(|network| network.prefix_len() == 0) {
            fields.reader.warn(format!("`server.trusted_proxies` has {network}: every caller can choose its address"));
        }
    }
}

const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 18789);

impl TlsFiles {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let mut path = |key| fields.require(key)?.parsed(parse_path);
        let (cert, key) = (path("cert"), path("key"));
        Some(Self { cert: cert?, key: key? })
    }
}

pub(super) fn parse_path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("must be the path of a file".to_owned());
    }
    Ok(PathBuf::from(text))
}

fn parse_socket(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_cause| "must be an IP address with a port, such as `127.0.0.1:18789` or `[::]:443`".to_owned())
}

fn parse_origin(text: &str) -> Result<String, String> {
    let url: Url = parse_http_url(text)?;
    if url.path() != "/" || url.query().is_some() {
        return Err("must be an origin without a path, such as `https://tools.example.com`".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn is_public(address: IpAddr) -> bool {
    !address.to_canonical().is_loopback()
}
