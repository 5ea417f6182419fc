//! What goes wrong, or looks odd, on any day without meaning anything. The day with incidents has
//! its share of it, too.

mod callers;
mod endpoints;
mod refusals;

pub(super) use callers::{again, export};
pub(super) use endpoints::{destination, name};

use super::draw::Draw;
use super::plan::{Change, Planned};
use super::world::{Networks, World};
use super::{BEGINS_AT, DAY, HOUR, MINUTE, QUIET_DAYS, What};
use std::net::{IpAddr, Ipv4Addr};

pub(super) fn plan(world: &World, draw: &mut Draw, to: &mut Planned) {
    holiday(world, draw, to);
    for day in 0..=QUIET_DAYS {
        let begin = BEGINS_AT + day * DAY;
        deploys(world, (begin, draw), to);
        refusals::of_day(world, (begin, draw), to);
        endpoints::of_day(world, (begin, draw), to);
        callers::of_day((begin, draw), to);
    }
    outages(world, draw, to);
    campaigns(world, draw, to);
    pauses(world, draw, to);
    news(world, draw, to);
    refusals::of_month(world, draw, to);
    endpoints::of_month(world, draw, to);
    callers::of_month(draw, to);
}

/// Any time of the month.
fn any_time(draw: &mut Draw) -> i64 {
    BEGINS_AT + draw.whole(0, (QUIET_DAYS + 1) * DAY - 6 * HOUR)
}

/// A time when people work.
fn working_time(draw: &mut Draw, begin: i64) -> i64 {
    begin + draw.whole(7 * HOUR, 19 * HOUR)
}

/// Somewhere in the internet.
pub(super) fn stranger(draw: &mut Draw) -> IpAddr {
    let [a, b, c, d] = [223, 256, 256, 256].map(|end| draw.below(end) as u8);
    Ipv4Addr::new(a.max(1), b, c, d).into()
}

/// Where a customer's people and programs are.
fn customer(draw: &mut Draw) -> IpAddr {
    Ipv4Addr::new(81, draw.below(4) as u8, draw.below(20) as u8, 7).into()
}

/// One day in four weeks, hardly anybody works.
fn holiday(world: &World, draw: &mut Draw, to: &mut Planned) {
    let day = *draw.pick(&[10, 15, 17, 23]);
    let whole = (BEGINS_AT + day * DAY, BEGINS_AT + (day + 1) * DAY);
    for application in &world.applications {
        if application.rhythm.is_office() {
            to.changes(application.place(), whole, Change::Times(0.3));
        }
    }
    for source in &world.sources {
        if source.rhythm.is_office() {
            to.changes(source.place(), whole, Change::Times(0.3));
        }
    }
}

/// A receiver that is replaced answers nothing, or errors, for some minutes.
fn deploys(world: &World, (begin, draw): (i64, &mut Draw), to: &mut Planned) {
    for application in &world.applications {
        if draw.is(0.2) {
            let from = working_time(draw, begin);
            let until = from + draw.whole(1, 6) * MINUTE;
            let part = draw.between(0.3, 1.0);
            to.changes(application.place(), (from, until), Change::Fails(part));
        }
    }
}

/// One of an application's receivers is away for a while.
fn outages(world: &World, draw: &mut Draw, to: &mut Planned) {
    for _ in 0..8 {
        let application = draw.pick(&world.applications);
        let from = any_time(draw);
        let until = from + draw.whole(10, 45) * MINUTE;
        let part = draw.between(0.1, 0.6) / f64::from(application.endpoints).sqrt();
        to.changes(application.place(), (from, until), Change::Fails(part));
    }
}

/// A customer has a sale.
fn campaigns(world: &World, draw: &mut Draw, to: &mut Planned) {
    for _ in 0..4 {
        let application = draw.pick(&world.applications);
        let from = any_time(draw);
        let until = from + draw.whole(2, 6) * HOUR;
        let times = draw.between(1.4, 2.4);
        to.changes(application.place(), (from, until), Change::Times(times));
    }
}

/// A provider sends nothing for some minutes, and then what it kept.
fn pauses(world: &World, draw: &mut Draw, to: &mut Planned) {
    for _ in 0..10 {
        let source = draw.pick(&world.sources);
        let from = any_time(draw);
        let length = draw.whole(5, 20) * MINUTE;
        let until = from + length;
        to.changes(source.place(), (from, until), Change::Times(0.0));
        let caught_up = until + length * draw.whole(1, 2);
        let times = draw.between(1.4, 2.0);
        to.changes(source.place(), (until, caught_up), Change::Times(times));
    }
}

/// A provider has a new event type, or a new network, and keeps it.
fn news(world: &World, draw: &mut Draw, to: &mut Planned) {
    for number in 0..6 {
        let source = draw.pick(&world.sources);
        let is_type = number % 2 == 0;
        let network = Networks::Few(vec![[66, draw.below(256) as u8, draw.below(256) as u8]]);
        let mut at = any_time(draw);
        while at < BEGINS_AT + (QUIET_DAYS + 1) * DAY {
            let event_type = match is_type {
                true => format!("news{number}.made"),
                false => draw.pick(&source.types).clone(),
            };
            let networks = if is_type { &source.networks } else { &network };
            let came = What::CameIn {
                source: source.number,
                event_type,
                from: networks.address(draw),
            };
            to.happens(at, came);
            at += draw.whole(MINUTE, 8 * HOUR);
        }
    }
}
