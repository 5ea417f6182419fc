//! What is refused on any day: mistyped and forgotten tokens, those who look for open doors,
//! providers that change a secret, and what comes late.

use super::{any_time, customer, stranger, working_time};
use crate::vigil::draw::Draw;
use crate::vigil::plan::Planned;
use crate::vigil::world::World;
use crate::vigil::{DAY, HOUR, MINUTE, Place, What, Why};
use std::net::IpAddr;

pub(super) fn of_day(world: &World, (begin, draw): (i64, &mut Draw), to: &mut Planned) {
    for _ in 0..draw.poisson(6.0) {
        let (from, mut at) = (customer(draw), working_time(draw, begin));
        for _ in 0..draw.whole(1, 8) {
            refuse(to, at, (Why::Token, Place::Api, from));
            at += draw.whole(3, 90);
        }
    }
    for _ in 0..draw.poisson(25.0) {
        let (from, at) = (stranger(draw), begin + draw.whole(0, DAY - HOUR));
        for number in 0..draw.whole(1, 6) {
            refuse(to, at + number, (Why::Token, Place::Api, from));
        }
    }
    for source in &world.sources {
        for _ in 0..draw.poisson(0.8) {
            let (from, at) = (stranger(draw), begin + draw.whole(0, DAY - HOUR));
            let why = *draw.pick(&[Why::Signature, Why::Signature, Why::Credentials]);
            for number in 0..draw.whole(1, 3) {
                refuse(to, at + number, (why, source.place(), from));
            }
        }
        for _ in 0..draw.poisson(0.2) {
            let from = source.networks.address(draw);
            let why = *draw.pick(&[Why::Replayed, Why::Stale]);
            let at = begin + draw.whole(0, DAY - HOUR);
            refuse(to, at, (why, source.place(), from));
        }
    }
}

pub(super) fn of_month(world: &World, draw: &mut Draw, to: &mut Planned) {
    for _ in 0..4 {
        forgotten_token(draw, to);
    }
    for _ in 0..3 {
        let (begin, length) = (any_time(draw), draw.whole(20, 60) * MINUTE);
        for _ in 0..draw.whole(4, 10) {
            let (from, at) = (stranger(draw), begin + draw.whole(0, length));
            refuse(to, at, (Why::Token, Place::Api, from));
        }
    }
    for _ in 0..5 {
        new_secret(world, draw, to);
    }
    for _ in 0..5 {
        let source = draw.pick(&world.sources);
        let (begin, length) = (any_time(draw), draw.whole(10, 30) * MINUTE);
        for _ in 0..draw.whole(4, 40) {
            let from = source.networks.address(draw);
            let at = begin + draw.whole(0, length);
            refuse(to, at, (Why::Stale, source.place(), from));
        }
    }
}

/// A program goes on with a token that has ended, until somebody sees it.
fn forgotten_token(draw: &mut Draw, to: &mut Planned) {
    let (from, begin) = (customer(draw), any_time(draw));
    let every = draw.sized(10.0, 120.0) as i64;
    let why = *draw.pick(&[Why::Token, Why::Revoked]);
    let end = begin + draw.whole(10, 90) * MINUTE;
    for at in (begin..end).step_by(every as usize) {
        refuse(to, at + draw.whole(0, 5), (why, Place::Api, from));
    }
}

/// A provider signs with another secret for some minutes before it is known here.
fn new_secret(world: &World, draw: &mut Draw, to: &mut Planned) {
    let (source, begin) = (draw.pick(&world.sources), any_time(draw));
    let part = draw.between(0.1, 0.6);
    for minute in 0..draw.whole(1, 8) {
        let at = begin + minute * MINUTE;
        for _ in 0..draw.poisson(source.rhythm.per_minute(at) * part) {
            let from = source.networks.address(draw);
            let at = at + draw.whole(0, 59);
            refuse(to, at, (Why::Signature, source.place(), from));
        }
    }
}

fn refuse(to: &mut Planned, at: i64, (why, place, from): (Why, Place, IpAddr)) {
    to.happens(at, What::Refused { why, place, from });
}
