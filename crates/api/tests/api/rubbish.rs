//! Rubbish for every operation: whatever comes, the answer is orderly and in time, and afterwards
//! the API works as before. What each operation is sent follows from its declaration.

use crate::call::Call;
use crate::heap;
use crate::operations::{Operation, in_order, operations};
use crate::stage::Stage;
use crate::takes::Takes;
use crate::world::World;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use std::time::Duration;
use tokio::runtime::Builder;

/// No answer may take longer. None has to wait for anything here.
const PATIENCE: Duration = Duration::from_secs(30);

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 200, ..Default::default() })]

    #[test]
    fn no_body_breaks_anything(bodies in several(heap::body())) {
        send(|stage, operation| {
            let takes = Takes::of(operation);
            let body = |body: &heap::Body| stage.call(operation).bytes(body.for_one_that(&takes));
            bodies.iter().map(body).collect()
        });
    }

    #[test]
    fn no_query_breaks_anything(queries in several(heap::query())) {
        send(|stage, operation| {
            let names = Takes::of(operation).parameters;
            let call = |query: &heap::Query| {
                let path = format!("{}?{}", stage.path(operation), query.with_one_of(&names));
                stage.world.call(operation.method, path).body("{}")
            };
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

#[test]
fn no_value_of_any_field_breaks_anything() {
    let values = heap::values();
    send_bodies(|takes| {
        let with = |way| values.iter().map(move |value| takes.body_with(way, value));
        takes.ways().iter().flat_map(with).collect()
    });
}

#[test]
fn no_value_of_any_parameter_breaks_anything() {
    let values = heap::encoded_texts();
    send(|stage, operation| {
        let mut calls = Vec::new();
        for name in Takes::of(operation).parameters {
            for value in &values {
                let path = format!("{}?{name}={value}", stage.path(operation));
                calls.push(stage.world.call(operation.method, path).body("{}"));
            }
        }
        calls
    });
}

#[test]
fn no_odd_spelling_of_a_path_breaks_anything() {
    send(|stage, operation| {
        let mut calls = Vec::new();
        for part in operation.open_parts() {
            for name in heap::parts() {
                let path = stage.path_with(operation, (part, name));
                calls.push(stage.world.call(operation.method, path).body("{}"));
            }
        }
        calls
    });
}

#[test]
fn no_id_of_another_kind_breaks_anything() {
    send(|stage, operation| {
        let mut calls = Vec::new();
        for part in operation.open_parts() {
            let own = stage.name(part).split_inclusive('_').next();
            for (other, id) in &stage.ids {
                let disguised = own.map(|own| id.replace(other, own));
                for name in disguised.iter().chain([id]) {
                    let path = stage.path_with(operation, (part, name));
                    calls.push(stage.world.call(operation.method, path).body("{}"));
                }
            }
        }
        calls
    });
}

#[test]
fn no_depth_breaks_anything() {
    let arrays = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    let open = "[".repeat(5_000);
    let deep = [arrays, objects, open];
    send_bodies(|takes| {
        let with = |way| deep.iter().map(move |value| takes.body_with(way, value));
        let bodies = takes.ways().iter().flat_map(with).collect::<Vec<_>>();
        [bodies, deep.to_vec()].concat()
    });
}

#[tokio::test]
async fn nothing_of_another_application_is_found() {
    let stage = Stage::new().await;
    let theirs = stage.of_another_application().await;
    for operation in operations().iter().filter(|one| one.method == "GET") {
        for part in operation.open_parts() {
            let within = operation.template.contains("{app_id}");
            let Some(name) = theirs.get(part).filter(|_| within && operation.built) else {
                continue;
            };
            let path = stage.path_with(operation, (part, name));
            stage.world.get(path).await.refuses(404, "not_found");
        }
    }
}

/// Whose document can't say all: which texts are certificates; and which fields go together, since
/// there is one shape for all ways to ask for a token, and one for sources of all types.
const BEYOND_SCHEMAS: [&str; 4] = [
    "v1.environment.set-alerts",
    "v1.endpoint.set-mtls-config",
    "v1.ingest.source.create",
    "v1.ingest.source.upsert",
];

#[tokio::test(start_paused = true)]
async fn a_body_that_keeps_the_document_is_taken() {
    let mut taken = 0;
    for operation in operations() {
        if let Some(body) = Takes::of(&operation).body() {
            let stage = Stage::new().await;
            let answer = answered(stage.call(&operation).body(&body)).await;
            let is_taken = match answer.status {
                // What it names is not there, or something else is in the way.
                400 => answer["code"] != "generic_error",
                404 | 409 => true,
                // Nobody can know a token that is good once.
                401 => operation.template == "/auth/one-time-token",
                422 => BEYOND_SCHEMAS.contains(&operation.id),
                status => status < 300,
            };
            assert!(is_taken, "{body}: {answer:?}");
            taken += 1;
        }
    }
    assert!(taken > 20, "only {taken} operations take a body");
}

#[tokio::test(start_paused = true)]
async fn an_array_is_never_taken_for_an_object() {
    for operation in operations() {
        let takes = Takes::of(&operation);
        let stage = Stage::new().await;
        for way in takes.objects() {
            for values in [0, takes.fields(&way)] {
                let array = json!(vec![json!(null); values]).to_string();
                let body = takes.body_with(&way, &array);
                let answer = answered(stage.call(&operation).body(&body)).await;
                // Each message of a batch has a status of its own.
                let within = answer.body.pointer("/results/0/status");
                let refused = answer.status == 422 || within == Some(&json!(422));
                assert!(refused, "{body}: {answer:?}");
            }
        }
    }
}

/// Sends what each operation is called with, all on one stage.
fn send(calls: impl for<'a> Fn(&'a Stage, &Operation) -> Vec<Call<'a>>) {
    run(async {
        let stage = Stage::new().await;
        for operation in in_order() {
            judge(&operation, calls(&stage, &operation)).await;
        }
        works_as_before(&stage.world).await;
    });
}

/// The same of those that take a body, each on a stage of its own: a message goes to all endpoints
/// that were made before.
fn send_bodies(bodies: impl Fn(&Takes) -> Vec<String>) {
    run(async {
        for operation in operations() {
            let takes = Takes::of(&operation);
            if takes.body().is_some() {
                let stage = Stage::new().await;
                let call = |body| stage.call(&operation).bytes(body);
                let calls = bodies(&takes).into_iter().map(call);
                judge(&operation, calls.collect()).await;
                works_as_before(&stage.world).await;
            }
        }
    });
}

/// Time passes only where nothing else is to be done, so that nobody waits.
fn run(future: impl Future<Output = ()>) {
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(future);
}

async fn judge(operation: &Operation, calls: Vec<Call<'_>>) {
    for call in calls {
        let answer = answered(call).await;
        operation.judge(&answer);
        answer.is_harmless();
    }
}

async fn answered(call: Call<'_>) -> crate::call::Answer {
    let to = call.to();
    let answer = tokio::time::timeout(PATIENCE, call).await;
    answer.unwrap_or_else(|_| panic!("no answer within {PATIENCE:?} to {to}"))
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
