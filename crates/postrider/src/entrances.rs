//! Where requests come in: the API's listener, and the gateway's and the operator's pages' own
//! where they have one. All speak the same TLS; the gateway's asks clients for a certificate
//! besides. Where monitoring has a listener of its own, that is in clear, and asks for nothing.

use crate::blocking::Blocking;
use crate::config::{Checked, TlsFiles};
use crate::failure::Failure;
use crate::listen::{self, Answer, Entrance, Tls};
use crate::metrics::Metrics;
use anyhow::Context as _;
use api::{Door, METRICS_PATH, METRICS_TYPE, Scrape as _};
use app::App;
use axum::response::{IntoResponse as _, Redirect, Response};
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
    admin: Option<Socket>,
    metrics: Option<Socket>,
    /// What is spoken there, unless it is in clear.
    pub(crate) tls: Option<Tls>,
    proxies: Arc<TrustedProxies>,
}

/// The same, listened on.
pub(crate) struct Open {
    api: Entrance,
    gateway: Option<Entrance>,
    admin: Option<Entrance>,
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
    /// Pages, where this node answers for the API.
    pub(crate) pages: Option<Pages>,
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

/// The pages, each behind a door.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) dashboard: Door,
    pub(crate) portal: Door,
}

/// The API; the portal; the operator's pages and the gateway where they have no listener of their
/// own.
#[derive(Clone)]
struct Doors {
    api: Door,
    portal: Option<Door>,
    dashboard: Option<Door>,
    gate: Option<Gate>,
}

/// The operator's pages, and nothing else.
#[derive(Clone)]
struct Office(Door);

impl Answer for Office {
    async fn answer(self, request: Request<Incoming>, peer: Peer) -> Response {
        match request.uri().path() {
            "/" => Redirect::temporary(dashboard::DASHBOARD).into_response(),
            _ => Answer::answer(self.0, request, peer).await,
        }
    }
}

impl Answer for Doors {
    async fn answer(self, request: Request<Incoming>, peer: Peer) -> Response {
        let path = request.uri().path();
        let is_below = |base: &str| {
            let rest = path.strip_prefix(base);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match (self.gate, self.portal, self.dashboard) {
            (Some(gate), ..) if path.starts_with(ingest::PREFIX) => {
                Answer::answer(gate, request, peer).await
            }
            (_, Some(portal), _) if is_below(dashboard::PORTAL) => {
                Answer::answer(portal, request, peer).await
            }
            (.., Some(pages)) if path == "/" || is_below(dashboard::DASHBOARD) => {
                Office(pages).answer(request, peer).await
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
            admin: config
                .admin_listen
                .filter(|_| accepts)
                .map(bind)
                .transpose()?,
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
        let mut admin = None;
        if let Some(socket) = self.admin {
            let (listener, pages) = addressed(listen(socket)?)?;
            let at = config.own_url(pages);
            tracing::info!("pages at {at}{}", dashboard::DASHBOARD);
            admin = Some(entrance(listener, self.tls.clone()));
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
            admin,
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
            pages,
            gate,
            metrics,
        } = answering;
        let (gate_here, gate_there) = apart(gate, self.gateway);
        let (dashboard, portal) = match pages {
            Some(Pages { dashboard, portal }) => (Some(dashboard), Some(portal)),
            None => (None, None),
        };
        let (dashboard, office) = apart(dashboard, self.admin);
        let doors = blocking.before(Doors {
            api,
            portal,
            dashboard,
            gate: gate_here,
        });
        let serving = listen::serve(self.api, doors, stop.clone(), deadline);
        let receiving = async {
            if let Some((gate, entrance)) = gate_there {
                let gate = blocking.before(gate);
                listen::serve(entrance, gate, stop.clone(), deadline).await;
            }
        };
        let showing = async {
            if let Some((pages, entrance)) = office {
                let office = blocking.before(Office(pages));
                listen::serve(entrance, office, stop.clone(), deadline).await;
            }
        };
        let reading = async {
            if let Some(entrance) = self.metrics {
                listen::serve(entrance, Readings(metrics), stop.clone(), deadline).await;
            }
        };
        tokio::join!(serving, receiving, showing, reading);
    }
}

/// What answers at the API's listener, or at one of its own where it has that.
fn apart<A>(answer: Option<A>, own: Option<Entrance>) -> (Option<A>, Option<(A, Entrance)>) {
    match own {
        None => (answer, None),
        Some(entrance) => (None, answer.map(|answer| (answer, entrance))),
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
