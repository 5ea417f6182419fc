//! One fetch for all, whatever becomes of those who asked for it.

use std::future::Ready;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use super::*;

type Texts = Cache<&'static str, String, FetchError>;

const MINUTE: Duration = Duration::from_secs(60);

/// With room for two.
fn texts() -> Arc<Texts> {
    Arc::new(Texts::new(NonZeroUsize::new(2).expect("not zero")))
}

/// Brings the number of the fetch, once it is let.
#[derive(Clone)]
struct Source {
    fetches: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Source {
    fn new(permits: usize) -> Self {
        Self {
            fetches: Arc::default(),
            gate: Arc::new(Semaphore::new(permits)),
        }
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    async fn fetch(self) -> Result<Fetched<String>, FetchError> {
        let number = self.fetches.fetch_add(1, Ordering::Relaxed) + 1;
        self.gate.acquire().await.expect("never closed").forget();
        let now = Instant::now();
        Ok(Fetched {
            value: Arc::new(number.to_string()),
            fresh_until: now + MINUTE,
            usable_until: now + 2 * MINUTE,
        })
    }

    async fn ask(&self, texts: &Texts, key: &'static str) -> Result<String, FetchError> {
        let text = texts.ask(&key, || self.clone().fetch()).await?;
        Ok(text.as_ref().clone())
    }

    /// Asks, and has begun to fetch.
    async fn asking(
        &self,
        texts: &Arc<Texts>,
        key: &'static str,
    ) -> JoinHandle<Result<String, FetchError>> {
        let (texts, source) = (texts.clone(), self.clone());
        let asking = tokio::spawn(async move { source.ask(&texts, key).await });
        while self.fetches() == 0 {
            tokio::task::yield_now().await;
        }
        asking
    }
}

fn failing(fetches: &AtomicUsize) -> Ready<Result<Fetched<String>, FetchError>> {
    fetches.fetch_add(1, Ordering::Relaxed);
    std::future::ready(Err(FetchError::TooLong { limit: 1 }))
}

#[tokio::test(start_paused = true)]
async fn all_who_ask_meanwhile_share_one_fetch_also_when_the_first_goes_away() {
    let (texts, source) = (texts(), Source::new(0));
    let first = source.asking(&texts, "a").await;
    let mut others = JoinSet::new();
    for _ in 0..50 {
        let (texts, source) = (texts.clone(), source.clone());
        others.spawn(async move { source.ask(&texts, "a").await });
    }
    first.abort();
    first.await.expect_err("it was ended");
    source.gate.add_permits(1);
    for text in others.join_all().await {
        assert_eq!(text.expect("a text"), "1");
    }
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn fetch_that_panics_is_an_error_and_the_next_one_begins_anew() {
    let texts = texts();
    let panics = || async { panic!("on purpose") };
    let error = texts.ask(&"a", panics).await.expect_err("no value");
    assert!(matches!(error, FetchError::Abandoned), "{error}");
    let source = Source::new(1);
    assert_eq!(source.ask(&texts, "a").await.expect("a text"), "1");
}

#[tokio::test(start_paused = true)]
async fn failure_is_the_answer_for_a_while() {
    let (texts, fetches) = (texts(), AtomicUsize::default());
    for expected in [1, 1, 1, 2] {
        let failed = texts.ask(&"a", || failing(&fetches)).await;
        failed.expect_err("no value");
        assert_eq!(fetches.load(Ordering::Relaxed), expected);
        tokio::time::advance(FAILURE_HELD.mul_f64(0.34)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn old_value_does_where_no_newer_one_can_be_had_and_no_longer_than_usable() {
    let (texts, source, fetches) = (texts(), Source::new(1), AtomicUsize::default());
    source.ask(&texts, "a").await.expect("a text");
    let begun = Instant::now();
    for (after, asked, does) in [
        (59, 0, true),
        (61, 1, true),
        (119, 2, true),
        (121, 2, false),
    ] {
        tokio::time::advance(begun + Duration::from_secs(after) - Instant::now()).await;
        let value = texts.ask(&"a", || failing(&fetches)).await;
        assert_eq!(value.is_ok(), does, "after {after} s");
        assert_eq!(fetches.load(Ordering::Relaxed), asked, "after {after} s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_asked_for_the_longest_goes_first() {
    let (texts, source) = (texts(), Source::new(9));
    for key in ["a", "b", "a", "c", "a", "b"] {
        source.ask(&texts, key).await.expect("a text");
    }
    assert_eq!(source.fetches(), 4, "b was fetched twice");
}

#[tokio::test(start_paused = true)]
async fn fetch_that_was_pushed_out_still_answers_those_who_wait() {
    let (texts, source) = (texts(), Source::new(0));
    let first = source.asking(&texts, "a").await;
    let quick = Source::new(2);
    for key in ["b", "c"] {
        quick.ask(&texts, key).await.expect("a text");
    }
    source.gate.add_permits(1);
    let text = first.await.expect("no panic");
    assert_eq!(text.expect("a text"), "1");
}

#[tokio::test(start_paused = true)]
async fn value_is_outdated_at_most_once_in_a_while() {
    let (texts, source) = (texts(), Source::new(9));
    let ask = || texts.ask(&"a", || source.clone().fetch());
    let first = ask().await.expect("a text");
    assert!(texts.outdated(&"a", &first, false));
    let second = ask().await.expect("a text");
    assert!(!Arc::ptr_eq(&first, &second));
    // Others who were refused with the first one have the second to try.
    assert!(texts.outdated(&"a", &first, false));
    assert!(!texts.outdated(&"a", &second, false));
    assert!(Arc::ptr_eq(&ask().await.expect("a text"), &second));
    tokio::time::advance(RENEWAL_INTERVAL).await;
    assert!(texts.outdated(&"a", &second, false));
    assert_eq!(*ask().await.expect("a text"), "3");
}

#[tokio::test(start_paused = true)]
async fn outdated_value_is_used_in_need_only_where_it_is_still_usable() {
    for usable in [true, false] {
        let (texts, source, fetches) = (texts(), Source::new(1), AtomicUsize::default());
        let first = texts
            .ask(&"a", || source.clone().fetch())
            .await
            .expect("a text");
        assert!(texts.outdated(&"a", &first, usable));
        let value = texts.ask(&"a", || failing(&fetches)).await;
        assert_eq!(value.is_ok(), usable);
    }
}
