//! Tallies: the same as counting an application's attempts one by one; and the census of what is
//! configured.

use super::drafts::{self, Ending, HOUR, name};
use super::world::World;
use crate::Lane;
use crate::change::Change;
use crate::rows::AttemptRow;
use crate::tally::{Census, Headcount, SLOT, Tally, TallyQuery};
use model::attempt::AttemptResult;
use model::delivery::EndReason;
use model::id::ApplicationKey;
use model::name::Name;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

const TYPES: [&str; 3] = ["order.paid", "order.sent", "z-9_last"];
const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn tallies_equal_a_count_over_attempts(world: &mut World) {
    let lane = world.lane().await;
    let (gone, neighbour) = (world.lane_in(lane.application).await, world.lane().await);
    let begin = slot_of_now(world);
    for _ in 0..80 {
        for lane in [lane, gone, neighbour] {
            end_somehow(world, lane).await;
        }
        let minutes = [0, 1, 4, 5, 11, 90][world.entropy.below(6)];
        world.clock.advance(MINUTE * minutes);
    }
    let delete = Change::DeleteEndpoint(gone.application, gone.endpoint);
    world.change(delete).await;
    world.reopen().await;
    let mut attempts = world.attempts_to(lane).await;
    attempts.extend(world.attempts_to(gone).await);
    assert_eq!(attempts.len(), 160);
    let end = slot_of_now(world) + 1;
    assert!(end - begin > 48, "the attempts are spread over hours");

    let slot = |world: &World| {
        let within = world
            .entropy
            .below(usize::try_from(end - begin).expect("some hours") + 40);
        begin - 20 + i64::try_from(within).expect("it was one")
    };
    let mut spans = vec![begin..end, begin..begin, (begin / 12) * 12..(end / 12) * 12];
    spans.extend((0..60).map(|_| slot(world)..slot(world)));
    for (index, slots) in spans.into_iter().enumerate() {
        let event_types = match index % 3 {
            0 => None,
            1 => Some(vec![name(TYPES[0])]),
            _ => Some(vec![name(TYPES[2]), name(TYPES[1]), name("other")]),
        };
        let query = TallyQuery {
            application: Some(lane.application),
            slots,
            event_types,
        };
        let width = [1, 12, 288, 7][world.entropy.below(4)];
        assert_counted(world, &attempts, (&query, width)).await;
    }
}

pub(super) async fn tallies_of_all_applications_add_up(world: &mut World) {
    let (one, other) = (world.lane().await, world.lane().await);
    let gone = world.lane_in(one.application).await;
    let begin = slot_of_now(world);
    for _ in 0..20 {
        for lane in [one, other, gone] {
            end_somehow(world, lane).await;
        }
        world.clock.advance(MINUTE * 7);
    }
    let delete = Change::DeleteEndpoint(gone.application, gone.endpoint);
    world.change(delete).await;
    let mut attempts = Vec::new();
    for lane in [one, other, gone] {
        attempts.extend(world.attempts_to(lane).await);
    }
    assert_eq!(attempts.len(), 60);
    let end = slot_of_now(world) + 1;
    for (slots, event_types) in [
        (begin..end, None),
        (begin + 3..end - 2, None),
        (begin..end, Some(vec![name(TYPES[0])])),
        (end..end + 9, None),
    ] {
        let query = TallyQuery {
            application: None,
            slots,
            event_types,
        };
        assert_counted(world, &attempts, (&query, 12)).await;
    }
}

async fn assert_counted(world: &World, all: &[AttemptRow], (query, width): (&TallyQuery, u32)) {
    let types = query.event_types.as_ref();
    let wanted = |row: &&AttemptRow| types.is_none_or(|types| types.contains(&row.event_type));
    let all: Vec<&AttemptRow> = all.iter().filter(wanted).collect();
    let within = |slots: &Range<i64>| {
        let within = all.iter().filter(|row| slots.contains(&slot_of(row)));
        within.copied().collect::<Vec<_>>()
    };

    let step = usize::try_from(width).expect("it is small");
    let buckets = query.slots.clone().step_by(step).map(|start| {
        let end = (start + i64::from(width)).min(query.slots.end);
        count(&within(&(start..end)))
    });
    let expected: Vec<Tally> = buckets.collect();
    let found = world.store().tally_by_time(query, width).await;
    assert_eq!(
        found.expect("reads go on"),
        expected,
        "{query:?} by {width}"
    );

    let mut expected: BTreeMap<Name, Vec<&AttemptRow>> = BTreeMap::new();
    for row in within(&query.slots) {
        expected
            .entry(row.event_type.clone())
            .or_default()
            .push(row);
    }
    let expected: Vec<(Name, Tally)> = expected
        .into_iter()
        .map(|(name, rows)| (name, count(&rows)))
        .collect();
    let found = world.store().tally_by_type(query).await;
    assert_eq!(found.expect("reads go on"), expected, "{query:?}");
}

fn count(rows: &[&AttemptRow]) -> Tally {
    let mut tally = Tally::default();
    for row in rows {
        match row.attempt.result {
            AttemptResult::Success => tally.success += 1,
            AttemptResult::Failure => tally.failure += 1,
            AttemptResult::Cancelled(_) => tally.cancelled += 1,
        }
    }
    tally
}

fn slot_of(row: &AttemptRow) -> i64 {
    row.attempt.id.key().time().micros().div_euclid(SLOT)
}

fn slot_of_now(world: &World) -> i64 {
    world.now().micros().div_euclid(SLOT)
}

async fn end_somehow(world: &World, lane: Lane) {
    let mut draft = world.draft(lane.application).await;
    draft.message.event_type = name(TYPES[world.entropy.below(TYPES.len())]);
    draft
        .deliveries
        .retain(|delivery| delivery.endpoint == lane.endpoint);
    draft.deliveries[0].owned = true;
    let claimed = world.send(draft).await.handed_over().remove(0);
    let mut outcome = world.outcome(claimed, Ending::GivenUp);
    outcome.attempt.result = [
        AttemptResult::Success,
        AttemptResult::Failure,
        AttemptResult::Cancelled(EndReason::PayloadGone),
    ][world.entropy.below(3)];
    world.record(outcome).await;
}

pub(super) async fn tallies_go_with_the_age_of_what_they_count(world: &World) {
    let lane = world.lane().await;
    end_somehow(world, lane).await;
    let begin = slot_of_now(world);
    world.clock.advance(HOUR * 5);
    end_somehow(world, lane).await;
    let sweep = crate::work::SweepLimits {
        keep_since: world.now().minus(HOUR),
        rows_max: 100,
    };
    world.sweep(sweep).await;
    let query = TallyQuery {
        application: Some(lane.application),
        slots: begin..slot_of_now(world) + 1,
        event_types: None,
    };
    let found = world.store().tally_by_type(&query).await;
    let found: u64 = found
        .expect("reads go on")
        .iter()
        .map(|(_, tally)| tally.success + tally.failure + tally.cancelled)
        .sum();
    assert_eq!(found, 1);
}

const PLAY: &str = "https://play.svix.com/in/abc/";
const OWN: &str = "https://receiver.example/hooks";
/// Another host.
const NEAR: &str = "https://play.svix.com.example/";

pub(super) async fn a_census_counts_what_is_live(world: &mut World) {
    // Of each application: where its endpoints are, and whether they are disabled.
    for endpoints in [
        &[][..],
        &[(OWN, false), (OWN, true), (NEAR, false)],
        &[(OWN, true)],
        &[(PLAY, false), (PLAY, true)],
        &[(PLAY, false), (OWN, true)],
        &[(PLAY, true), (OWN, false)],
    ] {
        made(world, endpoints).await;
    }
    let all = Headcount {
        enabled: 5,
        disabled: 5,
        applications: 5,
        applications_enabled: 4,
    };
    let play = Headcount {
        enabled: 2,
        disabled: 2,
        applications: 1,
        applications_enabled: 2,
    };
    world.reopen().await;
    assert_eq!(census(world).await, Census { all, play });

    let gone = made(world, &[(OWN, false), (PLAY, false)]).await;
    world.change(Change::DeleteApplication(gone)).await;
    let left = made(world, &[(OWN, false)]).await;
    let registry = world.registry(left).await.expect("it is live");
    let endpoint = registry.endpoints[0].endpoint.id.key();
    world.change(Change::DeleteEndpoint(left, endpoint)).await;
    assert_eq!(census(world).await, Census { all, play });
}

async fn census(world: &World) -> Census {
    world.store().census().await.expect("reads go on")
}

async fn made(world: &World, endpoints: &[(&str, bool)]) -> ApplicationKey {
    let application = world.application().await.application.id.key();
    for (url, disabled) in endpoints {
        let mut endpoint = drafts::endpoint(application, world.tail());
        endpoint.url = (*url).to_owned();
        endpoint.disabled = *disabled;
        world.change(drafts::create_endpoint(endpoint)).await;
    }
    application
}
