//! Lists of messages: windows, filters, and how a walk comes to its end.

use super::drafts::{Ending, Sent, name, names};
use super::reading::{attempt_query, endpoint_message_query, message_query, newest, oldest};
use super::world::World;
use crate::query::{
    AttemptQuery, AttemptScope, EXAMINED_MAX, EndpointMessageQuery, MessageFilter, MessageQuery,
    WALK_BYTES_MAX, Window,
};
use crate::rows::Payload;
use model::id::{ApplicationKey, MessageId};

pub(super) async fn windows_page_through_everything_once_in_both_directions(world: &World) {
    let (application, sent) = seven(world).await;
    for limit in [1, 2, 3, 6, 7, 8] {
        let query = |window| MessageQuery {
            window,
            ..message_query(application)
        };
        assert_eq!(world.message_ids(&query(oldest(limit))).await, sent);
        let mut backwards = world.message_ids(&query(newest(limit))).await;
        backwards.reverse();
        assert_eq!(backwards, sent, "limit {limit}");
    }
}

pub(super) async fn windows_leave_out_their_borders(world: &World) {
    let (application, sent) = seven(world).await;
    for (above, below) in [(0, 6), (2, 4), (2, 3), (3, 3), (5, 1)] {
        let window = Window {
            above: sent[above].key(),
            below: sent[below].key(),
            ..oldest(50)
        };
        let query = MessageQuery {
            window,
            ..message_query(application)
        };
        let expected = sent.get(above + 1..below).unwrap_or_default();
        assert_eq!(world.message_ids(&query).await, expected, "{above} {below}");
    }
}

pub(super) async fn a_full_page_knows_whether_it_is_the_last(world: &World) {
    let (application, sent) = seven(world).await;
    for (limit, more) in [(6, true), (7, false), (8, false)] {
        for window in [oldest(limit), newest(limit)] {
            let query = MessageQuery {
                window,
                ..message_query(application)
            };
            let walk = world.message_walk(&query).await;
            assert_eq!(walk.more, more, "{window:?}");
            let last = walk.rows.last().map(|row| row.message.id.key());
            assert_eq!(walk.examined, last, "{window:?}");
            assert_eq!(walk.rows.len(), limit.min(sent.len()));
        }
    }
}

pub(super) async fn an_empty_page_knows_whether_there_is_anything(world: &World) {
    let (application, _) = seven(world).await;
    let empty = world.application().await.application.id.key();
    for (application, limit, more) in [(application, 0, true), (empty, 0, false), (empty, 5, false)]
    {
        let query = MessageQuery {
            window: newest(limit),
            ..message_query(application)
        };
        let walk = world.message_walk(&query).await;
        assert_eq!((walk.rows, walk.examined, walk.more), (vec![], None, more));
    }
}

pub(super) async fn a_walk_back_is_not_disturbed_by_what_is_added(world: &World) {
    let (application, sent) = seven(world).await;
    let mut query = MessageQuery {
        window: newest(2),
        ..message_query(application)
    };
    let mut seen = Vec::new();
    loop {
        let walk = world.message_walk(&query).await;
        seen.extend(walk.rows.iter().map(|row| row.message.id));
        world.message(application).await;
        if !walk.more {
            break;
        }
        query.window.below = walk.examined.expect("there is more");
    }
    seen.reverse();
    assert_eq!(seen, sent);
}

pub(super) async fn a_follower_misses_nothing_that_is_added_meanwhile(world: &World) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let application = world.application().await.application.id.key();
    let mut writing = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let mut drafts = Vec::new();
        for _ in 0..EACH {
            drafts.push(world.draft(application).await);
        }
        let store = world.store();
        writing.spawn(async move {
            for draft in drafts {
                let answer = store.accept(vec![draft.clone()]).await.remove(0);
                Sent::new(draft, answer.expect("the message is in order"));
            }
        });
    }
    let writing = tokio::spawn(writing.join_all());

    let mut query = MessageQuery {
        window: oldest(10),
        ..message_query(application)
    };
    let mut seen: Vec<MessageId> = Vec::new();
    loop {
        let finished = writing.is_finished(); // asked before looking, so that nothing comes after
        let walk = world.message_walk(&query).await;
        seen.extend(walk.rows.iter().map(|row| row.message.id));
        query.window.above = walk.examined.unwrap_or(query.window.above);
        if finished && !walk.more {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(seen.len(), WRITERS * EACH);
    let mut all = world.messages_of(application).await;
    all.reverse();
    assert_eq!(seen, all);
}

pub(super) async fn messages_are_listed_by_type_channel_and_tag(world: &World) {
    let application = world.application().await.application.id.key();
    let makings = [
        ("order.paid", names([]), names([])),
        ("order.sent", names(["north"]), names([])),
        ("order.paid", names(["north", "south"]), names(["blue"])),
        ("order.lost", names(["south"]), names(["blue", "red"])),
    ];
    let sent = world.messages_with(application, 4, |index, draft| {
        let (event_type, channels, tags) = makings[index].clone();
        draft.message.event_type = name(event_type);
        (draft.message.channels, draft.message.tags) = (channels, tags);
    });
    let sent = sent.await;
    let types = |texts: &[&str]| Some(texts.iter().map(|text| name(text)).collect());
    let word = |text: &str| Some(name(text));
    for (event_types, channels, tag, expected) in [
        (None, None, None, vec![0, 1, 2, 3]),
        (types(&["order.paid"]), None, None, vec![0, 2]),
        (
            types(&["order.lost", "order.sent", "x"]),
            None,
            None,
            vec![1, 3],
        ),
        (types(&[]), None, None, vec![]),
        (None, types(&["north"]), None, vec![1, 2]),
        (None, types(&["south", "x"]), None, vec![2, 3]),
        (None, types(&["south", "north"]), None, vec![1, 2, 3]),
        (None, types(&["nort"]), None, vec![]),
        (None, None, word("blue"), vec![2, 3]),
        (
            types(&["order.paid"]),
            types(&["south"]),
            word("blue"),
            vec![2],
        ),
        (types(&["order.sent"]), types(&["south"]), None, vec![]),
    ] {
        let filter = MessageFilter {
            event_types,
            channels,
            tag,
        };
        let expected: Vec<MessageId> = expected.into_iter().map(|at: usize| sent[at].id).collect();
        for limit in [1, 2, 10] {
            let query = MessageQuery {
                window: oldest(limit),
                filter: filter.clone(),
                ..message_query(application)
            };
            assert_eq!(world.message_ids(&query).await, expected, "{filter:?}");
        }
    }
}

pub(super) async fn payloads_come_only_when_asked(world: &World) {
    let application = world.application().await.application.id.key();
    let sent = world.message(application).await;
    for with_payload in [false, true] {
        let query = MessageQuery {
            with_payload,
            ..message_query(application)
        };
        let mut expected = sent.row();
        if !with_payload {
            expected.payload = Payload::NotRead;
        }
        assert_eq!(world.message_walk(&query).await.rows, [expected]);
    }
}

pub(super) async fn a_walk_stops_after_the_most_rows_it_looks_at(world: &World) {
    let application = world.application().await.application.id.key();
    let count = EXAMINED_MAX + 200;
    let sent = world.messages_with(application, count, |index, draft| {
        draft.message.tags = if index == 10 {
            names(["rare"])
        } else {
            names([])
        };
    });
    let sent = sent.await;
    let mut query = MessageQuery {
        window: newest(5),
        filter: MessageFilter {
            tag: Some(name("rare")),
            ..MessageFilter::default()
        },
        ..message_query(application)
    };
    let walk = world.message_walk(&query).await;
    assert_eq!(walk.rows, []);
    assert!(walk.more);
    assert_eq!(walk.examined, Some(sent[count - EXAMINED_MAX].key()));

    query.window.below = sent[count - EXAMINED_MAX].key();
    let walk = world.message_walk(&query).await;
    assert_eq!(walk.rows[0].message.id, sent[10].id);
    assert!(!walk.more);
}

pub(super) async fn walks_stop_after_the_most_content_they_read(world: &World) {
    // The first is larger than all that a walk reads, of the others three are as much.
    let sizes = [WALK_BYTES_MAX + 1, 3 << 20, 3 << 20, 3 << 20, 3 << 20];
    let lane = world.lane().await;
    let sent = world.messages_with(lane.application, sizes.len(), |index, draft| {
        draft.message.payload = vec![b'x'; sizes[index]].into();
    });
    sent.await;
    for _ in sizes {
        let claimed = world.claim(lane, 1).await;
        world.end_all(claimed, Ending::Success).await;
    }

    let messages = |with_payload| MessageQuery {
        window: oldest(50),
        with_payload,
        ..message_query(lane.application)
    };
    let walk = world.message_walk(&messages(true)).await;
    assert_eq!((walk.rows.len(), walk.more), (1, true));
    let rest = MessageQuery {
        window: Window {
            above: walk.examined.expect("there is more"),
            ..oldest(50)
        },
        ..messages(true)
    };
    let walk = world.message_walk(&rest).await;
    assert_eq!((walk.rows.len(), walk.more), (3, true));
    assert_eq!(world.message_walk(&messages(false)).await.rows.len(), 5);

    let query = EndpointMessageQuery {
        window: oldest(50),
        with_payload: true,
        ..endpoint_message_query(lane)
    };
    let walk = world.store().endpoint_messages(&query).await;
    assert_eq!(walk.expect("reads go on").rows.len(), 1);
    let query = AttemptQuery {
        window: oldest(50),
        with_message: true,
        ..attempt_query(lane.application, AttemptScope::Endpoint(lane.endpoint))
    };
    let walk = world.store().attempts(&query).await;
    assert_eq!(walk.expect("reads go on").rows.len(), 1);
    assert_eq!(world.attempt_rows(&query).await.len(), 5, "the next go on");
}

/// An application with seven messages, the oldest first.
async fn seven(world: &World) -> (ApplicationKey, Vec<MessageId>) {
    let application = world.application().await.application.id.key();
    let stranger = world.application().await.application.id.key();
    let mut sent = Vec::new();
    for _ in 0..7 {
        sent.push(world.message(application).await.id);
        world.message(stranger).await;
    }
    (application, sent)
}
