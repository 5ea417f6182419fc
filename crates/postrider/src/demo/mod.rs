//! `postrider demo`: the main job, over real sockets with real parts.
//!
//! The persons: a payment platform and a delivery system ([`source`]), which post events to a
//! Postrider of their own process ([`server`]); an order system ([`shop`]), which registered
//! endpoints for them, verifies every request, and fails now and then; trouble ([`trouble`]),
//! which takes the order system down, makes it slow, and kills Postrider half way; and an attacker
//! ([`attack`]), who has seen one genuine request. At the end the order system's books are held
//! against what was sent ([`report`]).
//!
//! It fakes nothing of Postrider: the server is this binary's `serve`, started as anyone would.

mod api;
mod attack;
mod plan;
mod report;
mod server;
mod shop;
mod source;
mod trouble;

use crate::cli::DemoArgs;
use crate::failure::Failure;
use crate::system::SystemClock;
use anyhow::Context as _;
use api::Api;
use indicatif::{ProgressBar, ProgressStyle};
use plan::Plan;
use report::Findings;
use server::Server;
use shop::Shop;
use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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
    server: Server,
    api: Arc<Api>,
    shop: Shop,
    endpoints: Vec<String>,
}

async fn play(args: &DemoArgs) -> Result<(), Failure> {
    let directory = tempfile::tempdir().map_err(Failure::could_not)?;
    println!("Starting Postrider, an order system, a payment platform and a delivery system …");
    let cast = Cast::start(directory.path()).await?;
    let plan = Plan::new(args.orders);
    let good = perform(&cast, &plan, args.keep).await;
    let good = good.map_err(Failure::CouldNot)?;
    cast.server.stop().await.map_err(Failure::CouldNot)?;
    if good { Ok(()) } else { Err(Failure::No) }
}

impl Cast {
    async fn start(directory: &Path) -> Result<Self, Failure> {
        let server = Server::start(directory).await.map_err(Failure::CouldNot)?;
        let api = Arc::new(Api::new(server.address(), server.token())?);
        let shop = Shop::open(Arc::new(SystemClock::new())).await;
        let shop = shop.map_err(Failure::CouldNot)?;
        let endpoints = shop.register(&api).await.map_err(Failure::CouldNot)?;
        Ok(Self {
            server,
            api,
            shop,
            endpoints,
        })
    }

    /// Sends the plan's events from both sources while trouble happens.
    async fn tell(&self, plan: &Plan, bar: &ProgressBar) -> anyhow::Result<Vec<source::Sent>> {
        let progress = source::Progress::default();
        let part = progress.watch(plan.events_total());
        let (payments, shipments, trouble) = tokio::join!(
            source::send_all(&self.api, plan.payments(), &progress),
            source::send_all(&self.api, plan.shipments(), &progress),
            trouble::make(&self.shop, &self.server, bar, part),
        );
        trouble.context("the demo's trouble could not be made")?;
        let mut sent = payments?;
        sent.extend(shipments?);
        Ok(sent)
    }
}

/// Plays the story, and prints what came of it: `true` if all is well.
async fn perform(cast: &Cast, plan: &Plan, keep: bool) -> anyhow::Result<bool> {
    let bar = progress(plan.events_total());
    let sent = cast.tell(plan, &bar).await?;
    let arrived = cast.shop.wait_for(&sent, PATIENCE, &bar).await;
    bar.finish_and_clear();
    if !arrived {
        println!("Not everything arrived within {} s.", PATIENCE.as_secs());
    }
    let attacks = attack::all(&cast.shop).await?;
    let good = report::print(&Findings {
        plan,
        shop: &cast.shop,
        sent: &sent,
        attacks: &attacks,
        attempts: cast.api.attempts(&cast.endpoints).await?,
    });
    if keep {
        leave_running(&cast.server, &sent).await?;
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

/// Leaves the server running until Ctrl-C, and shows how to look at what happened.
async fn leave_running(server: &Server, sent: &[source::Sent]) -> anyhow::Result<()> {
    let (base, token) = (server.base(), server.token());
    let message = sent.first().context("nothing was sent")?;
    let path = format!("{base}/api/v1/app/{}", api::APPLICATION);
    println!("\nPostrider is still running at {base}, with this admin token:\n{token}\n");
    println!(
        "A message:      curl -H 'Authorization: Bearer {token}' {path}/msg/{}",
        message.id
    );
    println!(
        "Its attempts:   curl -H 'Authorization: Bearer {token}' {path}/attempt/msg/{}",
        message.id
    );
    println!("\nCtrl-C stops it.");
    tokio::signal::ctrl_c()
        .await
        .context("Ctrl-C can't be waited for")
}
