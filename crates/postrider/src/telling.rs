//! Has told what the operator is told by operational webhooks. What it is, `app` says.

use app::App;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use watch::Outbox;

/// Until it is stopped, and then what is left.
pub(crate) async fn run(outbox: Arc<Outbox>, app: App, until: CancellationToken) {
    outbox.run(&app, until).await;
}
