//! Who there is: applications and sources, each with its own rhythm, and how they live through a
//! day.

use super::draw::Draw;
use super::plan::{Change, Effect, Planned};
use super::rhythm::{Mood, Rhythm};
use super::{BEGINS_AT, DAY, HOUR, MINUTE, Place, Record, What};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

pub(super) struct World {
    pub(super) applications: Vec<Application>,
    pub(super) sources: Vec<Source>,
}

pub(super) struct Application {
    pub(super) number: u32,
    pub(super) rhythm: Rhythm,
    pub(super) endpoints: u32,
    /// What part of its attempts fails on a good day.
    fails: f64,
    begins_at: i64,
    mood: Mood,
}

pub(super) struct Source {
    pub(super) number: u32,
    pub(super) rhythm: Rhythm,
    pub(super) networks: Networks,
    pub(super) types: Vec<String>,
    /// Whether its provider adds types now and then.
    pub(super) has_rare_types: bool,
    mood: Mood,
}

/// Where a provider sends from.
pub(super) enum Networks {
    /// A few that it names.
    Few(Vec<[u8; 3]>),
    /// Some that it uses much, and many that it uses little.
    Pool(Vec<[u8; 3]>),
    /// Anywhere in a cloud.
    Anywhere(u8),
}

impl World {
    pub(super) fn new(draw: &mut Draw) -> Self {
        let application = |number| {
            let is_young = draw.is(0.12);
            let day = if is_young { draw.whole(3, 24) } else { 0 };
            Application {
                number,
                rhythm: Rhythm::new(draw, (5.0, 6_000.0)),
                endpoints: draw.whole(1, 9) as u32,
                fails: draw.sized(0.002, 0.06),
                begins_at: BEGINS_AT + day * DAY,
                mood: Mood::default(),
            }
        };
        let applications = (1..=30).map(application).collect();
        let sources = (1..=20).map(|number| Source::new(number, draw)).collect();
        Self {
            applications,
            sources,
        }
    }

    /// What everybody does on a day. Requests that were refused at sources are there already.
    pub(super) fn live(
        &mut self,
        begin: i64,
        planned: &Planned,
        draw: &mut Draw,
        records: &mut Vec<Record>,
    ) {
        let mut refused = BTreeMap::new();
        for record in records.iter() {
            if let What::Refused {
                place: place @ Place::Source(_),
                ..
            } = record.what
            {
                let minute = record.at - record.at.rem_euclid(MINUTE);
                *refused.entry((place, minute)).or_insert(0) += 1;
            }
        }
        for application in &mut self.applications {
            application.live(begin, planned, draw, records);
        }
        for source in &mut self.sources {
            source.live(begin, (planned, &refused), draw, records);
        }
    }
}

/// How much comes in a minute, by what is expected and what is otherwise.
fn come(rhythm: &Rhythm, mood: Mood, (at, effects): (i64, &[Effect]), draw: &mut Draw) -> u64 {
    let (mut times, mut more) = (1.0, 0.0);
    for effect in effects
        .iter()
        .filter(|one| (one.from..one.until).contains(&at))
    {
        match effect.change {
            Change::Times(factor) => times *= factor,
            Change::More(count) => more += count,
            Change::Fails(_) => {}
        }
    }
    rhythm.count(rhythm.per_minute(at) * times, mood, draw) + draw.poisson(more)
}

/// What part fails, by what is otherwise.
fn failing(usual: f64, (at, effects): (i64, &[Effect])) -> f64 {
    let now = effects
        .iter()
        .filter(|one| (one.from..one.until).contains(&at));
    let parts = now.filter_map(|effect| match effect.change {
        Change::Fails(part) => Some(part),
        _ => None,
    });
    parts.fold(usual, f64::max)
}

impl Application {
    pub(super) fn place(&self) -> Place {
        Place::Application(self.number)
    }

    pub(super) fn is_old(&self) -> bool {
        self.begins_at == BEGINS_AT
    }

    fn live(&mut self, begin: i64, planned: &Planned, draw: &mut Draw, to: &mut Vec<Record>) {
        let of = self.place();
        let effects = planned.effects(of, begin);
        let mut fails = self.fails;
        for at in (begin..begin + DAY).step_by(MINUTE as usize) {
            if at.rem_euclid(HOUR) == 0 {
                self.mood = self.rhythm.turn(self.mood, at, draw);
                fails = self.fails * (0.4 * draw.normal()).exp();
            }
            if at < self.begins_at {
                continue;
            }
            let total = come(&self.rhythm, self.mood, (at, &effects), draw);
            let part = failing(fails, (at, &effects));
            // What failed is tried again soon after: a part more.
            let failed = draw.poisson(total as f64 * part).min(total);
            let again = draw.poisson(failed as f64 * 0.5);
            let failed = (failed + draw.poisson(again as f64 * part)).min(total + again);
            let total = total + again;
            if total > 0 {
                let what = What::Minute { of, total, failed };
                let at = at + MINUTE;
                to.push(Record { at, what });
            }
        }
    }
}

impl Source {
    fn new(number: u32, draw: &mut Draw) -> Self {
        let network = |draw: &mut Draw| {
            let first = *draw.pick(&[3, 18, 34, 52, 104, 143, 185]);
            [first, draw.below(256) as u8, draw.below(256) as u8]
        };
        let networks = match draw.below(10) {
            0..=5 => Networks::Few((0..draw.whole(1, 6)).map(|_| network(draw)).collect()),
            6..=7 => Networks::Pool((0..draw.whole(20, 60)).map(|_| network(draw)).collect()),
            _ => Networks::Anywhere(*draw.pick(&[13, 35, 54])),
        };
        let types = (1..=draw.whole(2, 25)).map(|kind| format!("thing{kind}.changed"));
        Self {
            number,
            rhythm: Rhythm::new(draw, (4.0, 4_000.0)),
            networks,
            types: types.collect(),
            has_rare_types: draw.is(0.3),
            mood: Mood::default(),
        }
    }

    pub(super) fn place(&self) -> Place {
        Place::Source(self.number)
    }

    fn live(
        &mut self,
        begin: i64,
        (planned, refused): (&Planned, &BTreeMap<(Place, i64), u64>),
        draw: &mut Draw,
        to: &mut Vec<Record>,
    ) {
        let of = self.place();
        let effects = planned.effects(of, begin);
        let mut in_hour = 0;
        for at in (begin..begin + DAY).step_by(MINUTE as usize) {
            if at.rem_euclid(HOUR) == 0 {
                self.mood = self.rhythm.turn(self.mood, at, draw);
                in_hour = 0;
            }
            let genuine = come(&self.rhythm, self.mood, (at, &effects), draw);
            let failed = refused.get(&(of, at)).copied().unwrap_or(0);
            let wrong = failing(0.0, (at, &effects));
            let failed_too = draw.poisson(genuine as f64 * wrong).min(genuine);
            let (total, failed) = (genuine + failed, failed + failed_too);
            if total > 0 {
                let what = What::Minute { of, total, failed };
                let at = at + MINUTE;
                to.push(Record { at, what });
            }
            // Of much that is alike, some is enough to see all that there is.
            let shown = (genuine - failed_too).min(40_u64.saturating_sub(in_hour));
            in_hour += shown;
            for _ in 0..shown {
                let at = at + draw.whole(0, 59);
                let what = self.genuine(draw);
                to.push(Record { at, what });
            }
        }
    }

    fn genuine(&self, draw: &mut Draw) -> What {
        // Few are most of them.
        let steep = if self.has_rare_types { 4.0 } else { 2.0 };
        let place = draw.part().powf(steep) * self.types.len() as f64;
        What::CameIn {
            source: self.number,
            event_type: self.types[place as usize].clone(),
            from: self.networks.address(draw),
        }
    }

    /// Whether what it gets is always the same, from the same.
    pub(super) fn has_few_networks(&self) -> bool {
        matches!(self.networks, Networks::Few(_))
    }
}

impl Networks {
    /// One of its addresses.
    pub(super) fn address(&self, draw: &mut Draw) -> IpAddr {
        let last = draw.whole(1, 254) as u8;
        let [a, b, c] = match self {
            Self::Few(all) => *draw.pick(all),
            Self::Pool(all) => all[(draw.part().powi(3) * all.len() as f64) as usize],
            Self::Anywhere(first) => [*first, draw.below(16) as u8, draw.below(256) as u8],
        };
        Ipv4Addr::new(a, b, c, last).into()
    }
}
