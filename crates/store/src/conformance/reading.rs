//! How claims look at a store: whole lists, walked page by page, and what one lane or one message
//! shows.

use super::world::World;
use crate::Lane;
use crate::MessageRef;
use crate::query::{
    AttemptQuery, AttemptScope, EndpointMessageQuery, MessageFilter, MessageQuery, StatisticsQuery,
    Walk, Window,
};
use crate::rows::{AttemptRow, EndpointMessageRow, MessageRow, Standing, Statistics};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::Delivery;
use model::id::{ApplicationKey, EndpointKey, Key, MessageId, MessageKey};
use std::time::Duration;

/// A window over everything, the newest first.
pub(super) fn newest<K>(limit: usize) -> Window<K> {
    Window {
        above: Key::MIN,
        below: Key::MAX,
        ascending: false,
        limit,
    }
}

/// A window over everything, the oldest first.
pub(super) fn oldest<K>(limit: usize) -> Window<K> {
    Window {
        ascending: true,
        ..newest(limit)
    }
}

/// Walks `window` to its end, page by page.
pub(super) async fn pages<T, K: Copy>(
    mut window: Window<K>,
    fetch: impl AsyncFn(Window<K>) -> Walk<T, Key<K>>,
) -> Vec<T> {
    const ENOUGH: usize = 100_000;
    let mut rows = Vec::new();
    for _ in 0..ENOUGH {
        let walk = fetch(window).await;
        assert!(walk.rows.len() <= window.limit, "a page keeps to its limit");
        rows.extend(walk.rows);
        if !walk.more {
            return rows;
        }
        let position = walk.examined.expect("a walk with more has a position");
        if window.ascending {
            assert!(position > window.above, "a walk goes on");
            window.above = position;
        } else {
            assert!(position < window.below, "a walk goes on");
            window.below = position;
        }
    }
    panic!("the list does not come to an end");
}

pub(super) fn message_query(application: ApplicationKey) -> MessageQuery {
    MessageQuery {
        application,
        window: newest(50),
        filter: MessageFilter::default(),
        with_payload: false,
    }
}

pub(super) fn attempt_query(application: ApplicationKey, scope: AttemptScope) -> AttemptQuery {
    AttemptQuery {
        application,
        scope,
        window: oldest(50),
        result: None,
        status_codes: None,
        filter: MessageFilter::default(),
        with_excerpt: false,
        with_message: false,
        with_payload: true,
    }
}

pub(super) fn endpoint_message_query(lane: Lane) -> EndpointMessageQuery {
    EndpointMessageQuery {
        application: lane.application,
        endpoint: lane.endpoint,
        window: newest(50),
        filter: MessageFilter::default(),
        standing: None,
        with_payload: false,
    }
}

impl World {
    pub(super) async fn message_walk(&self, query: &MessageQuery) -> Walk<MessageRow, MessageKey> {
        self.store().messages(query).await.expect("reads go on")
    }

    /// All ids of a list of messages, in its order.
    pub(super) async fn message_ids(&self, query: &MessageQuery) -> Vec<MessageId> {
        let rows = pages(query.window, async |window| {
            let query = MessageQuery {
                window,
                ..query.clone()
            };
            self.message_walk(&query).await
        });
        rows.await.iter().map(|row| row.message.id).collect()
    }

    /// The ids of an application's messages, the newest first.
    pub(super) async fn messages_of(&self, application: ApplicationKey) -> Vec<MessageId> {
        self.message_ids(&message_query(application)).await
    }

    pub(super) async fn message_row(
        &self,
        application: ApplicationKey,
        id: MessageId,
    ) -> Option<MessageRow> {
        let reference = MessageRef::Id(id);
        let found = self.store().message(application, &reference).await;
        found.expect("reads go on")
    }

    /// All rows of a list of attempts, in its order.
    pub(super) async fn attempt_rows(&self, query: &AttemptQuery) -> Vec<AttemptRow> {
        pages(query.window, async |window| {
            let query = AttemptQuery {
                window,
                ..query.clone()
            };
            self.store().attempts(&query).await.expect("reads go on")
        })
        .await
    }

    /// The attempts of a message, the oldest first.
    pub(super) async fn attempts_of(
        &self,
        application: ApplicationKey,
        message: MessageKey,
    ) -> Vec<AttemptRow> {
        let scope = AttemptScope::Message(message, None);
        self.attempt_rows(&attempt_query(application, scope)).await
    }

    /// The attempts to an endpoint, the oldest first.
    pub(super) async fn attempts_to(&self, lane: Lane) -> Vec<AttemptRow> {
        let scope = AttemptScope::Endpoint(lane.endpoint);
        let query = attempt_query(lane.application, scope);
        self.attempt_rows(&query).await
    }

    /// How the attempts to an endpoint ended, the oldest first.
    pub(super) async fn results(&self, lane: Lane) -> Vec<AttemptResult> {
        let rows = self.attempts_to(lane).await;
        rows.iter().map(|row| row.attempt.result).collect()
    }

    /// All open deliveries of a lane that nobody holds, in the order of a claim.
    pub(super) async fn open_deliveries(&self, lane: Lane) -> Vec<Delivery> {
        let store = self.store();
        let claimed = store
            .claim(lane, Timestamp::MAX, usize::from(u16::MAX))
            .await;
        let claimed = claimed.expect("reads go on");
        claimed.into_iter().map(|one| one.delivery).collect()
    }

    /// The endpoints of all lanes that have something waiting, walked in pages of `limit`.
    pub(super) async fn waiting(&self, limit: usize) -> Vec<crate::rows::LaneDue> {
        let mut all = Vec::new();
        let mut after = EndpointKey::MIN;
        loop {
            let page = self.store().lanes(after, limit).await.expect("reads go on");
            assert!(page.len() <= limit, "a page keeps to its limit");
            let Some(last) = page.last() else {
                return all;
            };
            assert!(last.endpoint > after, "a walk goes on");
            after = last.endpoint;
            all.extend(page);
        }
    }

    /// An endpoint's statistics of all times.
    pub(super) async fn statistics(&self, lane: Lane) -> Statistics {
        let query = StatisticsQuery {
            endpoint: lane.endpoint,
            since: Timestamp::from_seconds(model::id::EPOCH_SECONDS),
            until: self.now().plus(Duration::from_secs(86_400)),
        };
        self.store().statistics(query).await.expect("reads go on")
    }

    pub(super) async fn endpoint_message_rows(
        &self,
        query: &EndpointMessageQuery,
    ) -> Vec<EndpointMessageRow> {
        pages(query.window, async |window| {
            let query = EndpointMessageQuery {
                window,
                ..query.clone()
            };
            let walk = self.store().endpoint_messages(&query).await;
            walk.expect("reads go on")
        })
        .await
    }

    /// How an endpoint's messages stand and when their next attempt is due, the newest first.
    pub(super) async fn standings(&self, lane: Lane) -> Vec<(Standing, Option<Timestamp>)> {
        let rows = self
            .endpoint_message_rows(&endpoint_message_query(lane))
            .await;
        rows.iter()
            .map(|row| (row.standing, row.next_attempt))
            .collect()
    }
}
