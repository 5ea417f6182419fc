//! Where the load goes: the receiver itself, a relay, or a server with applications and their
//! endpoints, made for one measurement or left by a history.

use crate::BenchError;
use crate::dial::Place;
use crate::history::History;
use crate::plan::{Given, Plan};
use crate::process::Listening;
use crate::receiver::ENDPOINT;
use crate::tenants::{Made, Tenants, Wanted};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::time::Instant;

/// Endpoints that a server lets an application have if it is told nothing else.
const ENDPOINTS_ALLOWED: u32 = 500;

/// Where the load goes.
pub(crate) struct Target {
    /// The server.
    pub(crate) place: Place,
    /// The paths that messages are posted to in turn.
    pub(crate) paths: Vec<String>,
    /// The applications of a server that these are of, by their paths.
    pub(crate) applications: Vec<String>,
    /// What it asks for.
    pub(crate) token: Option<String>,
    /// The processes whose CPU and memory are counted.
    pub(crate) processes: Vec<u32>,
    /// What was made in a server that goes on.
    pub(crate) made: Made,
    own: Option<Listening>,
    /// Where the own server's store is.
    data: Option<PathBuf>,
    directory: Option<TempDir>,
}

/// How long starts took, in milliseconds: after a kill, and after an end that was asked for.
pub(crate) type Starts = (Option<f64>, Option<f64>);

impl Target {
    /// The receiver's first endpoint.
    pub(crate) fn receiver(receiver: &str) -> Result<Self, BenchError> {
        Ok(Self {
            paths: vec![format!("{ENDPOINT}0")],
            ..Self::at(Place::parse(receiver)?)
        })
    }

    /// A relay to the receiver's endpoints.
    pub(crate) async fn relay(plan: &Plan, receiver: &str) -> Result<Self, BenchError> {
        let endpoints = plan.size.endpoints.to_string();
        let arguments = ["bench", "--part", "relay", "--receiver", receiver];
        let arguments = [&arguments[..], &["--endpoints", &endpoints]].concat();
        let relay = Listening::start(&plan.program, "the relay", &arguments).await?;
        let target = Self::started(relay)?;
        Ok(Self {
            paths: vec!["/".to_owned()],
            ..target
        })
    }

    /// New applications of a server that is there.
    pub(crate) async fn given(
        plan: &Plan,
        given: &Given,
        receiver: &str,
    ) -> Result<Self, BenchError> {
        let target = Self {
            token: Some(given.token.clone()),
            processes: given.processes.clone(),
            ..Self::at(Place::parse(&given.url)?)
        };
        let made = target.set_up(plan, receiver).await?;
        Ok(Self {
            paths: Self::paths(&made.applications, plan.size.batch),
            applications: made.applications.clone(),
            made,
            ..target
        })
    }

    /// A server of the bench's own on a new store, with new applications.
    pub(crate) async fn empty(
        plan: &Plan,
        below: &Path,
        receiver: &str,
    ) -> Result<Self, BenchError> {
        let directory = data_directory(below)?;
        let target = Self::own(plan, directory.path()).await?;
        let made = target.set_up(plan, receiver).await?;
        Ok(Self {
            paths: Self::paths(&made.applications, plan.size.batch),
            applications: made.applications,
            directory: Some(directory),
            ..target
        })
    }

    /// A server of the bench's own on a store with a history, with the applications of that.
    pub(crate) async fn filled(plan: &Plan, history: &History) -> Result<Self, BenchError> {
        let target = Self::own(plan, history.directory.path()).await?;
        Ok(Self {
            paths: Self::paths(&history.applications, plan.size.batch),
            applications: history.applications.clone(),
            ..target
        })
    }

    /// A server of the bench's own.
    pub(crate) async fn own(plan: &Plan, directory: &Path) -> Result<Self, BenchError> {
        let data = directory.to_string_lossy();
        let endpoints = plan.size.endpoints.saturating_add(plan.size.bystanders);
        let endpoints_max = endpoints.max(ENDPOINTS_ALLOWED).to_string();
        let arguments = ["serve", "--dev", "--listen", "127.0.0.1:0", "--log", "warn"];
        let arguments = [&arguments[..], &["--log-format", "text"]].concat();
        let arguments = [&arguments[..], &["--data-dir", &data]].concat();
        let arguments = [&arguments[..], &["--endpoints-max", &endpoints_max]].concat();
        let server = Listening::start(&plan.program, "the server", &arguments).await?;
        let token = server.token();
        let target = Self::started(server)?;
        Ok(Self {
            token,
            data: Some(directory.to_owned()),
            ..target
        })
    }

    /// Kills the own server, starts it again on what it left, and once more after it was asked to
    /// end; if that is planned. Gives the server that runs then.
    pub(crate) async fn start_again(mut self, plan: &Plan) -> Result<(Self, Starts), BenchError> {
        let (Some(data), true) = (self.data.clone(), plan.restarts) else {
            return Ok((self, (None, None)));
        };
        if let Some(server) = self.own.take() {
            server.stop().await;
        }
        let mut took = [0.0; 2];
        for took in &mut took {
            if let Some(server) = self.own.take() {
                server.end().await;
            }
            let began = Instant::now();
            let started = Self::own(plan, &data).await?;
            *took = began.elapsed().as_secs_f64() * 1e3;
            self = Self {
                paths: self.paths,
                applications: self.applications,
                directory: self.directory,
                ..started
            };
        }
        let [after_kill, after_end] = took;
        Ok((self, (Some(after_kill), Some(after_end))))
    }

    /// Whether what is made there is still there when this is measured again.
    pub(crate) fn lasts(&self) -> bool {
        self.directory.is_none()
    }

    /// The paths that messages to these applications are posted to.
    pub(crate) fn paths(applications: &[String], batch: Option<u64>) -> Vec<String> {
        let kind = if batch.is_some() { "/batch" } else { "" };
        let path = |application| format!("{application}/msg{kind}");
        applications.iter().map(path).collect()
    }

    /// Its API.
    pub(crate) fn tenants(&self) -> Tenants {
        Tenants {
            place: self.place.clone(),
            token: self.token.clone(),
        }
    }

    /// Ends what was started for it: kills it if its store goes as well.
    pub(crate) async fn stop(self) {
        match (self.own, self.directory) {
            (None, _) => {}
            (Some(process), None) => process.end().await,
            (Some(process), Some(_goes)) => process.stop().await,
        }
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            paths: Vec::new(),
            applications: Vec::new(),
            token: None,
            processes: Vec::new(),
            made: Made::default(),
            own: None,
            data: None,
            directory: None,
        }
    }

    fn started(process: Listening) -> Result<Self, BenchError> {
        let place = Place::parse(process.url())?;
        Ok(Self {
            processes: process.process().into_iter().collect(),
            own: Some(process),
            ..Self::at(place)
        })
    }

    /// Makes the applications and their endpoints.
    async fn set_up(&self, plan: &Plan, receiver: &str) -> Result<Made, BenchError> {
        let tenants = self.tenants();
        let applications = tenants.applications(plan.size.applications).await?;
        let wanted = Wanted {
            receiver: receiver.to_owned(),
            numbers: 0..plan.size.endpoints,
            bystanders: plan.size.bystanders,
        };
        let event_type = tenants.endpoints(&applications, wanted).await?;
        Ok(Made {
            applications,
            event_type,
        })
    }
}

/// A directory for a server's store.
pub(crate) fn data_directory(below: &Path) -> Result<TempDir, BenchError> {
    tempfile::tempdir_in(below).map_err(BenchError::io("no data directory can be made"))
}
