//! What it costs to count: an addition, a duration, and a duration while another thread counts in
//! the same place.

use criterion::Criterion;
use model::meter::{Counter, Stopwatch};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let (counter, stopwatch) = (Counter::default(), Stopwatch::default());
    let took = Duration::from_millis(7);
    criterion.bench_function("count", |bencher| {
        bencher.iter(|| black_box(&counter).count())
    });
    criterion.bench_function("took", |bencher| {
        bencher.iter(|| black_box(&stopwatch).took(black_box(took)));
    });
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                stopwatch.took(black_box(took));
            }
        });
        criterion.bench_function("took_beside_another", |bencher| {
            bencher.iter(|| black_box(&stopwatch).took(black_box(took)));
        });
        over.store(true, Ordering::Relaxed);
    });
    criterion.final_summary();
}
