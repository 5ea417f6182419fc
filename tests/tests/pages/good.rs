//! Every page is good: it can be read and used in each size and scheme, by keyboard and without
//! scripts, asks nobody else for anything, and takes no text for more than that.
//!
//! Four tests, for they run at the same time.

use crate::place::{HOSTILES, Place, SHOPS, VIEWER, path_of};
use crate::table;
use e2e::eventually;
use e2e::hostile::HOSTILE;
use serde_json::json;

/// What makes the table worth something: there is something to be seen on each page.
#[tokio::test]
async fn a_filled_server_has_something_of_everything() {
    let Place {
        server: _server,
        api,
        filled,
    } = Place::filled().await;
    let get = async |path: &str| api.get(path).await.expect(200).json();
    for (endpoint, disabled) in [("willing", false), ("gone", true), ("paused", true)] {
        let path = format!("/app/shop/endpoint/{endpoint}");
        assert_eq!(get(&path).await["disabled"], disabled, "{endpoint}");
    }
    for state in ["pending", "delivered", "exhausted"] {
        let list = get(&format!("/delivery?state={state}")).await;
        let found = list["data"].as_array().is_some_and(|rows| !rows.is_empty());
        assert!(found, "{state}: {list}");
    }
    for kind in ["api.authentication_failed", "ingest.signature_invalid"] {
        eventually(format!("an event {kind}"), || async {
            let list = api
                .get(&format!("/security/event?kind={kind}"))
                .await
                .json();
            let found = list["data"].as_array().is_some_and(|rows| !rows.is_empty());
            found.then_some(()).ok_or_else(|| list.to_string())
        })
        .await;
    }
    for (number, ((_, text), message)) in HOSTILE.iter().zip(&filled.hostile).enumerate() {
        let endpoint = get(&format!("/app/hostile/endpoint/hostile-{number}")).await;
        assert_eq!(endpoint["description"], *text);
        let attempts = get(&format!("/app/hostile/msg/{message}/attempt")).await;
        assert_eq!(attempts["data"][0]["response"], *text);
    }
}

#[tokio::test]
async fn every_page_stands_in_the_table() {
    let place = Place::filled().await;
    let (filled, ids) = (&place.filled, place.ids().await);
    let mut all = table::open(&path_of(&filled.portal));
    all.extend(table::operators(filled, &ids));
    all.extend(table::portals(filled, &ids));
    let missing = table::missing(&all);
    assert!(missing.is_empty(), "no row is of {missing:#?}");
}

#[tokio::test]
async fn every_page_for_operators_is_good_in_a_browser() {
    let mut place = Place::with_identity_provider().await;
    let ids = place.ids().await;
    let key = place.key_of("viewer").await;
    let visit = place
        .visit()
        .await
        .signing_in(VIEWER, "/dashboard/sign-in", json!({ "token": key }))
        .pages(table::open(&path_of(&place.filled.portal)))
        .pages(table::operators(&place.filled, &ids))
        .pages(table::viewers());
    visit.is_good().await;
}

#[tokio::test]
async fn every_page_of_the_portal_is_good_in_a_browser() {
    let mut place = Place::filled().await;
    let ids = place.ids().await;
    let visit = place
        .visit()
        .await
        .opening(SHOPS, &path_of(&place.filled.portal))
        .pages(table::portals(&place.filled, &ids));
    visit.is_good().await;
}

#[tokio::test]
async fn no_page_takes_hostile_text_for_more_than_text() {
    let mut place = Place::filled().await;
    let ids = place.ids().await;
    let visit = place
        .visit()
        .await
        .opening(HOSTILES, &ids.hostile_portal)
        .pages(table::hostile_to_operators(&place.filled, &ids))
        .pages(table::hostile_to_consumers(&place.filled, &ids));
    visit.is_good().await;
}
