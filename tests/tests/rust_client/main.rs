//! The whole life of an application through the published crate `svix`, unmodified: create, send,
//! look up, rotate, resend, recover, delete. What arrives is verified with the crate's verifier.
//!
//! It tells what `tests/clients/story.mjs` tells; every call goes through [`ask!`], which notes
//! the method, so that `methods` can find the ones that were forgotten.

mod access;
mod background;
mod carrying;
mod ending;
mod making;
mod methods;
mod operating;
mod receiving;
mod sending;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::{Answer, Options, Received, Receiver, Server};
use svix::Webhook;
use svix::api::{Svix, SvixOptions};
use svix::models::MessageIn;

/// The application's uid.
const APP: &str = "rust-shop";

/// Calls a method of the client, and notes it when it was answered.
macro_rules! ask {
    ($story:expr, $noun:ident.$method:ident($($argument:expr),* $(,)?)) => {{
        let answer = $story.client.$noun().$method($($argument),*).await;
        if answer.is_ok() {
            $story.note(concat!(stringify!($noun), ".", stringify!($method)));
        }
        answer
    }};
    ($story:expr, $noun:ident.$part:ident.$method:ident($($argument:expr),* $(,)?)) => {{
        let answer = $story.client.$noun().$part().$method($($argument),*).await;
        if answer.is_ok() {
            let called = concat!(
                stringify!($noun), "_", stringify!($part), ".", stringify!($method),
            );
            $story.note(called);
        }
        answer
    }};
}

/// As [`ask!`], for what must succeed.
macro_rules! done {
    ($story:expr, $noun:ident.$($method:ident).+($($argument:expr),* $(,)?)) => {
        ask!($story, $noun.$($method).+($($argument),*))
            .expect(stringify!($noun.$($method).+))
    };
}

pub(crate) use {ask, done};

/// The client, what was called of it, and the receiver of what is sent.
struct Story {
    client: Svix,
    called: Arc<Mutex<BTreeSet<&'static str>>>,
    receiver: Arc<Receiver>,
    /// Whether the path `/flaky` answers 503.
    failing: Arc<AtomicBool>,
}

#[tokio::test]
async fn crate_svix_goes_through_every_operation_that_is_built() {
    let mut server = Server::start(Options::dev().option("--retry-schedule", "1")).await;
    let story = Story::begin(&mut server).await;
    making::applications(&story).await;
    making::event_types(&story).await;
    making::imported_event_types(&story).await;
    making::endpoints(&story).await;
    making::headers(&story).await;
    sending::messages_arrive_where_they_match(&story).await;
    sending::an_idempotency_key_makes_one_message(&story).await;
    sending::a_message_is_delivered_when_it_is_due(&story).await;
    sending::messages_are_listed_in_pages(&story).await;
    sending::messages_are_found(&story).await;
    sending::attempts_are_seen_from_both_sides(&story).await;
    ending::a_rotated_secret_signs_until_its_grace_ends(&story).await;
    ending::what_failed_is_resent_and_recovered(&story).await;
    background::what_an_endpoint_never_got_is_sent(&story).await;
    background::usage_is_counted(&story).await;
    ending::an_example_is_sent(&story).await;
    ending::content_is_removed_for_good(&story).await;
    background::all_content_is_removed(&story).await;
    carrying::an_installation_is_carried_elsewhere(&story).await;
    access::an_own_token_reaches_its_own(&story).await;
    let api = server.api().await;
    receiving::sources(&story).await;
    receiving::a_described_source_is_read(&story, &api).await;
    receiving::its_endpoints_are_its_own(&story).await;
    receiving::what_it_takes_is_delivered(&story, &api).await;
    receiving::its_people_reach_what_is_theirs_until_it_is_deleted(&story).await;
    ending::what_is_deleted_is_gone(&story).await;
    operating::its_endpoints_are_the_operators(&story).await;
    operating::what_happens_is_told(&story).await;
    done!(story, health.get());

    let document = api.get("/openapi.json").await;
    let called = story.called.lock().expect("nobody panics with it").clone();
    methods::assert_none_forgotten(&document.json(), &called).await;
}

impl Story {
    async fn begin(server: &mut Server) -> Self {
        let options = SvixOptions {
            server_url: Some(server.url()),
            num_retries: Some(1),
            timeout: Some(Duration::from_secs(60)),
            ..SvixOptions::default()
        };
        let failing = Arc::new(AtomicBool::new(false));
        let fails = Arc::clone(&failing);
        let receiver = Receiver::start(move |request| {
            let status = match request.path.as_str() {
                "/flaky" if fails.load(Ordering::SeqCst) => 503,
                _ => 200,
            };
            Answer::status(status).body("taken")
        });
        Self {
            client: Svix::new(server.token().await, Some(options)),
            called: Arc::default(),
            receiver: Arc::new(receiver.await),
            failing,
        }
    }

    /// The same with another token.
    fn with_token(&self, token: String) -> Self {
        Self {
            client: self.client.with_token(token),
            called: Arc::clone(&self.called),
            receiver: Arc::clone(&self.receiver),
            failing: Arc::clone(&self.failing),
        }
    }

    fn note(&self, method: &'static str) {
        self.called
            .lock()
            .expect("nobody panics with it")
            .insert(method);
    }

    async fn secret(&self, endpoint: &str) -> String {
        done!(self, endpoint.get_secret(app(), endpoint.to_owned())).key
    }

    /// Sends a message that must be accepted; gives its id.
    async fn send(&self, message: MessageIn) -> String {
        done!(self, message.create(app(), message, None)).id
    }

    /// The next request, which must be at `path` and verify with `secret`.
    async fn next(&self, path: &str, secret: &str) -> Received {
        let request = self.receiver.next().await;
        assert_eq!(request.path, path);
        let webhook = Webhook::new(secret).expect("the secret is one");
        let verdict = webhook.verify(&request.body, &request.headers);
        verdict.unwrap_or_else(|error| panic!("{error}: {request:?}"));
        request
    }
}

fn app() -> String {
    APP.to_owned()
}

fn paid(payload: serde_json::Value) -> MessageIn {
    MessageIn::new("invoice.paid".to_owned(), payload)
}

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(ToString::to_string).collect()
}

/// Holds a refusal to its status; gives its code, or where the first violation is.
#[track_caller]
fn refused<T: Debug>(status: u16, answer: svix::Result<T>) -> String {
    match answer.expect_err("it should have been refused") {
        svix::Error::Http(error) => {
            assert_eq!(error.status.as_u16(), status, "{error:?}");
            error.payload.expect("the contract's error shape").code
        }
        svix::Error::Validation(error) => {
            assert_eq!(status, 422, "{error:?}");
            let detail = error.payload.expect("the contract's error shape").detail;
            detail
                .first()
                .expect("at least one violation")
                .loc
                .join(".")
        }
        other => panic!("no answer: {other:?}"),
    }
}
