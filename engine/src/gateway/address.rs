//! Who is at the other end of the wire.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::headers::Headers;

const FORWARDED_FOR: &str = "x-forwarded-for";
const REAL_IP: &str = "x-real-ip";

/// Networks whose forwarding headers are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// `gateway.trustedProxies`.
    pub networks: Vec<IpNet>,
    /// `gateway.allowRealIpFallback`: `X-Real-IP` counts where `X-Forwarded-For` names nobody.
    pub allows_real_ip: bool,
}

impl TrustedProxies {
    /// Whether this address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the peer's, or, when the peer is a trusted proxy, the right-most hop of `X-Forwarded-For`
    /// that is not. What stands further left was written by the client and proves nothing. An IPv4 address in IPv6 form is
    /// the IPv4 address.
    pub fn find_client(&self, peer: IpAddr, headers: &Headers<'_>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.contains(peer) {
            return peer;
        }
        let hops: Vec<&str> = headers.list(FORWARDED_FOR).flat_map(|value| value.split(',')).collect();
        let mut client = None;
        for hop in hops.into_iter().rev() {
            // Something that is no address was not written by a trusted proxy: nothing left of it can be believed.
            let Some(address) = parse_hop(hop) else { break };
            client = Some(address);
            if !self.contains(address) {
                return address;
            }
        }
        let real_ip = || headers.text(REAL_IP).and_then(parse_hop).filter(|_| self.allows_real_ip);
        client.or_else(real_ip).unwrap_or(peer)
    }
}

/// An address, with or without a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address = hop.parse::<IpAddr>().or_else(|_not_bare| hop.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// How much of an IPv6 address names a customer: a provider hands out whole networks of this size.
const IPV6_NETWORK_BITS: u32 = 64;

/// What one caller shares with nobody: the address, or the network of an IPv6 address.
pub fn limit_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) if v6.is_loopback() => IpAddr::V6(v6),
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(IPV6_NETWORK_BITS)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
    }
}

/// Whether it is this machine: 127.0.0.0/8, `::1`, and the former in IPv6 form.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests;
