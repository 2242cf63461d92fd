//! Who is at the other end of the wire, for limits per address. The rule is the engine's.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{HttpRequest, http::header::HeaderMap};
use engine::gateway::{
    address::{self, TrustedProxies},
    headers::Headers,
};
use ipnet::IpNet;

/// The client's address: the peer's, or, when the peer is a trusted proxy, the right-most hop of `X-Forwarded-For` that
/// is not.
pub fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |socket| socket.ip());
    find_client(peer, request.headers(), trusted)
}

/// The headers of a request as texts. Bytes that are no UTF-8 are replaced, so that a header is never thought absent.
pub fn header_texts(headers: &HeaderMap) -> Headers<'_> {
    headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()))).collect()
}

/// What one caller shares with nobody: the address, or the network of an IPv6 address.
pub fn limit_key(address: IpAddr) -> String {
    address::limit_key(address).to_string()
}

fn find_client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let proxies = TrustedProxies { networks: trusted.to_vec(), allows_real_ip: false };
    proxies.find_client(peer, &header_texts(headers))
}

#[cfg(test)]
mod tests;
