//! Where the load goes: the receiver itself, a relay, or a server with an application and its
//! endpoints, made for one measurement.

use crate::BenchError;
use crate::control::Control;
use crate::dial::Place;
use crate::plan::{Plan, Server};
use crate::process::Listening;
use crate::receiver::ENDPOINT;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// Where the load goes.
pub(crate) struct Target {
    /// The server.
    pub(crate) place: Place,
    /// The path that messages are posted to.
    pub(crate) path: String,
    /// What it asks for.
    pub(crate) token: Option<String>,
    /// The processes whose CPU and memory are counted.
    pub(crate) processes: Vec<u32>,
    /// The application, in a server that goes on.
    pub(crate) made: Option<String>,
    own: Option<(Listening, Option<TempDir>)>,
}

impl Target {
    /// The receiver's first endpoint.
    pub(crate) fn receiver(receiver: &str) -> Result<Self, BenchError> {
        Ok(Self {
            place: Place::parse(receiver)?,
            path: format!("{ENDPOINT}0"),
            token: None,
            processes: Vec::new(),
            made: None,
            own: None,
        })
    }

    /// A relay to the receiver's endpoints.
    pub(crate) async fn relay(plan: &Plan, receiver: &str) -> Result<Self, BenchError> {
        let endpoints = plan.size.endpoints.to_string();
        let arguments = ["bench", "--part", "relay", "--receiver", receiver];
        let arguments = [&arguments[..], &["--endpoints", &endpoints]].concat();
        let relay = Listening::start(&plan.program, "the relay", &arguments).await?;
        Ok(Self {
            place: Place::parse(relay.url())?,
            path: "/".to_owned(),
            token: None,
            processes: relay.process().into_iter().collect(),
            made: None,
            own: Some((relay, None)),
        })
    }

    /// A new application of the server.
    pub(crate) async fn server(plan: &Plan, receiver: &str) -> Result<Self, BenchError> {
        let mut target = match &plan.server {
            Server::Own { below } => Self::own_server(plan, below).await?,
            Server::Given {
                url,
                token,
                processes,
            } => Self {
                place: Place::parse(url)?,
                path: String::new(),
                token: Some(token.clone()),
                processes: processes.clone(),
                made: None,
                own: None,
            },
        };
        let application = target.set_up(plan, receiver).await?;
        let kind = if plan.size.batch.is_some() {
            "/batch"
        } else {
            ""
        };
        target.path = format!("/api/v1/app/{application}/msg{kind}");
        if target.own.is_none() {
            target.made = Some(application);
        }
        Ok(target)
    }

    /// Deletes applications that were made in a server that goes on.
    pub(crate) async fn remove(server: &Server, made: &[String]) -> Result<(), BenchError> {
        let Server::Given { url, token, .. } = server else {
            return Ok(());
        };
        let mut control = Control::new(Place::parse(url)?, Some(token.clone()));
        for application in made {
            control
                .delete(&format!("/api/v1/app/{application}"))
                .await?;
        }
        Ok(())
    }

    /// Ends what was started for it.
    pub(crate) async fn stop(self) {
        if let Some((process, directory)) = self.own {
            process.stop().await;
            drop(directory);
        }
    }

    /// A server on an empty store.
    async fn own_server(plan: &Plan, below: &Path) -> Result<Self, BenchError> {
        let directory = tempfile::tempdir_in(below);
        let directory = directory.map_err(BenchError::io("no data directory can be made"))?;
        let data = directory.path().to_string_lossy();
        let arguments = ["serve", "--dev", "--listen", "127.0.0.1:0", "--log", "warn"];
        let arguments = [
            &arguments[..],
            &["--log-format", "text", "--data-dir", &data],
        ]
        .concat();
        let server = Listening::start(&plan.program, "the server", &arguments).await?;
        Ok(Self {
            place: Place::parse(server.url())?,
            path: String::new(),
            token: server.token(),
            processes: server.process().into_iter().collect(),
            made: None,
            own: Some((server, Some(directory))),
        })
    }

    /// Makes the application and its endpoints; gives its id.
    async fn set_up(&self, plan: &Plan, receiver: &str) -> Result<String, BenchError> {
        let mut control = Control::new(self.place.clone(), self.token.clone());
        let path = "/api/v1/app";
        let made = control.post(path, &json!({"name": "bench"})).await?;
        let id = made["id"].as_str().ok_or_else(|| BenchError::Strange {
            request: format!("POST {path}"),
            missing: "the application's id",
        });
        let application = id?.to_owned();
        for number in 0..plan.size.endpoints {
            let endpoint: Value = json!({"url": format!("{receiver}{ENDPOINT}{number}")});
            let path = format!("/api/v1/app/{application}/endpoint");
            control.post(&path, &endpoint).await?;
        }
        Ok(application)
    }
}
