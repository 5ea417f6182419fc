//! Endpoints: made, replaced, limited in number, and read with their application.

use super::drafts::{self, HOUR, name, names, sealed};
use super::world::World;
use crate::Lane;
use crate::change::{Change, ChangeError, KeptProof};
use crate::rows::{EndpointRow, SealedParts};
use model::Timestamp;
use model::id::{ApplicationKey, EndpointKey, Id};
use model::proof::{Outcome, Proof, Told};
use std::num::{NonZeroU16, NonZeroU32};

pub(super) async fn an_endpoint_is_read_back_as_it_was_made(world: &mut World) {
    let application = world.application().await.application.id.key();
    let mut draft = drafts::endpoint(application, world.tail());
    draft.uid = Some(name("hook-1"));
    draft.description = "Lager \u{1f4e6}".to_owned();
    draft.event_types = Some(names(["order.paid", "order.sent"]));
    draft.channels = Some(names(["north", "south"]));
    draft.rate_limit = NonZeroU16::new(7);
    draft.metadata = [("team".to_owned(), "logistics".to_owned())].into();
    draft.version = u16::MAX;
    let parts = SealedParts {
        secrets: sealed("the secrets"),
        headers: Some(sealed("the headers")),
        protection: Some(sealed("the protection")),
    };
    let change = Change::CreateEndpoint {
        endpoint: draft.clone(),
        sealed: parts.clone(),
        endpoints_max: 1,
    };
    let made = drafts::endpoint_in(world.change(change).await);

    draft.id = Id::new(made.endpoint.id.key(), draft.id.tail());
    (draft.created_at, draft.updated_at) = (world.now(), world.now());
    assert_eq!(made.endpoint, draft);
    assert_eq!(made.sealed, parts);
    assert_eq!(made.revision, drafts::FIRST_REVISION);
    assert_eq!(made.failing_since, None);
    assert!(!made.deleted);
    world.reopen().await;
    let registry = world.registry(application).await.expect("it is live");
    assert_eq!(registry.endpoints, [made]);
}

pub(super) async fn an_application_comes_with_its_endpoints_by_ascending_key(world: &World) {
    let application = world.application().await.application.id.key();
    let stranger = world.lane().await;
    let mut made: Vec<EndpointKey> = Vec::new();
    for _ in 0..5 {
        made.push(world.lane_in(application).await.endpoint);
    }
    let registry = world.registry(application).await.expect("it is live");
    let found: Vec<_> = registry
        .endpoints
        .iter()
        .map(|row| row.endpoint.id.key())
        .collect();
    assert_eq!(found, made);
    assert!(made.is_sorted());
    assert!(registry.endpoint(stranger.endpoint).is_none());
}

pub(super) async fn replacing_an_endpoint_keeps_its_id_and_creation(world: &mut World) {
    let lane = world.lane().await;
    let before = world.endpoint_row(lane).await.expect("it is live");
    world.clock.advance(HOUR);
    let mut next = before.clone();
    next.endpoint.uid = Some(name("hook-1"));
    next.endpoint.url = "https://moved.example/".to_owned();
    next.endpoint.event_types = Some(names(["order.paid"]));
    next.sealed = SealedParts {
        secrets: sealed("new secrets"),
        headers: Some(sealed("new headers")),
        protection: Some(sealed("new protection")),
    };
    let after = drafts::endpoint_in(world.change(drafts::replace_endpoint(next.clone())).await);

    assert!(after.revision > before.revision);
    next.endpoint.updated_at = world.now();
    next.revision = after.revision;
    assert_eq!(after, next);
    world.reopen().await;
    assert_eq!(world.endpoint_row(lane).await, Some(after));
}

pub(super) async fn an_endpoint_uid_is_unique_in_its_application_and_only_there(world: &World) {
    let lane = world.lane().await;
    let other = world.lane().await;
    for application in [lane.application, other.application] {
        world
            .endpoint_with(application, |it| it.uid = Some(name("hook-1")))
            .await;
        let mut draft = drafts::endpoint(application, world.tail());
        draft.uid = Some(name("hook-1"));
        let refused = world.try_change(drafts::create_endpoint(draft)).await;
        assert!(matches!(refused, Err(ChangeError::Taken)), "{refused:?}");
    }
    let before = world.endpoint_row(lane).await.expect("it is live");
    let mut next = before.clone();
    next.endpoint.uid = Some(name("hook-1"));
    let refused = world.try_change(drafts::replace_endpoint(next)).await;
    assert!(matches!(refused, Err(ChangeError::Taken)), "{refused:?}");
    assert_eq!(world.endpoint_row(lane).await, Some(before));
}

pub(super) async fn an_application_has_as_many_endpoints_as_it_may(world: &World) {
    let application = world.application().await.application.id.key();
    let create = |endpoints_max| Change::CreateEndpoint {
        endpoint: drafts::endpoint(application, world.tail()),
        sealed: drafts::sealed_parts(),
        endpoints_max,
    };
    let first = drafts::endpoint_in(world.change(create(2)).await);
    world.change(create(2)).await;
    let refused = world.try_change(create(2)).await;
    assert!(matches!(refused, Err(ChangeError::TooMany)), "{refused:?}");

    let delete = Change::DeleteEndpoint(application, first.endpoint.id.key());
    world.change(delete).await;
    world.change(create(2)).await;
    let registry = world.registry(application).await.expect("it is live");
    assert_eq!(registry.endpoints.len(), 2);
}

pub(super) async fn what_a_receiver_was_verified_by_goes_with_its_endpoint(world: &mut World) {
    let (lane, other) = (world.lane().await, world.lane().await);
    let before = world.endpoint_row(lane).await;
    let keep = |endpoint, chain: &[u8]| Change::KeepChain {
        endpoint,
        chain: chain.to_vec(),
    };
    for chain in [&b"first\0"[..], b"second"] {
        world.change(keep(lane.endpoint, chain)).await;
        let kept = world.store().chain(lane.endpoint).await;
        assert_eq!(kept.expect("it reads").as_deref(), Some(chain));
    }
    world.reopen().await;
    assert_eq!(world.endpoint_row(lane).await, before);
    let kept = async |endpoint| world.store().chain(endpoint).await.expect("it reads");
    assert_eq!(kept(lane.endpoint).await.as_deref(), Some(&b"second"[..]));
    assert_eq!(kept(other.endpoint).await, None);

    let delete = Change::DeleteEndpoint(lane.application, lane.endpoint);
    world.change(delete).await;
    world.change(keep(other.endpoint, b"third")).await;
    world
        .change(Change::DeleteApplication(other.application))
        .await;
    for gone in [lane.endpoint, other.endpoint, EndpointKey::MIN] {
        assert_eq!(kept(gone).await, None);
        let refused = world.try_change(keep(gone, b"late")).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
}

pub(super) async fn what_is_known_of_a_url_is_kept_for_that_url_alone(world: &mut World) {
    let lane = world.lane().await;
    let before = world.endpoint_row(lane).await.expect("it is live");
    let revision = async || {
        let row = world.registry(lane.application).await;
        row.expect("it is live").application.revision
    };
    let first = revision().await;
    let asked = Proof {
        url: before.endpoint.url.clone(),
        asked_at: world.now(),
        told: None,
    };
    world.change(keep_proof(lane, None, &asked)).await;
    let proved = asked.clone().after(proved(world.now()));
    let stale = world.try_change(keep_proof(lane, None, &proved)).await;
    assert!(matches!(stale, Err(ChangeError::Stale)), "{stale:?}");
    world.change(keep_proof(lane, Some(&asked), &proved)).await;
    assert_eq!(revision().await, first + 2);

    world.reopen().await;
    let row = world.endpoint_row(lane).await.expect("it is live");
    assert_eq!(row.proof(), Some(&proved));
    assert_eq!(row.per_minute(), proved.per_minute());
    let expected = EndpointRow {
        kept_proof: Some(Box::new(proved.clone())),
        ..before
    };
    assert_eq!(row, expected);

    let moved = world
        .replace_endpoint(lane, |it| it.url.push_str("/elsewhere"))
        .await;
    assert!(!moved.is_proved() && moved.proof().is_none());
    let late = world
        .try_change(keep_proof(lane, Some(&proved), &asked))
        .await;
    assert!(matches!(late, Err(ChangeError::Stale)), "{late:?}");

    let delete = Change::DeleteEndpoint(lane.application, lane.endpoint);
    world.change(delete).await;
    let gone = world.try_change(keep_proof(lane, None, &asked)).await;
    assert!(matches!(gone, Err(ChangeError::Missing)), "{gone:?}");
}

/// A change that keeps what is known of an endpoint's URL.
pub(super) fn keep_proof(lane: Lane, before: Option<&Proof>, proof: &Proof) -> Change {
    Change::KeepProof(KeptProof {
        application: lane.application,
        endpoint: lane.endpoint,
        before: before.cloned(),
        proof: proof.clone(),
    })
}

/// That a receiver wants what comes, up to 120 times in a minute.
pub(super) fn proved(at: Timestamp) -> Told {
    Told {
        at,
        outcome: Outcome::Proved {
            per_minute: NonZeroU32::new(120),
        },
    }
}

pub(super) async fn endpoints_made_at_once_keep_to_the_limit(world: &World) {
    let application = world.application().await.application.id.key();
    let mut making = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (store, tail) = (world.store(), world.tail());
        let request = crate::change::ChangeRequest {
            change: Change::CreateEndpoint {
                endpoint: drafts::endpoint(application, tail),
                sealed: drafts::sealed_parts(),
                endpoints_max: 5,
            },
            idempotency: None,
            audit: None,
        };
        making.spawn(async move { store.change(request).await.is_ok() });
    }
    let made = making.join_all().await;
    assert_eq!(made.iter().filter(|made| **made).count(), 5);
    let registry = world.registry(application).await.expect("it is live");
    assert_eq!(registry.endpoints.len(), 5);
}

pub(super) async fn a_stale_endpoint_revision_is_refused(world: &World) {
    let lane = world.lane().await;
    let before = world.endpoint_row(lane).await.expect("it is live");
    let after = world
        .replace_endpoint(lane, |it| it.description = "First".to_owned())
        .await;
    let refused = world.try_change(drafts::replace_endpoint(before)).await;
    assert!(matches!(refused, Err(ChangeError::Stale)), "{refused:?}");
    assert_eq!(world.endpoint_row(lane).await, Some(after));
}

pub(super) async fn a_stale_replacement_does_not_disable(world: &World) {
    let lane = world.lane().await;
    let mut stale = world.endpoint_row(lane).await.expect("it is live");
    world.replace_endpoint(lane, |_| {}).await;
    let sent = world.message(lane.application).await;
    stale.endpoint.disabled = true;
    let refused = world.try_change(drafts::replace_endpoint(stale)).await;
    assert!(matches!(refused, Err(ChangeError::Stale)), "{refused:?}");
    assert_eq!(world.finish_work().await, []);
    assert_eq!(world.open_deliveries(lane).await, [sent.delivery(0)]);
}

pub(super) async fn an_endpoint_that_is_not_there_is_missing(world: &World) {
    let lane = world.lane().await;
    let nowhere = ApplicationKey::from_integer(1);
    let mut unknown = world.endpoint_row(lane).await.expect("it is live");
    unknown.endpoint.id = Id::new(EndpointKey::from_integer(1), [0; 12]);
    let orphan = drafts::endpoint(nowhere, world.tail());
    for change in [
        drafts::replace_endpoint(unknown),
        drafts::create_endpoint(orphan),
        Change::DeleteEndpoint(lane.application, EndpointKey::from_integer(1)),
        Change::DeleteEndpoint(nowhere, lane.endpoint),
    ] {
        let refused = world.try_change(change).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
    assert!(world.endpoint_row(lane).await.is_some());
}

pub(super) async fn a_new_delivery_is_due_at_once(world: &World) {
    let lane = world.lane().await;
    let message = world.message(lane.application).await.key();
    let scheduled = world.claim_one(lane).await;
    let change = match drafts::open_delivery(lane, message, model::delivery::Trigger::Manual) {
        Change::OpenDelivery {
            application,
            message,
            endpoint,
            trigger,
            ..
        } => Change::OpenDelivery {
            application,
            message,
            endpoint,
            trigger,
            owned: true,
        },
        other => other,
    };
    let changed = world.change(change).await;
    let crate::change::Changed::Delivery(delivery, Some(hold)) = changed else {
        panic!("it is owned: {changed:?}");
    };
    assert_eq!(delivery.due, world.now());
    assert_eq!((delivery.message, delivery.attempts), (message, 0));
    assert_eq!(world.open_deliveries(lane).await, [], "both are held");
    drop((hold, scheduled));
    assert_eq!(world.open_deliveries(lane).await.len(), 2);
    assert!(world.open_deliveries(lane).await.contains(&delivery));
}

pub(super) async fn a_delivery_of_what_is_not_there_is_missing(world: &World) {
    let lane = world.lane().await;
    let stranger = world.lane().await;
    let message = world.message(lane.application).await.key();
    let unknown = model::id::MessageKey::from_integer(1);
    let trigger = model::delivery::Trigger::Manual;
    let elsewhere = crate::Lane {
        endpoint: stranger.endpoint,
        ..lane
    };
    for change in [
        drafts::open_delivery(lane, unknown, trigger),
        drafts::open_delivery(stranger, message, trigger),
        drafts::open_delivery(elsewhere, message, trigger),
    ] {
        let refused = world.try_change(change).await;
        assert!(matches!(refused, Err(ChangeError::Missing)), "{refused:?}");
    }
    assert_eq!(world.open_deliveries(stranger).await, []);
}
