//! Sending messages and looking them up.

use crate::world::World;
use serde_json::json;

#[tokio::test]
async fn a_message_is_handed_over_byte_for_byte() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({})).await;
    let text = "{ \"b\" : 1.0,\"a\":[1e2 , \"\\u0041\"] }";
    let body = format!("{{\"eventType\":\"order.paid\",\"payload\":{text}}}");
    let made = world.post(format!("/app/{app}/msg"), body).await;
    let json = made.expect(202);
    let handed = world.lanes.take_one();
    assert_eq!(handed.payload, text.as_bytes());
    assert_eq!(json["id"], handed.claimed.message.message.id.to_string());
    assert!(made.text.contains(text), "{}", made.text);
    let read = world
        .get(format!("/app/acme/msg/{}", json["id"].as_str().unwrap()))
        .await;
    assert!(read.text.contains(text), "{}", read.text);
}
