//! Addresses that nothing is taken from for a while. It ends by itself, and nothing of it is kept:
//! a process that begins anew lets everybody in again.

use model::address::network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// So many are blocked at a time. Where there are more, blocking some does not help.
pub const BLOCKED_MAX: usize = 10_000;

/// Who is blocked, and until when by the monotonic clock.
#[derive(Default)]
pub struct Blocks {
    until: RwLock<HashMap<IpAddr, Duration>>,
    /// How many there are, so that nobody waits for the list while it is empty.
    count: AtomicUsize,
}

impl Blocks {
    /// Blocks an address, with its /64 where it is one of IPv6. `false`: there is no room.
    pub fn block(&self, address: IpAddr, until: Duration) -> bool {
        let mut list = self.write();
        let network = network(address);
        if list.len() >= BLOCKED_MAX && !list.contains_key(&network) {
            return false;
        }
        let end = list.entry(network).or_insert(until);
        *end = until.max(*end);
        self.count.store(list.len(), Ordering::Relaxed);
        true
    }

    /// How long an address is blocked still.
    pub fn wait(&self, address: IpAddr, now: Duration) -> Option<Duration> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let until = self.read().get(&network(address)).copied()?;
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Who is blocked still, of IPv6 each /64, and for how long.
    pub fn list(&self, now: Duration) -> Vec<(IpAddr, Duration)> {
        let list = self.read();
        let waits = list.iter().filter_map(|(address, until)| {
            let wait = until.checked_sub(now).filter(|wait| !wait.is_zero())?;
            Some((*address, wait))
        });
        waits.collect()
    }

    /// Forgets those whose time is over, and says which.
    pub fn end_over(&self, now: Duration) -> Vec<IpAddr> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let mut list = self.write();
        let over = list.extract_if(|_, until| *until <= now);
        let over = over.map(|(address, _)| address).collect();
        self.count.store(list.len(), Ordering::Relaxed);
        over
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<IpAddr, Duration>> {
        self.until
            .read()
            .expect("nothing panics while it holds this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<IpAddr, Duration>> {
        self.until
            .write()
            .expect("nothing panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("it is an address")
    }

    #[test]
    fn who_is_blocked_is_let_in_again_when_the_time_is_over() {
        let blocks = Blocks::default();
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        assert!(blocks.block(one, at(100)));
        assert_eq!(blocks.wait(one, at(40)), Some(at(60)));
        assert_eq!(
            blocks.wait(address("::ffff:192.0.2.1"), at(99)),
            Some(at(1))
        );
        assert_eq!(blocks.wait(one, at(100)), None);
        assert_eq!(
            blocks.wait(other, at(40)),
            None,
            "its neighbour did nothing"
        );
        assert_eq!(blocks.list(at(99)), [(one, at(1))]);
        assert_eq!(blocks.list(at(100)), []);
        assert_eq!(blocks.end_over(at(99)), [] as [IpAddr; 0]);
        assert_eq!(blocks.end_over(at(100)), [one]);
        assert_eq!(blocks.wait(one, at(40)), None);
    }

    #[test]
    fn all_of_a_64_is_blocked_and_a_later_end_counts() {
        let blocks = Blocks::default();
        assert!(blocks.block(address("2001:db8::1"), at(100)));
        assert!(blocks.block(address("2001:db8::2"), at(50)));
        assert_eq!(blocks.wait(address("2001:db8::9:9"), at(60)), Some(at(40)));
        assert_eq!(blocks.wait(address("2001:db8:0:1::1"), at(60)), None);
    }

    #[test]
    fn the_list_is_bounded() {
        let blocks = Blocks::default();
        let most = u32::try_from(BLOCKED_MAX).expect("it is small");
        for bits in 0..most {
            assert!(blocks.block(Ipv4Addr::from_bits(bits).into(), at(1)));
        }
        assert!(!blocks.block(Ipv4Addr::from_bits(most).into(), at(2)));
        assert!(
            blocks.block(Ipv4Addr::from_bits(0).into(), at(2)),
            "it is there"
        );
        assert_eq!(blocks.end_over(at(1)).len(), BLOCKED_MAX - 1);
        assert!(blocks.block(Ipv4Addr::from_bits(most).into(), at(2)));
    }
}
