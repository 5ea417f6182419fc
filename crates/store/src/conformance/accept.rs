//! Accepting: what is answered is there, whole, and only that.

use super::drafts::{Sent, idempotency_key, name, names};
use super::world::World;
use crate::MessageRef;
use crate::accept::{AcceptError, Accepted, NewMessage};
use model::hops::Hops;
use model::id::{Id, Key, MessageId};
use model::message::PayloadForm;
use model::trace::TraceParent;
use std::time::Duration;

pub(super) async fn a_message_is_read_back_as_it_was_accepted(world: &World) {
    let lane = world.lane().await;
    let content_type = Some("text/plain; charset=utf-8".to_owned());
    let forms = [
        PayloadForm::Json,
        PayloadForm::Raw { content_type: None },
        PayloadForm::Raw { content_type },
    ];
    for (index, form) in forms.into_iter().enumerate() {
        let event_id = name(&format!("order-{index}.paid"));
        let mut draft = world.draft(lane.application).await;
        draft.message = NewMessage {
            event_id: Some(event_id.clone()),
            channels: names(["north", "south"]),
            tags: names(["blue"]),
            deliver_at: Some(world.now().plus(Duration::from_micros(90_000_001))),
            hops: Hops::kept(index as i64).expect("so many are let in"),
            trace: TraceParent::from_bytes(&[index as u8; TraceParent::BYTES]),
            form,
            ..draft.message
        };
        let sent = world.send(draft).await;
        for reference in [MessageRef::Id(sent.id), MessageRef::EventId(event_id)] {
            let found = world.store().message(lane.application, &reference).await;
            assert_eq!(found.expect("reads go on"), Some(sent.row()));
        }
    }
}

pub(super) async fn an_id_whose_tail_differs_is_not_found(world: &World) {
    let lane = world.lane().await;
    let sent = world.message(lane.application).await;
    let mut tail = sent.id.tail();
    tail[11] ^= 1;
    let guessed = Id::new(sent.id.key(), tail);
    assert_eq!(world.message_row(lane.application, guessed).await, None);
    assert!(world.message_row(lane.application, sent.id).await.is_some());
}

pub(super) async fn a_message_is_not_found_in_another_application(world: &World) {
    let (lane, other) = (world.lane().await, world.lane().await);
    let mut draft = world.draft(lane.application).await;
    draft.message.event_id = Some(name("order-1"));
    let sent = world.send(draft).await;
    for reference in [
        MessageRef::Id(sent.id),
        MessageRef::EventId(name("order-1")),
    ] {
        let found = world.store().message(other.application, &reference).await;
        assert_eq!(found.expect("reads go on"), None);
    }
    assert_eq!(world.messages_of(other.application).await, []);
}

pub(super) async fn a_refused_item_does_not_fail_the_others(world: &World) {
    let lane = world.lane().await;
    let mut first = world.draft(lane.application).await;
    first.message.event_id = Some(name("order-1"));
    let mut batch = vec![first];
    for _ in 0..5 {
        batch.push(world.draft(lane.application).await);
    }
    batch[1].message.event_id = Some(name("order-1"));
    batch[2].registry_revision += 1;
    batch[4].application = Key::from_integer(1);

    let answers = world.store().accept(batch).await;
    let told: Vec<&str> = answers.iter().map(in_a_word).collect();
    let expected = ["new", "event id", "stale", "new", "application", "new"];
    assert_eq!(told, expected);

    let accepted: Vec<MessageId> = answers.into_iter().flatten().rev().map(id_of).collect();
    assert_eq!(world.messages_of(lane.application).await, accepted);
    assert_eq!(world.open_deliveries(lane).await.len(), 3);
}

pub(super) async fn ids_grow_in_the_order_of_the_items(world: &World) {
    let lane = world.lane().await;
    let sent = world.messages(lane.application, 40).await;
    assert!(sent.is_sorted_by(|one, next| one.key() < next.key()));
    assert!(sent.is_sorted_by(|one, next| one.deliveries[0].0 < next.deliveries[0].0));
}

pub(super) async fn an_empty_batch_has_no_answers(world: &World) {
    assert_eq!(world.store().accept(Vec::new()).await.len(), 0);
}

pub(super) async fn a_stale_registry_revision_is_refused_and_nothing_is_written(world: &World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.message.event_id = Some(name("order-1"));
    draft.idempotency = Some(idempotency_key(1));
    let later = world.lane_in(lane.application).await;

    let answer = world.accept(draft.clone()).await;
    assert!(
        matches!(answer, Err(AcceptError::StaleRegistry)),
        "{answer:?}"
    );
    assert_eq!(world.messages_of(lane.application).await, []);
    assert_eq!(world.open_deliveries(lane).await, []);

    // Neither the event id nor the key was taken.
    let again = world.draft(lane.application).await;
    draft.registry_revision = again.registry_revision;
    draft.deliveries = again.deliveries;
    world.send(draft).await;
    assert_eq!(world.open_deliveries(later).await.len(), 1);
}

pub(super) async fn a_registry_revision_from_the_future_is_stale_too(world: &World) {
    let lane = world.lane().await;
    let mut draft = world.draft(lane.application).await;
    draft.registry_revision += 1;
    let answer = world.accept(draft).await;
    assert!(
        matches!(answer, Err(AcceptError::StaleRegistry)),
        "{answer:?}"
    );
}

pub(super) async fn an_event_id_is_unique_in_its_application_and_only_there(world: &World) {
    let (lane, other) = (world.lane().await, world.lane().await);
    for (application, expected) in [
        (lane.application, "new"),
        (lane.application, "event id"),
        (other.application, "new"),
        (other.application, "event id"),
    ] {
        let mut draft = world.draft(application).await;
        draft.message.event_id = Some(name("order-1"));
        assert_eq!(in_a_word(&world.accept(draft).await), expected);
    }
    assert_eq!(world.messages_of(lane.application).await.len(), 1);
    assert_eq!(world.open_deliveries(lane).await.len(), 1);
}

pub(super) async fn event_ids_differ_by_case(world: &World) {
    let lane = world.lane().await;
    for event_id in ["Order-1", "order-1"] {
        let mut draft = world.draft(lane.application).await;
        draft.message.event_id = Some(name(event_id));
        assert_eq!(in_a_word(&world.accept(draft).await), "new", "{event_id}");
    }
}

pub(super) async fn deliveries_come_back_in_order_with_holds_for_the_owned(world: &World) {
    let lane = world.lane().await;
    for _ in 0..3 {
        world.lane_in(lane.application).await;
    }
    let mut draft = world.draft(lane.application).await;
    draft.deliveries[0].owned = true;
    draft.deliveries[2].owned = true;
    draft.deliveries.reverse();

    let sent = world.send(draft).await;
    let held: Vec<bool> = sent
        .deliveries
        .iter()
        .map(|(_, hold)| hold.is_some())
        .collect();
    assert_eq!(held, [false, true, false, true]);
    assert!(!sent.fan_out);
    for index in [0, 2] {
        let lane = crate::Lane {
            endpoint: sent.draft.deliveries[index].endpoint,
            ..lane
        };
        assert_eq!(world.open_deliveries(lane).await, [sent.delivery(index)]);
    }
}

pub(super) async fn a_message_that_nobody_wants_is_kept(world: &World) {
    let application = world.application().await.application.id.key();
    let sent = world.message(application).await;
    assert_eq!(sent.deliveries.len(), 0);
    assert_eq!(
        world.message_row(application, sent.id).await,
        Some(sent.row())
    );
}

pub(super) async fn concurrent_messages_are_each_accepted_once(world: &World) {
    let lane = world.lane().await;
    let mut accepting = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (store, draft) = (world.store(), world.draft(lane.application).await);
        accepting.spawn(async move {
            let answer = store.accept(vec![draft.clone()]).await.remove(0);
            Sent::new(draft, answer.expect("the message is in order")).id
        });
    }
    let mut accepted = accepting.join_all().await;
    accepted.sort();
    accepted.reverse();
    assert_eq!(world.messages_of(lane.application).await, accepted);
    assert_eq!(world.open_deliveries(lane).await.len(), 200);
}

pub(super) fn in_a_word(answer: &Result<Accepted, AcceptError>) -> &'static str {
    match answer {
        Ok(Accepted::New { .. }) => "new",
        Ok(Accepted::Repeated(_)) => "repeated",
        Ok(Accepted::Seen(_)) => "seen",
        Err(AcceptError::StaleRegistry) => "stale",
        Err(AcceptError::NoApplication) => "application",
        Err(AcceptError::EventIdTaken) => "event id",
        Err(AcceptError::KeyReused) => "key",
        Err(AcceptError::Store(_)) => "store",
    }
}

fn id_of(accepted: Accepted) -> MessageId {
    match accepted {
        Accepted::New { id, .. } => id,
        other => panic!("a new message, not {other:?}"),
    }
}
