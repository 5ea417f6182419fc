//! A page of deliveries costs the same however many there are: what was given up among all that was
//! delivered, and what was delivered among all of other applications.

use super::{FULL, OTHER, ROWS, check, database, lane};
use crate::delivery_list;
use model::id::{EndpointKey, Key, MessageKey};
use store::deliveries::{DeliveryPosition, DeliveryQuery, DeliveryScope, DeliveryWindow};
use store::rows::Standing;

/// From the first messages on.
fn query(scope: DeliveryScope, standing: Option<Vec<Standing>>) -> DeliveryQuery {
    DeliveryQuery {
        scope,
        window: DeliveryWindow {
            above: DeliveryPosition {
                message: MessageKey::from_integer(ROWS + 10),
                endpoint: EndpointKey::MAX,
            },
            below: DeliveryPosition {
                message: Key::MAX,
                endpoint: EndpointKey::MIN,
            },
            ascending: true,
            limit: 5,
        },
        standing,
        event_type: None,
        status_codes: None,
    }
}

fn scopes(endpoint: i64) -> [DeliveryScope; 3] {
    let lane = lane(endpoint);
    [
        DeliveryScope::All,
        DeliveryScope::Application(lane.application),
        DeliveryScope::Endpoint(lane),
    ]
}

#[test]
fn a_page_of_deliveries_costs_the_same_however_many_there_are() {
    for scope in scopes(OTHER) {
        let given_up = query(scope, Some(vec![Standing::Failed]));
        let connection = database(60);
        let found = delivery_list::list(&connection, &given_up).unwrap();
        assert_eq!((found.rows.len(), found.more), (5, true), "{scope:?}");
        check("what was given up", |connection| {
            delivery_list::list(connection, &given_up)
        });
    }
    for scope in scopes(FULL) {
        for standing in [None, Some(vec![Standing::Delivered])] {
            let delivered = query(scope, standing);
            check("what was delivered", |connection| {
                delivery_list::list(connection, &delivered)
            });
        }
    }
    let open = query(DeliveryScope::All, Some(vec![Standing::Retrying]));
    check("what is open", |connection| {
        delivery_list::list(connection, &open)
    });
    let few = query(scopes(OTHER)[2], Some(vec![Standing::Pending]));
    check("what is open to one endpoint", |connection| {
        delivery_list::list(connection, &few)
    });
}
