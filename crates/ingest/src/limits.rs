//! What is too much: requests at a time, of all and from one address, bytes that their bodies hold,
//! requests to one source, and refused ones from one address. All is refused before anything is
//! computed for it.

use crate::IngestConfig;
use crate::refused::Refused;
use app::access::pace::{Pace, Rate};
use app::sources::OpenSource;
use model::Timestamp;
use model::address::network;
use model::id::SourceId;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// In what bytes are counted that are held.
const KIB: usize = 1_024;
/// One address has this part of all places at the most, so that whoever sends slowly takes none
/// from others.
const SHARE: usize = 8;
/// What is waited for where there is no room: others are done by then.
const NO_ROOM_WAIT: Duration = Duration::from_secs(1);

/// So many answers wait at a time before they are given: each keeps a connection, and no more.
const WAITING_MAX: usize = 1_024;

/// See the file's head.
pub(crate) struct Limits {
    requests: Semaphore,
    of_one_max: usize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    held: Arc<Semaphore>,
    of_sources: Pace<SourceId>,
    samples: Pace<SourceId>,
    of_addresses: Pace<IpAddr>,
    refusals: Rate,
    waiting: Semaphore,
    refusal_pause: Duration,
}

impl Limits {
    pub(crate) fn new(config: &IngestConfig, body_bytes_max: usize) -> Self {
        let held = config.held_bytes_max.max(8 * body_bytes_max);
        let held = (held / KIB).min(Semaphore::MAX_PERMITS);
        Self {
            requests: Semaphore::new(config.requests_max),
            of_one_max: (config.requests_max / SHARE).max(1),
            by_address: Mutex::default(),
            held: Arc::new(Semaphore::new(held)),
            of_sources: Pace::default(),
            samples: Pace::default(),
            of_addresses: Pace::default(),
            refusals: Rate::new(config.refusals_per_minute_max, Duration::from_secs(60)),
            waiting: Semaphore::new(WAITING_MAX),
            refusal_pause: config.refusal_pause,
        }
    }

    /// A place among those that are worked on.
    pub(crate) fn place(&self, address: Option<IpAddr>) -> Result<Place<'_>, Refused> {
        let place = self.requests.try_acquire();
        let place = place.map_err(|_| Refused::no_room(NO_ROOM_WAIT))?;
        let address = address.map(network);
        if let Some(address) = address {
            let mut by_address = self
                .by_address
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let count = by_address.entry(address).or_default();
            if *count >= self.of_one_max {
                return Err(Refused::no_room(NO_ROOM_WAIT));
            }
            *count += 1;
        }
        Ok(Place {
            limits: self,
            address,
            _place: place,
        })
    }

    /// That not too much from there was refused lately.
    pub(crate) fn check_address(
        &self,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let Some(address) = address else {
            return Ok(());
        };
        match self
            .of_addresses
            .wait(&network(address), now, self.refusals)
        {
            Some(wait) => Err(Refused::too_many_refused(wait)),
            None => Ok(()),
        }
    }

    /// One from there was refused.
    pub(crate) fn count_refused(&self, address: Option<IpAddr>, now: Timestamp) {
        if let Some(address) = address {
            self.of_addresses
                .count(network(address), now, self.refusals);
        }
    }

    /// Lets an answer wait that nobody needs soon; false: there are too many that do, and its
    /// connection had better end.
    pub(crate) async fn wait(&self) -> bool {
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return false;
        };
        tokio::time::sleep(self.refusal_pause).await;
        true
    }

    /// That not more comes to a source than it takes.
    pub(crate) fn check_rate(&self, source: &OpenSource, now: Timestamp) -> Result<(), Refused> {
        let Some(most) = source.config.rate_limit else {
            return Ok(());
        };
        let rate = Rate::new(most, Duration::from_secs(1));
        let admitted = self.of_sources.admit(source.source.id, now, rate);
        admitted.map_err(Refused::too_many_for_source)
    }

    /// Whether a sample is due of what a source refuses: one a second, so that a flood costs no
    /// more than a count.
    pub(crate) fn is_sample_due(&self, source: SourceId, now: Timestamp) -> bool {
        let second = Duration::from_secs(1);
        let rate = Rate {
            step: second,
            ahead: second,
        };
        self.samples.admit(source, now, rate).is_ok()
    }

    /// Lets somebody hold so many bytes.
    pub(crate) fn hold(
        &self,
        held: &mut Option<OwnedSemaphorePermit>,
        bytes: usize,
    ) -> Result<(), Refused> {
        let more = bytes.div_ceil(KIB) - held.as_ref().map_or(0, |held| held.num_permits());
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let more = self.held.clone().try_acquire_many_owned(more);
        let more = more.map_err(|_| Refused::no_room(NO_ROOM_WAIT))?;
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }
}

/// A place, until it is dropped.
pub(crate) struct Place<'l> {
    limits: &'l Limits,
    address: Option<IpAddr>,
    _place: SemaphorePermit<'l>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let by_address = &self.limits.by_address;
        let mut by_address = by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_by_network() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(network(address).to_string(), expected);
        }
    }

    #[test]
    fn one_address_has_its_share_of_places_and_gives_them_back() {
        let config = IngestConfig {
            requests_max: 2 * SHARE,
            ..IngestConfig::default()
        };
        let limits = Limits::new(&config, KIB);
        let one = Some(IpAddr::from([192, 0, 2, 1]));
        let first = limits.place(one).expect("there is room");
        let _second = limits.place(one).expect("there is room");
        assert!(limits.place(one).is_err());
        let other = limits.place(Some(IpAddr::from([192, 0, 2, 2])));
        assert!(other.is_ok());
        drop((first, other));
        assert!(limits.place(one).is_ok());
        let places: Vec<_> = (0..15).map_while(|_| limits.place(None).ok()).collect();
        assert_eq!(places.len(), 15, "one is taken");
        assert!(limits.place(None).is_err());
    }

    #[test]
    fn what_is_held_grows_with_its_bytes_and_is_given_back() {
        let config = IngestConfig {
            held_bytes_max: 8 * KIB,
            ..IngestConfig::default()
        };
        let limits = Limits::new(&config, KIB);
        let (mut one, mut other) = (None, None);
        assert!(limits.hold(&mut one, 1).is_ok());
        assert!(limits.hold(&mut one, 5 * KIB).is_ok());
        assert!(limits.hold(&mut other, 3 * KIB).is_ok());
        assert!(limits.hold(&mut other, 3 * KIB + 1).is_err());
        drop(one);
        assert!(limits.hold(&mut other, 8 * KIB).is_ok());
    }
}
