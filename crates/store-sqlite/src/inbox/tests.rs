//! Claims about when the writer is woken. Nothing here depends on how long anything takes: a wait
//! that should end early is given more time than a test has.

use super::*;
use std::sync::Arc;
use tokio::task::{JoinHandle, spawn_blocking};

const FOREVER: Linger = Linger {
    for_company: Duration::from_secs(3_600),
    for_more: Duration::from_secs(3_600),
};

/// A request that does nothing.
struct Empty(Urgency);

impl Request for Empty {
    fn run(&mut self, _: &mut Batch<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn committed(self: Box<Self>) {}

    fn refused(self: Box<Self>, _: &Failure) {}

    fn urgency(&self) -> Urgency {
        self.0
    }

    fn kib(&self) -> u32 {
        1
    }
}

async fn push(inbox: &Inbox, urgency: Urgency, count: usize) {
    for _ in 0..count {
        let pushed = inbox.push(Box::new(Empty(urgency))).await;
        assert!(pushed.is_ok(), "it is open");
    }
}

/// What a writer takes that puts commits off for as long as it may.
fn take(inbox: &Arc<Inbox>) -> JoinHandle<usize> {
    let inbox = inbox.clone();
    spawn_blocking(move || inbox.wait(None, FOREVER).map_or(0, |taken| taken.len()))
}

/// Returns once the writer waits for this.
async fn until_awaited(inbox: &Inbox, awaited: Awaited) {
    while inbox.lock().awaited != awaited {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_that_somebody_waits_for_is_taken_at_once_with_the_outcomes_before_it() {
    let inbox = Arc::new(Inbox::new(1_024));
    let writer = take(&inbox);
    until_awaited(&inbox, Awaited::Something).await;
    push(&inbox, Urgency::Patient, 3).await;
    until_awaited(&inbox, Awaited::SomethingUrgent).await;
    push(&inbox, Urgency::Now, 1).await;
    assert_eq!(writer.await.ok(), Some(4));
}

#[tokio::test]
async fn a_commits_worth_of_outcomes_waits_for_no_company() {
    let inbox = Arc::new(Inbox::new(1_024));
    let writer = take(&inbox);
    push(&inbox, Urgency::Patient, WORTH_A_COMMIT).await;
    assert_eq!(writer.await.ok(), Some(WORTH_A_COMMIT));
}

#[tokio::test]
async fn where_much_has_come_meanwhile_a_commit_waits_for_more() {
    let inbox = Arc::new(Inbox::new(1_024));
    push(&inbox, Urgency::Now, UNDER_LOAD).await;
    let writer = take(&inbox);
    until_awaited(&inbox, Awaited::Much).await;
    push(&inbox, Urgency::Now, WORTH_A_COMMIT - UNDER_LOAD).await;
    assert_eq!(writer.await.ok(), Some(WORTH_A_COMMIT));
}

#[tokio::test]
async fn more_that_does_not_come_is_not_waited_for_longer_than_it_may() {
    let inbox = Arc::new(Inbox::new(1_024));
    let soon_over = Linger {
        for_more: Duration::from_millis(1),
        ..FOREVER
    };
    push(&inbox, Urgency::Now, UNDER_LOAD).await;
    let taken = inbox.wait(None, soon_over);
    assert_eq!(taken.map(|taken| taken.len()), Some(UNDER_LOAD));
}

#[tokio::test]
async fn a_few_that_came_meanwhile_are_committed_at_once() {
    let inbox = Arc::new(Inbox::new(1_024));
    push(&inbox, Urgency::Now, UNDER_LOAD - 1).await;
    let taken = inbox.wait(None, FOREVER);
    assert_eq!(taken.map(|taken| taken.len()), Some(UNDER_LOAD - 1));
}

#[tokio::test]
async fn whatever_is_waited_for_closing_ends_it() {
    let inbox = Arc::new(Inbox::new(1_024));
    let writer = take(&inbox);
    push(&inbox, Urgency::Patient, 1).await;
    until_awaited(&inbox, Awaited::SomethingUrgent).await;
    inbox.close();
    assert_eq!(writer.await.ok(), Some(1), "what is queued is still done");
    assert_eq!(take(&inbox).await.ok(), Some(0));
}
