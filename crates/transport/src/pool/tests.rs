//! What is kept, for how long, and what makes room.

use super::*;

const LIMITS: PoolLimits = PoolLimits {
    idle_timeout: Duration::from_secs(30),
    age_max: Duration::from_secs(100),
    idle_per_origin_max: 3,
    idle_max: 4,
    shared_max: 2,
    draining_max: 0,
};

fn key(origin: &str) -> PoolKey {
    PoolKey {
        origin: origin.into(),
        spelled: false,
        profile: 0,
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn pool() -> (Pool<u32, u32>, PoolKey, Instant) {
    (Pool::new(LIMITS), key("https://a"), Instant::now())
}

#[tokio::test]
async fn connection_used_last_is_taken_first() {
    let (pool, a, now) = pool();
    pool.put(&a, 1, now, now);
    pool.put(&a, 2, now, now);
    assert_eq!(pool.take(&a, now), Some((2, now)));
    assert_eq!(pool.take(&a, now), Some((1, now)));
    assert_eq!(pool.take(&a, now), None);
}

#[tokio::test]
async fn origins_spellings_and_profiles_share_nothing() {
    let (pool, a, now) = pool();
    pool.put(&a, 1, now, now);
    assert_eq!(pool.take(&key("https://b"), now), None);
    assert_eq!(
        pool.take(
            &PoolKey {
                spelled: true,
                ..a.clone()
            },
            now
        ),
        None
    );
    let profile = |profile| PoolKey {
        profile,
        ..a.clone()
    };
    assert_eq!(pool.take(&profile(1), now), None);
    pool.put(&profile(1), 2, now, now);
    pool.share(&profile(1), 3, now);
    assert_eq!(pool.take(&profile(2), now), None);
    assert_eq!(pool.shared(&profile(2), now, |_| true), None);
    assert_eq!(pool.shared(&a, now, |_| true), None);
    assert_eq!(pool.take(&a, now), Some((1, now)));
}

#[tokio::test]
async fn idle_and_old_connections_are_not_taken() {
    let (pool, a, now) = pool();
    pool.put(&a, 1, now, now);
    assert_eq!(pool.take(&a, now + seconds(30)), None);
    pool.put(&a, 2, now, now + seconds(90));
    assert_eq!(pool.take(&a, now + seconds(100)), None);
    pool.put(&a, 3, now, now + seconds(90));
    assert!(pool.take(&a, now + seconds(99)).is_some());
}

#[tokio::test]
async fn no_more_are_kept_than_the_limits_allow() {
    let (pool, a, now) = pool();
    let taken = |key: &PoolKey| -> Vec<u32> {
        std::iter::from_fn(|| pool.take(key, now + seconds(10)))
            .map(|(number, _)| number)
            .collect()
    };
    for number in 0..5 {
        pool.put(&a, number, now, now);
    }
    assert_eq!(taken(&a), [2, 1, 0], "of one origin");

    let b = key("https://b");
    for (number, origin) in [&a, &b, &a, &b, &b, &key("https://c")]
        .into_iter()
        .enumerate()
    {
        let later = now + seconds(number as u64);
        pool.put(origin, number as u32, now, later);
    }
    assert_eq!(taken(&a), [2], "its first made room for a third of b");
    assert_eq!(taken(&b), [4, 3]);
    assert_eq!(taken(&key("https://c")), [5]);
}

#[tokio::test]
async fn shared_connection_used_longest_ago_makes_room() {
    let (pool, a, now) = pool();
    let (b, c) = (key("https://b"), key("https://c"));
    pool.share(&a, 1, now);
    pool.share(&b, 2, now + seconds(1));
    pool.share(&b, 3, now + seconds(2));
    assert_eq!(pool.shared(&a, now + seconds(3), |_| true), Some(1));
    pool.share(&c, 4, now + seconds(4));
    let at = now + seconds(5);
    let left = [a, b, c].map(|origin| pool.shared(&origin, at, |_| true));
    assert_eq!(left, [Some(1), None, Some(4)]);
}

#[tokio::test]
async fn limits_without_end_overflow_nothing() {
    let endless = PoolLimits {
        idle_timeout: Duration::MAX,
        age_max: Duration::MAX,
        ..LIMITS
    };
    let (pool, a, now): (Pool<u32, u32>, _, _) =
        (Pool::new(endless), key("https://a"), Instant::now());
    pool.put(&a, 1, now, now);
    pool.share(&a, 2, now);
    pool.sweep(now + seconds(1_000));
    assert!(pool.take(&a, now + seconds(2_000)).is_some());
    assert_eq!(pool.shared(&a, now + seconds(2_000), |_| true), Some(2));
}

#[tokio::test]
async fn sweep_closes_what_is_idle_and_makes_room() {
    let (pool, a, now) = pool();
    let counted = Arc::new(());
    let closing: Pool<Arc<()>, u32> = Pool::new(LIMITS);
    for later in [0, 20, 20] {
        closing.put(&a, counted.clone(), now, now + seconds(later));
    }
    closing.sweep(now + seconds(40));
    assert_eq!(Arc::strong_count(&counted), 3, "one of three is closed");
    closing.sweep(now + seconds(60));
    assert_eq!(Arc::strong_count(&counted), 1);
    pool.share(&a, 1, now);
    pool.sweep(now + seconds(30));
    assert!(pool.gate(&a).is_none());
}

#[tokio::test]
async fn shared_connection_lasts_while_it_is_used_and_usable() {
    let (pool, a, now) = pool();
    pool.share(&a, 7, now);
    assert_eq!(pool.shared(&a, now + seconds(29), |_| true), Some(7));
    assert_eq!(pool.shared(&a, now + seconds(58), |_| true), Some(7));
    assert_eq!(pool.shared(&a, now + seconds(58), |_| false), None);
    assert!(pool.gate(&a).is_some());
    assert_eq!(
        pool.shared(&a, now + seconds(100), |_| true),
        None,
        "too old"
    );
    pool.unshare(&a);
    assert!(pool.gate(&a).is_none());
}
