//! What is new in a list that has the newest first, as it comes. It is asked for again and again:
//! the server keeps nothing of whoever follows, so one that was away, or another node, goes on
//! where this left off.
//!
//! Nodes that share a store may commit what they began earlier a moment later. So what was shown
//! lately is looked at again, and not shown twice.

use super::super::escape::plain;
use super::super::say;
use super::super::table::line;
use super::list::Page;
use crate::cli::RemoteArgs;
use crate::client::{Client, ClientError, Request};
use crate::failure::Failure;
use crate::resources::Shows;
use crate::system::SystemClock;
use model::Clock as _;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

/// Between two questions.
const PAUSE: Duration = Duration::from_secs(1);
/// For so long something older may still come.
const SETTLES: Duration = Duration::from_secs(10);
/// Where nothing is there yet to begin behind, all is new that is not older than this.
const LOOK_BACK: Duration = Duration::from_secs(86_400);
/// So much was shown lately at the most that is looked at again.
const RECENT_MAX: usize = 10_000;

/// Follows a list until it is told to end.
pub(super) async fn run(
    client: &Client,
    args: &RemoteArgs,
    request: Request,
) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::could_not)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::could_not)?;
    let following = Following {
        client,
        args,
        request,
        behind: None,
        recent: VecDeque::new(),
    };
    tokio::select! {
        ended = following.follow() => ended,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

struct Following<'a> {
    client: &'a Client,
    args: &'a RemoteArgs,
    request: Request,
    /// The id behind which all that is asked for is looked at.
    behind: Option<String>,
    /// What was shown of that, in this order.
    recent: VecDeque<(Instant, String)>,
}

/// All that has to be known of a row.
#[derive(Deserialize)]
struct Row {
    id: String,
}

impl Following<'_> {
    async fn follow(mut self) -> Result<(), Failure> {
        self.begin().await?;
        let mut away = false;
        loop {
            match self.show_new().await {
                Ok(()) if std::mem::take(&mut away) => eprintln!("the server is there again"),
                Ok(()) => {}
                Err(Trouble::Client(error)) if error.may_pass() => {
                    if !std::mem::replace(&mut away, true) {
                        eprintln!("waiting: {error}");
                    }
                }
                Err(Trouble::Client(error)) => return Err(error.into()),
                Err(Trouble::Output(failure)) => return Err(failure),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Begins behind what is there, unless it is said from when on it is wanted.
    async fn begin(&mut self) -> Result<(), Failure> {
        if self.args.given("after").is_some() {
            return Ok(());
        }
        let mut newest = self.request.clone();
        newest.query = vec![("limit".to_owned(), "1".to_owned())];
        let page: Page<Row> = self.page(&newest).await?;
        match page.data.into_iter().next() {
            Some(row) => self.behind = Some(row.id),
            None => {
                let since = SystemClock::new().now().minus(LOOK_BACK);
                let since = jiff::Timestamp::from_microsecond(since.micros());
                let since = since.map_err(Failure::could_not)?.to_string();
                self.request.query.push(("after".to_owned(), since));
            }
        }
        Ok(())
    }

    /// Shows what is new, the oldest first.
    async fn show_new(&mut self) -> Result<(), Trouble> {
        let mut behind = self.behind.clone();
        loop {
            let mut request = self.request.clone();
            if let Some(id) = &behind {
                request = request.query("iterator", format!("-{id}"));
            }
            let page: Page<Box<RawValue>> = self.page(&request).await?;
            for row in page.data.iter().rev() {
                self.show(row)?;
            }
            let further = page.prev_iterator.as_deref();
            let further = further.and_then(|iterator| iterator.strip_prefix('-'));
            match further {
                Some(id) if !page.done && behind.as_deref() != Some(id) => {
                    behind = Some(id.to_owned());
                }
                _ => break,
            }
        }
        self.settle();
        Ok(())
    }

    fn show(&mut self, row: &RawValue) -> Result<(), Trouble> {
        let strange = |_| self.client.strange("a row of its list has no id");
        let Row { id } = serde_json::from_str(row.get()).map_err(strange)?;
        if self.recent.iter().any(|(_, shown)| *shown == id) {
            return Ok(());
        }
        self.recent.push_back((Instant::now(), id));
        let shown = match (self.args.json, self.args.operation.shows) {
            (false, Shows::Rows { columns, .. }) => {
                let row: Value = serde_json::from_str(row.get()).unwrap_or_default();
                say(line(columns, &row))
            }
            _ => say(plain(row.get())),
        };
        shown.map_err(Trouble::Output)
    }

    /// What was shown long enough ago is begun behind.
    fn settle(&mut self) {
        let is_settled = |(at, _): &mut (Instant, String)| at.elapsed() >= SETTLES;
        while let Some((_, id)) = match self.recent.len() > RECENT_MAX {
            true => self.recent.pop_front(),
            false => self.recent.pop_front_if(is_settled),
        } {
            // Ids are in the order of their texts.
            self.behind = self.behind.take().max(Some(id));
        }
    }

    async fn page<T>(&self, request: &Request) -> Result<Page<T>, ClientError>
    where
        T: for<'de> Deserialize<'de>,
    {
        let body = self.client.call(request).await?;
        let no_list = |_| self.client.strange("its answer is no list");
        serde_json::from_slice(&body).map_err(no_list)
    }
}

/// Why nothing more is shown, for now or for good.
enum Trouble {
    Client(ClientError),
    Output(Failure),
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}
