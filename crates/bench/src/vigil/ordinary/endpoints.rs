//! What people do with endpoints on any day: make them, move them, look up a secret.

use super::{any_time, working_time};
use crate::vigil::draw::Draw;
use crate::vigil::plan::Planned;
use crate::vigil::world::{Application, World};
use crate::vigil::{DAY, HOUR, MINUTE, What};

/// Hosts that many have endpoints at.
const WELL_KNOWN: [&str; 5] = [
    "hooks.chat.example",
    "hooks.glue.example",
    "in.flows.example",
    "events.crm.example",
    "collect.logs.example",
];

pub(super) fn of_day(world: &World, (begin, draw): (i64, &mut Draw), to: &mut Planned) {
    for _ in 0..draw.poisson(4.0) {
        let (application, at) = (draw.pick(&world.applications), working_time(draw, begin));
        let host = match draw.is(0.4) {
            true => WELL_KNOWN[(draw.part().powi(2) * 5.0) as usize].to_owned(),
            false => own_host(application, draw),
        };
        let endpoint = name(application, 100 + draw.below(1_000));
        to.happens(at, destination(application, &endpoint, (host, false)));
        if draw.is(0.8) {
            let at = at + draw.whole(5, 600);
            to.happens(at, read(application, &endpoint));
        }
    }
    for _ in 0..draw.poisson(1.2) {
        let (application, at) = (draw.pick(&world.applications), working_time(draw, begin));
        let endpoint = one_of(application, draw);
        let host = own_host(application, draw);
        to.happens(at, destination(application, &endpoint, (host, true)));
        if draw.is(0.4) {
            let at = at + draw.whole(5, 900);
            to.happens(at, read(application, &endpoint));
        }
    }
    for _ in 0..draw.poisson(5.0) {
        let (application, at) = (draw.pick(&world.applications), working_time(draw, begin));
        let endpoint = one_of(application, draw);
        to.happens(at, read(application, &endpoint));
    }
}

pub(super) fn of_month(world: &World, draw: &mut Draw, to: &mut Planned) {
    for number in 0..2 {
        look_through(draw.pick(&world.applications), draw, to);
        move_all(draw.pick(&world.applications), draw, to);
        new_tool(number, (world, draw), to);
    }
}

/// Somebody looks up all secrets.
fn look_through(application: &Application, draw: &mut Draw, to: &mut Planned) {
    let mut at = any_time(draw);
    for number in 0..application.endpoints {
        to.happens(at, read(application, &name(application, number as usize)));
        at += draw.whole(10, 300);
    }
}

/// A customer moves to another host, and sets up its receivers anew.
fn move_all(application: &Application, draw: &mut Draw, to: &mut Planned) {
    let mut at = any_time(draw);
    for number in 0..application.endpoints {
        let endpoint = name(application, number as usize);
        let host = format!("new.customer{}.example", application.number);
        to.happens(at, destination(application, &endpoint, (host, true)));
        if draw.is(0.5) {
            let at = at + draw.whole(10, 600);
            to.happens(at, read(application, &endpoint));
        }
        at += draw.whole(30, 40 * MINUTE);
    }
}

/// A tool that some customers try on the day that they hear of it.
fn new_tool(number: u32, (world, draw): (&World, &mut Draw), to: &mut Planned) {
    let begin = any_time(draw);
    for _ in 0..draw.whole(2, 6) {
        let application = draw.pick(&world.applications);
        let endpoint = name(application, 100 + draw.below(1_000));
        let at = begin + draw.whole(0, DAY / 4 - HOUR);
        let host = format!("in.tool{number}.example");
        to.happens(at, destination(application, &endpoint, (host, false)));
    }
}

pub(in crate::vigil) fn name(application: &Application, number: usize) -> String {
    format!("ep_{}_{number}", application.number)
}

fn one_of(application: &Application, draw: &mut Draw) -> String {
    name(application, draw.below(application.endpoints as usize))
}

fn own_host(application: &Application, draw: &mut Draw) -> String {
    let part = *draw.pick(&["api", "hooks", "staging"]);
    format!("{part}.customer{}.example", application.number)
}

pub(in crate::vigil) fn destination(
    application: &Application,
    endpoint: &str,
    (host, changed): (String, bool),
) -> What {
    What::Destination {
        endpoint: endpoint.to_owned(),
        application: application.number,
        host,
        changed,
    }
}

fn read(application: &Application, endpoint: &str) -> What {
    What::SecretRead {
        endpoint: endpoint.to_owned(),
        application: application.number,
        by: format!("app_{}", application.number),
    }
}
