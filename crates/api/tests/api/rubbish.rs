//! Rubbish for every operation: whatever comes, the answer is orderly, and afterwards the API works
//! as before.

use crate::call::Call;
use crate::heap;
use crate::operations::{Operation, operations};
use crate::stage::Stage;
use crate::world::World;
use axum::body::Body;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use std::cmp::Reverse;
use tokio::runtime::Builder;

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 200, ..Default::default() })]

    #[test]
    fn no_body_breaks_anything(bodies in several(heap::body())) {
        send(|stage, operation| with_bodies(stage, operation, &bodies));
    }

    #[test]
    fn no_query_breaks_anything(queries in several(heap::query())) {
        send(|stage, operation| {
            let path = |query| format!("{}?{query}", stage.path(operation));
            let call = |query| stage.world.call(operation.method, path(query)).body("{}");
            queries.iter().map(call).collect()
        });
    }

    #[test]
    fn no_part_of_a_path_breaks_anything(parts in several((any::<Index>(), heap::part()))) {
        send(|stage, operation| {
            let open = operation.open_parts();
            let call = |(place, name): &(Index, String)| {
                let part = *place.get(&open);
                let path = stage.path_with(operation, (part, name));
                stage.world.call(operation.method, path).body("{}")
            };
            let parts = parts.iter().filter(|_| !open.is_empty());
            parts.map(call).collect()
        });
    }
}

/// Several at a time: a stage takes longer to make than rubbish to send.
fn several<S: Strategy>(rubbish: S) -> impl Strategy<Value = Vec<S::Value>> {
    vec(rubbish, 1..10)
}

/// An operation with each of these bodies; with one only where no body is looked at.
fn with_bodies<'a, B: Clone + Into<Body>>(
    stage: &'a Stage,
    operation: &Operation,
    bodies: &[B],
) -> Vec<Call<'a>> {
    let count = match operation.method {
        "GET" | "DELETE" => 1,
        _ => bodies.len(),
    };
    let call = |body: &B| stage.call(operation).bytes(body.clone());
    bodies.iter().take(count).map(call).collect()
}

#[test]
fn no_field_breaks_anything() {
    let body = |field: &str| heap::body_with([(field.to_owned(), r#""?\u0000""#.to_owned())]);
    let bodies: Vec<_> = heap::fields().map(body).collect();
    // A message goes to all endpoints that were made before: better a few stages with few.
    for bodies in bodies.chunks(16) {
        send(|stage, operation| with_bodies(stage, operation, bodies));
    }
}

#[test]
fn no_id_of_another_kind_breaks_anything() {
    send(|stage, operation| {
        let mut calls = Vec::new();
        for part in operation.open_parts() {
            let prefix = prefix_of(part);
            for (other, id) in &stage.ids {
                let name = id.replace(other, prefix);
                let path = stage.path_with(operation, (part, &name));
                calls.push(stage.world.call(operation.method, path).body("{}"));
            }
        }
        calls
    });
}

/// What the ids of an open part begin with.
fn prefix_of(part: &str) -> &'static str {
    match part {
        "{app_id}" => "app_",
        "{endpoint_id}" => "ep_",
        "{msg_id}" => "msg_",
        "{env_id}" => "org_",
        "{key_id}" => "key_",
        _ => "atmpt_",
    }
}

#[test]
fn no_depth_breaks_anything() {
    let arrays = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    let open = "[".repeat(5_000);
    let mut bodies = Vec::new();
    for value in [arrays, objects, open] {
        for field in ["payload", "schemas", "metadata", "messages", "headers"] {
            bodies.push(heap::body_with([(field.to_owned(), value.clone())]));
        }
        bodies.push(value);
    }
    send(|stage, operation| with_bodies(stage, operation, &bodies));
}

/// Sends what each operation is called with, on a stage of its own: first what writes, then what
/// reads, at last what deletes, what is below before what is above.
fn send(calls: impl for<'a> Fn(&'a Stage, &Operation) -> Vec<Call<'a>>) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let stage = Stage::new().await;
        let mut operations = operations();
        operations.sort_by_key(|operation| match operation.method {
            "DELETE" => (2, Reverse(operation.template.len())),
            "GET" => (1, Reverse(0)),
            _ => (0, Reverse(0)),
        });
        for operation in operations {
            for call in calls(&stage, &operation) {
                operation.judge(&call.await);
            }
        }
        works_as_before(&stage.world).await;
    });
}

async fn works_as_before(world: &World) {
    world.get("/health").await.is(200);
    let app = world.application("afterwards").await;
    world.endpoint(&app, json!({})).await;
    world.lanes.take();
    let id = world.message(&app, json!({})).await;
    world.lanes.take_one();
    let read = world.get(format!("/app/{app}/msg/{id}")).await;
    assert_eq!(read.is(200)["payload"], json!({ "total": 12 }));
}
