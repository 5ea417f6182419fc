//! What a posted message costs before its commit, and with it: from the request to the whole
//! answer, without a socket.
//!
//! `before the commit` is a message whose payload is one byte longer than it may be: the last rule
//! that is looked at, so the request has passed authentication, path, query, the application, the
//! parsed body and all other rules; the refusal is rendered in place of an answer, and nothing is
//! sealed. `accepted` goes all the way: sealed, committed with one fsync of its own, handed to a
//! sender that sends nothing, and answered. The token is one that was seen before, as all but the
//! first of a client are.

use app::Settings;
use axum::body::Body;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use std::time::Duration;
use tokio::runtime::Builder;
use world::World;

#[path = "../../tests/api/call.rs"]
#[expect(dead_code, reason = "the tests ask for more")]
mod call;
#[path = "../../tests/api/sinks.rs"]
#[expect(dead_code, reason = "the tests ask for more")]
mod sinks;
#[path = "../../tests/api/slow_disk.rs"]
#[expect(dead_code, reason = "the tests ask for more")]
mod slow_disk;
#[path = "../../tests/api/world.rs"]
#[expect(dead_code, reason = "the tests ask for more")]
mod world;

const SIZES: [usize; 2] = [1 << 10, 64 << 10];

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .without_plots()
        .configure_from_args();
    post(
        &mut criterion,
        "before the commit",
        StatusCode::PAYLOAD_TOO_LARGE,
    );
    post(&mut criterion, "accepted", StatusCode::ACCEPTED);
    criterion.final_summary();
}

/// Posts messages that are all answered with this status.
fn post(criterion: &mut Criterion, name: &str, status: StatusCode) {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let mut group = criterion.benchmark_group("post");
    for size in SIZES {
        let too_long = usize::from(status == StatusCode::PAYLOAD_TOO_LARGE);
        let world = World::with(Settings {
            payload_bytes_max: size - too_long,
            ..Settings::default()
        });
        runtime.block_on(async {
            world.application("shop").await;
            world.endpoint("shop", json!({})).await;
        });
        let (token, body) = (world.token(), body(size));
        let request = || {
            world.lanes.take();
            world.post("/app/shop/msg", &body).token(&token).request()
        };
        let answer = |request| {
            let answered = runtime.block_on(answer(&world, request));
            assert_eq!(answered, status);
        };
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new(name, size), |bencher| {
            bencher.iter_batched(request, answer, BatchSize::PerIteration);
        });
    }
    group.finish();
}

async fn answer(world: &World, request: Request<Body>) -> StatusCode {
    let response = world.door.answer(request).await;
    let status = response.status();
    response.into_body().collect().await.expect("a whole body");
    status
}

/// A message with a payload of exactly this size.
fn body(payload_bytes: usize) -> String {
    const AROUND: usize = r#"{"order":""}"#.len();
    let order = "7".repeat(payload_bytes - AROUND);
    format!(r#"{{"eventType":"order.paid","payload":{{"order":"{order}"}}}}"#)
}
