//! What kind of thing an address is, after the IANA special-purpose registries (RFC 6890 and its updates).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The kinds of address that the egress rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// Globally reachable unicast.
    Public,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` (RFC 1918).
    PrivateUse,
    /// `fc00::/7` (RFC 4193).
    UniqueLocal,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// `100.64.0.0/10`, shared by carrier-grade NAT (RFC 6598).
    CarrierNat,
    /// A cloud's metadata or credential service.
    Metadata,
    /// `0.0.0.0/8`, `::`: on many systems another name of this host.
    Unspecified,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// `192.0.2.0/24`, `198.51.100.0/24`, `203.0.113.0/24`, `2001:db8::/32`, `3fff::/20`.
    Documentation,
    /// `198.18.0.0/15`, `2001:2::/48`.
    Benchmarking,
    /// Reserved, deprecated or for protocols only, broadcast among them.
    Reserved,
    /// IPv6 that a gateway turns into an IPv4 address which is not public (NAT64, 6to4, Teredo, ISATAP).
    Tunnelled,
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::PrivateUse => "private",
            Self::UniqueLocal => "unique-local",
            Self::LinkLocal => "link-local",
            Self::CarrierNat => "carrier-grade nat",
            Self::Metadata => "a metadata service",
            Self::Unspecified => "unspecified",
            Self::Multicast => "multicast",
            Self::Documentation => "for documentation",
            Self::Benchmarking => "for benchmarking",
            Self::Reserved => "reserved",
            Self::Tunnelled => "a tunnel to an address that is not public",
        })
    }
}

/// Services that hand out credentials to whoever can connect. Some sit in ranges that are otherwise private or public.
const METADATA_V4: [Ipv4Addr; 5] = [
    Ipv4Addr::new(169, 254, 169, 254), // most clouds
    Ipv4Addr::new(169, 254, 170, 2),   // AWS ECS task credentials
    Ipv4Addr::new(169, 254, 170, 23),  // AWS EKS pod identity
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(168, 63, 129, 16),   // Azure platform channel
];
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), // AWS
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),  // AWS EKS pod identity
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),  // Google Cloud
];

/// Tells what `address` is. IPv4 written as IPv6 (`::ffff:a.b.c.d`) is what the IPv4 address is.
pub fn classify(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| classify_v6(v6), classify_v4),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressKind {
    if METADATA_V4.contains(&address) {
        return AddressKind::Metadata;
    }
    match address.octets() {
        [0, ..] => AddressKind::Unspecified,
        [127, ..] => AddressKind::Loopback,
        [10, ..] | [192, 168, ..] => AddressKind::PrivateUse,
        [172, second, ..] if second & 0xf0 == 16 => AddressKind::PrivateUse,
        [169, 254, ..] => AddressKind::LinkLocal,
        [100, second, ..] if second & 0xc0 == 64 => AddressKind::CarrierNat,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressKind::Documentation,
        [198, 18 | 19, ..] => AddressKind::Benchmarking,
        // IETF protocol assignments; the deprecated 6to4 relays
        [192, 0, 0, _] | [192, 88, 99, _] => AddressKind::Reserved,
        [first, ..] if first & 0xf0 == 224 => AddressKind::Multicast,
        [first, ..] if first & 0xf0 == 240 => AddressKind::Reserved,
        _ => AddressKind::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> AddressKind {
    if METADATA_V6.contains(&address) {
        return AddressKind::Metadata;
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressKind::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressKind::Loopback,
        // NAT64 (RFC 6052); 6to4 (RFC 3056); Teredo (RFC 4380), which names its server and, inverted, its client
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => classify_tunnel(&[embedded(high, low)]),
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            classify_tunnel(&[embedded(server_high, server_low), embedded(!high, !low)])
        }
        [0x2001, 0xdb8, ..] => AddressKind::Documentation,
        [0x3fff, second, ..] if second & 0xf000 == 0 => AddressKind::Documentation,
        [0x2001, 2, 0, ..] => AddressKind::Benchmarking,
        // the rest of the protocol assignments 2001::/23, ORCHIDs among them
        [0x2001, second, ..] if second & 0xfe00 == 0 => AddressKind::Reserved,
        [first, ..] if first & 0xff00 == 0xff00 => AddressKind::Multicast,
        [first, ..] if first & 0xffc0 == 0xfe80 => AddressKind::LinkLocal,
        [first, ..] if first & 0xfe00 == 0xfc00 => AddressKind::UniqueLocal,
        // ISATAP (RFC 5214)
        [first, _, _, _, 0 | 0x200, 0x5efe, high, low] if first & 0xe000 == 0x2000 => {
            classify_tunnel(&[embedded(high, low)])
        }
        [first, ..] if first & 0xe000 == 0x2000 => AddressKind::Public,
        // Only 2000::/3 is given out. The rest holds IPv4-compatible addresses, local NAT64 prefixes (64:ff9b:1::/48),
        // the discard prefix and the old site-local range.
        _ => AddressKind::Reserved,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

/// A tunnel's far end is not ours to judge by its kind alone: "private" there means somebody else's private network, so
/// only public ends count as public and everything else stays closed under every rule.
fn classify_tunnel(ends: &[Ipv4Addr]) -> AddressKind {
    if ends.iter().all(|end| classify_v4(*end) == AddressKind::Public) {
        AddressKind::Public
    } else {
        AddressKind::Tunnelled
    }
}
