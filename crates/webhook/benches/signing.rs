//! What signing a payload costs, and verifying it: HMAC as Standard Webhooks has it, with one key,
//! and with two as during a rotation.
//!
//! Keys are parsed beforehand, as the sender and a receiver keep them. Says nothing of ed25519,
//! of which a payload's size is the smaller part.

use criterion::{BenchmarkId, Criterion, Throughput};
use std::hint::black_box;
use std::time::Duration;
use webhook::{HeaderFamily, SigningKey, TOLERANCE_SECONDS, Verifier, VerifyingKey, sign};

const SIZES: [usize; 4] = [100, 1 << 10, 64 << 10, 256 << 10];
const ID: &str = "msg_2gSjGCV4xgeIkYOUJQqEe1lIXyz";
const NOW: i64 = 1_795_000_000;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    signing(&mut criterion);
    verifying(&mut criterion);
    criterion.final_summary();
}

fn signing(criterion: &mut Criterion) {
    let (new, old) = keys();
    let mut group = criterion.benchmark_group("sign");
    for size in SIZES {
        let body = vec![b'7'; size];
        group.throughput(Throughput::Bytes(size as u64));
        for (name, keys) in [("one key", &[&new][..]), ("two keys", &[&new, &old])] {
            group.bench_with_input(BenchmarkId::new(name, size), &body, |bencher, body| {
                bencher.iter(|| sign(keys, ID, NOW, black_box(body)));
            });
        }
    }
    group.finish();
}

/// A receiver keeps two keys: what the first has signed is verified with one, what the second has
/// signed only with both.
fn verifying(criterion: &mut Criterion) {
    let (new, old) = keys();
    let parsed = |key: &SigningKey| VerifyingKey::parse(key.receiver_text().expose());
    let verifying = [&new, &old].map(|key| parsed(key).expect("the text came from a key"));
    let mut group = criterion.benchmark_group("verify");
    for size in SIZES {
        let body = vec![b'7'; size];
        group.throughput(Throughput::Bytes(size as u64));
        for (name, signing) in [("one key", &new), ("two keys", &old)] {
            let signature = sign(&[signing], ID, NOW, &body);
            let timestamp = NOW.to_string();
            let headers = [
                ("webhook-id", ID.as_bytes()),
                ("webhook-timestamp", timestamp.as_bytes()),
                ("webhook-signature", signature.as_bytes()),
            ];
            let verifier = Verifier {
                keys: &verifying[..],
                family: HeaderFamily::default(),
                tolerance_seconds: TOLERANCE_SECONDS,
            };
            group.bench_with_input(BenchmarkId::new(name, size), &body, |bencher, body| {
                let verify = || verifier.verify(black_box(headers), black_box(body), NOW);
                verify().expect("it was signed with one of the keys");
                bencher.iter(verify);
            });
        }
    }
    group.finish();
}

fn keys() -> (SigningKey, SigningKey) {
    (
        SigningKey::generate_hmac(&[1; 24]),
        SigningKey::generate_hmac(&[2; 24]),
    )
}
