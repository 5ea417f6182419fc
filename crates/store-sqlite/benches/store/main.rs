//! What the embedded store does on a message's way, group commit and claiming, and what a start
//! takes after a kill.
//!
//! In temporary directories, so that a commit's fsync is that of the disk they are on: `TMPDIR`
//! names another. What clients, connections and the sender add is not here: see
//! `examples/lifecycle.rs` and `postrider bench`.

use criterion::Criterion;
use std::time::Duration;
use store::accept::Accept;
use store::{Lane, Store};
use support::World;

mod claims;
mod commits;
mod starts;
#[path = "../../tests/embedded/support.rs"]
#[expect(dead_code, reason = "the tests ask for more")]
mod support;

/// 1 KiB, sealed.
const PAYLOAD_BYTES: usize = 1_024 + 37;

/// A message of [`PAYLOAD_BYTES`] with one delivery.
async fn message(world: &World, lane: Lane) -> Accept {
    let mut item = world.item(lane).await;
    item.message.payload = vec![7; PAYLOAD_BYTES].into();
    item
}

/// Accepts messages, in one commit.
async fn accept(world: &World, batch: Vec<Accept>) {
    for accepted in world.store.accept(batch).await {
        accepted.expect("the message is in order");
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .without_plots()
        .configure_from_args();
    commits::group_commit(&mut criterion);
    claims::from_one_lane(&mut criterion);
    claims::beside_another_lane(&mut criterion);
    starts::after_a_kill(&mut criterion);
    criterion.final_summary();
}
