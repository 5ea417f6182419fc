//! Following what is sent, of one application and of all.

use crate::call::Answer;
use crate::world::World;
use serde_json::{Value, json};

/// All that a follower sees from an iterator on, a few at a time, and where that ends.
async fn followed(
    world: &World,
    path: &str,
    mut iterator: Option<String>,
) -> (Vec<String>, String) {
    let mut seen = Vec::new();
    loop {
        let iterator_of = |text: &String| format!("&iterator={text}");
        let rest = iterator.as_ref().map_or(String::new(), iterator_of);
        let query = if path.contains('?') { "&" } else { "?" };
        let page = world.get(format!("{path}{query}limit=2{rest}")).await;
        let page = page.is(200);
        seen.extend(page.column("id"));
        let came_to = page.text("iterator");
        if page["done"] == json!(true) {
            return (seen, came_to);
        }
        assert_ne!(iterator.as_ref(), Some(&came_to), "it goes on");
        iterator = Some(came_to);
    }
}

#[tokio::test]
async fn a_follower_sees_each_message_once_in_the_order_in_which_they_came() {
    let world = World::new();
    let app = world.application("acme").await;
    let (seen, start) = followed(&world, "/app/acme/events", None).await;
    assert_eq!(
        seen,
        Vec::<Value>::new(),
        "there is an iterator all the same"
    );
    let mut iterator = Some(start);
    for round in 0..3 {
        let mut sent = Vec::new();
        for _ in 0..round + 2 {
            sent.push(world.message(&app, json!({})).await);
        }
        let (seen, came_to) = followed(&world, "/app/acme/events", iterator).await;
        assert_eq!(seen, sent);
        iterator = Some(came_to);
    }
    let (seen, again) = followed(&world, "/app/acme/events", iterator.clone()).await;
    assert_eq!((seen, Some(again)), (vec![], iterator));
    let first = world.get("/app/acme/events?limit=1").await.is(200);
    assert_eq!(first.rows()[0]["payload"], json!({ "total": 12 }));
    assert_eq!(first["done"], json!(false));
}

#[tokio::test]
async fn a_follower_sees_only_what_it_asks_for() {
    let world = World::new();
    let app = world.application("acme").await;
    let mut ids = Vec::new();
    for more in [
        json!({}),
        json!({ "eventType": "order.sent", "channels": ["eu"] }),
        json!({ "channels": ["us", "eu"] }),
    ] {
        world.clock.advance(std::time::Duration::from_secs(60));
        ids.push(world.message(&app, more).await);
    }
    let second = world.get(format!("/app/acme/msg/{}", ids[1]));
    let second = second.await.is(200).text("timestamp");
    for (filter, expected) in [
        ("event_types=order.paid", vec![0, 2]),
        ("event_types=order.sent,x", vec![1]),
        ("channels=eu", vec![1, 2]),
        ("channels=us,x", vec![2]),
        ("channels=x", vec![]),
        ("event_types=order.paid&channels=eu", vec![2]),
        (&format!("after={second}"), vec![1, 2]),
        ("after=2200-01-01T00:00:00Z", vec![]),
    ] {
        let expected: Vec<String> = expected
            .into_iter()
            .map(|at: usize| ids[at].clone())
            .collect();
        for path in ["/app/acme/events", "/events"] {
            let (seen, _) = followed(&world, &format!("{path}?{filter}"), None).await;
            assert_eq!(seen, expected, "{path} {filter}");
        }
    }
}

#[tokio::test]
async fn whoever_follows_all_applications_sees_them_in_one_order() {
    let world = World::new();
    let (one, other) = (
        world.application("one").await,
        world.application("other").await,
    );
    let gone = world.application("gone").await;
    let mut sent = Vec::new();
    for app in [&one, &other, &gone, &one, &gone, &other] {
        let id = world.message(app, json!({})).await;
        if *app != gone {
            sent.push(id);
        }
    }
    world.delete("/app/gone").await.is(204);
    let (seen, end) = followed(&world, "/events", None).await;
    assert_eq!(seen, sent, "without those of an application that is gone");
    let expunged = format!("/app/other/msg/{}/content", sent[1]);
    world.delete(expunged).await.is(204);
    let all = world.get("/events").await.is(200);
    let payloads: Vec<Value> = all
        .rows()
        .iter()
        .map(|row| row["payload"].clone())
        .collect();
    let (there, expired) = (json!({ "total": 12 }), json!({ "expired": true }));
    assert_eq!(payloads, [there.clone(), expired, there.clone(), there]);
    let new = world.message(&other, json!({})).await;
    assert_eq!(followed(&world, "/events", Some(end)).await.0, [new]);
}

#[tokio::test]
async fn an_application_follows_its_own_messages_and_no_others() {
    let world = World::new();
    let (one, _) = (
        world.application("one").await,
        world.application("other").await,
    );
    world.message(&one, json!({})).await;
    let token = world.token_of(&one, &[]);
    let ask = async |path: &str| -> Answer { world.get(path).token(&token).await };
    assert_eq!(ask("/app/one/events").await.is(200).rows().len(), 1);
    ask("/app/other/events").await.is(404);
    ask("/events").await.is(403);
}

#[tokio::test]
async fn what_can_not_be_followed_is_refused() {
    let world = World::new();
    world.application("acme").await;
    let zeros = "0".repeat(27);
    for path in ["/app/acme/events", "/events"] {
        for (query, place) in [
            ("limit=0", "query/limit"),
            ("limit=251", "query/limit"),
            ("iterator=", "query/iterator"),
            (&format!("iterator=-msg_{zeros}"), "query/iterator"),
            (&format!("iterator=app_{zeros}"), "query/iterator"),
            ("event_types=", "query/__all__"),
            ("channels=a%20b", "query/__all__"),
        ] {
            let refused = world.get(format!("{path}?{query}")).await;
            assert_eq!(refused.broken(), [place], "{query}");
        }
        world.get(format!("{path}?after=now")).await.is(400);
        world.get(format!("{path}?limit=x")).await.is(400);
        let start = format!("{path}?iterator=msg_{zeros}");
        world.get(start).await.is(200);
    }
}
