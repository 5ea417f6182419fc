//! Applications and their endpoints, made through a server's API before a measurement, and taken
//! away again where the server goes on. Calls are made several at a time: with thousands of
//! endpoints one after the other would take longer than what is measured.

use crate::BenchError;
use crate::control::Control;
use crate::dial::Place;
use crate::hang;
use crate::plan::Given;
use crate::receiver::ENDPOINT;
use http::StatusCode;
use serde_json::{Value, json};
use std::ops::Range;
use tokio::task::JoinSet;

/// Calls at a time.
const MAKERS: u64 = 16;
/// Where applications are made.
pub(crate) const APPLICATIONS: &str = "/api/v1/app";
/// Where event types are made.
const EVENT_TYPES: &str = "/api/v1/event-type";
/// What bystanders wait for: no message of a bench has it.
const OTHER_EVENT_TYPE: &str = "bench.other";

/// A server's API, with a token.
#[derive(Debug, Clone)]
pub(crate) struct Tenants {
    /// The server.
    pub(crate) place: Place,
    /// What it asks for.
    pub(crate) token: Option<String>,
}

/// What was made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    /// Applications, by their paths.
    pub(crate) applications: Vec<String>,
    /// The event type that bystanders wait for; not if it was there before.
    pub(crate) event_type: bool,
}

/// Endpoints that each application gets.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The receiver's base URL.
    pub(crate) receiver: String,
    /// The numbers of the receiver's endpoints.
    pub(crate) numbers: Range<u32>,
    /// Further ones that want another event type.
    pub(crate) bystanders: u32,
}

impl Made {
    /// Adds what was made elsewhere.
    pub(crate) fn add(&mut self, other: &Self) {
        self.applications.extend_from_slice(&other.applications);
        self.event_type |= other.event_type;
    }
}

impl Tenants {
    /// Of a server that is there.
    pub(crate) fn of(given: &Given) -> Result<Self, BenchError> {
        Ok(Self {
            place: Place::parse(&given.url)?,
            token: Some(given.token.clone()),
        })
    }

    /// Makes so many applications; gives their paths.
    pub(crate) async fn applications(&self, count: u32) -> Result<Vec<String>, BenchError> {
        let call = |_| (APPLICATIONS.to_owned(), json!({"name": "bench"}));
        self.make(count.into(), call).await
    }

    /// Makes endpoints in each of these applications; says whether it made an event type.
    pub(crate) async fn endpoints(
        &self,
        applications: &[String],
        wanted: Wanted,
    ) -> Result<bool, BenchError> {
        let event_type = wanted.bystanders > 0 && self.event_type().await?;
        let each = u64::from(wanted.bystanders) + wanted.numbers.len() as u64;
        let applications = applications.to_vec();
        let count = each * applications.len() as u64;
        let call = move |number| {
            let application = &applications[(number / each) as usize];
            let endpoint = wanted.endpoint(number % each);
            (format!("{application}/endpoint"), endpoint)
        };
        self.make(count, call).await?;
        Ok(event_type)
    }

    /// Makes so many endpoints at hosts of their own, shared out evenly among these applications;
    /// gives their paths.
    pub(crate) async fn dead_endpoints(
        &self,
        applications: &[String],
        (hosts, port): (u32, u16),
    ) -> Result<Vec<String>, BenchError> {
        let applications = applications.to_vec();
        let call = move |number: u64| {
            let application = &applications[number as usize % applications.len()];
            let path = format!("{application}/endpoint");
            (path, json!({ "url": hang::url(number as u32, port) }))
        };
        self.make(hosts.into(), call).await
    }

    /// Takes away what was made.
    pub(crate) async fn remove(&self, made: &Made) -> Result<(), BenchError> {
        let mut paths = made.applications.clone();
        if made.event_type {
            paths.push(format!("{EVENT_TYPES}/{OTHER_EVENT_TYPE}?expunge=true"));
        }
        self.delete(&paths).await
    }

    /// Deletes what is at these paths, if it is still there.
    pub(crate) async fn delete(&self, paths: &[String]) -> Result<(), BenchError> {
        let mut control = self.control();
        for path in paths {
            match control.delete(path).await {
                Err(BenchError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => {}
                deleted => deleted?,
            }
        }
        Ok(())
    }

    /// A client that makes one call at a time.
    pub(crate) fn control(&self) -> Control {
        Control::new(self.place.clone(), self.token.clone())
    }

    /// Has the event type that bystanders wait for; says whether it is new.
    async fn event_type(&self) -> Result<bool, BenchError> {
        let event_type = json!({"name": OTHER_EVENT_TYPE, "description": "for bystanders"});
        match self.control().post(EVENT_TYPES, &event_type).await {
            Ok(_) => Ok(true),
            Err(BenchError::Refused { status, .. }) if status == StatusCode::CONFLICT => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes so many things, each by posting what `call` says of its number; gives their paths, in
    /// any order.
    pub(crate) async fn make(
        &self,
        count: u64,
        call: impl Fn(u64) -> (String, Value) + Clone + Send + 'static,
    ) -> Result<Vec<String>, BenchError> {
        let mut makers = JoinSet::new();
        for first in 0..MAKERS.min(count) {
            let (mut control, call) = (self.control(), call.clone());
            makers.spawn(async move {
                let mut paths = Vec::new();
                for number in (first..count).step_by(MAKERS as usize) {
                    let (path, body) = call(number);
                    let id = id(&path, &control.post(&path, &body).await?)?;
                    paths.push(format!("{path}/{id}"));
                }
                Ok(paths)
            });
        }
        let mut paths = Vec::new();
        while let Some(made) = makers.join_next().await {
            let made: Result<Vec<String>, BenchError> = made.expect("a maker does not panic");
            paths.extend(made?);
        }
        Ok(paths)
    }
}

impl Wanted {
    /// The body that makes one of them.
    pub(crate) fn endpoint(&self, number: u64) -> Value {
        let url = |number| format!("{}{ENDPOINT}{number}", self.receiver);
        match number.checked_sub(self.numbers.len() as u64) {
            None => json!({"url": url(u64::from(self.numbers.start) + number)}),
            Some(bystander) => json!({"url": url(bystander), "filterTypes": [OTHER_EVENT_TYPE]}),
        }
    }
}

fn id(path: &str, made: &Value) -> Result<String, BenchError> {
    let id = made["id"].as_str().ok_or_else(|| BenchError::Strange {
        request: format!("POST {path}"),
        missing: "the id of what was made",
    });
    id.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bystanders_come_after_the_endpoints_and_want_another_event_type() {
        let wanted = Wanted {
            receiver: "http://r".to_owned(),
            numbers: 1..3,
            bystanders: 1,
        };
        let made = [0, 1, 2].map(|number| wanted.endpoint(number));
        let expected = [
            json!({"url": "http://r/e/1"}),
            json!({"url": "http://r/e/2"}),
            json!({"url": "http://r/e/0", "filterTypes": ["bench.other"]}),
        ];
        assert_eq!(made, expected);
    }
}
