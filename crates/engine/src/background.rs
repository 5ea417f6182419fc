//! What goes on in the background: work that outlives its request (fan-outs, recoveries, the ends
//! of a disabled endpoint's deliveries), and the removal of what has reached its age.
//!
//! The store does it, slice by slice, each in one commit with its cursor; this only drives it, and
//! lets traffic pass in between.

use crate::claim::note;
use crate::engine::Engine;
use crate::observe::Happening;
use crate::tell::report;
use model::operational::Happened;
use std::time::Duration;
use store::StoreError;
use store::work::SweepLimits;

/// The pause after the store failed.
const REST: Duration = Duration::from_secs(1);

/// Does all work that there is, then waits to be told of more. Looks by itself now and then, since
/// other nodes may have left some.
pub(crate) async fn do_work(engine: &Engine) {
    loop {
        engine.until_writable().await;
        match work_through(engine).await {
            Ok(()) => {
                engine.observer.tell(Happening::WorkDone);
                let more = engine.work.notified();
                let _ = tokio::time::timeout(engine.config.look_every(), more).await;
            }
            Err(error) => {
                tracing::warn!(%error, "background work can't go on");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn work_through(engine: &Engine) -> Result<(), StoreError> {
    loop {
        let slice = engine.parts.store.work().await?;
        note(engine, &slice.lanes);
        if let Some(task) = slice.finished {
            report(engine, Happened::TaskFinished(task));
        }
        if !slice.more {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
}

/// Removes what has reached its age, now and at regular times: also while nothing else can be
/// written, since it makes room.
pub(crate) async fn sweep(engine: &Engine) {
    let retention = engine.config.retention;
    loop {
        if let Err(error) = sweep_through(engine).await {
            tracing::warn!(%error, "can't remove what has reached its age");
        }
        tokio::time::sleep(retention.every).await;
    }
}

async fn sweep_through(engine: &Engine) -> Result<(), StoreError> {
    let retention = engine.config.retention;
    let limits = SweepLimits {
        keep_since: engine.parts.clock.now().minus(retention.keep),
        rows_max: retention.slice_rows,
    };
    while engine.parts.store.sweep(limits).await?.more {
        tokio::time::sleep(retention.pause).await;
    }
    engine.observer.tell(Happening::Swept);
    Ok(())
}
