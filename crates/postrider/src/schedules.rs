//! Looks every second for messages that sources make by themselves. What is due, and that it is
//! made once, the use case knows.

use anyhow::anyhow;
use app::App;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// How late a message may be.
const PERIOD: Duration = Duration::from_secs(1);

/// Goes on until it is dropped.
pub(crate) async fn run(app: App) {
    let mut period = tokio::time::interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        period.tick().await;
        match app.run_due_schedules().await {
            Ok(_) => failing = false,
            Err(error) if !failing => {
                failing = true;
                let error = anyhow!(error);
                tracing::warn!(
                    "what is due by a schedule can't be made, and will be later: {error:#}"
                );
            }
            Err(_) => {}
        }
    }
}
