//! Whom an address is counted for. Where requests may go is not asked here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address as its holder is told by it, where requests or events are counted: whoever has an
/// IPv6 address has all of its /64, and an IPv4 address is one however it is written.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

/// An address as it is told apart where people look at what happened: whoever sends from many of
/// a network's is one, by the /24 of an IPv4 address and the /64 of an IPv6 address. Nobody is
/// refused by it: neighbours share a /24 who know nothing of each other.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match network(address) {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_told_by_the_24_or_the_64_however_an_address_is_written() {
        for (address, alone, beside) in [
            ("192.0.2.77", "192.0.2.77", "192.0.2.0"),
            ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0"),
            ("255.255.255.255", "255.255.255.255", "255.255.255.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1:2::"),
        ] {
            let read = |text: &str| -> IpAddr { text.parse().expect("it is an address") };
            assert_eq!(network(read(address)), read(alone));
            assert_eq!(neighbourhood(read(address)), read(beside));
        }
    }
}
