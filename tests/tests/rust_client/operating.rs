//! The story's part about whoever runs the installation: endpoints are told what happens in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use svix::models::{
    ApplicationIn, EndpointIn, OperationalWebhookEndpointHeadersIn, OperationalWebhookEndpointIn,
    OperationalWebhookEndpointSecretIn, OperationalWebhookEndpointUpsertIn,
};

use crate::{Story, ask, done, refused, set};

/// What deliveries are signed with, once it is chosen.
const CHOSEN: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

fn ops() -> String {
    "ops".to_owned()
}

fn desk(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("X-Desk".to_owned(), name.to_owned())])
}

pub(crate) async fn its_endpoints_are_the_operators(story: &Story) {
    let new = OperationalWebhookEndpointIn {
        uid: Some(ops()),
        event_types: Some(set(&["endpoint.created"])),
        headers: Some(desk("one")),
        ..OperationalWebhookEndpointIn::new(story.receiver.url("/ops"))
    };
    let made = done!(story, operational_webhook.endpoint.create(new, None));
    assert!(made.id.starts_with("ep_"), "{made:?}");
    assert_eq!((&made.uid, made.disabled), (&Some(ops()), Some(false)));
    let got = done!(story, operational_webhook.endpoint.get(ops()));
    assert_eq!(got, made);
    let all = done!(story, operational_webhook.endpoint.list(None));
    assert_eq!(all.data, std::slice::from_ref(&made));
    let unknown = OperationalWebhookEndpointIn {
        event_types: Some(set(&["invoice.paid"])),
        ..OperationalWebhookEndpointIn::new(made.url.clone())
    };
    let unknown = ask!(story, operational_webhook.endpoint.create(unknown, None));
    assert_eq!(refused(422, unknown), "body.eventTypes");
    let anew = OperationalWebhookEndpointUpsertIn {
        uid: Some(ops()),
        event_types: Some(set(&["endpoint.created"])),
        description: Some("All that is made".to_owned()),
        ..OperationalWebhookEndpointUpsertIn::new(made.url)
    };
    let whole = done!(story, operational_webhook.endpoint.upsert(ops(), anew));
    assert_eq!(whole.id, made.id);
    assert_eq!(whole.description, "All that is made");

    let got = done!(story, operational_webhook.endpoint.get_headers(ops()));
    assert_eq!(got.headers, desk("one"));
    let two = OperationalWebhookEndpointHeadersIn::new(desk("two"));
    done!(story, operational_webhook.endpoint.set_headers(ops(), two));
    let got = done!(story, operational_webhook.endpoint.get_headers(ops()));
    assert_eq!(got.headers, desk("two"));
    let rotation = OperationalWebhookEndpointSecretIn {
        key: Some(CHOSEN.to_owned()),
        grace_period_seconds: Some(0),
    };
    assert_ne!(secret(story).await, CHOSEN);
    done!(
        story,
        operational_webhook
            .endpoint
            .rotate_secret(ops(), rotation, None)
    );
    assert_eq!(secret(story).await, CHOSEN);
}

async fn secret(story: &Story) -> String {
    done!(story, operational_webhook.endpoint.get_secret(ops())).key
}

pub(crate) async fn what_happens_is_told(story: &Story) {
    let watched = ApplicationIn {
        uid: Some("rust-watched".to_owned()),
        ..ApplicationIn::new("Watched".to_owned())
    };
    let watched = done!(story, application.create(watched, None)).id;
    let hook = EndpointIn {
        uid: Some("hook".to_owned()),
        ..EndpointIn::new(story.receiver.url("/main"))
    };
    let hook = done!(story, endpoint.create(watched.clone(), hook, None)).id;
    let told = story.next("/ops", CHOSEN).await;
    assert_eq!(told.header("x-desk"), "two");
    let body: Value = serde_json::from_slice(&told.body).expect("it is JSON");
    let data = json!({
        "appId": watched, "appUid": "rust-watched", "endpointId": hook, "endpointUid": "hook",
    });
    assert_eq!(body, json!({ "type": "endpoint.created", "data": data }));
    done!(story, application.delete(watched));
    done!(story, operational_webhook.endpoint.delete(ops()));
    let gone = ask!(story, operational_webhook.endpoint.get(ops()));
    refused(404, gone);
}
