//! Whom security events are told to: who may say so, what is shown of it, and what is refused.

use crate::world::World;
use serde_json::{Value, json};
use store::access::ALERTS;

const PATH: &str = "/environment/alerts";
const URL: &str = "https://one.customer-site.net/services/T0/B0/sesame";

fn slack() -> Value {
    json!({ "type": "slack", "url": URL })
}

#[tokio::test]
async fn nobody_is_told_at_first_and_what_is_set_is_shown_masked_and_kept_sealed() {
    let world = World::new();
    let none = json!({
        "channels": [], "dedupSeconds": 3_600, "digestSeconds": 900, "atOnce": 5,
    });
    assert_eq!(world.get(PATH).await.is(200).body, none);
    let channel = json!({
        "type": "slack", "url": URL, "minSeverity": "info",
        "kinds": ["secret.read", "api.authentication_failed", "secret.read"],
    });
    let alerts = json!({ "channels": [channel, slack()], "digestSeconds": 60, "atOnce": 2 });
    world.put(PATH, &alerts).await.is(204);
    let masked = "https://one.customer-site.net/***";
    let shown = json!({
        "channels": [
            {
                "type": "slack", "url": masked, "minSeverity": "info",
                "kinds": ["api.authentication_failed", "secret.read"],
            },
            { "type": "slack", "url": masked, "minSeverity": "warning" },
        ],
        "dedupSeconds": 3_600, "digestSeconds": 60, "atOnce": 2,
    });
    assert_eq!(world.get(PATH).await.is(200).body, shown);
    let kept = world.app.store.setting(ALERTS).await.expect("it is read");
    let kept = kept.expect("it is there");
    assert!(
        !kept
            .windows(6)
            .any(|six| six == b"sesame" || six == b"custom")
    );
    world.put(PATH, json!({})).await.is(204);
    assert_eq!(world.get(PATH).await.is(200).body, none);
}

#[tokio::test]
async fn what_can_t_be_told_or_called_is_refused_with_what_would_be_right() {
    let world = World::new();
    let email = |to: Value| json!({ "type": "email", "to": to });
    let of = |channel: Value| json!({ "channels": [channel] });
    for (alerts, broken) in [
        (
            of(json!({ "type": "slack", "url": "https://169.254.169.254/x" })),
            r#""channels[0]","url""#,
        ),
        (
            of(json!({ "type": "slack", "url": "http://one.customer-site.net/x" })),
            r#""channels[0]","url""#,
        ),
        (
            of(json!({ "type": "slack", "url": "https://one.customer-site.net/***" })),
            "this is how a URL is shown: give the whole one",
        ),
        (
            of(json!({ "type": "slack", "url": URL, "kinds": [] })),
            "must hold at least one",
        ),
        (of(email(json!(["ops@example.com"]))), "`smtp_url`"),
        (of(email(json!([]))), "must hold 1 to 20 addresses"),
        (
            of(email(json!(["a@b\r\nBcc: c@d"]))),
            "must be an e-mail address",
        ),
        (json!({ "dedupSeconds": 9 }), "must be from 10 to 86400"),
        (json!({ "digestSeconds": 86_401 }), "digestSeconds"),
        (json!({ "atOnce": 0 }), "must be from 1 to 100"),
        (
            json!({ "channels": vec![slack(); 11] }),
            "must hold at most 10",
        ),
        (of(json!({ "type": "pager" })), "channels"),
        (json!({ "channel": [] }), "channel"),
        (
            of(json!({ "type": "slack", "url": URL, "to": ["a@b"] })),
            "to",
        ),
        (
            of(json!({ "type": "slack", "url": URL, "minSeverity": "bad" })),
            "must be info, warning or critical",
        ),
        (
            of(json!({ "type": "slack", "url": URL, "kinds": ["secret.eaten"] })),
            "must be a kind of security event",
        ),
    ] {
        let refused = world.put(PATH, &alerts).await.is(422);
        let told = refused.body.to_string();
        assert!(told.contains(broken), "{alerts}: {told}");
        assert!(!told.contains("sesame"), "{told}");
    }
}

#[tokio::test]
async fn a_test_tells_how_it_went_on_each_channel() {
    let world = World::new();
    let path = format!("{PATH}/test");
    let tried = world.post(&path, json!({})).await.is(200).body;
    assert_eq!(tried, json!({ "channels": [] }));
    world
        .put(PATH, json!({ "channels": [slack()] }))
        .await
        .is(204);
    let tried = world.post(&path, json!({})).await.is(200).body;
    let detail = "this process sends no alerts";
    let one = json!({ "type": "slack", "ok": false, "detail": detail });
    assert_eq!(tried, json!({ "channels": [one] }));
}
