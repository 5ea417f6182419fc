//! One of the two servers of an import, and what is read of it. Lists are read to their end; only
//! so many questions are open at once, and the client waits as long as the server asks it to.

use super::plan::Found;
use super::state::{self, Application, Endpoint, Fields, Key, State};
use crate::client::{Client, ClientError, Patience, Request};
use crate::failure::Failure;
use http::StatusCode;
use indicatif::ProgressBar;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::JoinSet;

/// How many rows a page has: the most that the API gives.
const PAGE_ROWS: &str = "250";
/// The same of event types, which bring their schemas.
const PAGE_EVENT_TYPES: &str = "50";
/// More than this is no list.
const ROWS_MAX: usize = 1_000_000;

/// One of the two servers.
pub(super) struct Side {
    /// As it is called in errors.
    pub(super) name: &'static str,
    pub(super) client: Client,
    /// How many requests may be open.
    pub(super) at_once: usize,
}

/// What there is, or `None` of what is gone.
type Answered<T> = Result<Option<T>, Failure>;

impl Side {
    /// All that there is to move: event types, and of these applications, or of all, their
    /// endpoints with headers and secrets.
    pub(super) async fn source(
        self: &Arc<Self>,
        only: &[String],
        bar: &ProgressBar,
    ) -> Result<State, Failure> {
        self.greet().await?;
        bar.set_message("reading the source's event types");
        let event_types = self.event_types().await?;
        bar.set_message("reading the source's applications");
        let applications = if only.is_empty() {
            let request = Request::get(["app"]).query("order", "ascending");
            let request = request.query("limit", PAGE_ROWS);
            let mut all = self.list(request, state::application).await?;
            all.retain(|application| !application.is_the_operators());
            all
        } else {
            let mut named: Vec<Application> = Vec::new();
            for path in only {
                let found = self.application(path).await?;
                let found = found.ok_or_else(|| self.nothing_there(path))?;
                // It may be named twice, by its id and its uid.
                if named.iter().all(|other| other.id != found.id) {
                    named.push(found);
                }
            }
            named
        };
        bar.set_length(applications.len() as u64);
        let read = try_each(applications, self.at_once, |application| {
            let (side, bar) = (self.clone(), bar.clone());
            async move {
                let read = side.with_endpoints(application).await;
                bar.inc(1);
                read
            }
        });
        Ok(State {
            event_types,
            // What was deleted meanwhile is not there any more.
            applications: read.await?.into_iter().flatten().collect(),
        })
    }

    /// What is there already of that which is wanted.
    pub(super) async fn target(
        self: &Arc<Self>,
        wanted: &Arc<State>,
        bar: &ProgressBar,
    ) -> Result<Found, Failure> {
        bar.set_message("reading the target");
        let event_types = self.event_types().await?;
        let count = wanted.applications.len();
        bar.reset();
        bar.set_length(count as u64);
        let read = try_each((0..count).collect(), self.at_once, |place| {
            let (side, wanted, bar) = (self.clone(), wanted.clone(), bar.clone());
            async move {
                let found = side.counterpart(&wanted.applications[place]).await;
                bar.inc(1);
                found
            }
        });
        Ok(Found {
            event_types,
            applications: read.await?,
        })
    }

    /// Whether there is a server at all: there is no need to wait long for a mistyped URL.
    pub(super) async fn greet(&self) -> Result<(), Failure> {
        let request = Request::get(["event-type"]).query("limit", "1");
        match self.client.call_with(&request, Patience::SHORT).await {
            // Busy servers are waited for later.
            Err(error) if !error.status().is_some_and(is_busy) => Err(self.failure(error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// What was not answered as it should be.
    pub(super) fn failure(&self, error: ClientError) -> Failure {
        match Failure::from(error) {
            no @ (Failure::No | Failure::Unconfirmed) => no,
            Failure::Refused(error) => Failure::Refused(error.context(self.name)),
            Failure::Misuse(error) => Failure::Misuse(error.context(self.name)),
            Failure::CouldNot(error) => Failure::CouldNot(error.context(self.name)),
        }
    }

    async fn event_types(&self) -> Result<BTreeMap<String, Fields>, Failure> {
        let request = Request::get(["event-type"])
            .query("include_archived", "true")
            .query("with_content", "true")
            .query("limit", PAGE_EVENT_TYPES);
        let list = self.list(request, state::event_type).await?;
        Ok(list.into_iter().collect())
    }

    async fn application(&self, path: &str) -> Answered<Application> {
        self.one(&Request::get(["app", path]), state::application)
            .await
    }

    async fn with_endpoints(&self, mut application: Application) -> Answered<Application> {
        let path = application.id.clone().unwrap_or_default();
        let Some(endpoints) = self.endpoints(&path).await? else {
            return Ok(None);
        };
        for endpoint in endpoints {
            let read = self.complete(&path, endpoint, (true, true)).await?;
            application.endpoints.extend(read);
        }
        Ok(Some(application))
    }

    /// The application that this one is here, with its endpoints; those that are wanted, whole.
    async fn counterpart(&self, wanted: &Application) -> Answered<Application> {
        let mut found = None;
        for uid in wanted.uids() {
            found = match found {
                None => self.application(&uid).await?,
                found => found,
            };
        }
        let Some(mut application) = found else {
            return Ok(None);
        };
        let path = application.id.clone().unwrap_or_default();
        let Some(mut endpoints) = self.endpoints(&path).await? else {
            return Ok(None);
        };
        for wanted in &wanted.endpoints {
            if let Some(place) = wanted.among(&endpoints) {
                let is_known = !matches!(wanted.key, Key::Unknown);
                let needs = (wanted.headers.is_some(), is_known);
                let endpoint = endpoints.remove(place);
                let whole = self.complete(&path, endpoint, needs).await?;
                endpoints.extend(whole);
            }
        }
        application.endpoints = endpoints;
        Ok(Some(application))
    }

    async fn endpoints(&self, application: &str) -> Answered<Vec<Endpoint>> {
        let request = Request::get(["app", application, "endpoint"])
            .query("order", "ascending")
            .query("limit", PAGE_ROWS);
        match self.pages(request, state::endpoint).await {
            Ok(list) => Ok(Some(list)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(self.failure(error)),
        }
    }

    /// The endpoint with its headers and its key, where they are needed.
    async fn complete(
        &self,
        application: &str,
        mut endpoint: Endpoint,
        (headers, key): (bool, bool),
    ) -> Answered<Endpoint> {
        let id = endpoint.id.clone().unwrap_or_default();
        let path = |what| Request::get(["app", application, "endpoint", &id, what]);
        if headers {
            let Some(read) = self.one(&path("headers"), state::headers).await? else {
                return Ok(None);
            };
            endpoint.headers = Some(read);
        }
        if key {
            let Some(read) = self.one(&path("secret"), state::key).await? else {
                return Ok(None);
            };
            endpoint.key = read;
        }
        Ok(Some(endpoint))
    }

    async fn one<T>(&self, request: &Request, read: fn(&Value) -> Option<T>) -> Answered<T> {
        match self.client.ask::<Value>(request).await {
            Ok(object) => match read(&object) {
                Some(object) => Ok(Some(object)),
                None => Err(self.failure(self.makes_no_sense())),
            },
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(self.failure(error)),
        }
    }

    async fn list<T>(
        &self,
        request: Request,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let list = self.pages(request, read).await;
        list.map_err(|error| self.failure(error))
    }

    /// All rows of a list.
    async fn pages<T>(
        &self,
        request: Request,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, ClientError> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        let mut page = request.clone();
        loop {
            let answer: Value = self.client.ask(&page).await?;
            let rows = answer["data"].as_array();
            let rows = rows.ok_or_else(|| self.makes_no_sense())?;
            for row in rows {
                all.push(read(row).ok_or_else(|| self.makes_no_sense())?);
            }
            if answer["done"] != Value::Bool(false) {
                return Ok(all);
            }
            let iterator = answer["iterator"].as_str().map(str::to_owned);
            let next = iterator.filter(|next| seen.insert(next.clone()));
            let (Some(next), true) = (next, all.len() < ROWS_MAX) else {
                return Err(self.client.strange("its list has no end"));
            };
            page = request.clone().query("iterator", next);
        }
    }

    fn makes_no_sense(&self) -> ClientError {
        self.client.strange("its answer makes no sense")
    }

    fn nothing_there(&self, path: &str) -> Failure {
        let path = super::super::escaped(path);
        Failure::Misuse(anyhow::anyhow!("{} has no application {path}", self.name))
    }
}

/// Does the same with each, with so many at once; what comes out is in the order of what went in.
pub(super) async fn each<T, R, W>(
    items: Vec<T>,
    at_once: usize,
    work: impl Fn(T) -> W,
) -> Result<Vec<R>, Failure>
where
    R: Send + 'static,
    W: Future<Output = R> + Send + 'static,
{
    let work = |item| {
        let work = work(item);
        async move { Ok(work.await) }
    };
    try_each(items, at_once, work).await
}

/// The same, to the first that fails: the others are let go of.
async fn try_each<T, R, W>(
    items: Vec<T>,
    at_once: usize,
    work: impl Fn(T) -> W,
) -> Result<Vec<R>, Failure>
where
    R: Send + 'static,
    W: Future<Output = Result<R, Failure>> + Send + 'static,
{
    let mut open = JoinSet::new();
    let mut done = BTreeMap::new();
    let mut items = items.into_iter().enumerate();
    loop {
        while open.len() < at_once.max(1)
            && let Some((place, item)) = items.next()
        {
            let work = work(item);
            open.spawn(async move { (place, work.await) });
        }
        let Some(joined) = open.join_next().await else {
            return Ok(done.into_values().collect());
        };
        let (place, result) = joined.map_err(Failure::could_not)?;
        done.insert(place, result?);
    }
}

fn is_busy(status: u16) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS.as_u16() || status >= 500
}

fn is_gone(error: &ClientError) -> bool {
    error.status() == Some(StatusCode::NOT_FOUND.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn so_many_are_done_at_once_and_come_out_in_their_order() {
        let open = Arc::new(AtomicUsize::new(0));
        let work = |number: usize| {
            let open = open.clone();
            async move {
                let others = open.fetch_add(1, Ordering::SeqCst);
                // The later ones are done first.
                for _ in 0..(10 - number) {
                    tokio::task::yield_now().await;
                }
                open.fetch_sub(1, Ordering::SeqCst);
                (number, others)
            }
        };
        let done = each((0..10).collect(), 3, work).await.unwrap();
        let numbers: Vec<_> = done.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (0..10).collect::<Vec<_>>());
        assert_eq!(done.iter().map(|(_, others)| *others).max(), Some(2));
    }

    #[tokio::test]
    async fn the_first_that_fails_ends_it() {
        let begun = Arc::new(AtomicUsize::new(0));
        let work = |number: usize| {
            let begun = begun.clone();
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                match number {
                    1 => Err(Failure::CouldNot(anyhow!("away"))),
                    _ => std::future::pending::<Result<(), Failure>>().await,
                }
            }
        };
        let ended = try_each((0..100).collect(), 4, work).await;
        assert!(matches!(ended, Err(Failure::CouldNot(_))));
        assert!(begun.load(Ordering::SeqCst) <= 4);
    }
}
