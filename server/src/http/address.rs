//! Who is at the other end of the wire, for limits per address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::{HttpRequest, http::header::HeaderMap};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// How much of an IPv6 address names a customer: a provider hands out whole networks of this size.
const IPV6_NETWORK_BITS: u32 = 64;

/// The client's address: the peer's, or, when the peer is a trusted proxy, the right-most hop of `X-Forwarded-For` that
/// is not. What stands further left was written by the client and proves nothing.
pub fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |socket| socket.ip());
    find_client(peer.to_canonical(), request.headers(), trusted)
}

/// What one caller shares with nobody: the address, or the network of an IPv6 address.
pub fn limit_key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(IPV6_NETWORK_BITS)).unwrap_or(0);
            Ipv6Addr::from(u128::from(v6) & mask).to_string()
        }
    }
}

fn find_client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(peer) {
        return peer;
    }
    let hops: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .map(|value| value.to_str().unwrap_or_default())
        .flat_map(|value| value.split(','))
        .collect();
    let mut client = peer;
    for hop in hops.into_iter().rev() {
        // Something that is no address was not written by a trusted proxy: nothing left of it can be believed.
        let Ok(address) = hop.trim().parse::<IpAddr>() else { return client };
        client = address.to_canonical();
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

#[cfg(test)]
mod tests;
