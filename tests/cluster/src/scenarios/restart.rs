//! Nothing breaks: each node is ended in order and started again, as for a new version, and clients
//! must not notice.

use tokio::time::Instant;

use crate::load::Repeats;
use crate::row::Row;
use crate::run::{Failure, Plan, World};

/// Each node in turn is asked to end, and started again, while clients ask another only where
/// nobody listens.
pub async fn restarted() -> Row {
    let plan = Plan {
        repeats: Repeats::Refused,
        ..Plan::of(
            "Nothing: each node in turn ended (SIGTERM) and started again, with clients that \
                    repeat only what is refused by nobody listening",
        )
    };
    plan.run(restart_each).await
}

/// The same with nodes that only accept, and one that only delivers.
pub async fn restarted_apart() -> Row {
    let plan = Plan {
        repeats: Repeats::Refused,
        roles: [Some("api"), Some("api"), Some("deliver")],
        ..Plan::of("The same with two nodes that accept (`--role api`) and one that delivers")
    };
    plan.run(restart_each).await
}

async fn restart_each(world: &mut World) -> Failure {
    let began = Instant::now();
    let mut last = began;
    for node in &mut world.nodes.nodes {
        last = Instant::now();
        let ended = node.server.terminate().await;
        assert!(ended.success(), "{ended:?}");
        node.server.restart().await;
    }
    Failure::mended(began, last)
}
