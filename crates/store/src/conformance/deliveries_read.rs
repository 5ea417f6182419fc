//! How claims look at the list of deliveries.

use super::world::World;
use crate::Lane;
use crate::deliveries::{
    DeliveryPosition, DeliveryQuery, DeliveryRow, DeliveryScope, DeliveryWindow,
};
use crate::query::Walk;
use crate::rows::Standing;
use model::id::{ApplicationKey, EndpointKey, MessageKey};

pub(super) const OPEN: &[Standing] = &[Standing::Pending, Standing::Retrying];
pub(super) const FAILED: &[Standing] = &[Standing::Failed];

/// All of a scope, the oldest first.
pub(super) fn delivery_query(scope: DeliveryScope) -> DeliveryQuery {
    DeliveryQuery {
        scope,
        window: DeliveryWindow {
            above: DeliveryPosition {
                message: MessageKey::MIN,
                endpoint: EndpointKey::MAX,
            },
            below: DeliveryPosition {
                message: MessageKey::MAX,
                endpoint: EndpointKey::MIN,
            },
            ascending: true,
            limit: 50,
        },
        standing: None,
        event_type: None,
        status_codes: None,
    }
}

pub(super) async fn walk(
    world: &World,
    query: &DeliveryQuery,
) -> Walk<DeliveryRow, DeliveryPosition> {
    let found = world.store().deliveries(query).await.expect("reads go on");
    let limit = query.window.limit;
    assert!(found.rows.len() <= limit, "a page keeps to its limit");
    found
}

/// All rows of a list, page by page.
pub(super) async fn all(world: &World, query: &DeliveryQuery) -> Vec<DeliveryRow> {
    const ENOUGH: usize = 100_000;
    let mut query = query.clone();
    let mut rows = Vec::new();
    for _ in 0..ENOUGH {
        let found = walk(world, &query).await;
        rows.extend(found.rows);
        if !found.more {
            return rows;
        }
        let reached = found.examined.expect("a walk with more has a position");
        assert!(query.window.holds(reached), "a walk goes on");
        query.window = query.window.behind(Some(reached));
    }
    panic!("the list does not come to an end");
}

/// A delivery, as every list must show it.
pub(super) async fn find(world: &World, lane: Lane, message: MessageKey) -> DeliveryRow {
    let mut found: Vec<DeliveryRow> = Vec::new();
    for scope in [
        DeliveryScope::All,
        DeliveryScope::Application(lane.application),
        DeliveryScope::Endpoint(lane),
    ] {
        let any = delivery_query(scope);
        let mut rows = all(world, &any).await;
        rows.retain(|row| row.message.id.key() == message);
        let row = rows.pop().expect("every list has it");
        let only = DeliveryQuery {
            standing: Some(vec![row.story.standing]),
            ..any
        };
        assert!(all(world, &only).await.contains(&row), "{scope:?}");
        found.push(row);
    }
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
    found.swap_remove(0)
}

/// What a claim compares of a delivery.
pub(super) type Shown = (ApplicationKey, DeliveryPosition, Standing, Option<u16>);

pub(super) fn shown(row: &DeliveryRow) -> Shown {
    let code = row.story.last.map(|told| told.status_code);
    let application = row.application.0.key();
    (application, row.position(), row.story.standing, code)
}

/// All there is, the oldest first, and as the lists of messages have it.
pub(super) async fn whole(world: &World) -> Vec<Shown> {
    let rows = all(world, &delivery_query(DeliveryScope::All)).await;
    for row in &rows {
        let lane = Lane {
            application: row.application.0.key(),
            endpoint: row.endpoint.0.key(),
        };
        let query = super::reading::endpoint_message_query(lane);
        let stands = world.endpoint_message_rows(&query).await;
        let stands = stands
            .iter()
            .find(|one| one.message.message == row.message)
            .expect("the endpoint's list has it");
        assert_eq!(stands.standing, row.story.standing);
        assert_eq!(stands.next_attempt, row.story.next_attempt);
    }
    rows.iter().map(shown).collect()
}

/// What of it a query is to give.
pub(super) fn narrowed(everything: &[Shown], query: &DeliveryQuery) -> Vec<Shown> {
    let passes = |(application, position, standing, code): &&Shown| {
        let in_scope = match query.scope {
            DeliveryScope::All => true,
            DeliveryScope::Application(wanted) => wanted == *application,
            DeliveryScope::Endpoint(lane) => lane.endpoint == position.endpoint,
        };
        let wanted = query.standing.as_ref();
        in_scope
            && wanted.is_none_or(|wanted| wanted.contains(standing))
            && query
                .status_codes
                .is_none_or(|(first, end)| code.is_some_and(|code| (first..end).contains(&code)))
    };
    everything.iter().filter(passes).copied().collect()
}
