//! The end: nothing is begun any more, what is in flight may end and be recorded within a deadline,
//! and the rest is let go of. What is let go of was not lost: it is open in the store, and the next
//! start finds it. Only what was sent and not recorded by then will be sent again.

use crate::engine::Engine;
use crate::roster::Roster;

/// How the engine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Whether all attempts in flight ended within the deadline.
    pub in_time: bool,
    /// Deliveries that waited in memory and were let go of.
    pub waiting: usize,
    /// Attempts in flight that were broken off.
    pub broken_off: usize,
}

/// Ends the engine.
pub(crate) async fn drain(engine: &Engine) -> Drained {
    let waiting = engine.tell(Roster::close);
    let waiting_count = waiting.len();
    drop(waiting);
    engine.errands.close();
    // An errand may be on its way to the runtime while there is none: it holds a slot already.
    let all = async {
        engine.errands.wait().await;
        while engine.counters().in_flight > 0 {
            tokio::task::yield_now().await;
            engine.errands.wait().await;
        }
    };
    let ended = tokio::time::timeout(engine.config.drain_timeout, all).await;
    let in_time = ended.is_ok();
    let broken_off = engine.counters().in_flight;
    if !in_time {
        engine.break_off.cancel();
        engine.errands.wait().await;
    }
    Drained {
        in_time,
        waiting: waiting_count,
        broken_off,
    }
}
