//! The list of nodes, and what a node answers that others accept for.

use crate::world::World;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

#[tokio::test]
async fn the_embedded_stores_only_node_is_listed_with_what_it_holds() {
    let world = World::new();
    let application = world.application("shop").await;
    world.endpoint(&application, json!({})).await;
    world.message(&application, json!({})).await;
    let list = world.get("/node").await.is(200);
    let node = json!({
        "slot": 0,
        "name": "",
        "version": "",
        "roles": ["api", "deliver"],
        "alive": true,
        "since": list["data"][0]["since"],
        "leaseEndsAt": null,
        "deliveries": 1,
    });
    let all = json!({"data": [node], "iterator": null, "done": true});
    assert_eq!(list.body, all);
}

#[tokio::test]
async fn a_node_without_the_api_tells_its_health_and_nothing_else() {
    let world = World::new();
    world.application("shop").await;
    let door = api::open_for_health(world.app.clone(), api::ApiConfig::default());
    for (method, path, status) in [
        ("GET", "/health", 200),
        ("GET", "/health/ping", 204),
        ("POST", "/health", 405),
        ("GET", "/app/shop", 503),
        ("POST", "/app/shop/msg", 503),
        ("GET", "/node", 503),
    ] {
        let response = door.answer(world.call(method, path).request()).await;
        assert_eq!(response.status(), status, "{method} {path}");
        if status == 503 {
            let body = response.into_body().collect().await.expect("a whole body");
            let body: Value = serde_json::from_slice(&body.to_bytes()).expect("it is JSON");
            assert_eq!(body["code"], "service_unavailable", "{method} {path}");
        }
    }
}
