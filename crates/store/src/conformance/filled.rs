//! A store with rows of every kind in it, for tests that move or copy whole stores.

use super::drafts::{self, DAY, Ending, HOUR, SECOND, idempotency_key, name, names, sealed};
use super::endpoints::{keep_proof, proved};
use super::world::World;
use super::{Harness, access, audit, came_in, left, observed, random_walk, security, sources};
use crate::change::{Change, Expect, OwnRedaction, OwnSchedule};
use crate::work::{OutsideKind, OutsideWork, ReplayFilter, SweepLimits, Work, WorkEnd, WorkStep};
use crate::{Lane, Sealed};
use model::application::Metadata;
use model::delivery::Trigger;
use model::event_type::EventType;
use model::message::PayloadForm;
use model::proof::Proof;
use model::redaction;
use model::retry::RetrySchedule;
use std::num::NonZeroU16;
use std::time::Duration;

/// More than is moved at a time.
const LARGE_BYTES: usize = 5 << 20;

/// Fills an empty database with rows of every kind, and leaves it closed.
pub async fn fill(harness: Box<dyn Harness>) {
    let mut world = World::open(harness).await;
    random_walk::walk(&mut world, 5).await;
    settings_and_types(&world).await;
    let lane = configured(&world).await;
    deliveries(&world, lane).await;
    gone(&world, lane).await;
    access::fill(&world).await;
    sources::fill(&world).await;
    came_in::fill(&world, lane).await;
    security::fill(&world, lane).await;
    audit::fill(&world, lane).await;
    left::fill(&world).await;
    background(&world, lane).await;
    world.close().await;
}

/// What is never done, since nobody works here any more, and what has failed.
async fn background(world: &World, lane: Lane) {
    let (since, until) = (world.now().plus(DAY), world.now().plus(2 * DAY));
    let filter = ReplayFilter {
        status_codes: Some((500, 600)),
        ..ReplayFilter::default()
    };
    let replay = Work::BulkReplay {
        endpoint: lane.endpoint,
        since,
        until,
        filter,
    };
    let broadcast = Work::Outside(OutsideWork {
        kind: OutsideKind::Broadcast,
        arguments: sealed("what is to be sent"),
    });
    for (application, work) in [(None, broadcast), (Some(lane.application), replay)] {
        let tail = world.tail();
        let change = Change::StartWork {
            tail,
            application,
            work,
        };
        world.change(change).await;
    }
    let taken = world.store().take_work().await.expect("it can write");
    let taken = taken.expect("there is some to take");
    let step = WorkStep {
        data: Some(r#"{"messages":1}"#.to_owned()),
        end: Some(WorkEnd::Failed("It can't be read.".to_owned())),
        ..WorkStep::default()
    };
    let advanced = world.store().advance_work(&taken, step).await;
    advanced.expect("it can write");
}

async fn settings_and_types(world: &World) {
    for (setting, value) in [("one", &b"\x00\xff"[..]), ("empty", b"")] {
        let set = world.store().set_setting(setting, value).await;
        set.expect("it can write");
    }
    for text in ["order.paid", "Order.sent", "order.lost"] {
        let event_type = EventType {
            description: "Bezahlt \u{1f4b6}\n".to_owned(),
            deprecated: text == "order.lost",
            schemas: Some(r#"{"1":{"type":"object"}}"#.to_owned()),
            sensitive: redaction::paths("$..ssn\n/é").expect("they are paths"),
            feature_flags: vec![name("beta"), name("alpha")],
            group_name: Some(name("orders")),
            ..drafts::event_type(text)
        };
        let expect = Expect::NoneLive;
        world
            .change(Change::PutEventType { event_type, expect })
            .await;
    }
    let waits = [Duration::from_nanos(1), DAY];
    let put = Change::PutRetrySchedule(OwnSchedule {
        event_type: name("order.paid"),
        schedule: RetrySchedule::new(waits.to_vec()).ok(),
        schedules_max: 1,
    });
    world.change(put).await;
    let put = Change::PutRedaction(OwnRedaction {
        event_type: name("order.paid"),
        rules: redaction::rules("drop /a b\nmask:4 $..card").expect("they are rules"),
        redactions_max: 3,
    });
    world.change(put).await;
}

/// An application and an endpoint with all that can be set, and another application that is gone.
async fn configured(world: &World) -> Lane {
    let metadata = || Metadata::from([("a \"key\"".to_owned(), "ein Wért".to_owned())]);
    let application = world
        .application_with(|application| {
            application.uid = Some(name("shop"));
            application.rate_limit = NonZeroU16::new(65_535);
            application.metadata = metadata();
        })
        .await;
    let application = application.application.id.key();
    let endpoint = world
        .endpoint_with(application, |endpoint| {
            endpoint.uid = Some(name("hooks"));
            endpoint.description = "It's one's own".to_owned();
            endpoint.rate_limit = NonZeroU16::new(7);
            endpoint.metadata = metadata();
            endpoint.event_types = Some(names(["order.paid", "Order.sent"]));
        })
        .await;
    let lane = Lane {
        application,
        endpoint: endpoint.endpoint.id.key(),
    };
    world
        .replace_endpoint(lane, |endpoint| {
            endpoint.url = "https://receiver.example/h\u{f6}ks".to_owned();
        })
        .await;
    let keep = Change::KeepChain {
        endpoint: lane.endpoint,
        chain: b"who it \0 was".to_vec(),
    };
    world.change(keep).await;
    let row = world.endpoint_row(lane).await.expect("it is live");
    let asked = Proof {
        url: row.endpoint.url,
        asked_at: world.now(),
        told: None,
    };
    let proof = asked.after(proved(world.now()));
    world.change(keep_proof(lane, None, &proof)).await;
    let other = world.lane().await;
    let deleted = Change::DeleteApplication(other.application);
    world.change(deleted).await;
    lane
}

/// Messages of every form, and deliveries and attempts in every state.
async fn deliveries(world: &World, lane: Lane) {
    let sent = world
        .messages_with(lane.application, 8, |index, draft| {
            let message = &mut draft.message;
            message.event_id = Some(name(["a", "B", "c", "d", "e", "f", "g", "h"][index]));
            message.channels = names(["one", "two"]);
            message.tags = names(["t1", "t2"]);
            let number = u8::try_from(100 + index).expect("it is small");
            draft.idempotency = Some(idempotency_key(number));
            if index == 1 {
                message.payload = Sealed::from(vec![7; LARGE_BYTES]);
            }
            if index == 2 {
                let content_type = Some("text/plain".to_owned());
                message.form = PayloadForm::Raw { content_type };
                message.deliver_at = Some(world.now().plus(HOUR));
                draft.deliveries[0].due = world.now().plus(HOUR);
            }
        })
        .await;
    let endings = [
        Ending::Success,
        Ending::Retry(world.now().plus(HOUR)),
        Ending::GivenUp,
    ];
    for (claimed, ending) in world.claim(lane, 3).await.into_iter().zip(endings) {
        let mut outcome = world.outcome(claimed, ending);
        let without_body = ending == Ending::GivenUp;
        outcome.attempt.excerpt = (!without_body).then(|| sealed("come back later"));
        if ending != Ending::Success {
            outcome.attempt.observed = observed::all("receiver.example");
        }
        world.record(outcome).await;
        world.clock.advance(SECOND);
    }
    for trigger in [Trigger::Manual, Trigger::Replay] {
        world.resend(lane, sent[0].key(), trigger).await;
    }
}

/// A message whose payload has reached its age.
async fn gone(world: &World, lane: Lane) {
    let mut draft = world.draft(lane.application).await;
    draft.message.expires_at = world.now().plus(HOUR);
    world.send(draft).await;
    world.clock.advance(2 * HOUR);
    let swept = world
        .sweep(SweepLimits {
            keep_since: super::TestClock::START.minus(DAY),
            rows_max: 100,
        })
        .await;
    assert_eq!(swept.payloads, 1, "{swept:?}");
}
