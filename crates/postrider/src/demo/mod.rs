//! `postrider demo`: the main job, over real sockets with real parts.
//!
//! The persons: a payment platform and a delivery system ([`posting`]), which post their events to
//! the Postrider that they send with ([`server`], [`platforms`]); an order system ([`shop`]), which
//! has a Postrider of its own in front of it ([`gateway`]) that verifies what comes and hands it
//! on; the way between the two ([`wire`]); trouble ([`trouble`]), which takes the order system
//! down, makes it slow, and kills both Postriders; and an attacker ([`attack`]), who sits on the
//! way and has seen genuine requests. At the end the order system's books are held against what
//! was sent ([`report`]).
//!
//! It fakes nothing of Postrider: the servers are this binary's `serve`, started as anyone would.

mod api;
mod attack;
mod gateway;
mod plan;
mod platforms;
mod posting;
mod report;
mod server;
mod shop;
mod trouble;
mod wire;

use crate::cli::DemoArgs;
use crate::failure::Failure;
use crate::system::{SystemClock, SystemEntropy};
use anyhow::Context as _;
use api::Api;
use attack::Gate;
use indicatif::{ProgressBar, ProgressStyle};
use model::Clock;
use plan::Plan;
use report::Findings;
use server::Server;
use shop::Shop;
use std::io::{IsTerminal as _, stderr};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wire::Wire;

/// How long everything may take to arrive after the last event was sent.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the demo; [`Failure::No`] if an event was lost or an attack got through.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(Failure::could_not)?;
    runtime.block_on(play(args))
}

/// The parts, running.
struct Cast {
    /// What the platforms send with.
    theirs: Server,
    /// What stands in front of the order system.
    ours: Server,
    api: Arc<Api>,
    gateway_api: Api,
    shop: Shop,
    gate: Gate,
    /// The platforms' at theirs, and the order system's at ours.
    endpoints: [Vec<String>; 2],
}

async fn play(args: &DemoArgs) -> Result<(), Failure> {
    let directory = tempfile::tempdir().map_err(Failure::could_not)?;
    println!(
        "Starting a payment platform and a delivery system with their Postrider, and an order \
         system with its own …"
    );
    let cast = Cast::start(directory.path()).await?;
    let plan = Plan::new(args.orders);
    let good = perform(&cast, &plan, args.keep).await;
    let good = good.map_err(Failure::CouldNot)?;
    for server in [&cast.theirs, &cast.ours] {
        server.stop().await.map_err(Failure::CouldNot)?;
    }
    if good { Ok(()) } else { Err(Failure::No) }
}

impl Cast {
    async fn start(directory: &Path) -> Result<Self, Failure> {
        let start = |name: &str| Server::start(directory.join(name));
        let (theirs, ours) = tokio::join!(start("platforms"), start("order-system"));
        let theirs = theirs.map_err(Failure::CouldNot)?;
        let ours = ours.map_err(Failure::CouldNot)?;
        let api = Arc::new(Api::new(theirs.address(), theirs.token())?);
        let gateway_api = Api::new(ours.address(), ours.token())?;
        let meeting = meet((&api, &gateway_api), ours.address()).await;
        let (shop, gate, endpoints) = meeting.map_err(Failure::CouldNot)?;
        Ok(Self {
            theirs,
            ours,
            api,
            gateway_api,
            shop,
            gate,
            endpoints,
        })
    }

    /// Sends the plan's events from both platforms while trouble happens.
    async fn tell(&self, plan: &Plan, bar: &ProgressBar) -> anyhow::Result<Vec<posting::Sent>> {
        let progress = posting::Progress::default();
        let part = progress.watch(plan.events_total());
        let (payments, shipments, trouble) = tokio::join!(
            posting::send_all(&self.api, plan.payments(), &progress),
            posting::send_all(&self.api, plan.shipments(), &progress),
            trouble::make(&self.shop, [&self.theirs, &self.ours], bar, part),
        );
        trouble.context("the demo's trouble could not be made")?;
        let mut sent = payments?;
        sent.extend(shipments?);
        Ok(sent)
    }
}

/// Opens the order system, and brings it together with the platforms.
async fn meet(
    (theirs, ours): (&Api, &Api),
    gateway: SocketAddr,
) -> anyhow::Result<(Shop, Gate, [Vec<String>; 2])> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let shop = Shop::open(clock.clone()).await?;
    let behind = shop.register(ours).await?;
    let wire = Wire::lay(gateway).await?;
    let met = platforms::register((theirs, ours), &wire, &SystemEntropy).await?;
    let gate = Gate {
        wire,
        payments: met.payments,
        shipments: met.shipments,
        clock,
    };
    Ok((shop, gate, [met.endpoints, behind]))
}

/// Plays the story, and prints what came of it: `true` if all is well.
async fn perform(cast: &Cast, plan: &Plan, keep: bool) -> anyhow::Result<bool> {
    let bar = progress(plan.events_total());
    // It takes as long as a body may: the rest of the story goes on meanwhile.
    let (sent, hanging) = tokio::join!(cast.tell(plan, &bar), cast.gate.hang());
    let sent = sent?;
    let arrived = cast.shop.wait_for(&sent, PATIENCE, &bar).await;
    bar.finish_and_clear();
    if !arrived {
        println!("Not everything arrived within {} s.", PATIENCE.as_secs());
    }
    let attacks = attack::all(&cast.shop, &cast.gate, hanging?).await?;
    let [theirs, ours] = &cast.endpoints;
    let good = report::print(&Findings {
        plan,
        shop: &cast.shop,
        sent: &sent,
        attacks: &attacks,
        to_gateway: cast.api.attempts(theirs).await?,
        to_shop: cast.gateway_api.attempts(ours).await?,
        repeats_at_gateway: cast.gate.wire.repeats(),
    });
    if keep {
        leave_running(cast, &sent).await?;
    }
    Ok(good)
}

fn progress(total: usize) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} events arrived  {msg}");
    let style = style.expect("the template is well-formed");
    ProgressBar::new(total as u64).with_style(style)
}

/// Leaves the servers running until Ctrl-C, and shows how to look at what happened.
async fn leave_running(cast: &Cast, sent: &[posting::Sent]) -> anyhow::Result<()> {
    let message = sent.first().context("nothing was sent")?;
    let (base, token) = (cast.theirs.base(), cast.theirs.token());
    println!("\nPostrider is still running at {base}, with this admin token:\n{token}\n");
    let path = format!("{base}/api/v1/app/{}", api::APPLICATION);
    let ask = |what: &str, token: &str, url: String| {
        println!("{what:<15} curl -H 'Authorization: Bearer {token}' {url}");
    };
    ask(
        "A message:",
        token,
        format!("{path}/msg/{}", message.message),
    );
    ask(
        "Its attempts:",
        token,
        format!("{path}/attempt/msg/{}", message.message),
    );
    let (base, token) = (cast.ours.base(), cast.ours.token());
    println!("\nThe order system's gateway is at {base}, with this admin token:\n{token}\n");
    ask(
        "Its sources:",
        token,
        format!("{base}/ingest/api/v1/source"),
    );
    ask(
        "Refused there:",
        token,
        format!("{base}/api/v1/security/event"),
    );
    println!("\nCtrl-C stops them.");
    tokio::signal::ctrl_c()
        .await
        .context("Ctrl-C can't be waited for")
}
