//! The pulse: what is committed beats for whoever shows it, and nothing else does.

use super::drafts::{Ending, event_type, idempotency_key};
use super::security::{event, kept};
use super::sweep::payloads_only;
use super::world::World;
use crate::change::{Change, Expect};
use crate::security::SecurityWrite;
use model::delivery::Trigger;
use model::id::ApplicationKey;
use model::security::SecurityKind;

/// As many as are not all behind one counter.
const OTHERS: usize = 4;

/// Whose pulse has changed.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    own: bool,
    others: bool,
    all: bool,
}

const OWN: Heard = Heard {
    own: true,
    others: false,
    all: true,
};
const EVERYBODY: Heard = Heard {
    own: true,
    others: true,
    all: true,
};
const OPERATOR: Heard = Heard {
    own: false,
    others: false,
    all: true,
};
const NOBODY: Heard = Heard {
    own: false,
    others: false,
    all: false,
};

/// An application, and some others.
struct Listening {
    own: ApplicationKey,
    others: Vec<ApplicationKey>,
    before: Vec<u64>,
}

impl Listening {
    async fn new(world: &World, own: ApplicationKey) -> Self {
        let mut others = Vec::new();
        for _ in 0..OTHERS {
            others.push(world.application().await.application.id.key());
        }
        let mut listening = Self {
            own,
            others,
            before: Vec::new(),
        };
        listening.before = listening.read(world);
        listening
    }

    fn read(&self, world: &World) -> Vec<u64> {
        let (store, own) = (world.store(), [Some(self.own), None]);
        let others = self.others.iter().copied().map(Some);
        let all = own.into_iter().chain(others);
        all.map(|one| store.pulse().read(one)).collect()
    }

    /// Whose pulse has changed since this was last asked. One of the others may share a counter.
    fn heard(&mut self, world: &World) -> Heard {
        let now = self.read(world);
        let changed: Vec<bool> = now.iter().zip(&self.before).map(|(a, b)| a != b).collect();
        self.before = now;
        let others = changed[2..].iter().filter(|changed| **changed).count();
        Heard {
            own: changed[0],
            others: others > OTHERS / 2,
            all: changed[1],
        }
    }
}

pub(super) async fn what_is_committed_is_told_to_whom_it_concerns(world: &World) {
    let lane = world.lane().await;
    let mut listening = Listening::new(world, lane.application).await;
    let sent = world.message(lane.application).await;
    assert_eq!(listening.heard(world), OWN, "a message");
    let claimed = world.claim_one(lane).await;
    world.end(claimed, Ending::Success).await;
    assert_eq!(listening.heard(world), OWN, "an outcome");
    let message = sent.key();
    world.resend(lane, message, Trigger::Manual).await;
    assert_eq!(listening.heard(world), OWN, "a delivery");
    world
        .replace_endpoint(lane, |row| row.disabled = true)
        .await;
    assert_eq!(listening.heard(world), OWN, "an endpoint");
    let put = Change::PutEventType {
        event_type: event_type("order.lost"),
        expect: Expect::NoneLive,
    };
    world.change(put).await;
    assert_eq!(listening.heard(world), EVERYBODY, "an event type");
    let mut write = SecurityWrite {
        onto: None,
        event: event(world, SecurityKind::AuthenticationFailed),
    };
    kept(world, std::slice::from_ref(&write)).await;
    assert_eq!(listening.heard(world), OPERATOR, "a security event");
    write.event.application = Some(lane.application);
    kept(world, &[write]).await;
    assert_eq!(listening.heard(world), OWN, "one of an application");
    world.change(Change::Note).await;
    assert_eq!(listening.heard(world), OPERATOR, "a note");
}

pub(super) async fn what_changes_nothing_is_told_to_nobody(world: &World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.idempotency = Some(idempotency_key(1));
    world.send(draft.clone()).await;
    let mut listening = Listening::new(world, lane.application).await;
    world.accept(draft.clone()).await.expect("it is repeated");
    draft.registry_revision += 1;
    draft.idempotency = None;
    world.accept(draft).await.expect_err("it is refused");
    let mut row = world.endpoint_row(lane).await.expect("it is live");
    row.revision += 1;
    let stale = super::drafts::replace_endpoint(row);
    world.try_change(stale).await.expect_err("it is refused");
    world.finish_work().await;
    world.sweep(payloads_only(world)).await;
    world.claim(lane, 10).await;
    assert_eq!(listening.heard(world), NOBODY);
    let elsewhere = async || {
        let moved = world.store().moved_elsewhere().await;
        moved.expect("reads go on")
    };
    let before = elsewhere().await;
    world.message(lane.application).await;
    assert_eq!(elsewhere().await, before, "nobody else is there");
}
