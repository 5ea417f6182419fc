//! Idempotency keys: the same request twice happens once.

use super::drafts::{self, DAY, HOUR, SECOND, Sent, idempotency_key, name};
use super::world::World;
use crate::accept::{Accept, AcceptError, Accepted};
use crate::change::{ChangeError, ChangeRequest, Changed};
use crate::idempotency::{AUTO_KEY_LIFE, IdempotencyKey, KEY_LIFE, Made, Prior};
use crate::work::SweepLimits;
use crate::{Lane, StoreError};
use model::id::{Id, MessageId};

pub(super) async fn a_repeat_is_answered_from_the_first(world: &World) {
    let lane = world.lane().await;
    let sent = world.send(keyed(world, lane).await).await;
    let repeated = repeat(world, lane).await.expect("it is a repeat");
    let expected = Prior {
        status: 202,
        body: [1; 16],
        made: made(sent.id),
    };
    assert_eq!(repeated, expected);
    assert_eq!(prior(world).await, Some(expected));
    assert_eq!(world.messages_of(lane.application).await, [sent.id]);
    assert_eq!(world.open_deliveries(lane).await.len(), 1);
}

pub(super) async fn a_repeat_within_one_batch_is_one(world: &World) {
    let lane = world.lane().await;
    let batch = vec![keyed(world, lane).await, keyed(world, lane).await];
    let mut answers = world.store().accept(batch.clone()).await.into_iter();
    let (first, second) = (answers.next(), answers.next());
    let first = first.expect("two answers").expect("it is in order");
    let sent = Sent::new(batch[0].clone(), first);
    let Some(Ok(Accepted::Repeated(prior))) = second else {
        panic!("the second repeats the first: {second:?}");
    };
    assert_eq!(prior.made, made(sent.id));
    assert_eq!(world.messages_of(lane.application).await, [sent.id]);
}

pub(super) async fn concurrent_repeats_happen_once(world: &World) {
    let lane = world.lane().await;
    let mut accepting = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, draft) = (world.store(), keyed(world, lane).await);
        accepting.spawn(async move { store.accept(vec![draft]).await.remove(0) });
    }
    let answers = accepting.join_all().await;
    let ids = world.messages_of(lane.application).await;
    assert_eq!(ids.len(), 1, "it happened once");
    let mut repeats = 0;
    for answer in answers {
        match answer.expect("it is in order") {
            Accepted::New { id, .. } => assert_eq!(id, ids[0]),
            Accepted::Repeated(prior) => {
                assert_eq!(prior.made, made(ids[0]));
                repeats += 1;
            }
            Accepted::Seen(seen) => panic!("it came in at no source: {seen:?}"),
        }
    }
    assert_eq!(repeats, 15);
}

pub(super) async fn another_body_under_the_same_key_is_refused(world: &World) {
    let lane = world.lane().await;
    let sent = world.send(keyed(world, lane).await).await;
    let mut other = keyed(world, lane).await;
    other.idempotency = Some(IdempotencyKey {
        body: [2; 16],
        ..idempotency_key(1)
    });
    let answer = world.accept(other).await;
    assert!(matches!(answer, Err(AcceptError::KeyReused)), "{answer:?}");
    assert_eq!(world.messages_of(lane.application).await, [sent.id]);
}

pub(super) async fn a_repeat_is_one_whatever_has_changed_since(world: &World) {
    let lane = world.lane().await;
    let mut draft = keyed(world, lane).await;
    draft.message.event_id = Some(name("order-1"));
    let sent = world.send(draft.clone()).await;
    world.lane_in(lane.application).await; // its registry revision is stale now
    let answer = world.accept(draft).await;
    let Ok(Accepted::Repeated(prior)) = answer else {
        panic!("it is a repeat: {answer:?}");
    };
    assert_eq!(prior.made, made(sent.id));
}

pub(super) async fn a_key_survives_reopening(world: &mut World) {
    let lane = world.lane().await;
    let sent = world.send(keyed(world, lane).await).await;
    world.reopen().await;
    let repeated = repeat(world, lane).await.expect("it is a repeat");
    assert_eq!(repeated.made, made(sent.id));
    assert_eq!(prior(world).await, Some(repeated));
}

pub(super) async fn a_key_ends_with_its_life(world: &mut World) {
    for (number, life) in [(1, KEY_LIFE), (2, AUTO_KEY_LIFE)] {
        let lane = world.lane().await;
        let mut draft = world.draft(lane.application).await;
        draft.idempotency = Some(IdempotencyKey {
            life,
            ..idempotency_key(number)
        });
        world.send(draft.clone()).await;

        world.clock.advance(life - SECOND);
        assert_eq!(world.sweep(keep_all(world)).await.keys, 0);
        world.reopen().await;
        let answer = world.accept(draft.clone()).await;
        assert!(matches!(answer, Ok(Accepted::Repeated(_))), "{answer:?}");

        // Lives are rounded up to the hour.
        world.clock.advance(SECOND + HOUR);
        assert_eq!(world.sweep(keep_all(world)).await.keys, 1);
        draft.message.tail = world.tail();
        world.send(draft).await;
    }
}

pub(super) async fn a_key_ends_with_its_life_although_nothing_was_swept(world: &World) {
    let lane = world.lane().await;
    let first = world.send(keyed(world, lane).await).await;
    world.clock.advance(KEY_LIFE + HOUR);
    assert_eq!(prior(world).await, None);
    let second = world.send(keyed(world, lane).await).await;
    let repeated = repeat(world, lane).await.expect("it is a repeat");
    assert_eq!(repeated.made, made(second.id));
    assert_eq!(
        world.messages_of(lane.application).await,
        [second.id, first.id]
    );
}

pub(super) async fn a_refused_item_keeps_no_key(world: &World) {
    let lane = world.lane().await;
    let mut draft = keyed(world, lane).await;
    draft.registry_revision += 1;
    let answer = world.accept(draft).await;
    assert!(
        matches!(answer, Err(AcceptError::StaleRegistry)),
        "{answer:?}"
    );
    assert_eq!(prior(world).await, None);
    world.send(keyed(world, lane).await).await;
}

pub(super) async fn an_unknown_key_has_no_prior(world: &World) {
    let lane = world.lane().await;
    world.send(keyed(world, lane).await).await;
    let found = world.store().prior(&[[9; 16]]).await;
    assert_eq!(found.expect("reads go on"), None);
}

pub(super) async fn a_change_with_a_known_key_is_not_done_again(world: &mut World) {
    let application = world.application().await.application.id.key();
    let request = ChangeRequest {
        change: drafts::create_endpoint(drafts::endpoint(application, world.tail())),
        idempotency: Some(IdempotencyKey {
            status: 201,
            ..idempotency_key(1)
        }),
        audit: None,
    };
    let first = world.store().change(request.clone()).await;
    let row = drafts::endpoint_in(first.expect("it is in order"));
    let expected = Prior {
        status: 201,
        body: [1; 16],
        made: Made {
            key: row.endpoint.id.key().integer(),
            tail: row.endpoint.id.tail(),
        },
    };
    for reopened in [false, true] {
        let answer = world.store().change(request.clone()).await;
        let Ok(Changed::Repeated(prior)) = answer else {
            panic!("it is a repeat: {answer:?}, reopened: {reopened}");
        };
        assert_eq!(prior, expected, "reopened: {reopened}");
        world.reopen().await;
    }
    let registry = world.registry(application).await.expect("it is live");
    assert_eq!(registry.endpoints, [row]);
}

pub(super) async fn a_change_with_another_body_under_its_key_is_refused(world: &World) {
    let application = world.application().await.application.id.key();
    let mut request = ChangeRequest {
        change: drafts::create_endpoint(drafts::endpoint(application, world.tail())),
        idempotency: Some(idempotency_key(1)),
        audit: None,
    };
    let first = world.store().change(request.clone()).await;
    first.expect("it is in order");
    request.idempotency = Some(IdempotencyKey {
        body: [2; 16],
        ..idempotency_key(1)
    });
    let answer = world.store().change(request).await;
    assert!(matches!(answer, Err(ChangeError::KeyReused)), "{answer:?}");
}

pub(super) async fn a_refused_change_keeps_no_key(world: &World) {
    let lane = world.lane().await;
    let mut row = world.endpoint_row(lane).await.expect("it is live");
    row.revision += 1;
    let request = ChangeRequest {
        change: drafts::replace_endpoint(row),
        idempotency: Some(idempotency_key(1)),
        audit: None,
    };
    let answer = world.store().change(request).await;
    assert!(matches!(answer, Err(ChangeError::Stale)), "{answer:?}");
    assert_eq!(prior(world).await, None);
}

/// A message whose request has key number 1.
async fn keyed(world: &World, lane: Lane) -> Accept {
    let mut draft = world.draft(lane.application).await;
    draft.idempotency = Some(idempotency_key(1));
    draft
}

async fn repeat(world: &World, lane: Lane) -> Result<Prior, Accepted> {
    let draft = keyed(world, lane).await;
    match world.accept(draft).await.expect("it is in order") {
        Accepted::Repeated(prior) => Ok(prior),
        new => Err(new),
    }
}

async fn prior(world: &World) -> Option<Prior> {
    let found: Result<_, StoreError> = world.store().prior(&[[1; 16]]).await;
    found.expect("reads go on")
}

fn made(id: MessageId) -> Made {
    let id: Id<_> = id;
    Made {
        key: id.key().integer(),
        tail: id.tail(),
    }
}

fn keep_all(world: &World) -> SweepLimits {
    SweepLimits {
        keep_since: world.now().minus(90 * DAY),
        rows_max: 100,
    }
}
