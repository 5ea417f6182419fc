//! A node: the parts of one process, brought together, run, and let go of in order.
//!
//! The order of the end matters: the store closes behind the last answer and the last outcome, but
//! for those that had no more time.

use crate::alerting;
use crate::auditing;
use crate::blocking::Blocking;
use crate::config::Checked;
use crate::entrances::{self, Answering, Entrances};
use crate::events::Events;
use crate::failure::Failure;
use crate::identity::Unplaced;
use crate::keeping::Kept;
use crate::key_checks::{open_vault, recognise_token_key};
use crate::keys::{KeySources, MasterKeys};
use crate::logging::ALWAYS;
use crate::metrics::{Doors, Metrics};
use crate::open_files;
use crate::otlp::{self, Exporter};
use crate::pages::pages;
use crate::rotation;
use crate::running::{Ended, Running, Signals};
use crate::schedules;
use crate::storage::{Home, Storage, host_name};
use crate::system::{SystemClock, SystemEntropy};
use crate::vigilance::Vigilance;
use anyhow::{Context as _, anyhow};
use api::{ApiConfig, Door};
use app::tokens::{Grant, Lifetime, TokenSettings};
use app::{App, Tokens};
use engine::{Engine, EngineConfig, EngineParts, Fetcher, Retention};
use model::address::AddressPolicy;
use model::node::Role;
use model::{Clock, Entropy, Secret};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::registry::RegistryConfig;
use store::{Condition, Fetching, Lanes, NoLanes, Registry};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use transport::{Guard, HttpsTransport, Limits, SystemResolver};
use vault::Vault;
use watch::Outbox;

/// Applications whose endpoints are kept in memory.
const REGISTRY_APPLICATIONS: std::num::NonZeroUsize =
    std::num::NonZeroUsize::new(10_000).expect("not zero");
/// How often data keys' uses are written down. One key seals some ten thousand times a second at
/// the most: it is far from worn out when it is next looked at.
const KEY_USES_PERIOD: Duration = Duration::from_secs(60);
/// How often a node looks for what others changed of who may come in: it holds within a second.
const ACCESS_PERIOD: Duration = Duration::from_millis(500);
/// How often background work is looked for that the store leaves to others.
const WORK_PERIOD: Duration = Duration::from_secs(1);
/// How long the last security events may take to be kept.
const KEEPING_MAX: Duration = Duration::from_secs(5);
/// How long the token that `--dev` prints is good for.
const DEV_TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 3_600);

/// One process's parts.
pub(crate) struct Node {
    config: Checked,
    /// Taken, but listened on only when everything is open.
    entrances: Entrances,
    app: App,
    /// None where others deliver.
    engine: Option<Arc<Engine>>,
    events: Arc<Events>,
    operational: Arc<Outbox>,
    exporter: Option<Exporter>,
    identity: Option<Unplaced>,
    storage: Storage,
}

impl Node {
    /// Opens everything, in the order in which a failure leaves the least behind.
    pub(crate) async fn open(config: Checked) -> Result<Self, Failure> {
        auditing::check(&config.audit)?;
        let entrances = Entrances::take(&config)?;
        let keys = KeySources::of(&config);
        let home = Home::of(&config, &keys)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let (masters, token_key) = (keys.masters().await?, keys.token()?);
        let tokens = Arc::new(Tokens::new(token_key.clone(), token_settings(&config)));
        let identity = Unplaced::of(&config).await?;
        let (recorder, exporter) = otlp::parts(&config, &clock, &entropy)?;

        let storage = home.open(clock.clone(), entropy.clone()).await?;
        let (storage, vault) = with_vault(storage, masters, &token_key).await?;
        let store = storage.store().clone();
        let events = Arc::new(Events::new(config.detection.is_on(), recorder));
        let operational = Arc::new(Outbox::default());
        let guard = guarded(config.policy.clone())?;
        let registry = registry(&storage, clock.clone());
        let parts = EngineParts {
            store: store.clone(),
            registry: registry.clone(),
            vault: vault.clone(),
            transport: Arc::new(transport(&config, guard.clone())?),
            address_policy: Arc::new(config.policy.clone()),
            clock: clock.clone(),
            entropy: entropy.clone(),
            events: events.clone(),
            operational: operational.clone(),
        };
        let alerting = alerting::sender(&config, &parts, guard.clone()).await?;
        let (engine, fetching) = engine(parts, &config, storage.is_shared());
        let lanes: Arc<dyn Lanes> = match &engine {
            Some(engine) => engine.clone(),
            None => Arc::new(NoLanes::new(registry.clone())),
        };
        let app = App {
            store,
            registry,
            lanes,
            fetching,
            vault,
            guard,
            tokens,
            clock,
            entropy,
            events: events.clone(),
            operational: operational.clone(),
            alerting,
            environment: Arc::default(),
            listeners: Arc::default(),
            settings: Arc::new(config.app.clone()),
        };
        // Nobody is let in before it is known who no longer may.
        if let Err(error) = app.renew_access().await {
            let _ = storage.end().await;
            return Err(Failure::CouldNot(anyhow!(error)));
        }
        Ok(Self {
            config,
            entrances,
            app,
            engine,
            events,
            operational,
            exporter,
            identity,
            storage,
        })
    }

    /// Serves and delivers until a signal or a failure, then drains.
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        open_files::raise_limit(self.config.attempts_in_flight_max);
        let signals = Signals::listen()?;
        let tls = self.entrances.tls.clone();
        let vigilance = Vigilance::begin(&self.app, &self.events, &self.config);
        let entrances = self.entrances.listen(&self.config)?;
        let address = entrances.address;
        let sender = (self.engine.clone(), self.config.attempts_in_flight_max);
        let metrics = Metrics::new(&self.app, sender, self.events.clone());
        let shown = (&self.config, self.identity.as_ref());
        let blocking = Blocking::by(&vigilance, &self.app);
        let answering = answering(&self.app, shown, &entrances, (&metrics, &blocking));
        let (stop, deadline) = (CancellationToken::new(), self.config.drain_timeout);
        let mut parts = JoinSet::new();
        if let Some(engine) = self.engine {
            let working = work_outside(self.app.clone());
            tokio::spawn(stop.clone().run_until_cancelled_owned(working));
            let stop = stop.clone();
            parts.spawn(async move { Ended::Sending(engine.run(stop).await) });
        }
        if let Some(tls) = tls {
            let watching = tls.watch(self.app.clock.clone(), self.app.events.clone());
            tokio::spawn(stop.clone().run_until_cancelled_owned(watching));
        }
        let serving = entrances.serve(answering, blocking, (stop.clone(), deadline));
        parts.spawn(async move {
            serving.await;
            Ended::Serving
        });
        let remembering = metrics.clone().remember();
        tokio::spawn(stop.clone().run_until_cancelled_owned(remembering));
        let counting = record_uses(self.app.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(counting));
        if self.config.roles.has(Role::Api) {
            let making = schedules::run(self.app.clone());
            tokio::spawn(stop.clone().run_until_cancelled_owned(making));
        }
        tokio::spawn(end_listeners(self.app.clone(), stop.clone()));
        // Until the last answer is given: it is told apart from what stops with the first signal.
        let watching = tokio::spawn(watch_access(self.app.clone())).abort_handle();
        let keeping = CancellationToken::new();
        let kept = Kept {
            keeper: self.events.keeper.clone(),
            operational: self.operational,
            audit: self.config.audit.clone(),
            exporting: (self.exporter, metrics),
        };
        let kept = tokio::spawn(kept.run(self.app.clone(), keeping.clone()));
        let following = follow_rotation(&self.app, &self.config);
        tokio::spawn(stop.clone().run_until_cancelled_owned(following));
        announce(&self.config, &self.app, address);

        let condition = self.storage.store().condition();
        let running = Running { parts, stop };
        let ended = tokio::select! {
            ended = running.run(signals, condition.clone(), deadline) => ended,
            failure = self.storage.failed() => Err(failure),
        };
        watching.abort();
        if *condition.borrow() == Condition::Failed {
            return ended;
        }
        vigilance.end().await;
        keeping.cancel();
        if tokio::time::timeout(KEEPING_MAX, kept).await.is_err() {
            tracing::warn!("the last security events may be in the log alone: it took too long");
        }
        self.storage.end().await?;
        ended
    }
}

/// What mints and checks tokens, by the configuration.
pub(crate) fn tokens(config: &Checked) -> Result<Tokens, Failure> {
    let key = KeySources::of(config).token()?;
    Ok(Tokens::new(key, token_settings(config)))
}

fn token_settings(config: &Checked) -> TokenSettings {
    TokenSettings {
        organisation: config.organisation.clone(),
        accept_foreign: config.accept_foreign_tokens,
    }
}

fn registry(storage: &Storage, clock: Arc<dyn Clock>) -> Arc<Registry> {
    let config = RegistryConfig {
        applications_max: REGISTRY_APPLICATIONS,
        shared: storage.is_shared(),
    };
    Arc::new(Registry::new(storage.store().clone(), clock, config))
}

/// A store with its vault; closed where there is none.
async fn with_vault(
    storage: Storage,
    masters: MasterKeys,
    token: &Secret,
) -> Result<(Storage, Arc<Vault>), Failure> {
    match vault_of(&storage, masters, token).await {
        Ok(vault) => Ok((storage, Arc::new(vault))),
        Err(failure) => {
            let _ = storage.end().await;
            Err(failure)
        }
    }
}

/// A node with other keys than its store's, or than its neighbours', does not start.
async fn vault_of(
    storage: &Storage,
    masters: MasterKeys,
    token: &Secret,
) -> Result<Vault, Failure> {
    let vault = open_vault(&**storage.store(), masters, Arc::new(SystemEntropy)).await?;
    if storage.is_shared() {
        recognise_token_key(&**storage.store(), &vault, token).await?;
    }
    Ok(vault)
}

/// The way out, as the configuration has it.
pub(crate) fn transport(config: &Checked, guard: Arc<Guard>) -> Result<HttpsTransport, Failure> {
    let options = transport::Options {
        extra_roots: extra_roots(config)?,
        egress_proxy: config.egress_proxy.as_ref().map(|(proxy, _)| proxy.clone()),
        ..transport::Options::default()
    };
    HttpsTransport::new(guard, options).map_err(Failure::could_not)
}

/// What may be called, with the system's names.
pub(crate) fn guarded(policy: AddressPolicy) -> Result<Arc<Guard>, Failure> {
    let resolver = SystemResolver::from_system().map_err(Failure::could_not)?;
    Ok(Arc::new(Guard::new(policy, Arc::new(resolver))))
}

/// The authorities that are trusted beside the system's.
pub(crate) fn extra_roots(config: &Checked) -> Result<Option<Vec<u8>>, Failure> {
    let read = |path: &PathBuf| {
        std::fs::read(path).with_context(|| format!("trusted roots {}", path.display()))
    };
    let roots = config.trusted_roots.as_ref().map(read);
    roots.transpose().map_err(Failure::CouldNot)
}

/// The sender, where this node delivers, and what makes payloads that are fetched, with or without.
fn engine(
    parts: EngineParts,
    config: &Checked,
    shared: bool,
) -> (Option<Arc<Engine>>, Arc<dyn Fetching>) {
    let settings = engine_config(config, shared);
    let fetcher = Fetcher::new(parts.clone(), &settings);
    let delivers = config.roles.has(Role::Deliver);
    let engine = delivers.then(|| Engine::new(parts, settings));
    (engine, Arc::new(fetcher))
}

/// What answers requests, all of it counted.
fn answering(
    app: &App,
    (config, identity): (&Checked, Option<&Unplaced>),
    entrances: &entrances::Open,
    (metrics, blocking): (&Arc<Metrics>, &Blocking),
) -> Answering {
    let door = door(app.clone(), config, entrances, metrics);
    let gate = entrances::gate(app, config);
    metrics.opened(Doors {
        requests: door.requests(),
        gate: gate.as_ref().map(|gate| gate.meter()),
        places: entrances.places(),
    });
    Answering {
        door,
        pages: pages(app, (config, identity), entrances, (metrics, blocking)),
        gate,
        metrics: metrics.clone(),
    }
}

/// What requests are answered by. A node that others accept for is still asked for its health.
fn door(app: App, config: &Checked, entrances: &entrances::Open, metrics: &Arc<Metrics>) -> Door {
    let read_here = config.metrics_listen.is_none();
    let api_config = ApiConfig {
        metrics: read_here.then(|| api::Metrics(metrics.clone())),
        public_url: config.public_url_or(entrances.address),
        gateway_url: config.public_url_or(entrances.receiving),
        ..api_config(config)
    };
    match config.roles.has(Role::Api) {
        true => api::open(app, api_config),
        false => api::open_for_health(app, api_config),
    }
}

/// Hears of other master keys. Goes on until it is dropped.
fn follow_rotation(app: &App, config: &Checked) -> impl Future<Output = ()> + Send + use<> {
    let delivers = config.roles.has(Role::Deliver);
    rotation::follow(app.clone(), KeySources::of(config), delivers)
}

/// Writes down how keys are used. Goes on until it is dropped.
async fn record_uses(app: App) {
    let mut period = tokio::time::interval(KEY_USES_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        if let Err(error) = app.record_key_uses().await {
            let error = anyhow!(error);
            tracing::warn!(
                "data keys' uses could not be written down, and will be later: {error:#}"
            );
        }
        if let Err(error) = app.record_api_key_uses().await {
            let error = anyhow!(error);
            tracing::warn!(
                "API keys' uses could not be written down, and will be later: {error:#}"
            );
        }
    }
}

/// Does background work that the store leaves to others, a slice at a time. Goes on until it is
/// dropped.
async fn work_outside(app: App) {
    loop {
        match app.work_outside().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                let error = anyhow!(error);
                tracing::warn!("background work can't go on, and will later: {error:#}");
            }
        }
        tokio::time::sleep(WORK_PERIOD).await;
    }
}

/// Those who wait for messages are answered when the node is to end, and ask another one.
async fn end_listeners(app: App, stop: CancellationToken) {
    stop.cancelled().await;
    app.listeners.close();
}

/// Hears of what other nodes, and commands, changed of who may come in. Goes on until it is
/// dropped.
async fn watch_access(app: App) {
    let mut period = tokio::time::interval(ACCESS_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut away = false;
    loop {
        period.tick().await;
        match app.renew_access().await {
            Ok(()) => away = false,
            Err(error) if !away => {
                away = true;
                let error = anyhow!(error);
                tracing::warn!(
                    "which tokens were revoked can't be read: those that are known to be stay so, \
                     and others are heard of later: {error:#}"
                );
            }
            Err(_) => {}
        }
    }
}

/// Says that it is ready, and what an operator should know.
fn announce(config: &Checked, app: &App, address: std::net::SocketAddr) {
    if config.accept_foreign_tokens {
        tracing::warn!(
            "accept_foreign_tokens is on: tokens without issuer, audience or expiry, and of any \
             organisation, are accepted; turn it off when the migration is over"
        );
    }
    if config.dev {
        let lifetime = Lifetime::For(DEV_TOKEN_LIFETIME);
        let now = app.clock.now();
        let token = app
            .tokens
            .mint(&Grant::Organisation, lifetime, now, &*app.entropy);
        eprintln!("admin token, good for 12 hours: {token}");
    }
    match (config.roles.has(Role::Api), config.roles.has(Role::Deliver)) {
        (true, false) => tracing::info!("accepts only: other nodes deliver"),
        (false, true) => tracing::info!("delivers only: of the API, it answers health checks"),
        _ => {}
    }
    tracing::info!("links point to {}", config.public_url_or(address));
    tracing::info!(target: ALWAYS, "listening on {}", config.own_url(address));
}

/// A payload is at most half of its request: the rest is what surrounds it, and escapes where it is
/// text in JSON.
fn api_config(config: &Checked) -> ApiConfig {
    let default = ApiConfig::default();
    let body_bytes_max = default
        .body_bytes_max
        .max(config.app.payload_bytes_max.saturating_mul(2));
    let batch_bytes_max = default.batch_bytes_max.max(body_bytes_max);
    ApiConfig {
        body_bytes_max,
        batch_bytes_max,
        body_timeout: config.body_timeout,
        ..default
    }
}

fn engine_config(config: &Checked, shared: bool) -> EngineConfig {
    let default = EngineConfig::default();
    EngineConfig {
        shared,
        slots: config.attempts_in_flight_max,
        per_host: config.attempts_per_host_max,
        limits: Limits {
            connect_timeout: config.connect_timeout,
            total_timeout: config.request_timeout,
            ..default.limits
        },
        retry_schedule: config.retry_schedule.clone(),
        disable_after: config.disable_after,
        header_family: config.header_family,
        node_name: host_name(),
        public_url: config.app.public_url.clone(),
        user_agent: config.app.user_agent.clone(),
        origin: config.origin().unwrap_or(default.origin),
        encrypt_payloads: config.app.encrypt_payloads,
        retention: Retention {
            keep: config.app.retention,
            ..default.retention
        },
        drain_timeout: config.drain_timeout,
        ..default
    }
}
