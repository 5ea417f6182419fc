//! What is kept of refused requests, for people to look at: where the source wants it, and nothing
//! that is secret.

use crate::sender::{BODY, FIRST, Sending, secret, with_secrets};
use crate::world::World;
use app::sources::RefusedRequest;
use app::{Caller, ListInput, Who};
use model::hops::Hops;
use model::protection::{Credential, KeyPlace};
use model::source::{AuthDemanded, SourceConfig};
use std::time::Duration;
use store::change::{Change, ChangeRequest};
use store::security::{FoldedEvent, SecurityWrite};

fn keeping(config: SourceConfig) -> SourceConfig {
    SourceConfig {
        keeps_refused: true,
        ..config
    }
}

impl World {
    /// Keeps what was reported, each for itself, and gives what the source's log has of it, the
    /// oldest first.
    async fn log(&self, source: &str) -> Vec<Option<RefusedRequest>> {
        let events = self.events.take().into_iter();
        let writes = events.map(|event| SecurityWrite {
            onto: None,
            event: FoldedEvent {
                kind: event.kind,
                severity: event.kind.severity(),
                subject: event.subject,
                application: event.application,
                remote_address: event.remote_address,
                count: 1,
                first_seen: event.at,
                last_seen: event.at,
                description: event.description,
                sample: event.sample.as_deref().map(store::Sealed::copy_from_slice),
            },
        });
        let request = ChangeRequest {
            change: Change::KeepSecurityEvents(writes.collect()),
            idempotency: None,
            audit: None,
        };
        self.app.store.change(request).await.expect("it is done");
        let input = ListInput::default();
        let caller = Caller {
            who: Who::Organisation,
            subject: "org".to_owned(),
            remote_address: None,
            idempotency: None,
            hops: Hops::NONE,
            trace: None,
            shown: None,
        };
        let log = self.app.source_log(&caller, source, &input);
        let page = log.await.expect("the source is there");
        let entries = page.data.into_iter().rev();
        entries.map(|entry| entry.request).collect()
    }
}

#[tokio::test]
async fn what_is_refused_is_kept_where_the_source_wants_it_and_nowhere_else() {
    let world = World::new();
    for keeps_refused in [true, false] {
        let config = SourceConfig {
            keeps_refused,
            ..with_secrets(&[FIRST])
        };
        let at = world.source("standard-webhooks", config).await;
        let forged = Sending::to(&at, BODY).header("x-trace", "1");
        world.take(&forged).await.refused(401, "signature_invalid");
        let log = world.log(&at.source.id.to_string()).await;
        let headers = [("content-type", "application/json"), ("x-trace", "1")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let expected = keeps_refused.then(|| RefusedRequest {
            headers: headers.into(),
            body: BODY.to_owned(),
        });
        assert_eq!(log, [expected]);
    }
}

#[tokio::test]
async fn what_is_taken_is_not_kept_a_second_time() {
    let world = World::new();
    let config = keeping(with_secrets(&[FIRST]));
    let at = world.source("standard-webhooks", config).await;
    let good = world.standard(&at, "msg_1");
    world.take(&good).await.accepted();
    world.take(&good).await.repeated();
    assert_eq!(world.events.take(), []);
}

#[tokio::test]
async fn no_credential_and_no_secret_of_the_source_is_kept() {
    let world = World::new();
    let config = SourceConfig {
        auth: Some(AuthDemanded::Credential(Credential::ApiKey {
            place: KeyPlace::Header,
            name: "X-Shop".to_owned(),
            value: secret("sesame"),
        })),
        ..keeping(with_secrets(&["a token"]))
    };
    let at = world.source("gitlab", config).await;
    let sending = Sending::to(&at, BODY)
        .header("X-Gitlab-Token", "another")
        .header("X-Shop", "open")
        .header("Authorization", "Basic eA==")
        .header("Cookie", "a=b")
        .header("X-Other", "it is sesame")
        .header("X-Forwarded-Uri", &format!("/in/{}", at.token));
    world.take(&sending).await.refused(401, "signature_invalid");
    world.clock.advance(Duration::from_secs(1));
    let with_body = Sending::to(&at, "the body says: a token");
    world
        .take(&with_body)
        .await
        .refused(401, "signature_invalid");
    let log = world.log(&at.source.id.to_string()).await;
    let log = log.into_iter().flatten();
    let log: Vec<_> = log.map(|kept| (kept.headers.len(), kept.body)).collect();
    let only_content_type = 1;
    let expected = [BODY, ""].map(|body| (only_content_type, body.to_owned()));
    assert_eq!(log, expected);
}

#[tokio::test]
async fn of_a_flood_one_a_second_is_kept_and_what_was_not_read_is_not() {
    let world = World::new();
    let config = keeping(with_secrets(&[FIRST]));
    let at = world.source("standard-webhooks", config).await;
    let too_long = Sending::to(&at, &"a".repeat(64 * 1024 + 1));
    world.take(&too_long).await.refused(413, "too_large");
    for _ in 0..3 {
        let forged = Sending::to(&at, BODY);
        world.take(&forged).await.refused(401, "signature_invalid");
    }
    world.clock.advance(Duration::from_secs(1));
    world
        .take(&Sending::to(&at, "{}"))
        .await
        .refused(401, "signature_invalid");
    let events = world.events.take();
    let kept: Vec<_> = events.iter().map(|event| event.sample.is_some()).collect();
    assert_eq!(kept, [false, true, false, false, true]);
}
