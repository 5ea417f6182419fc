//! The engine itself: what it is made of, how it runs, and what it tells and is told.

use crate::attempt::About;
use crate::background::{do_work, sweep};
use crate::claim::survey_lanes;
use crate::config::EngineConfig;
use crate::errand::carry_out;
use crate::health_book::HealthBook;
use crate::meter::{LaneCounts, Meter, Reading};
use crate::observe::{Counters, Happening, Observer};
use crate::peers::Peers;
use crate::ready::ReadyEndpoints;
use crate::report::report_disabled;
use crate::roster::{InHand, Moment, Roster};
use crate::shutdown::{Drained, drain};
use model::address::AddressPolicy;
use model::id::ApplicationKey;
use model::operational::OperationalSink;
use model::security::EventSink;
use model::{Clock, Entropy, Timestamp};
use std::future::Future;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;
use store::rows::Claimed;
use store::{Condition, Fresh, Lane, Lanes, Place, Registry, Store};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use transport::{KeySets, TokenKeeper, Transport};
use vault::Vault;

/// When all lanes were not looked through for so long, something is wrong: it is tried each second
/// where it fails, and takes seconds where there are very many.
const LOOK_LATE: Duration = Duration::from_secs(300);

/// What an engine works with: everything that makes one run differ from another.
#[derive(Clone)]
pub struct EngineParts {
    /// Where deliveries are, and outcomes go.
    pub store: Arc<dyn Store>,
    /// Applications and endpoints in memory: the same that those use who change them.
    pub registry: Arc<Registry>,
    /// Opens payloads and secrets, seals excerpts.
    pub vault: Arc<Vault>,
    /// Sends.
    pub transport: Arc<dyn Transport>,
    /// Judges URLs before they are given to the transport, which judges the addresses.
    pub address_policy: Arc<AddressPolicy>,
    /// Tells the time. Its monotonic time must pass as tokio's does.
    pub clock: Arc<dyn Clock>,
    /// Draws jitter and the random part of attempts' ids.
    pub entropy: Arc<dyn Entropy>,
    /// Takes security events.
    pub events: Arc<dyn EventSink>,
    /// Takes what the operator is told by operational webhooks.
    pub operational: Arc<dyn OperationalSink>,
}

/// The sender. Shared by whoever hands messages over; see the crate's documentation.
pub struct Engine {
    pub(crate) parts: EngineParts,
    pub(crate) config: EngineConfig,
    pub(crate) ready: ReadyEndpoints,
    /// What receivers publish for their payloads to be encrypted to.
    pub(crate) key_sets: KeySets,
    /// Access tokens of endpoints that want them.
    pub(crate) tokens: TokenKeeper,
    pub(crate) peers: Peers,
    pub(crate) health: HealthBook,
    pub(crate) observer: Observer,
    pub(crate) meter: Meter,
    /// When all lanes were last looked through, in microseconds.
    looked: AtomicI64,
    /// Told when there is background work.
    pub(crate) work: Notify,
    /// All futures that carry out orders.
    pub(crate) errands: TaskTracker,
    /// Ends them.
    pub(crate) break_off: CancellationToken,
    roster: Mutex<Roster>,
    condition: watch::Receiver<Condition>,
    /// Counts changes of what is configured.
    changes: AtomicU64,
    /// Told when the timer must be set to an earlier time.
    earlier: Notify,
    runtime: OnceLock<Handle>,
    me: Weak<Engine>,
}

impl Engine {
    /// An engine that grants no place and begins nothing before [`Engine::run`].
    pub fn new(parts: EngineParts, config: EngineConfig) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            ready: ReadyEndpoints::new(parts.vault.clone(), parts.address_policy.clone(), &config),
            key_sets: KeySets::new(parts.transport.clone()),
            tokens: TokenKeeper::new(
                parts.transport.clone(),
                parts.clock.clone(),
                parts.entropy.clone(),
            ),
            peers: Peers::new(config.endpoints_cached),
            health: HealthBook::new(config.shared),
            observer: Observer::default(),
            meter: Meter::default(),
            looked: AtomicI64::new(parts.clock.now().micros()),
            work: Notify::new(),
            errands: TaskTracker::new(),
            break_off: CancellationToken::new(),
            roster: Mutex::new(Roster::new(config.clone())),
            condition: parts.store.condition(),
            changes: AtomicU64::new(0),
            earlier: Notify::new(),
            runtime: OnceLock::new(),
            me: me.clone(),
            parts,
            config,
        })
    }

    /// Sends until `shutdown` is cancelled, then drains. To be called once, on the runtime on which
    /// attempts are to run.
    pub async fn run(&self, shutdown: CancellationToken) -> Drained {
        self.runtime.get_or_init(Handle::current);
        self.tell(Roster::open);
        let all = async {
            tokio::join!(
                self.keep_time(),
                survey_lanes(self),
                do_work(self),
                sweep(self)
            );
        };
        shutdown.run_until_cancelled(all).await;
        drain(self).await
    }

    /// What has been counted, and what is held now.
    pub fn counters(&self) -> Counters {
        let roster = self.lock();
        let (lanes, lanes_waiting) = roster.lane_counts();
        Counters {
            in_flight: roster.held(),
            queued: roster.queued(),
            lanes,
            lanes_waiting,
            ..self.observer.counters()
        }
    }

    /// What has been counted for whoever watches.
    pub fn read_meter(&self) -> Reading {
        self.meter.read()
    }

    /// What lanes do. Looks at each in memory: now and then.
    pub fn count_lanes(&self) -> LaneCounts {
        self.lock().count_lanes()
    }

    /// Everything that happens from now on, for tests and simulation: unbounded. `None` if somebody
    /// follows already.
    pub fn follow(&self) -> Option<mpsc::UnboundedReceiver<Happening>> {
        self.observer.follow()
    }

    /// Tells the roster something, and carries out what it orders.
    pub(crate) fn tell<T>(&self, tell: impl FnOnce(&mut Roster) -> T) -> T {
        let may_start = self.is_writable();
        let (told, orders, earlier) = {
            let mut roster = self.lock();
            let told = tell(roster.at(self.moment()));
            (told, roster.orders(may_start), roster.wants_earlier_wake())
        };
        if let Some(me) = self.me.upgrade().filter(|_| !orders.is_empty()) {
            carry_out(&me, orders);
        }
        if earlier {
            self.earlier.notify_one();
        }
        told
    }

    /// The time by both clocks.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            wall: self.parts.clock.now(),
            mono: self.parts.clock.monotonic(),
        }
    }

    /// How often something was changed that attempts must know of.
    pub(crate) fn changes(&self) -> u64 {
        // What is no application's is counted where it is kept.
        let forgotten = self.parts.registry.forgotten();
        self.changes.load(Ordering::SeqCst).wrapping_add(forgotten)
    }

    /// Lets go of a delivery, and remembers that it waits in the store.
    pub(crate) fn let_go(&self, in_hand: InHand) {
        let (lane, delivery) = (in_hand.lane(), &in_hand.claimed.delivery);
        let (key, due) = (delivery.key, delivery.due);
        drop(in_hand);
        self.observer.tell(Happening::LetGo(lane.endpoint, key));
        self.tell(|roster| roster.waiting(lane, due));
    }

    /// Lets go of all that waits in memory for a lane, while background work ends some of it.
    pub(crate) fn give_back(&self, lane: Lane) {
        for in_hand in self.tell(|roster| roster.give_back(lane)) {
            self.let_go(in_hand);
        }
    }

    /// An outcome disabled its endpoint: nothing starts there any more, and its deliveries end.
    pub(crate) fn endpoint_disabled(&self, about: &About, at: Timestamp) {
        self.changed(about.seen.application);
        self.work();
        report_disabled(self, about, at);
    }

    /// All lanes were looked through.
    pub(crate) fn looked(&self) {
        let now = self.parts.clock.now();
        self.looked.store(now.micros(), Ordering::Relaxed);
    }

    /// Whether commits succeed.
    pub(crate) fn is_writable(&self) -> bool {
        *self.condition.borrow() == Condition::Writable
    }

    /// Returns once commits succeed.
    pub(crate) async fn until_writable(&self) {
        let mut condition = self.condition.clone();
        let writable = condition.wait_for(|condition| *condition == Condition::Writable);
        if writable.await.is_err() {
            // The store has ended, and will not come back.
            std::future::pending().await
        }
    }

    /// Carries out an order. Only a running engine gives any.
    pub(crate) fn spawn(&self, errand: impl Future<Output = ()> + Send + 'static) {
        let runtime = self
            .runtime
            .get()
            .expect("orders are given while the engine runs");
        // In a box, since what an attempt needs is large, and would be moved several times.
        let errand = Box::pin(errand);
        let errand = self.break_off.clone().run_until_cancelled_owned(errand);
        self.errands.spawn_on(errand, runtime);
    }

    /// Asks the roster for orders whenever time alone, or the store's recovery, brings some.
    async fn keep_time(&self) {
        let mut condition = self.condition.clone();
        loop {
            self.tell(|_| ());
            let wait = self.lock().at(self.moment()).arm();
            let time = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Ok(()) = condition.changed() => {}
                () = self.earlier.notified() => {}
                () = time => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Roster> {
        self.roster
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl Lanes for Engine {
    fn grant(&self, lane: Lane, limited: bool) -> Option<Place> {
        self.lock().at(self.moment()).grant(lane, limited)
    }

    fn hand_over(&self, claimed: Claimed, fresh: Fresh, place: Place) {
        self.observer.handed_over();
        let in_hand = InHand::new(claimed, Some(fresh.payload), fresh.revision);
        drop(place);
        if let Some(refused) = self.tell(|roster| roster.hand_over(in_hand)) {
            self.let_go(refused);
        }
    }

    fn waiting(&self, lane: Lane, due: Timestamp) {
        self.tell(|roster| roster.waiting(lane, due));
    }

    fn changed(&self, application: ApplicationKey) {
        self.parts.registry.forget(application);
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.tell(|roster| roster.changed(application));
    }

    fn work(&self) {
        self.work.notify_one();
    }

    fn overdue(&self) -> Option<Timestamp> {
        let looked = Timestamp::from_micros(self.looked.load(Ordering::Relaxed));
        let late = LOOK_LATE.max(2 * self.config.look_every());
        (self.parts.clock.now().since(looked) >= late).then_some(looked)
    }
}
