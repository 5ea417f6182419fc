//! Where the load goes: the receiver itself, a relay, or a server, or the nodes of a cluster, with
//! applications and their endpoints, made for one measurement or left by a history.

use crate::BenchError;
use crate::dial::Place;
use crate::history::History;
use crate::home::{Home, Start};
use crate::plan::{Case, Given, Plan};
use crate::process::Listening;
use crate::receiver::ENDPOINT;
use crate::tenants::{Made, Tenants, Wanted};
use std::path::Path;
use tokio::time::Instant;

/// Where the load goes.
pub(crate) struct Target {
    /// The server, or each of the nodes.
    pub(crate) places: Vec<Place>,
    /// The paths that messages are posted to in turn.
    pub(crate) paths: Vec<String>,
    /// The applications of a server that these are of, by their paths.
    pub(crate) applications: Vec<String>,
    /// What it asks for.
    pub(crate) token: Option<String>,
    /// The processes whose CPU and memory are counted.
    pub(crate) processes: Vec<u32>,
    /// The PostgreSQL whose CPU is counted, by its first process.
    pub(crate) postmaster: Option<u32>,
    /// What was made in a server that goes on.
    pub(crate) made: Made,
    own: Vec<Listening>,
    /// How the own servers were started.
    start: Option<Start>,
    /// Where their store is, if it goes with them.
    home: Option<Home>,
}

/// How long starts took, in milliseconds: after a kill, and after an end that was asked for.
pub(crate) type Starts = (Option<f64>, Option<f64>);

impl Target {
    /// The receiver's first endpoint.
    pub(crate) fn receiver(receiver: &str) -> Result<Self, BenchError> {
        Ok(Self {
            paths: vec![format!("{ENDPOINT}0")],
            ..Self::at(vec![Place::parse(receiver)?])
        })
    }

    /// A relay to the receiver's endpoints.
    pub(crate) async fn relay(plan: &Plan, receiver: &str) -> Result<Self, BenchError> {
        let endpoints = plan.size.endpoints.to_string();
        let arguments = ["bench", "--part", "relay", "--receiver", receiver];
        let arguments = [&arguments[..], &["--endpoints", &endpoints]].concat();
        let relay = Listening::start(&plan.program, "the relay", &arguments).await?;
        let target = Self::started(vec![relay])?;
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
            ..Self::at(vec![Place::parse(&given.url)?])
        };
        let made = target.set_up(plan, receiver).await?;
        Ok(Self {
            paths: Self::paths(&made.applications, plan.size.batch),
            applications: made.applications.clone(),
            made,
            ..target
        })
    }

    /// Servers of the bench's own on a new store, with new applications.
    pub(crate) async fn empty(
        (plan, case): (&Plan, &Case),
        below: &Path,
        receiver: &str,
    ) -> Result<Self, BenchError> {
        let home = Home::make(plan, below).await?;
        let target = Self::own(plan, home.start(plan, case)).await?;
        let made = target.set_up(plan, receiver).await?;
        Ok(Self {
            paths: Self::paths(&made.applications, plan.size.batch),
            applications: made.applications,
            home: Some(home),
            ..target
        })
    }

    /// Servers of the bench's own on a store with a history, with the applications of that.
    pub(crate) async fn filled(
        (plan, case): (&Plan, &Case),
        history: &History,
    ) -> Result<Self, BenchError> {
        let target = Self::own(plan, history.home.start(plan, case)).await?;
        Ok(Self {
            paths: Self::paths(&history.applications, plan.size.batch),
            applications: history.applications.clone(),
            ..target
        })
    }

    /// A server of the bench's own on a new store, with new sources whose secret is given.
    pub(crate) async fn gateway(
        (plan, case): (&Plan, &Case),
        below: &Path,
        (receiver, secret): (&str, &str),
    ) -> Result<Self, BenchError> {
        let home = Home::make(plan, below).await?;
        let target = Self::own(plan, home.start(plan, case)).await?;
        let wanted = Wanted {
            receiver: receiver.to_owned(),
            numbers: 0..plan.size.endpoints,
            bystanders: 0,
        };
        let tenants = target.tenants();
        let sources = tenants.sources(plan.size.applications, secret, wanted);
        let sources = sources.await?;
        Ok(Self {
            paths: sources.inbound,
            applications: sources.applications,
            home: Some(home),
            ..target
        })
    }

    /// Servers of the bench's own.
    pub(crate) async fn own(plan: &Plan, start: Start) -> Result<Self, BenchError> {
        let arguments: Vec<_> = start.arguments.iter().map(String::as_str).collect();
        let mut servers = Vec::with_capacity(start.servers);
        for _ in 0..start.servers {
            servers.push(Listening::start(&plan.program, "the server", &arguments).await?);
        }
        let token = servers.first().and_then(Listening::token);
        let target = Self::started(servers)?;
        Ok(Self {
            token,
            postmaster: start.postmaster,
            start: Some(start),
            ..target
        })
    }

    /// Kills the own servers, starts them again on what they left, and once more after they were
    /// asked to end; if that is planned. Gives those that run then.
    pub(crate) async fn start_again(mut self, plan: &Plan) -> Result<(Self, Starts), BenchError> {
        let (Some(start), true) = (self.start.clone(), plan.restarts) else {
            return Ok((self, (None, None)));
        };
        for server in self.own.drain(..) {
            server.stop().await;
        }
        let mut took = [0.0; 2];
        for took in &mut took {
            for server in self.own.drain(..) {
                server.end().await;
            }
            let began = Instant::now();
            let started = Self::own(plan, start.clone()).await?;
            *took = began.elapsed().as_secs_f64() * 1e3;
            self = Self {
                paths: self.paths,
                applications: self.applications,
                home: self.home,
                ..started
            };
        }
        let [after_kill, after_end] = took;
        Ok((self, (Some(after_kill), Some(after_end))))
    }

    /// Whether what is made there is still there when this is measured again.
    pub(crate) fn lasts(&self) -> bool {
        self.home.is_none()
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
            place: self.places[0].clone(),
            token: self.token.clone(),
        }
    }

    /// Ends what was started for it: kills it if its store goes as well.
    pub(crate) async fn stop(self) {
        let goes = self.home.is_some();
        for server in self.own {
            match goes {
                true => server.stop().await,
                false => server.end().await,
            }
        }
        if let Some(home) = self.home {
            home.end().await;
        }
    }

    /// At one place at the least.
    fn at(places: Vec<Place>) -> Self {
        Self {
            places,
            paths: Vec::new(),
            applications: Vec::new(),
            token: None,
            processes: Vec::new(),
            postmaster: None,
            made: Made::default(),
            own: Vec::new(),
            start: None,
            home: None,
        }
    }

    /// What was started: one process at the least.
    fn started(own: Vec<Listening>) -> Result<Self, BenchError> {
        let places = own.iter().map(|process| Place::parse(process.url()));
        let places: Vec<_> = places.collect::<Result<_, _>>()?;
        Ok(Self {
            processes: own.iter().filter_map(Listening::process).collect(),
            own,
            ..Self::at(places)
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
