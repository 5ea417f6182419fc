//! Deliveries of all applications: what is shown of them, what they are found by, and by whom.

use crate::call::Answer;
use crate::outcomes::Ended;
use crate::standings::of_all_kinds;
use crate::world::World;
use serde_json::{Value, json};
use std::time::Duration;
use store::record::Then;

/// What messages are called, in the order of a list.
fn events(page: &Answer) -> Vec<String> {
    page.column("eventId")
}

#[tokio::test]
async fn a_delivery_says_what_became_of_it() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let list = world.get("/delivery").await.is(200);
    let newest_first = ["pending", "retrying", "failed", "delivered"];
    assert_eq!(events(&list), newest_first);
    let states = ["pending", "pending", "exhausted", "delivered"];
    assert_eq!(list.column("state"), states);
    let failed = &list["data"][2];
    let attempts = world.get(format!("/app/{app}/attempt/msg/failed")).await;
    let attempt = &attempts.is(200)["data"][0];
    let expected = json!({
        "id": failed["id"],
        "appId": app,
        "appUid": "acme",
        "endpointId": attempt["endpointId"],
        "endpointUid": "hook",
        "msgId": attempt["msgId"],
        "eventId": "failed",
        "eventType": "order.paid",
        "state": "exhausted",
        "attempts": 1,
        "lastAttempt": {
            "id": attempt["id"],
            "timestamp": attempt["timestamp"],
            "responseStatusCode": 500,
            "status": 2,
            "statusText": "fail",
        },
        "nextAttempt": null,
        "createdAt": failed["createdAt"],
        "endedAt": attempt["timestamp"],
        "endReason": null,
    });
    assert_eq!(*failed, expected);
    let retrying = &list["data"][1];
    assert_eq!(retrying["nextAttempt"], "2026-01-01T00:35:00Z");
    assert_eq!(
        (&retrying["endedAt"], &retrying["lastAttempt"]["status"]),
        (&Value::Null, &json!(2))
    );
    let pending = &list["data"][0];
    assert_eq!(
        (&pending["attempts"], &pending["lastAttempt"]),
        (&json!(0), &Value::Null)
    );
    for row in list["data"].as_array().expect("a list") {
        let id = row["id"].as_str().expect("an id");
        let alone = world.get(format!("/delivery/{id}")).await.is(200);
        assert_eq!(alone.body, *row);
    }
}

#[tokio::test]
async fn what_was_cancelled_says_why() {
    let world = World::new();
    of_all_kinds(&world).await;
    let path = "/app/acme/endpoint/hook";
    world.patch(path, json!({ "disabled": true })).await.is(200);
    world.work().await;
    let list = world.get("/delivery?state=cancelled").await.is(200);
    assert_eq!(events(&list), ["pending", "retrying"]);
    for row in list["data"].as_array().expect("a list") {
        assert_eq!(row["endReason"], "endpointDisabled");
        assert_eq!(row["lastAttempt"]["statusText"], "canceled");
        assert_eq!(row["endedAt"], row["lastAttempt"]["timestamp"]);
    }
    let attempts = [0, 1].map(|place| &list["data"][place]["attempts"]);
    assert_eq!(attempts, [0, 1], "its record is no attempt");
}

#[tokio::test]
async fn deliveries_are_found_by_every_filter() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let other = world.application("other").await;
    let endpoint = world.endpoint(&other, json!({})).await;
    let body = json!({ "eventId": "theirs", "eventType": "order.sent" });
    world.message(&other, body).await;
    let claimed = world.lanes.take_one().claimed;
    world.record(claimed, Ended::failure(Then::Close)).await;
    let all = ["theirs", "pending", "retrying", "failed", "delivered"];
    for (query, expected) in [
        ("", &all[..]),
        ("state=pending", &["pending", "retrying"]),
        ("state=delivered", &["delivered"]),
        ("state=exhausted", &["theirs", "failed"]),
        ("state=cancelled", &[]),
        ("state=exhausted&app_id=acme", &["failed"]),
        (&format!("app_id={app}"), &all[1..]),
        (&format!("endpoint_id={endpoint}"), &["theirs"]),
        (&format!("endpoint_id={endpoint}&app_id=other"), &["theirs"]),
        (
            "endpoint_id=hook&app_id=acme&state=delivered",
            &["delivered"],
        ),
        ("event_type=order.sent", &["theirs"]),
        ("event_type=order.sent&state=delivered", &[]),
        ("status_code_class=200", &["delivered"]),
        ("status_code_class=500", &["theirs", "retrying", "failed"]),
        (
            "status_code_class=500&state=exhausted&app_id=acme",
            &["failed"],
        ),
        ("status_code_class=0", &[]),
        ("before=2026-01-01T00:00:00Z", &[]),
        (
            "before=2026-02-01T00:00:00Z&after=2026-01-01T00:00:00Z&limit=1",
            &["theirs"],
        ),
    ] {
        let page = world.get(format!("/delivery?{query}")).await.is(200);
        assert_eq!(events(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_found_is_refused_with_what_would_be_right() {
    let world = World::new();
    let app = of_all_kinds(&world).await;
    let endpoint = world.get("/app/acme/endpoint/hook").await.text("id");
    let other = world.application("other").await;
    let nobody = "dlv_2KWPBgLlAfxdpx2AI54pPJ85f4W";
    for path in [
        "/delivery?app_id=nobody".to_owned(),
        "/delivery?endpoint_id=ep_2KWPBgLlAfxdpx2AI54pPJ85f4W".to_owned(),
        "/delivery?app_id=acme&endpoint_id=nobody".to_owned(),
        format!("/delivery?app_id={other}&endpoint_id={endpoint}"),
        format!("/delivery/{nobody}"),
        format!("/delivery/{app}"),
        "/delivery/x".to_owned(),
    ] {
        world.get(&path).await.refuses(404, "not_found");
    }
    let first = world.get("/delivery").await.is(200);
    let id = first["data"][0]["id"].as_str().expect("an id");
    let made_up = format!("{}0", &id[..id.len() - 1]);
    if made_up != id {
        let path = format!("/delivery/{made_up}");
        world.get(&path).await.refuses(404, "not_found");
    }
    for (query, place) in [
        ("endpoint_id=hook", json!(["query", "endpoint_id"])),
        ("endpoint_id=ep_x", json!(["query", "endpoint_id"])),
        ("iterator=x", json!(["query", "iterator"])),
        ("limit=251", json!(["query", "limit", "limit"])),
    ] {
        let answer = world.get(format!("/delivery?{query}")).await.is(422);
        assert_eq!(answer["detail"][0]["loc"], place, "{query}");
    }
    for query in ["state=lost", "status_code_class=404", "after=yesterday"] {
        let answer = world.get(format!("/delivery?{query}")).await;
        answer.refuses(400, "generic_error");
    }
    let token = world.token_of(&app, &[]);
    for path in ["/delivery".to_owned(), format!("/delivery/{id}")] {
        let answer = world.get(path).token(&token).await;
        answer.refuses(403, "insufficient access");
    }
}

#[tokio::test]
async fn pages_go_on_among_the_deliveries_of_one_message() {
    let world = World::new();
    let app = world.application("acme").await;
    for uid in ["a", "b", "c"] {
        world.endpoint(&app, json!({ "uid": uid })).await;
    }
    for event_id in ["first", "second"] {
        world.message(&app, json!({ "eventId": event_id })).await;
        world.clock.advance(Duration::from_secs(1));
    }
    for filter in ["", "&state=pending", "&app_id=acme"] {
        let all = world.get(format!("/delivery?limit=6{filter}")).await;
        let all = all.is(200).column("id");
        assert_eq!(all.len(), 6);
        for limit in 1..=6 {
            let list = format!("/delivery?limit={limit}{filter}");
            let mut seen = Vec::new();
            let mut page = world.get(&list).await.is(200);
            loop {
                seen.extend(page.column("id"));
                if page["done"] == true {
                    break;
                }
                let iterator = page.text("iterator");
                page = world
                    .get(format!("{list}&iterator={iterator}"))
                    .await
                    .is(200);
            }
            assert_eq!(seen, all, "limit {limit}{filter}");
            let back = format!("{list}&iterator=-{}", all[5]);
            let before = world.get(back).await.is(200).column("id");
            let expected = &all[5usize.saturating_sub(limit)..5];
            assert_eq!(before, expected, "limit {limit}{filter}");
        }
    }
}

#[tokio::test]
async fn a_delivery_that_is_sent_again_is_the_same_one() {
    let world = World::new();
    of_all_kinds(&world).await;
    let exhausted = world.get("/delivery?state=exhausted").await.is(200);
    let id = exhausted["data"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let resend = "/app/acme/msg/failed/endpoint/hook/resend";
    world.post(resend, "{}").await.is(202);
    let again = world.get(format!("/delivery/{id}")).await.is(200);
    assert_eq!(again["state"], "pending");
    let claimed = world.lanes.take_one().claimed;
    world.record(claimed, Ended::success()).await;
    let delivered = world.get(format!("/delivery/{id}")).await.is(200);
    assert_eq!(
        (&delivered["state"], &delivered["attempts"]),
        (&json!("delivered"), &json!(2))
    );
    let none = world.get("/delivery?state=exhausted").await.is(200);
    assert_eq!((&none["data"], &none["done"]), (&json!([]), &json!(true)));
}
