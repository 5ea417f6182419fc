//! A page of deliveries costs the same however many there are: what was given up among all that was
//! delivered, and what was delivered among all of other applications.

use super::{APPLICATION, FULL, OTHER, ROWS, check, database, instructions, lane};
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

/// As they are when endpoints come and go: deleted ones are listed too.
#[test]
fn what_was_given_up_is_not_sought_for_each_of_very_many_endpoints() {
    let given_up = query(scopes(OTHER)[1], Some(vec![Standing::Failed]));
    let cost = |deleted: i64| {
        let mut connection = database(60);
        let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO endpoint SELECT 9000 + i, zeroblob(12), ?2, NULL, 'https://a.example', '',
                 0, NULL, NULL, NULL, '{}', 1, x'00', NULL, NULL, 1, NULL, 0, 0, 1, 0, NULL, NULL FROM n";
        connection.execute(fill, [deleted, APPLICATION]).unwrap();
        instructions(&mut connection, |connection| {
            let found = delivery_list::list(connection, &given_up).unwrap();
            assert_eq!((found.rows.len(), found.more), (5, true));
        })
    };
    let each = (cost(4_000) - cost(2_000)) / 2_000;
    assert!(each < 10, "{each} instructions for each endpoint");
}
