//! Detection, put together: what it looks at, and what is done by itself about what it finds.

use crate::config::{Checked, Detection, Response};
use crate::events::Events;
use anyhow::anyhow;
use app::App;
use ipnet::IpNet;
use model::Clock;
use model::id::ApplicationKey;
use model::security::SubjectKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use watch::Blocks;
use watch::detect::Finding;
use watch::detector::{Respond, Surroundings};

/// So many orders may wait for the store.
const ORDERS_MAX: usize = 64;
/// How long it may take to keep what was learnt, and to do what is to be done by itself.
const ENDING_MAX: Duration = Duration::from_secs(5);

/// Detection as it runs.
pub(crate) struct Vigilance {
    /// Who is not let in for a while.
    pub(crate) blocks: Arc<Blocks>,
    stop: CancellationToken,
    detecting: JoinHandle<()>,
    /// Ends when nobody can give an order any more, and all were carried out.
    carrying_out: JoinHandle<()>,
}

impl Vigilance {
    /// Begins to look.
    pub(crate) fn begin(app: &App, events: &Arc<Events>, config: &Checked) -> Self {
        let (orders, ordered) = channel(ORDERS_MAX);
        let blocks = Arc::new(Blocks::default());
        let responder = Responder {
            settings: config.detection.clone(),
            trusted: config.trusted_proxies.clone(),
            blocks: blocks.clone(),
            clock: app.clock.clone(),
            orders,
        };
        let around = Surroundings {
            store: app.store.clone(),
            registry: app.registry.clone(),
            clock: app.clock.clone(),
            events: events.clone(),
            responses: Arc::new(responder),
        };
        let stop = CancellationToken::new();
        let carrying_out = tokio::spawn(carry_out(app.clone(), ordered));
        let (rules, until) = (config.detection.rules.clone(), stop.clone());
        let detector = events.detector.clone();
        let detecting = tokio::spawn(async move { detector.run(around, rules, until).await });
        Self {
            blocks,
            stop,
            detecting,
            carrying_out,
        }
    }

    /// Ends it when what it has learnt is kept, and what it found at last has been acted on: that
    /// this was done is said already.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        let stopped = self.carrying_out.abort_handle();
        let ended = async { tokio::join!(self.detecting, self.carrying_out) };
        if tokio::time::timeout(ENDING_MAX, ended).await.is_err() {
            stopped.abort();
            tracing::warn!(
                "what detection has learnt lately is not kept, or not all was done about what it \
                 found: nothing can be written"
            );
        }
    }
}

/// Does what the operator wants done about what a rule finds.
struct Responder {
    settings: Detection,
    trusted: Vec<IpNet>,
    blocks: Arc<Blocks>,
    clock: Arc<dyn Clock>,
    orders: Sender<Order>,
}

/// What needs the store.
enum Order {
    Pause {
        rule: &'static str,
        application: ApplicationKey,
        endpoint: String,
    },
    Disable {
        rule: &'static str,
        key: String,
    },
}

impl Respond for Responder {
    fn respond(&self, finding: &Finding) -> Option<String> {
        let responses = self.settings.responses.get(finding.rule)?;
        let done: Vec<String> = responses
            .iter()
            .filter_map(|response| self.one(*response, finding))
            .collect();
        for done in &done {
            tracing::warn!("by the rule {}: {done}", finding.rule);
        }
        (!done.is_empty()).then(|| done.join("; "))
    }

    fn pass(&self) {
        for address in self.blocks.end_over(self.clock.monotonic()) {
            tracing::info!("requests from {address} are answered again");
        }
    }
}

impl Responder {
    fn one(&self, response: Response, finding: &Finding) -> Option<String> {
        let (rule, subject) = (finding.rule, &finding.subject);
        match response {
            Response::BlockAddress => self.block(finding.remote_address?),
            Response::PauseEndpoint if subject.kind == SubjectKind::Endpoint => {
                let order = Order::Pause {
                    rule,
                    application: finding.application?,
                    endpoint: subject.id.clone(),
                };
                self.order(order, format!("the endpoint {} is disabled", subject.id))
            }
            Response::DisableKey if subject.kind == SubjectKind::ApiKey => {
                let key = subject.id.clone();
                let order = Order::Disable { rule, key };
                self.order(order, format!("the API key {} is ended", subject.id))
            }
            Response::PauseEndpoint | Response::DisableKey => None,
        }
    }

    /// Blocks an address, unless others than its holder would be meant.
    fn block(&self, address: IpAddr) -> Option<String> {
        let address = address.to_canonical();
        if is_exempt(address, &self.trusted) {
            return None;
        }
        let length = self.settings.block_for;
        let until = self.clock.monotonic() + length;
        let seconds = length.as_secs();
        match self.blocks.block(address, until) {
            true => Some(format!(
                "requests from {address} are refused for {seconds} s"
            )),
            false => Some(format!(
                "{address} is not blocked: more are already than can be"
            )),
        }
    }

    fn order(&self, order: Order, what: String) -> Option<String> {
        match self.orders.try_send(order) {
            Ok(()) => Some(what),
            Err(_) => {
                tracing::warn!("too much is to be done at once: it is left that {what}");
                None
            }
        }
    }
}

/// Whether an address is never blocked: this machine, and proxies that speak for others.
fn is_exempt(address: IpAddr, trusted: &[IpNet]) -> bool {
    address.is_loopback() || trusted.iter().any(|network| network.contains(&address))
}

/// Carries out what needs the store, one after the other.
async fn carry_out(app: App, mut ordered: Receiver<Order>) {
    while let Some(order) = ordered.recv().await {
        let done = match &order {
            Order::Pause {
                rule,
                application,
                endpoint,
            } => app.pause_endpoint(rule, *application, endpoint).await,
            Order::Disable { rule, key } => app.disable_api_key(rule, key).await,
        };
        if let Err(error) = done {
            let what = match &order {
                Order::Pause { endpoint, .. } => format!("disabling the endpoint {endpoint}"),
                Order::Disable { key, .. } => format!("ending the API key {key}"),
            };
            tracing::error!(
                "what was to be done by itself could not be: {what}: {:#}",
                anyhow!(error)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_trusted_proxies_are_never_blocked() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        for (address, expected) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("10.1.2.3", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_exempt(address.parse().unwrap(), &trusted), expected);
        }
    }
}
