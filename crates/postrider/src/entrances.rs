//! Where requests come in: the API's listener, and the gateway's own where it has one. Both speak
//! the same TLS; the gateway's asks clients for a certificate besides. Where monitoring has a
//! listener of its own, that is in clear, and asks for nothing.

use crate::blocking::Blocking;
use crate::config::{Checked, TlsFiles};
use crate::failure::Failure;
use crate::listen::{self, Answer, Entrance, Tls};
use crate::metrics::Metrics;
use anyhow::Context as _;
use api::{Door, METRICS_PATH, METRICS_TYPE, Scrape as _};
use app::App;
use axum::response::{IntoResponse as _, Response};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, StatusCode};
use hyper::Request;
use hyper::body::Incoming;
use ingest::proxies::TrustedProxies;
use ingest::{Gate, IngestConfig, Peer};
use model::node::Role;
use socket2::Socket;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Addresses that are taken, where nobody listens yet.
pub(crate) struct Entrances {
    api: Socket,
    gateway: Option<Socket>,
    metrics: Option<Socket>,
    /// What is spoken there, unless it is in clear.
    pub(crate) tls: Option<Tls>,
    proxies: Arc<TrustedProxies>,
}

/// The same, listened on.
pub(crate) struct Open {
    api: Entrance,
    gateway: Option<Entrance>,
    metrics: Option<Entrance>,
    /// The API's.
    pub(crate) address: SocketAddr,
    /// The gateway's, which may be the same.
    pub(crate) receiving: SocketAddr,
}

/// How many connections a listener has.
pub(crate) struct Places {
    pub(crate) listener: &'static str,
    free: Arc<Semaphore>,
    pub(crate) of: usize,
}

impl Places {
    fn of(listener: &'static str, entrance: &Entrance) -> Self {
        Self {
            listener,
            free: entrance.places.clone(),
            of: listen::CONNECTIONS_MAX,
        }
    }

    /// So many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.of.saturating_sub(self.free.available_permits())
    }
}

/// What answers at the entrances.
pub(crate) struct Answering {
    pub(crate) door: Door,
    pub(crate) gate: Option<Gate>,
    pub(crate) metrics: Arc<Metrics>,
}

/// What monitoring reads, and nothing else: whoever reaches it may.
#[derive(Clone)]
struct Readings(Arc<Metrics>);

impl Answer for Readings {
    async fn answer(self, request: Request<Incoming>, _: Peer) -> Response {
        if request.uri().path() != METRICS_PATH {
            let text = format!("there is nothing here but {METRICS_PATH}\n");
            return (StatusCode::NOT_FOUND, text).into_response();
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
        }
        ([(CONTENT_TYPE, METRICS_TYPE)], self.0.scrape().await).into_response()
    }
}

/// The API, and the gateway where that has no listener of its own.
#[derive(Clone)]
struct Doors {
    api: Door,
    gate: Option<Gate>,
}

impl Answer for Doors {
    async fn answer(self, request: Request<Incoming>, peer: Peer) -> Response {
        match &self.gate {
            Some(gate) if request.uri().path().starts_with(ingest::PREFIX) => {
                gate.answer(peer, request).await
            }
            _ => Answer::answer(self.api, request, peer).await,
        }
    }
}

impl Answer for Gate {
    async fn answer(self, request: Request<Incoming>, peer: Peer) -> Response {
        Gate::answer(&self, peer, request).await
    }
}

impl Entrances {
    /// Takes the addresses, and reads what is needed for TLS.
    pub(crate) fn take(config: &Checked) -> Result<Self, Failure> {
        let bind = |address| {
            let socket = listen::bind(address);
            let socket = socket.with_context(|| format!("can't listen on {address}"));
            socket.map_err(Failure::CouldNot)
        };
        let tls = |files: TlsFiles| Tls::open(files);
        // Where others accept, nothing arrives.
        let accepts = config.roles.has(Role::Api);
        let gateway = config.ingest_listen.filter(|_| accepts);
        Ok(Self {
            api: bind(config.listen)?,
            gateway: gateway.map(bind).transpose()?,
            metrics: config.metrics_listen.map(bind).transpose()?,
            tls: config.tls.clone().map(tls).transpose()?,
            proxies: Arc::new(TrustedProxies::new(config.trusted_proxies.clone())),
        })
    }

    /// Listens.
    pub(crate) fn listen(self, config: &Checked) -> Result<Open, Failure> {
        let listen = |socket| {
            let listener = listen::listen(socket);
            let listener = listener.context("can't listen on an address that was taken");
            listener.map_err(Failure::CouldNot)
        };
        let entrance = |listener, tls| Entrance {
            listener,
            tls,
            proxies: self.proxies.clone(),
            places: listen::places(),
        };
        let (api, address) = addressed(listen(self.api)?)?;
        let (mut gateway, mut receiving) = (None, address);
        if let Some(socket) = self.gateway {
            let listener;
            (listener, receiving) = addressed(listen(socket)?)?;
            tracing::info!("receiving on {}", config.own_url(receiving));
            let asking = self.tls.as_ref().map(Tls::asking);
            gateway = Some(entrance(listener, asking));
        }
        let mut metrics = None;
        if let Some(socket) = self.metrics {
            let (listener, reading) = addressed(listen(socket)?)?;
            tracing::info!("metrics at http://{reading}{METRICS_PATH}");
            metrics = Some(entrance(listener, None));
        }
        Ok(Open {
            api: entrance(api, self.tls.clone()),
            gateway,
            metrics,
            address,
            receiving,
        })
    }
}

impl Open {
    /// How many connections there are, at each of them but where monitoring reads.
    pub(crate) fn places(&self) -> Vec<Places> {
        let gateway = self.gateway.as_ref();
        let gateway = gateway.map(|entrance| Places::of("gateway", entrance));
        [Places::of("api", &self.api)]
            .into_iter()
            .chain(gateway)
            .collect()
    }

    /// Answers requests as [`listen::serve`] does, at all of them.
    pub(crate) async fn serve(
        self,
        answering: Answering,
        blocking: Blocking,
        (stop, deadline): (CancellationToken, Duration),
    ) {
        let Answering {
            door: api,
            gate,
            metrics,
        } = answering;
        let (here, there) = match self.gateway {
            None => (gate, None),
            Some(entrance) => (None, gate.map(|gate| (entrance, gate))),
        };
        let doors = blocking.before(Doors { api, gate: here });
        let serving = listen::serve(self.api, doors, stop.clone(), deadline);
        let receiving = async {
            if let Some((entrance, gate)) = there {
                let gate = blocking.before(gate);
                listen::serve(entrance, gate, stop.clone(), deadline).await;
            }
        };
        let reading = async {
            if let Some(entrance) = self.metrics {
                listen::serve(entrance, Readings(metrics), stop.clone(), deadline).await;
            }
        };
        tokio::join!(serving, receiving, reading);
    }
}

/// The gateway, where this node accepts.
pub(crate) fn gate(app: &App, config: &Checked) -> Option<Gate> {
    let settings = IngestConfig {
        body_timeout: config.body_timeout,
        ..IngestConfig::default()
    };
    let accepts = config.roles.has(Role::Api);
    accepts.then(|| ingest::open(app.clone(), &settings))
}

fn addressed(listener: TcpListener) -> Result<(TcpListener, SocketAddr), Failure> {
    let address = listener.local_addr().map_err(Failure::could_not)?;
    Ok((listener, address))
}
