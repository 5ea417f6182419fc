//! Whom an address is counted for. Where requests may go is not asked here.

use std::net::{IpAddr, Ipv6Addr};

/// An address as its holder is told by it, where requests or events are counted: whoever has an
/// IPv6 address has all of its /64, and an IPv4 address is one however it is written.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}
