//! The tables: addresses that are not part of the public internet, and ports of other protocols.
//!
//! After IANA's special-purpose registries for IPv4 and IPv6, plus multicast, the reserved space
//! and the addresses of cloud metadata services. The standard library's `is_global` is unstable,
//! and tables of our own can be read and tested. Whole blocks are refused where the registry calls
//! single addresses in them globally reachable: nobody receives webhooks at an anycast relay.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Why this address is not open by default; none where it is.
pub(super) fn block_of(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => METADATA_V4
            .iter()
            .find(|(metadata, _)| *metadata == v4)
            .map(|(_, why)| *why)
            .or_else(|| {
                V4.iter()
                    .find(|(net, _)| net.contains(&v4))
                    .map(|(_, why)| *why)
            }),
        IpAddr::V6(v6) => METADATA_V6
            .iter()
            .find(|(metadata, _)| *metadata == v6)
            .map(|(_, why)| *why)
            .or_else(|| {
                V6.iter()
                    .find(|(net, _)| net.contains(&v6))
                    .map(|(_, why)| *why)
            })
            .or_else(|| is_isatap(v6).then_some("ISATAP, an IPv4 address inside IPv6 (RFC 5214)"))
            .or_else(|| (!GLOBAL_V6.contains(&v6)).then_some("outside global unicast, 2000::/3")),
    }
}

/// Addresses that only a rule for the very address opens: a rule for a wide network must not open
/// the service that hands out the machine's credentials.
pub(super) fn opens_one_by_one(address: IpAddr) -> bool {
    let metadata = match address {
        IpAddr::V4(v4) => is_metadata(v4),
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || METADATA_V6.iter().any(|(one, _)| *one == v6)
                || inside(v6).is_some_and(is_metadata)
        }
    };
    let broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    metadata || broadcast || address.is_multicast() || address.is_unspecified()
}

fn is_metadata(address: Ipv4Addr) -> bool {
    address.is_link_local() || METADATA_V4.iter().any(|(one, _)| *one == address)
}

/// Ports that the WHATWG fetch standard blocks because another protocol listens there, and zero.
pub(super) fn is_port_of_another_protocol(port: u16) -> bool {
    BLOCKED_PORTS.binary_search(&port).is_ok()
}

const METADATA_V4: [(Ipv4Addr, &str); 3] = [
    (Ipv4Addr::new(168, 63, 129, 16), "Azure's WireServer"),
    (
        Ipv4Addr::new(100, 100, 100, 200),
        "Alibaba Cloud's metadata service",
    ),
    (
        Ipv4Addr::new(192, 0, 0, 192),
        "Oracle Cloud's metadata service",
    ),
];

const METADATA_V6: [(Ipv6Addr, &str); 3] = [
    (
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        "Amazon EC2's metadata service",
    ),
    (
        Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
        "Amazon EKS's credentials service",
    ),
    (
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
        "Google Cloud's metadata service",
    ),
];

const V4: [(Ipv4Net, &str); 19] = [
    (v4([0, 0, 0, 0], 8), "0.0.0.0/8, this network (RFC 791)"),
    (v4([10, 0, 0, 0], 8), "10.0.0.0/8, private use (RFC 1918)"),
    (
        v4([100, 64, 0, 0], 10),
        "100.64.0.0/10, shared address space (RFC 6598)",
    ),
    (v4([127, 0, 0, 0], 8), "127.0.0.0/8, loopback (RFC 1122)"),
    (
        v4([169, 254, 0, 0], 16),
        "169.254.0.0/16, link-local and cloud metadata (RFC 3927)",
    ),
    (
        v4([172, 16, 0, 0], 12),
        "172.16.0.0/12, private use (RFC 1918)",
    ),
    (
        v4([192, 0, 0, 0], 24),
        "192.0.0.0/24, IETF protocol assignments (RFC 6890)",
    ),
    (
        v4([192, 0, 2, 0], 24),
        "192.0.2.0/24, documentation (RFC 5737)",
    ),
    (
        v4([192, 31, 196, 0], 24),
        "192.31.196.0/24, AS112 (RFC 7535)",
    ),
    (v4([192, 52, 193, 0], 24), "192.52.193.0/24, AMT (RFC 7450)"),
    (
        v4([192, 88, 99, 0], 24),
        "192.88.99.0/24, 6to4 relay anycast (RFC 7526)",
    ),
    (
        v4([192, 168, 0, 0], 16),
        "192.168.0.0/16, private use (RFC 1918)",
    ),
    (
        v4([192, 175, 48, 0], 24),
        "192.175.48.0/24, AS112 (RFC 7534)",
    ),
    (
        v4([198, 18, 0, 0], 15),
        "198.18.0.0/15, benchmarking (RFC 2544)",
    ),
    (
        v4([198, 51, 100, 0], 24),
        "198.51.100.0/24, documentation (RFC 5737)",
    ),
    (
        v4([203, 0, 113, 0], 24),
        "203.0.113.0/24, documentation (RFC 5737)",
    ),
    (v4([224, 0, 0, 0], 4), "224.0.0.0/4, multicast (RFC 5771)"),
    (
        v4([255, 255, 255, 255], 32),
        "255.255.255.255, limited broadcast (RFC 919)",
    ),
    (v4([240, 0, 0, 0], 4), "240.0.0.0/4, reserved (RFC 1112)"),
];

const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

const V6: [(Ipv6Net, &str); 19] = [
    (
        v6([0, 0, 0, 0, 0, 0, 0, 0], 128),
        "::, unspecified (RFC 4291)",
    ),
    (
        v6([0, 0, 0, 0, 0, 0, 0, 1], 128),
        "::1, loopback (RFC 4291)",
    ),
    (
        v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),
        "::ffff:0:0/96, IPv4 inside IPv6 (RFC 4291)",
    ),
    (
        v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96),
        "::ffff:0:0:0/96, IPv4 inside IPv6 (RFC 2765)",
    ),
    (
        v6([0, 0, 0, 0, 0, 0, 0, 0], 96),
        "::/96, IPv4 inside IPv6 (RFC 4291)",
    ),
    (
        v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96),
        "64:ff9b::/96, NAT64 (RFC 6052)",
    ),
    (
        v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
        "64:ff9b:1::/48, NAT64 (RFC 8215)",
    ),
    (
        v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
        "100::/64, discard only (RFC 6666)",
    ),
    (
        v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32),
        "2001::/32, Teredo, IPv4 inside IPv6 (RFC 4380)",
    ),
    (
        v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
        "2001::/23, IETF protocol assignments (RFC 2928)",
    ),
    (
        v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
        "2001:db8::/32, documentation (RFC 3849)",
    ),
    (
        v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
        "2002::/16, 6to4, IPv4 inside IPv6 (RFC 3056)",
    ),
    (
        v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48),
        "2620:4f:8000::/48, AS112 (RFC 7534)",
    ),
    (
        v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
        "3fff::/20, documentation (RFC 9637)",
    ),
    (
        v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),
        "5f00::/16, segment routing (RFC 9602)",
    ),
    (
        v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
        "fc00::/7, unique local (RFC 4193)",
    ),
    (
        v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
        "fe80::/10, link-local (RFC 4291)",
    ),
    (
        v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
        "fec0::/10, site-local (RFC 3879)",
    ),
    (
        v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
        "ff00::/8, multicast (RFC 4291)",
    ),
];

/// In order, for the binary search.
const BLOCKED_PORTS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// The IPv4 address that a translator or a tunnel would send on to. IPv4-mapped addresses are not
/// here: they are judged as IPv4.
fn inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0x2002, high, low, ..] => (high, low),
        [0x2001, 0, .., high, low] => (!high, !low),
        [0x64, 0xff9b, .., high, low] | [0, 0, 0, 0, 0 | 0xffff, 0, high, low] => (high, low),
        [.., high, low] if is_isatap(address) => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

/// The interface identifier `0:5efe:a.b.c.d` or `200:5efe:a.b.c.d` tunnels to the IPv4 address in
/// it.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., first, second, _, _] = address.segments();
    (first == 0 || first == 0x200) && second == 0x5efe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocked_ports_are_in_order() {
        assert!(BLOCKED_PORTS.is_sorted());
    }
}
