//! A long random sequence of what happens to deliveries, against [`reference::Reference`], which
//! keeps open deliveries and attempts in two collections and nothing else. After every few steps
//! both must show the same. A failure names its seed and step; the same seed repeats it.

mod reference;

use super::drafts::{Ending, SECOND};
use super::world::World;
use super::{TestEntropy, drafts};
use crate::Lane;
use crate::change::{Change, Changed};
use crate::rows::Claimed;
use model::Timestamp;
use model::delivery::{Delivery, Trigger};
use model::id::EndpointKey;
use reference::Reference;
use std::collections::BTreeMap;
use std::time::Duration;

const STEPS: usize = 250;
/// Both are compared after every so many steps.
const COMPARED_EVERY: usize = 10;

pub(super) async fn seed_1_agrees_with_the_reference(world: &mut World) {
    walk(world, 1).await;
}

pub(super) async fn seed_2_agrees_with_the_reference(world: &mut World) {
    walk(world, 2).await;
}

pub(super) async fn seed_3_agrees_with_the_reference(world: &mut World) {
    walk(world, 3).await;
}

pub(super) async fn seed_4_agrees_with_the_reference(world: &mut World) {
    walk(world, 4).await;
}

pub(super) async fn walk(world: &mut World, seed: u64) {
    let mut walker = Walker::new(world, seed).await;
    for step in 0..STEPS {
        walker.place = format!("seed {seed}, step {step}");
        walker.step().await;
        if step % COMPARED_EVERY == 0 {
            walker.compare().await;
        }
    }
    walker.reopen().await;
    walker.compare().await;
}

struct Walker<'w> {
    world: &'w mut World,
    chance: TestEntropy,
    reference: Reference,
    /// Live endpoints, all of one application.
    lanes: Vec<Lane>,
    /// Also deleted ones.
    endpoints: Vec<EndpointKey>,
    sent: Vec<drafts::Sent>,
    held: Vec<Claimed>,
    place: String,
}

impl<'w> Walker<'w> {
    async fn new(world: &'w mut World, seed: u64) -> Self {
        let first = world.lane().await;
        let lanes = vec![first, world.lane_in(first.application).await];
        Self {
            world,
            chance: TestEntropy::new(seed),
            reference: Reference::default(),
            endpoints: lanes.iter().map(|lane| lane.endpoint).collect(),
            lanes,
            sent: Vec::new(),
            held: Vec::new(),
            place: String::new(),
        }
    }

    async fn step(&mut self) {
        let by = Duration::from_millis(4 * self.chance.below(500) as u64);
        self.world.clock.advance(by);
        match self.chance.below(100) {
            0..25 => self.accept().await,
            25..50 => self.claim().await,
            50..78 => self.record().await,
            78..84 => self.let_go(),
            84..90 => self.resend().await,
            90..93 => self.delete().await,
            93..96 => self.disable_and_enable().await,
            _ => self.reopen().await,
        }
    }

    async fn accept(&mut self) {
        let application = self.lanes[0].application;
        let mut draft = self.world.draft(application).await;
        for delivery in &mut draft.deliveries {
            delivery.owned = self.chance.below(2) == 0;
            let wait = u32::try_from(self.chance.below(4)).expect("it is small");
            delivery.due = delivery.due.plus(wait * SECOND);
        }
        let mut sent = self.world.send(draft).await;
        let row = sent.row();
        for index in 0..sent.deliveries.len() {
            let delivery = sent.delivery(index);
            self.reference.opened(delivery.clone());
            if let Some(hold) = sent.deliveries[index].1.take() {
                self.held.push(Claimed {
                    delivery,
                    message: row.clone(),
                    hold,
                });
            }
        }
        self.sent.push(sent);
    }

    async fn claim(&mut self) {
        let lane = self.any_lane();
        let limit = 1 + self.chance.below(4);
        let expected = self.unheld(lane.endpoint, self.world.now());
        let claimed = self.world.claim(lane, limit).await;
        let found: Vec<&Delivery> = claimed.iter().map(|one| &one.delivery).collect();
        let expected: Vec<&Delivery> = expected.iter().take(limit).collect();
        assert_eq!(found, expected, "claimed at {}", self.place);
        self.held.extend(claimed);
    }

    async fn record(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let claimed = self.held.swap_remove(self.chance.below(self.held.len()));
        let delivery = claimed.delivery.clone();
        let due = self.world.now().plus(SECOND);
        let ending = match self.chance.below(4) {
            0 if delivery.trigger.retries() => Ending::GivenUp,
            1 | 2 if delivery.trigger.retries() => Ending::Retry(due),
            3 => Ending::Success,
            _ => Ending::GivenUp,
        };
        let recorded = self.world.end(claimed, ending).await;
        let stale = self.reference.recorded(&delivery, ending);
        assert_eq!(recorded.stale, stale, "recorded at {}", self.place);
    }

    fn let_go(&mut self) {
        if !self.held.is_empty() {
            self.held.swap_remove(self.chance.below(self.held.len()));
        }
    }

    async fn resend(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let lane = self.any_lane();
        let message = self.sent[self.chance.below(self.sent.len())].key();
        let trigger = [Trigger::Manual, Trigger::Replay][self.chance.below(2)];
        let change = drafts::open_delivery(lane, message, trigger);
        match self.world.change(change).await {
            Changed::Delivery(delivery, None) => self.reference.opened(delivery),
            other => panic!("opened a delivery, was told of {other:?} at {}", self.place),
        }
    }

    /// Deletes an endpoint, and makes another.
    async fn delete(&mut self) {
        let lane = self.lanes.swap_remove(self.chance.below(self.lanes.len()));
        let delete = Change::DeleteEndpoint(lane.application, lane.endpoint);
        self.world.change(delete).await;
        self.world.finish_work().await;
        self.reference.ended(lane.endpoint);
        let next = self.world.lane_in(lane.application).await;
        self.lanes.push(next);
        self.endpoints.push(next.endpoint);
    }

    async fn disable_and_enable(&mut self) {
        let lane = self.any_lane();
        let world = &self.world;
        world.replace_endpoint(lane, |it| it.disabled = true).await;
        world.finish_work().await;
        world.replace_endpoint(lane, |it| it.disabled = false).await;
        self.reference.ended(lane.endpoint);
    }

    async fn reopen(&mut self) {
        self.held.clear();
        self.world.reopen().await;
    }

    async fn compare(&mut self) {
        for lane in &self.lanes {
            let expected = self.unheld(lane.endpoint, Timestamp::MAX);
            let open = self.world.open_deliveries(*lane).await;
            assert_eq!(open, expected, "open in {lane:?} at {}", self.place);

            let all = self.reference.of(lane.endpoint);
            let tried = all.iter().filter(|one| one.attempts > 0).count() as u64;
            let counted = self.world.statistics(*lane).await;
            let found = (counted.pending, counted.retrying);
            let expected = (all.len() as u64 - tried, tried);
            assert_eq!(found, expected, "counted in {lane:?} at {}", self.place);
        }
        let mut attempts = BTreeMap::new();
        for endpoint in &self.endpoints {
            let application = self.lanes[0].application;
            let lane = Lane {
                application,
                endpoint: *endpoint,
            };
            for row in self.world.attempts_to(lane).await {
                let attempt = row.attempt;
                let key = reference::kind_of(attempt.message.key(), *endpoint, attempt.result);
                *attempts.entry(key).or_insert(0) += 1;
            }
        }
        assert_eq!(
            attempts, self.reference.attempts,
            "attempts at {}",
            self.place
        );
    }

    fn any_lane(&self) -> Lane {
        self.lanes[self.chance.below(self.lanes.len())]
    }

    /// What can be claimed of an endpoint, in the order of a claim.
    fn unheld(&self, endpoint: EndpointKey, due_by: Timestamp) -> Vec<Delivery> {
        let is_held = |delivery: &Delivery| {
            let mut held = self.held.iter();
            held.any(|claimed| claimed.delivery.key == delivery.key)
        };
        let mut open = self.reference.of(endpoint);
        open.retain(|delivery| delivery.due <= due_by && !is_held(delivery));
        open.sort_by_key(|delivery| (delivery.trigger.class(), delivery.due, delivery.key));
        open
    }
}
