//! How long pages take on a store with a history: each is asked for by somebody who is signed in,
//! one request after the other, with ids of what is there in place of its path's braces.
//!
//! It knows no page: which there are, it is told.

use super::Bench;
use crate::BenchError;
use crate::dial::{Connection, Place};
use crate::histogram::{Histogram, Latency};
use crate::plan::{Case, Plan, Way};
use crate::run::{Stage, Step};
use crate::subjects::Subjects;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;

/// How long a page may take, 99 of 100 times.
pub const PAGE_WITHIN: Duration = Duration::from_millis(100);
/// How often each is asked for.
const TIMES: u64 = 100;
/// And before, without being counted: what is read for the first time is read for long.
const WARM_UP: u64 = 3;

/// Which pages there are, and how one signs in to them.
#[derive(Debug, Clone)]
pub struct Pages {
    /// The paths, with the names of what is open in braces.
    pub paths: Vec<String>,
    /// Where the operator's people sign in, by a form with a `token`.
    pub sign_in: &'static str,
    /// What paths of the portal begin with: its people come in by a link.
    pub portal: &'static str,
}

/// How long pages took.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PagesReport {
    /// Messages that were stored, at the least.
    pub stored: u64,
    /// How long each may take.
    pub within_ms: f64,
    /// Each page.
    pub pages: Vec<PageFigures>,
}

/// How long a page took.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageFigures {
    /// Its path, with braces.
    pub path: String,
    /// How it was answered.
    pub status: u16,
    /// How long it is.
    pub bytes: usize,
    /// From the request until all of the page was there.
    pub latency: Latency,
}

impl PageFigures {
    /// Whether it was there in time.
    pub fn is_good(&self) -> bool {
        let is_there = matches!(self.status, 200..400);
        is_there && self.latency.p99 <= PAGE_WITHIN.as_secs_f64() * 1e3
    }
}

/// Fills a store with so many messages, and asks for each of the pages.
///
/// # Errors
/// A part can't be started or ends; the server refuses something; a path names what there is no id
/// for.
pub async fn run(
    plan: &Plan,
    (stored, pages): (u64, &Pages),
    watch: &dyn Fn(&Stage),
) -> Result<PagesReport, BenchError> {
    let case = Case {
        stored,
        nodes: plan.nodes.first().copied(),
        ..Case::plain(Way::Postrider, 1)
    };
    let mut bench = Bench::open(plan, watch).await?;
    let outcome = bench.pages(&case, pages).await;
    let closed = bench.close().await;
    let pages = outcome?;
    closed?;
    Ok(PagesReport {
        stored,
        within_ms: PAGE_WITHIN.as_secs_f64() * 1e3,
        pages,
    })
}

impl Bench<'_> {
    async fn pages(&mut self, case: &Case, pages: &Pages) -> Result<Vec<PageFigures>, BenchError> {
        self.fill(case).await?;
        let target = self.target(case).await?;
        let outcome = self.ask(case, pages, &target).await;
        target.stop().await;
        outcome
    }

    async fn ask(
        &self,
        case: &Case,
        pages: &Pages,
        target: &crate::target::Target,
    ) -> Result<Vec<PageFigures>, BenchError> {
        let subjects = Subjects::make(target, &self.secret).await?;
        let place = &target.places[0];
        let token = target.token.as_deref().unwrap_or_default();
        let mut operator = Browser::new(place);
        let form = format!("token={token}");
        operator.sign_in(pages.sign_in, form).await?;
        let mut tenant = Browser::new(place);
        tenant.sign_in(&subjects.portal, String::new()).await?;
        let mut figures = Vec::with_capacity(pages.paths.len());
        for (number, path) in (0..).zip(&pages.paths) {
            (self.watch)(&Stage {
                step: Step::Pages {
                    stored: case.stored,
                },
                arrived: number,
                expected: pages.paths.len() as u64,
            });
            let browser = match path.starts_with(pages.portal) {
                true => &mut tenant,
                false => &mut operator,
            };
            figures.push(browser.measure(path, &subjects.put_into(path)?).await?);
        }
        Ok(figures)
    }
}

/// Somebody who looks at pages.
struct Browser {
    place: Place,
    connection: Option<Connection>,
    cookie: String,
}

/// What was answered.
struct Answered {
    status: StatusCode,
    cookie: Option<String>,
    body: Bytes,
}

impl Browser {
    fn new(place: &Place) -> Self {
        Self {
            place: place.clone(),
            connection: None,
            cookie: String::new(),
        }
    }

    async fn sign_in(&mut self, path: &str, form: String) -> Result<(), BenchError> {
        let answered = self.send(Method::POST, path, form).await?;
        let cookie = answered
            .cookie
            .filter(|_| answered.status == StatusCode::SEE_OTHER);
        self.cookie =
            cookie.ok_or_else(|| BenchError::refused(path, answered.status, &answered.body))?;
        Ok(())
    }

    async fn measure(&mut self, path: &str, address: &str) -> Result<PageFigures, BenchError> {
        for _ in 0..WARM_UP {
            self.send(Method::GET, address, String::new()).await?;
        }
        let mut histogram = Histogram::default();
        let mut last = None;
        for _ in 0..TIMES {
            let began = Instant::now();
            last = Some(self.send(Method::GET, address, String::new()).await?);
            histogram.record(began.elapsed().as_micros() as u64);
        }
        let last = last.expect("it was asked for");
        Ok(PageFigures {
            path: path.to_owned(),
            status: last.status.as_u16(),
            bytes: last.body.len(),
            latency: histogram.latency().expect("it was asked for"),
        })
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        form: String,
    ) -> Result<Answered, BenchError> {
        let mut connection = match self.connection.take().filter(|one| !one.is_closed()) {
            Some(connection) => connection,
            None => self.place.connect().await?,
        };
        connection.ready().await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.place.to_string())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, &self.cookie)
            .body(Full::new(Bytes::from(form)));
        let request = request.map_err(|_| BenchError::Url {
            url: path.to_owned(),
            reason: "it has characters that no request can have",
        })?;
        let response = connection.send_request(request).await?;
        let (head, body) = response.into_parts();
        let cookie = head.headers.get(SET_COOKIE);
        let cookie = cookie.and_then(|value| value.to_str().ok()?.split(';').next());
        let answered = Answered {
            status: head.status,
            cookie: cookie.map(str::to_owned),
            body: body.collect().await?.to_bytes(),
        };
        self.connection = Some(connection);
        Ok(answered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_good_that_is_there_in_time() {
        let figures = |status, p99| PageFigures {
            path: "/".to_owned(),
            status,
            bytes: 1,
            latency: Latency {
                p50: 1.0,
                p99,
                p999: p99,
                max: 900.0,
            },
        };
        for (status, p99, good) in [
            (200, 100.0, true),
            (303, 1.0, true),
            (200, 100.1, false),
            (404, 1.0, false),
            (503, 1.0, false),
        ] {
            assert_eq!(figures(status, p99).is_good(), good, "{status} {p99}");
        }
    }
}
