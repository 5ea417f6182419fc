//! How a running node follows while one master key gives way to another: looks each second for what
//! is next, and reads its keys anew when it lacks one, so that it need not be restarted for a key
//! that is in a file or comes from a command.

use crate::keys::KeySources;
use anyhow::anyhow;
use app::App;
use app::master_keys::Tended;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use vault::MasterKeyId;

/// How often it is looked for what is next.
const PERIOD: Duration = Duration::from_secs(1);

/// Goes on until it is dropped.
pub(crate) async fn follow(app: App, sources: KeySources, delivers: bool) {
    let mut period = tokio::time::interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut complained = false;
    loop {
        period.tick().await;
        complained = match tend(&app, &sources, delivers).await {
            Ok(()) => false,
            Err(error) if !complained => {
                tracing::warn!(
                    "the master keys can't be looked after, and will be later: {error:#}"
                );
                true
            }
            Err(_) => true,
        };
    }
}

async fn tend(app: &App, sources: &KeySources, delivers: bool) -> anyhow::Result<()> {
    let mut read = false;
    loop {
        match app.tend_master_keys(delivers).await? {
            Tended::Idle => return Ok(()),
            Tended::Lacks(id) if !read => {
                read = true;
                learn(app, sources, id).await?;
            }
            Tended::Lacks(id) => {
                return Err(anyhow!(
                    "the master key with id {id} was not given to this node: give it both, as \
                     `master_key` and `previous_master_key`"
                ));
            }
            Tended::GaveWay(current, previous) => {
                tracing::info!("master key {current} seals from now on, instead of {previous}");
            }
            Tended::Done(previous, rewrapped) => {
                tracing::info!(
                    "{rewrapped} data keys were sealed anew by this node: master key {previous} is \
                     needed no more"
                );
            }
        }
    }
}

async fn learn(app: &App, sources: &KeySources, id: MasterKeyId) -> anyhow::Result<()> {
    for key in sources.masters().await?.into_vec() {
        if key.id() == id {
            app.vault.learn(&key);
        }
    }
    Ok(())
}
