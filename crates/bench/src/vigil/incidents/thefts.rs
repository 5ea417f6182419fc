//! Incidents in which somebody has what isn't theirs: a source's secret, an application's token, a
//! key.

use super::Making;
use crate::vigil::ordinary::{again, destination, export, name, stranger};
use crate::vigil::world::World;
use crate::vigil::{About, MINUTE, Place, What};

type Made = (Vec<About>, (i64, i64));

/// Of a source, what it has always had, so that something new is something.
fn is_settled(world: &World, place: Place, _: (i64, i64)) -> bool {
    let Place::Source(number) = place else {
        return false;
    };
    let source = &world.sources[number as usize - 1];
    source.has_few_networks() && !source.has_rare_types && source.rhythm.per_hour > 20.0
}

impl Making<'_> {
    /// Somebody who can sign sends types that the provider doesn't.
    pub(super) fn new_type(&mut self, rule: &'static str) -> Option<Made> {
        let (place, time) = self.place(rule, (5, 60), is_settled)?;
        let Place::Source(source) = place else {
            unreachable!("it was asked for a source");
        };
        let networks = &self.world.sources[source as usize - 1].networks;
        for _ in 0..self.draw.sized(1.0, 50.0) as u32 {
            let what = What::CameIn {
                source,
                event_type: "refund.forced".to_owned(),
                from: networks.address(self.draw),
            };
            let at = self.draw.whole(time.0, time.1 - 1);
            self.planned.happens(at, what);
        }
        Some((vec![About::Place(place)], time))
    }

    /// Somebody who can sign sends from elsewhere.
    pub(super) fn new_network(&mut self, rule: &'static str) -> Option<Made> {
        let (place, time) = self.place(rule, (5, 60), is_settled)?;
        let Place::Source(source) = place else {
            unreachable!("it was asked for a source");
        };
        let (from, types) = (
            stranger(self.draw),
            &self.world.sources[source as usize - 1].types,
        );
        for _ in 0..self.draw.sized(1.0, 50.0) as u32 {
            let what = What::CameIn {
                source,
                event_type: types[0].clone(),
                from,
            };
            let at = self.draw.whole(time.0, time.1 - 1);
            self.planned.happens(at, what);
        }
        Some((vec![About::Place(place), About::Address(from)], time))
    }

    /// Somebody with an application's token takes its messages and secrets.
    pub(super) fn takeover(&mut self, rule: &'static str) -> Option<Made> {
        let is_many = |world: &World, place, _| match place {
            Place::Application(number) => world.applications[number as usize - 1].endpoints >= 2,
            _ => false,
        };
        let (place, (from, _)) = self.place(rule, (60, 61), is_many)?;
        let Place::Application(number) = place else {
            unreachable!("it was asked for an application");
        };
        let application = &self.world.applications[number as usize - 1];
        let changed = self.draw.whole(1, application.endpoints.min(3).into());
        let mut at = from;
        for endpoint in 0..changed as usize {
            let host = format!("in{}.thief.example", self.number);
            let endpoint = name(application, endpoint);
            let what = destination(application, &endpoint, (host, true));
            self.planned.happens(at, what);
            at += self.draw.whole(5, 5 * MINUTE);
        }
        let read = self.draw.whole(2, application.endpoints.into());
        for endpoint in 0..read as usize {
            let what = What::SecretRead {
                endpoint: name(application, endpoint),
                application: number,
                by: format!("app_{number}"),
            };
            self.planned.happens(at, what);
            at += self.draw.whole(2, 3 * MINUTE);
        }
        Some((vec![About::Place(place)], (from, at)))
    }

    /// Somebody who got into many applications sends all that is theirs to one place.
    pub(super) fn one_host(&mut self) -> Made {
        let time = self.time((10, 360));
        let host = format!("in{}.collector.example", self.number);
        let many = self.draw.whole(6, self.world.applications.len() as i64);
        let first = self.draw.below(self.world.applications.len());
        for number in 0..many as usize {
            let all = &self.world.applications;
            let application = &all[(first + number) % all.len()];
            let endpoint = name(application, 5_000 + number);
            let what = destination(application, &endpoint, (host.clone(), false));
            let at = self.draw.whole(time.0, time.1 - 1);
            self.planned.happens(at, what);
        }
        (vec![About::Host(host)], time)
    }

    /// Somebody with a key reads all that there is.
    pub(super) fn export(&mut self) -> Made {
        let time = self.time((10, 180));
        let by = self.caller();
        let rows = self.draw.sized(20_000.0, 2_000_000.0) as u64;
        export(self.planned, &by, (time.0, time.1 - time.0), rows);
        (vec![About::Caller(by)], time)
    }

    /// Somebody with a key has everything sent again.
    pub(super) fn send_again(&mut self) -> Made {
        let time = self.time((2, 60));
        let by = self.caller();
        let times = self.draw.whole(1, 20);
        let each = self.draw.sized(10_000.0, 500_000.0) as u64 / times as u64;
        for _ in 0..times {
            let at = self.draw.whole(time.0, time.1 - 1);
            self.planned.happens(at, again(&by, each));
        }
        (vec![About::Caller(by)], time)
    }

    /// A key that nobody used lately, or a customer's.
    fn caller(&mut self) -> String {
        match self.draw.is(0.5) {
            true => format!("key_stolen{}", self.number),
            false => format!("app_{}", self.draw.whole(1, 30)),
        }
    }
}
