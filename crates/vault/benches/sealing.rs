//! What sealing a payload for its row costs, and opening it, with an application's only data key.
//!
//! The key is open beforehand, as the vault keeps it. Nonces are counted, not drawn: what drawing
//! costs is the business of whoever gives the vault its randomness.

use criterion::{BenchmarkId, Criterion, Throughput};
use model::Entropy;
use model::id::{ApplicationId, ApplicationKey, Tail};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use vault::{KeyRing, MasterKey, Place, Vault};

const SIZES: [usize; 4] = [100, 1 << 10, 64 << 10, 256 << 10];
const TAIL: Tail = *b"application1";
const PLACE: Place<'static> = Place {
    table: "message",
    row: b"twelve bytes",
    column: "payload",
};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    sealing(&mut criterion);
    criterion.final_summary();
}

fn sealing(criterion: &mut Criterion) {
    let ring = key_ring();
    let mut group = criterion.benchmark_group("payload");
    for size in SIZES {
        let plaintext = vec![b'7'; size];
        let sealed = ring.seal(PLACE, &plaintext);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_with_input(
            BenchmarkId::new("seal", size),
            &plaintext,
            |bencher, text| {
                bencher.iter(|| ring.seal(PLACE, black_box(text)));
            },
        );
        group.bench_with_input(
            BenchmarkId::new("open", size),
            &sealed,
            |bencher, sealed| {
                bencher.iter(|| {
                    ring.open(PLACE, black_box(sealed))
                        .expect("it was sealed here")
                });
            },
        );
    }
    group.finish();
}

fn key_ring() -> KeyRing {
    let entropy: Arc<dyn Entropy> = Arc::new(Counting(AtomicU64::new(0)));
    let vault = Vault::new(MasterKey::generate(&*entropy), entropy);
    let application = ApplicationId::new(ApplicationKey::MIN, TAIL);
    let ring = vault.key_ring(application, [&vault.new_data_key(TAIL)]);
    ring.expect("a new key opens")
}

/// No nonce comes twice.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}
