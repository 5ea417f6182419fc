//! A node: the parts of one process, brought together, run, and let go of in order.
//!
//! The order of the end matters: the store closes behind the last answer and the last outcome, but
//! for those that had no more time.

use crate::config::Checked;
use crate::events::EventLog;
use crate::failure::Failure;
use crate::keys::KeySources;
use crate::listen;
use crate::logging::ALWAYS;
use crate::open_files;
use crate::running::{Ended, Running, Signals};
use crate::system::{SystemClock, SystemEntropy};
use anyhow::{Context as _, anyhow};
use api::ApiConfig;
use app::tokens::{Grant, Lifetime, TokenSettings};
use app::{App, Tokens};
use engine::{Engine, EngineConfig, EngineParts, Retention};
use model::{Clock, Entropy};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use store::registry::RegistryConfig;
use store::{Condition, Registry, Store};
use store_sqlite::{DataDirectory, SqliteConfig, SqliteStore, Surroundings};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use transport::{Guard, HttpsTransport, Limits, SystemResolver};
use vault::Vault;

/// Where the store keeps what recognises its master key.
const CHECK_VALUE: &str = "master_key_check";
/// Applications whose endpoints are kept in memory.
const REGISTRY_APPLICATIONS: std::num::NonZeroUsize =
    std::num::NonZeroUsize::new(10_000).expect("not zero");
/// How often data keys' uses are written down. One key seals some ten thousand times a second at
/// the most: it is far from worn out when it is next looked at.
const KEY_USES_PERIOD: Duration = Duration::from_secs(60);
/// How long the token that `--dev` prints is good for.
const DEV_TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 3_600);

/// One process's parts.
pub(crate) struct Node {
    config: Checked,
    listener: TcpListener,
    app: App,
    engine: Arc<Engine>,
    store: Arc<SqliteStore>,
    threads: Vec<JoinHandle<()>>,
}

impl Node {
    /// Opens everything, in the order in which a failure leaves the least behind.
    pub(crate) async fn open(config: Checked) -> Result<Self, Failure> {
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener
            .with_context(|| format!("can't listen on {}", config.listen))
            .map_err(Failure::CouldNot)?;
        let directory = DataDirectory::lock(&config.data_dir).map_err(Failure::could_not)?;
        // New keys could not read a store that is there already, such as one just restored.
        if !directory.database().exists() {
            key_sources(&config).generate_missing(&SystemEntropy)?;
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let vault = Arc::new(Vault::new(key_sources(&config).master()?, entropy.clone()));
        let tokens = Arc::new(tokens(&config)?);

        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let opened = SqliteStore::open(directory, SqliteConfig::default(), surroundings);
        let (store, writer, checkpoints) = opened.map_err(Failure::could_not)?;
        let store = Arc::new(store);
        let threads = vec![
            spawn("writer", move || writer.run())?,
            spawn("checkpoints", move || checkpoints.run())?,
        ];
        recognise_master_key(&*store, &vault).await?;

        let events = Arc::new(EventLog::default());
        let resolver = SystemResolver::from_system().map_err(Failure::could_not)?;
        let guard = Arc::new(Guard::new(config.policy.clone(), Arc::new(resolver)));
        let registry_config = RegistryConfig {
            applications_max: REGISTRY_APPLICATIONS,
            shared: false,
        };
        let registry = Arc::new(Registry::new(store.clone(), clock.clone(), registry_config));
        let engine = Engine::new(
            EngineParts {
                store: store.clone(),
                registry: registry.clone(),
                vault: vault.clone(),
                transport: Arc::new(transport(&config, guard.clone())?),
                address_policy: Arc::new(config.policy.clone()),
                clock: clock.clone(),
                entropy: entropy.clone(),
                events: events.clone(),
            },
            engine_config(&config),
        );
        let app = App {
            store: store.clone(),
            registry,
            lanes: engine.clone(),
            vault,
            guard,
            tokens,
            clock,
            entropy,
            events,
            settings: Arc::new(config.app.clone()),
        };
        Ok(Self {
            config,
            listener,
            app,
            engine,
            store,
            threads,
        })
    }

    /// Serves and delivers until a signal or a failure, then drains.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        open_files::raise_limit(self.config.attempts_in_flight_max);
        let signals = Signals::listen()?;
        let address = self.listener.local_addr().map_err(Failure::could_not)?;
        let door = api::open(self.app.clone(), api_config(&self.config));
        let (stop, deadline) = (CancellationToken::new(), self.config.drain_timeout);
        let mut parts = JoinSet::new();
        let (engine, stop_sending) = (self.engine, stop.clone());
        parts.spawn(async move { Ended::Sending(engine.run(stop_sending).await) });
        let serving = listen::serve(self.listener, door, stop.clone(), deadline);
        parts.spawn(async move {
            serving.await;
            Ended::Serving
        });
        let counting = record_key_uses(self.app.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(counting));
        announce(&self.config, &self.app, address);

        let condition = self.store.condition();
        let ended = Running { parts, stop }
            .run(signals, condition.clone(), deadline)
            .await;
        if *condition.borrow() == Condition::Failed {
            return ended;
        }
        self.store.close();
        for thread in self.threads {
            let joined = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
            if !joined.unwrap_or(false) {
                return Err(Failure::CouldNot(anyhow!("a thread of the store panicked")));
            }
        }
        ended
    }
}

/// What mints and checks tokens, by the configuration.
pub(crate) fn tokens(config: &Checked) -> Result<Tokens, Failure> {
    let settings = TokenSettings {
        organisation: config.organisation.clone(),
        accept_foreign: config.accept_foreign_tokens,
    };
    Ok(Tokens::new(key_sources(config).token()?, settings))
}

fn key_sources(config: &Checked) -> KeySources<'_> {
    KeySources {
        data_dir: &config.data_dir,
        master_key: config.master_key.as_ref(),
        master_key_file: config.master_key_file.as_deref(),
        token_key: config.token_key.as_ref(),
        token_key_file: config.token_key_file.as_deref(),
    }
}

/// A store belongs to one master key: with another, everything in it would be unreadable, and what
/// is written from now on unreadable with the right one.
async fn recognise_master_key(store: &dyn Store, vault: &Vault) -> Result<(), Failure> {
    let kept = store.set_setting(CHECK_VALUE, &vault.check_value()).await;
    let kept = kept.map_err(Failure::could_not)?;
    vault.verify_check(&kept).map_err(|error| {
        let advice = "this is not the master key that the store was made with: give that one";
        Failure::CouldNot(anyhow::Error::new(error).context(advice))
    })
}

fn transport(config: &Checked, guard: Arc<Guard>) -> Result<HttpsTransport, Failure> {
    let mut options = transport::Options::default();
    if let Some(path) = &config.trusted_roots {
        let pem = std::fs::read(path).with_context(|| format!("trusted roots {}", path.display()));
        options.extra_roots = Some(pem.map_err(Failure::CouldNot)?);
    }
    options.egress_proxy = config.egress_proxy.as_ref().map(|(proxy, _)| proxy.clone());
    HttpsTransport::new(guard, options).map_err(Failure::could_not)
}

#[expect(clippy::disallowed_methods, reason = "threads are spawned here")]
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Failure> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(Failure::could_not)
}

/// Goes on until it is dropped.
async fn record_key_uses(app: App) {
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
    tracing::info!("links point to {}", config.public_url_or(address));
    tracing::info!(target: ALWAYS, "listening on http://{address}");
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
        ..default
    }
}

fn engine_config(config: &Checked) -> EngineConfig {
    let default = EngineConfig::default();
    EngineConfig {
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
        encrypt_payloads: config.app.encrypt_payloads,
        retention: Retention {
            keep: config.app.retention,
            ..default.retention
        },
        drain_timeout: config.drain_timeout,
        ..default
    }
}
