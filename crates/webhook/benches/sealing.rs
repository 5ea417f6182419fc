//! What it costs to encrypt a payload to each kind of key, to decrypt it, and to sign a request as
//! RFC 9421 says; and, beside it, the primitives alone that an encryption can't do without.
//!
//! Keys are parsed beforehand, as the sender and a receiver keep them.

use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use criterion::{BenchmarkId, Criterion, Throughput};
use serde_json::Value;
use webhook::SigningKey;
use webhook::http_signature::{Moment, Request, Signer};
use webhook::jwe::{
    Algorithm, Context, PrivateJwk, PublicJwk, RANDOM_BYTES, Recipient, Signed, open,
};

const SIZES: [usize; 3] = [1 << 10, 64 << 10, 256 << 10];
const NOW: i64 = 1_795_000_000;
const CONTEXT: Context<'_> = Context {
    id: "msg_2gSjGCV4xgeIkYOUJQqEe1lIXyz",
    timestamp: NOW,
    event_type: "invoice.paid",
    content_type: "application/json",
};
const SIGNED: Signed<'_> = Signed {
    id: CONTEXT.id,
    timestamp: NOW,
    event_type: None,
};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    encrypting(&mut criterion);
    primitives(&mut criterion);
    signing(&mut criterion);
    criterion.final_summary();
}

/// The test vectors' keys.
fn keys() -> [(&'static str, PrivateJwk, Algorithm); 4] {
    let text = include_str!("../../../conformance/jwe.json");
    let vectors: Value = serde_json::from_str(text).expect("the vectors are well-formed");
    let key = |kid: &str| {
        let cases = vectors["cases"].as_array().expect("there are vectors");
        let case = cases.iter().find(|case| case["key_jwk"]["kid"] == kid);
        let jwk = case.expect("the key is there")["key_jwk"].to_string();
        PrivateJwk::parse(&jwk).expect("the key is well-formed")
    };
    [
        ("P-256, direct", key("ec-enc-1"), Algorithm::EcdhEs),
        ("P-256, wrapped", key("ec-enc-1"), Algorithm::EcdhEsA256Kw),
        ("X25519, wrapped", key("x25519-1"), Algorithm::EcdhEsA256Kw),
        ("RSA of 2048 bits", key("rsa-enc-1"), Algorithm::RsaOaep256),
    ]
}

fn encrypting(criterion: &mut Criterion) {
    for (name, private, algorithm) in keys() {
        let public = PublicJwk::parse(&private.public_json()).expect("it came from a key");
        let recipient = Recipient::new(&public, Some(algorithm)).expect("the algorithm fits");
        let keys = [private];
        for size in SIZES {
            let payload = vec![b'7'; size];
            let encrypt = |random| {
                recipient
                    .encrypt(CONTEXT, black_box(&payload), random)
                    .expect("the bytes are keys of the curve")
            };
            let compact = encrypt(&[7; RANDOM_BYTES]);
            let mut group = criterion.benchmark_group("encrypt");
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| encrypt(black_box(&[7; RANDOM_BYTES])));
            });
            group.finish();
            let mut group = criterion.benchmark_group("decrypt");
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                let opened = || open(black_box(compact.as_bytes()), &keys, SIGNED).map(drop);
                bencher.iter(|| opened().expect("it was encrypted to this key"));
            });
            group.finish();
        }
    }
}

fn primitives(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("primitives");
    for (name, algorithm) in [
        ("P-256, new key and agreement", &agreement::ECDH_P256),
        ("X25519, new key and agreement", &agreement::X25519),
    ] {
        let key = |bytes| PrivateKey::from_private_key(algorithm, bytes).expect("it is a key");
        let public = key(&[3; 32]).compute_public_key().expect("it has one");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let own = key(black_box(&[7; 32]));
                let other = UnparsedPublicKey::new(algorithm, &public);
                agreement::agree(&own, other, (), |secret| Ok(secret[0])).expect("they agree")
            });
        });
    }
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("it has 32 bytes"));
    for size in SIZES {
        let mut content = vec![b'7'; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("A256GCM", size), |bencher| {
            bencher.iter(|| {
                let nonce = Nonce::assume_unique_for_key([7; 12]);
                key.seal_in_place_separate_tag(nonce, Aad::empty(), black_box(&mut content))
                    .expect("it is short enough")
            });
        });
    }
    group.finish();
}

fn signing(criterion: &mut Criterion) {
    let headers: [(&str, &[u8]); 3] = [
        ("content-type", b"application/json"),
        ("webhook-id", CONTEXT.id.as_bytes()),
        ("webhook-timestamp", b"1795000000"),
    ];
    let request = Request {
        method: "POST",
        target_uri: "https://hooks.example.com/in/7",
        headers: &headers,
    };
    let moment = Moment {
        created: NOW,
        lifetime_seconds: 300,
        nonce: [7; 16],
    };
    let mut group = criterion.benchmark_group("sign a request");
    for (name, key) in [
        ("ed25519", SigningKey::generate_ed25519(&[7; 32])),
        ("hmac-sha256", SigningKey::generate_hmac(&[7; 24])),
    ] {
        let signer = Signer::new(&key, "key-1", &[]).expect("the id is well-formed");
        for size in SIZES {
            let body = vec![b'7'; size];
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                let sign = || signer.sign(request, black_box(&body), moment);
                bencher.iter(|| sign().expect("every header is there"));
            });
        }
    }
    group.finish();
}
