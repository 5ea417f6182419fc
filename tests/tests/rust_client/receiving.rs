//! The story's part about sources: they are made and looked up, take what their senders sign, and
//! pass it on to endpoints of their own. How other senders sign is told elsewhere.

use std::collections::BTreeMap;

use e2e::{Api, Signed};
use serde_json::json;
use svix::Webhook;
use svix::api::IngestSourceListOptions;
use svix::models::{
    CronConfig, IngestEndpointHeadersIn, IngestEndpointIn, IngestEndpointSecretIn,
    IngestEndpointUpsertIn, IngestSourceConsumerPortalAccessIn, IngestSourceIn,
    IngestSourceInConfig, IngestSourceOutConfig, Ordering, StripeConfig, StripeConfigOut,
    SvixConfig, SvixConfigOut,
};

use crate::{Story, ask, done, refused};

/// What a sender signs with.
const THEIRS: &str = "whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ";
/// What deliveries are signed with, once it is chosen.
const CHOSEN: &str = "whsec_CAgICAgICAgICAgICAgICAgICAgICAgI";
const PAID: &str = r#"{"type":"payment.made","amount":12}"#;

fn payments() -> String {
    "rust-payments".to_owned()
}

fn desk() -> String {
    "desk".to_owned()
}

fn named(name: &str, uid: Option<String>, config: IngestSourceInConfig) -> IngestSourceIn {
    IngestSourceIn {
        name: name.to_owned(),
        uid,
        metadata: None,
        config,
    }
}

fn map(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

pub(crate) async fn sources(story: &Story) {
    let stripe = IngestSourceInConfig::Stripe(StripeConfig::new(THEIRS.to_owned()));
    let mut cards = named("Cards", Some(payments()), stripe);
    cards.metadata = Some(map("team", "billing"));
    let made = done!(story, ingest.source.create(cards, None));
    assert!(made.id.starts_with("src_"), "{made:?}");
    assert_eq!(
        (made.name.as_str(), &made.uid),
        ("Cards", &Some(payments()))
    );
    assert_eq!(
        made.config,
        IngestSourceOutConfig::Stripe(StripeConfigOut {})
    );
    assert_eq!(made.metadata, map("team", "billing"));
    assert_eq!(done!(story, ingest.source.get(payments())), made);

    let svix = || IngestSourceInConfig::Svix(SvixConfig::new(THEIRS.to_owned()));
    let whole = || named("Payments", Some(payments()), svix());
    let conflict = ask!(story, ingest.source.create(whole(), None));
    assert_eq!(refused(409, conflict), "conflict");
    let put = done!(story, ingest.source.upsert(payments(), whole()));
    assert_eq!((&put.id, &put.ingest_url), (&made.id, &made.ingest_url));
    assert_eq!(put.config, IngestSourceOutConfig::Svix(SvixConfigOut {}));
    assert!(
        put.ingest_url.is_some() && put.metadata.is_empty(),
        "{put:?}"
    );

    let cron = CronConfig::new("0 3 * * *".to_owned(), "{}".to_owned());
    let nightly = named("Nightly", None, IngestSourceInConfig::Cron(cron.clone()));
    let nightly = done!(story, ingest.source.create(nightly, None));
    assert_eq!(nightly.config, IngestSourceOutConfig::Cron(cron));
    assert_eq!(nightly.ingest_url, None);
    let rotated = ask!(story, ingest.source.rotate_token(nightly.id.clone(), None));
    assert_eq!(refused(400, rotated), "no_ingest_url");
    pages_of_sources(story, [&nightly.id, &made.id]).await;
    done!(story, ingest.source.delete(nightly.id.clone()));
    let gone = ask!(story, ingest.source.get(nightly.id));
    assert_eq!(refused(404, gone), "not_found");
}

/// Of these, the first is the newest of all.
async fn pages_of_sources(story: &Story, [newest, older]: [&str; 2]) {
    let descending = |limit, iterator| {
        Some(IngestSourceListOptions {
            limit,
            iterator,
            order: Some(Ordering::Descending),
        })
    };
    let first = done!(story, ingest.source.list(descending(Some(1), None)));
    assert_eq!((first.data.len(), first.done), (1, false));
    assert_eq!(first.data[0].id, newest);
    let second = done!(story, ingest.source.list(descending(None, first.iterator)));
    assert!(second.data.iter().any(|it| it.id == older));
    assert!(second.data.iter().all(|it| it.id != newest));
}

/// The client can't say how requests of the type `generic-webhook` are signed, but it reads
/// sources of whoever could.
pub(crate) async fn a_described_source_is_read(story: &Story, api: &Api) {
    let nothing = named("Anybody", None, IngestSourceInConfig::GenericWebhook);
    let nothing = ask!(story, ingest.source.create(nothing, None));
    assert_eq!(refused(422, nothing), "body.config.unverified");
    let signature = json!({"header": "x-signature", "hash": "sha256", "encoding": "hex"});
    let body = json!({
        "name": "Warehouse", "type": "generic-webhook",
        "config": {"secrets": ["one-of-the-warehouse"], "signature": signature},
    });
    let made = api.post("/ingest/api/v1/source", &body).await.expect(201);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let read = done!(story, ingest.source.get(id.clone()));
    assert_eq!(read.config, IngestSourceOutConfig::GenericWebhook);
    let all = done!(story, ingest.source.list(None));
    assert!(all.data.contains(&read), "{all:?}");
    done!(story, ingest.source.delete(id));
}

pub(crate) async fn its_endpoints_are_its_own(story: &Story) {
    let new = IngestEndpointIn {
        uid: Some(desk()),
        metadata: Some(map("floor", "2")),
        headers: Some(map("X-Desk", "one")),
        ..IngestEndpointIn::new(story.receiver.url("/desk"))
    };
    let made = done!(story, ingest.endpoint.create(payments(), new, None));
    assert!(made.id.starts_with("ep_"), "{made:?}");
    assert_eq!((&made.uid, made.disabled), (&Some(desk()), Some(false)));
    assert_eq!(made.metadata, map("floor", "2"));
    assert_eq!(done!(story, ingest.endpoint.get(payments(), desk())), made);
    let all = done!(story, ingest.endpoint.list(payments(), None));
    assert_eq!(all.data, std::slice::from_ref(&made));
    let anew = IngestEndpointUpsertIn {
        uid: Some(desk()),
        description: Some("All that is paid".to_owned()),
        throttle_rate: Some(900),
        ..IngestEndpointUpsertIn::new(made.url)
    };
    let whole = done!(story, ingest.endpoint.upsert(payments(), desk(), anew));
    assert_eq!((whole.id, whole.throttle_rate), (made.id, Some(900)));
    assert_eq!(whole.description, "All that is paid");

    let got = done!(story, ingest.endpoint.get_headers(payments(), desk()));
    assert_eq!(got.headers, map("X-Desk", "one"));
    let two = IngestEndpointHeadersIn::new(map("X-Desk", "two"));
    done!(story, ingest.endpoint.set_headers(payments(), desk(), two));
    let got = done!(story, ingest.endpoint.get_headers(payments(), desk()));
    assert_eq!(
        (got.headers, got.sensitive),
        (map("X-Desk", "two"), [].into())
    );

    let rotation = IngestEndpointSecretIn {
        key: Some(CHOSEN.to_owned()),
        grace_period_seconds: Some(0),
    };
    assert_ne!(secret(story).await, CHOSEN);
    done!(
        story,
        ingest
            .endpoint
            .rotate_secret(payments(), desk(), rotation, None)
    );
    assert_eq!(secret(story).await, CHOSEN);
}

async fn secret(story: &Story) -> String {
    done!(story, ingest.endpoint.get_secret(payments(), desk())).key
}

pub(crate) async fn what_it_takes_is_delivered(story: &Story, api: &Api) {
    let source = done!(story, ingest.source.get(payments()));
    let before = source.ingest_url.expect("requests arrive there");
    let taken = api.call(signed().to(path(&before))).await.expect(200);
    let got = story.next("/desk", CHOSEN).await;
    assert_eq!(
        (got.id(), &got.body[..]),
        (taken.json()["id"].as_str().expect("an id"), PAID.as_bytes())
    );
    assert_eq!(got.header("x-desk"), "two");
    let forged = signed().with_body(PAID.replace("12", "13"));
    api.call(forged.to(path(&before))).await.expect(401);

    let rotated = done!(story, ingest.source.rotate_token(payments(), None)).ingest_url;
    assert_ne!(rotated, before);
    let source = done!(story, ingest.source.get(payments()));
    assert_eq!(source.ingest_url.as_ref(), Some(&rotated));
    api.call(signed().to(path(&before))).await.expect(401);
    api.call(signed().to(path(&rotated))).await.expect(200);
    story.next("/desk", CHOSEN).await;
}

/// As Svix signs it, now.
fn signed() -> Signed {
    let now = jiff::Timestamp::now();
    let (id, time) = (format!("evt_{}", now.as_nanosecond()), now.as_second());
    let webhook = Webhook::new(THEIRS).expect("the secret is one");
    let signature = webhook.sign(&id, time, PAID.as_bytes()).expect("it signs");
    let headers = [
        ("svix-id", id),
        ("svix-timestamp", time.to_string()),
        ("svix-signature", signature),
    ];
    Signed {
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body: PAID.into(),
    }
}

/// Where an inbound URL is, at the server.
fn path(url: &str) -> &str {
    let start = url.find("/in/").expect("it is an inbound URL");
    &url[start..]
}

pub(crate) async fn its_people_reach_what_is_theirs_until_it_is_deleted(story: &Story) {
    let source = done!(story, ingest.source.get(payments())).id;
    let hour = IngestSourceConsumerPortalAccessIn {
        expiry: Some(3600),
        ..IngestSourceConsumerPortalAccessIn::new()
    };
    let access = done!(
        story,
        ingest
            .authentication
            .consumer_portal_access(payments(), hour, None)
    );
    assert!(!access.url.contains(&access.token), "{}", access.url);
    let own = story.with_token(access.token);
    done!(own, endpoint.get(source.clone(), desk()));
    refused(403, ask!(own, ingest.source.list(None)));

    done!(story, ingest.endpoint.delete(payments(), desk()));
    refused(404, ask!(story, ingest.endpoint.get(payments(), desk())));
    done!(story, ingest.source.delete(payments()));
    refused(404, ask!(story, ingest.source.get(payments())));
    refused(404, ask!(story, application.get(source)));
}
