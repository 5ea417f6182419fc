//! Security events on their way to people: how alerts leave, and the part of a node that keeps
//! events and tells of them, until the last was reported.

use crate::config::Checked;
use crate::failure::Failure;
use crate::keys::KeySources;
use crate::node::extra_roots;
use crate::storage::host_name;
use app::App;
use app::environment::alerts::sender::AlertSender;
use engine::EngineParts;
use model::{Clock, Entropy};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use transport::{Guard, Mailer};
use watch::Keeper;
use watch::alerts::Alerter;
use watch::alerts::sender::Sender;

/// What sends alerts, by the configuration: webhooks go the way of deliveries.
pub(crate) async fn sender(
    config: &Checked,
    parts: &EngineParts,
    guard: Arc<Guard>,
) -> Result<Arc<dyn AlertSender>, Failure> {
    let around = (parts.clock.clone(), parts.entropy.clone());
    Ok(Arc::new(Sender {
        transport: parts.transport.clone(),
        policy: config.policy.clone(),
        mailer: mailer(config, guard, around).await?,
        user_agent: config.app.user_agent.clone(),
        clock: parts.clock.clone(),
    }))
}

async fn mailer(
    config: &Checked,
    guard: Arc<Guard>,
    around: (Arc<dyn Clock>, Arc<dyn Entropy>),
) -> Result<Option<Mailer>, Failure> {
    let Some(mail) = &config.mail else {
        return Ok(None);
    };
    let password = KeySources::of(config).smtp_password().await?;
    let server = mail.server(password).map_err(Failure::could_not)?;
    let roots = extra_roots(config)?;
    let mailer = Mailer::new(server, (guard, roots.as_deref()), around);
    mailer.map(Some).map_err(Failure::could_not)
}

/// Keeps security events and tells people of them, until the last has been reported.
pub(crate) async fn run(keeper: Arc<Keeper>, app: App, until: CancellationToken) {
    let alerter = Arc::new(Alerter::new(host_name()));
    keeper.hand_on_to(alerter.clone());
    // What is kept last is told, too.
    let kept = CancellationToken::new();
    let keeping = async {
        keeper.run(&*app.store, until).await;
        kept.cancel();
    };
    tokio::join!(keeping, alerter.run(&app, kept.clone()));
}
