//! Following what is sent: the messages of all applications, and where to begin to see whatever
//! comes from now on.

use super::drafts::{Sent, name, names};
use super::reading::{message_query, newest, oldest, pages};
use super::world::World;
use crate::query::{AllMessagesQuery, EXAMINED_MAX, MessageFilter, MessageQuery, Window};
use crate::rows::{MessageRow, Payload};
use model::id::{ApplicationKey, Key, MessageId, MessageKey};

pub(super) async fn messages_of_all_applications_are_read_in_the_order_of_their_keys(
    world: &World,
) {
    let sent = of_three_applications(world, 9).await;
    let ids: Vec<MessageId> = sent.iter().map(|one| one.id).collect();
    for limit in [1, 2, 8, 9, 10] {
        assert_eq!(ids_of(&rows(world, &query(limit)).await), ids);
        let backwards = AllMessagesQuery {
            window: newest(limit),
            ..query(limit)
        };
        let mut found = ids_of(&rows(world, &backwards).await);
        found.reverse();
        assert_eq!(found, ids, "limit {limit}");
    }
    for with_payload in [false, true] {
        let found = AllMessagesQuery {
            with_payload,
            ..query(50)
        };
        let expected = sent.iter().map(|one| {
            let row = one.row();
            let payload = match with_payload {
                true => row.payload,
                false => Payload::NotRead,
            };
            MessageRow { payload, ..row }
        });
        let expected: Vec<MessageRow> = expected.collect();
        assert_eq!(rows(world, &found).await, expected);
    }
}

pub(super) async fn messages_of_all_applications_are_read_by_type_channel_and_tag(world: &World) {
    let makings = [
        ("order.paid", names([]), names([])),
        ("order.sent", names(["north"]), names([])),
        ("order.paid", names(["north", "south"]), names(["blue"])),
    ];
    let mut sent = Vec::new();
    for making in makings {
        let application = world.application().await.application.id.key();
        let one = world.messages_with(application, 1, |_, draft| {
            let (event_type, channels, tags) = making.clone();
            draft.message.event_type = name(event_type);
            (draft.message.channels, draft.message.tags) = (channels, tags);
        });
        sent.extend(one.await);
    }
    let words = |texts: &[&str]| Some(texts.iter().map(|text| name(text)).collect());
    for (event_types, channels, tag, expected) in [
        (words(&["order.paid"]), None, None, vec![0, 2]),
        (None, words(&["north", "x"]), None, vec![1, 2]),
        (None, words(&["nort"]), None, vec![]),
        (None, None, Some(name("blue")), vec![2]),
        (words(&["order.sent"]), words(&["south"]), None, vec![]),
    ] {
        let filter = MessageFilter {
            event_types,
            channels,
            tag,
        };
        let expected: Vec<MessageId> = expected.into_iter().map(|at: usize| sent[at].id).collect();
        for limit in [1, 10] {
            let query = AllMessagesQuery {
                filter: filter.clone(),
                ..query(limit)
            };
            assert_eq!(ids_of(&rows(world, &query).await), expected, "{filter:?}");
        }
    }
}

pub(super) async fn a_walk_along_all_messages_stops_after_the_most_rows_it_looks_at(world: &World) {
    let application = world.application().await.application.id.key();
    let count = EXAMINED_MAX + 10;
    let sent = world.messages_with(application, count, |index, draft| {
        draft.message.event_type = name(if index + 1 == count { "rare" } else { "common" });
    });
    let sent = sent.await;
    let query = AllMessagesQuery {
        filter: MessageFilter {
            event_types: Some(vec![name("rare")]),
            ..MessageFilter::default()
        },
        ..query(5)
    };
    let walk = world.store().all_messages(&query).await;
    let walk = walk.expect("reads go on");
    assert_eq!((walk.rows.len(), walk.more), (0, true));
    assert_eq!(walk.examined, Some(sent[EXAMINED_MAX - 1].key()));
    let found = ids_of(&rows(world, &query).await);
    assert_eq!(found, [sent[count - 1].id]);
}

pub(super) async fn a_follower_of_all_applications_misses_nothing(world: &World) {
    const EACH: usize = 25;
    let mut writing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let application = world.application().await.application.id.key();
        let mut drafts = Vec::new();
        for _ in 0..EACH {
            drafts.push(world.draft(application).await);
        }
        let store = world.store();
        writing.spawn(async move {
            let mut ids = Vec::new();
            for draft in drafts {
                let answer = store.accept(vec![draft.clone()]).await.remove(0);
                ids.push(Sent::new(draft, answer.expect("the message is in order")).id);
            }
            ids
        });
    }
    let writing = tokio::spawn(writing.join_all());

    let mut query = query(10);
    let mut seen: Vec<MessageId> = Vec::new();
    loop {
        let finished = writing.is_finished(); // asked before looking, so that nothing comes after
        let walk = world.store().all_messages(&query).await;
        let walk = walk.expect("reads go on");
        seen.extend(walk.rows.iter().map(|row| row.message.id));
        query.window.above = walk.examined.unwrap_or(query.window.above);
        if finished && !walk.more {
            break;
        }
        tokio::task::yield_now().await;
    }
    let mut sent = writing.await.expect("no writer panics").concat();
    sent.sort_unstable();
    assert_eq!(seen, sent);
}

pub(super) async fn whoever_begins_at_the_border_sees_what_is_accepted_from_then_on(world: &World) {
    let application = world.application().await.application.id.key();
    for _ in 0..3 {
        let border = border(world).await;
        let first = world.message(application).await;
        let second = world.message(application).await;
        assert!(border <= first.key(), "{border:?} of {:?}", first.key());
        let window = Window {
            above: Key::from_integer(border.integer() - 1),
            ..oldest(50)
        };
        let query = MessageQuery {
            window,
            ..message_query(application)
        };
        let found = world.message_ids(&query).await;
        assert_eq!(found, [first.id, second.id], "and nothing older");
    }
}

/// Behind [`Key::MIN`], for a window begins above a key.
async fn border(world: &World) -> MessageKey {
    let border = world.store().forward_border().await;
    border.expect("reads go on").max(Key::from_integer(1))
}

fn query(limit: usize) -> AllMessagesQuery {
    AllMessagesQuery {
        window: oldest(limit),
        filter: MessageFilter::default(),
        with_payload: false,
    }
}

async fn rows(world: &World, query: &AllMessagesQuery) -> Vec<MessageRow> {
    pages(query.window, async |window| {
        let query = AllMessagesQuery {
            window,
            ..query.clone()
        };
        let walk = world.store().all_messages(&query).await;
        walk.expect("reads go on")
    })
    .await
}

fn ids_of(rows: &[MessageRow]) -> Vec<MessageId> {
    rows.iter().map(|row| row.message.id).collect()
}

/// Messages of three applications in turn, the oldest first.
async fn of_three_applications(world: &World, count: usize) -> Vec<Sent> {
    let mut applications: Vec<ApplicationKey> = Vec::new();
    for _ in 0..3 {
        applications.push(world.application().await.application.id.key());
    }
    let mut sent = Vec::new();
    for application in applications.iter().cycle().take(count) {
        sent.push(world.message(*application).await);
    }
    sent
}
