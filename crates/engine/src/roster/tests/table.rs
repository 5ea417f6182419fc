//! What a claim about the roster is made with: a roster, and beside it what the engine would keep.

use super::*;
use bytes::Bytes;
use model::delivery::Delivery;
use model::hops::Hops;
use model::id::{DeliveryKey, MessageId, MessageKey};
use model::message::{Message, PayloadForm};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use store::lanes::LetGo;
use store::rows::{Claimed, MessageRow, Payload};
use store::{Hold, Scope};

/// What the store would give out under.
#[derive(Default)]
pub(super) struct Lease {
    pub(super) ended: AtomicBool,
    pub(super) given_up: Mutex<Vec<Scope>>,
}

impl LetGo for Lease {
    fn let_go(&self, _: EndpointKey, _: DeliveryKey) {}

    fn give_up(&self, scope: Scope) {
        self.given_up.lock().unwrap().push(scope);
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

/// A roster with what the engine would keep beside it: attempts under way, and claims.
pub(super) struct Table {
    pub(super) roster: Roster,
    pub(super) now: Moment,
    pub(super) attempts: Vec<(AttemptNumber, InHand)>,
    pub(super) claims: Vec<(Lane, ToClaim)>,
    pub(super) facts: BTreeMap<EndpointKey, Facts>,
    /// What another node works on alone.
    pub(super) elsewhere: BTreeSet<Scope>,
    /// What this one let go of because of that.
    pub(super) ceded: Vec<Ceded>,
    /// How often it was asked whose something is.
    pub(super) asked: usize,
    pub(super) lease: Arc<Lease>,
    next_key: i64,
}

pub(super) fn config() -> EngineConfig {
    EngineConfig {
        slots: 16,
        queue_max: 32,
        per_host: 8,
        claims_max: 2,
        lane: LaneLimits {
            start: 4,
            ..LaneLimits::default()
        },
        ..EngineConfig::default()
    }
}

pub(super) fn lane(application: i64, endpoint: i64) -> Lane {
    Lane {
        application: ApplicationKey::from_integer(application),
        endpoint: EndpointKey::from_integer(endpoint),
    }
}

pub(super) fn facts(host: &str) -> Facts {
    Facts {
        live: true,
        host: Some(host.into()),
        ..Facts::default()
    }
}

pub(super) fn success(millis: u64) -> Ended {
    Ended {
        how: How::Success,
        took: Duration::from_millis(millis),
        due: None,
        rest: None,
    }
}

impl Table {
    pub(super) fn new(config: EngineConfig) -> Self {
        let mut roster = Roster::new(config);
        roster.open();
        let now = Moment {
            wall: Timestamp::from_seconds(1_000_000),
            mono: Duration::from_secs(1_000),
        };
        Self {
            roster,
            now,
            attempts: Vec::new(),
            claims: Vec::new(),
            facts: BTreeMap::new(),
            elsewhere: BTreeSet::new(),
            ceded: Vec::new(),
            asked: 0,
            lease: Arc::default(),
            next_key: 1,
        }
    }

    pub(super) fn with(mut self, lane: Lane, facts: Facts) -> Self {
        self.facts.insert(lane.endpoint, facts);
        self
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now.wall = self.now.wall.plus(time);
        self.now.mono += time;
        self.turn();
    }

    /// Tells the roster something and takes its orders; what is to be learned is learned at once.
    pub(super) fn tell<T>(&mut self, tell: impl FnOnce(&mut Roster) -> T) -> T {
        let told = tell(self.roster.at(self.now));
        self.turn();
        told
    }

    pub(super) fn turn(&mut self) {
        let mut orders = self.roster.at(self.now).orders(true);
        while let Some(order) = orders.pop() {
            match order {
                Order::Attempt(number, in_hand) => self.attempts.push((number, *in_hand)),
                Order::Claim(lane, wanted) => self.claims.push((lane, wanted)),
                Order::Learn(lane) => {
                    let facts = self.facts.get(&lane.endpoint).cloned();
                    let facts = facts.unwrap_or_else(|| facts_of_its_own(lane));
                    self.roster.learned(lane, Some(facts));
                    orders.extend(self.roster.orders(true));
                }
                Order::Own(scopes) => {
                    self.asked += scopes.len();
                    let answers = scopes.iter().map(|scope| (*scope, self.owner(*scope)));
                    let answers = answers.collect();
                    self.ceded.extend(self.roster.owned(answers));
                    orders.extend(self.roster.orders(true));
                }
            }
        }
        self.attempts.sort_by_key(|(number, _)| *number);
    }

    /// What the store would answer.
    pub(super) fn owner(&self, scope: Scope) -> Owner {
        match self.elsewhere.contains(&scope) {
            true => Owner::Elsewhere,
            false => Owner::Here(Sole::new(self.lease.clone(), scope)),
        }
    }

    pub(super) fn delivery(&mut self, lane: Lane, trigger: Trigger) -> InHand {
        self.next_key += 1;
        let key = DeliveryKey::from_integer(self.next_key);
        let message = Message {
            id: MessageId::new(MessageKey::from_integer(self.next_key), [0; 12]),
            application: lane.application,
            event_type: "a".parse().unwrap(),
            event_id: None,
            channels: BTreeSet::new(),
            tags: BTreeSet::new(),
            deliver_at: None,
            hops: Hops::NONE,
            trace: None,
            expires_at: Timestamp::MAX,
            form: PayloadForm::Json,
        };
        let delivery = Delivery {
            key,
            application: lane.application,
            endpoint: lane.endpoint,
            message: message.id.key(),
            trigger,
            attempts: 0,
            due: self.now.wall,
        };
        let payload = Payload::NotRead;
        let claimed = Claimed {
            hold: Hold::new(self.lease.clone(), lane.endpoint, key),
            delivery,
            message: MessageRow { message, payload },
        };
        InHand::new(claimed, Some(Bytes::from_static(&[0; 1_000])), 0)
    }

    /// Whether it was taken.
    pub(super) fn hand_over(&mut self, lane: Lane) -> bool {
        let in_hand = self.delivery(lane, Trigger::Scheduled);
        self.tell(|roster| roster.hand_over(in_hand)).is_none()
    }

    /// Asks for a place as `app` does, and hands over if there is one.
    pub(super) fn accept(&mut self, lane: Lane) -> bool {
        let facts = self.facts.get(&lane.endpoint);
        let limited = facts
            .is_some_and(|facts| facts.limit().is_some() || facts.application_rate_limit.is_some());
        match self.tell(|roster| roster.grant(lane, limited)) {
            Some(place) => {
                drop(place);
                self.hand_over(lane)
            }
            None => {
                let now = self.now.wall;
                self.tell(|roster| roster.waiting(lane, now));
                false
            }
        }
    }

    pub(super) fn end(&mut self, index: usize, ended: Ended) {
        let (number, _) = self.attempts.remove(index);
        self.tell(|roster| roster.ended(number, ended));
    }

    pub(super) fn end_all(&mut self, ended: Ended) {
        for (number, _) in std::mem::take(&mut self.attempts) {
            self.tell(|roster| roster.ended(number, ended));
        }
    }

    pub(super) fn bring(&mut self, index: usize, count: usize, more: bool) -> usize {
        let (lane, wanted) = self.claims.remove(index);
        let count = count.min(wanted.limit);
        let deliveries = (0..count)
            .map(|_| self.delivery(lane, Trigger::Scheduled))
            .collect();
        let brought = Brought {
            deliveries,
            more,
            ..Brought::default()
        };
        let spilled = self.tell(|roster| roster.claimed(lane, brought));
        count - spilled.len()
    }

    pub(super) fn in_flight(&self, lane: Lane) -> usize {
        let of_lane = self
            .attempts
            .iter()
            .filter(|(_, in_hand)| in_hand.lane() == lane);
        of_lane.count()
    }
}

pub(super) fn facts_of_its_own(lane: Lane) -> Facts {
    facts(&format!("host-{}", lane.endpoint.integer()))
}
