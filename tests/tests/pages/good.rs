//! Every page is good: it can be read and used in each size and scheme, by keyboard and without
//! scripts, asks nobody else for anything, and takes no text for more than that.

use e2e::filling::fill;
use e2e::hostile::HOSTILE;
use e2e::{Api, Filled, Filling, Options, Page, Server, Visit, eventually};
use serde_json::json;

/// The pages, in a server that is filled.
fn pages(filled: &Filled) -> Vec<Page> {
    let mut pages = vec![
        Page::new("docs", "/docs").shows("Postrider's API"),
        Page::new("sign-in", "/dashboard/sign-in").shows("Admin token or API key"),
    ];
    pages.extend(operators(filled).into_iter().map(|page| page.of(OPERATOR)));
    pages
}

/// The session that the operator's pages are looked at with.
const OPERATOR: &str = "operator";

/// An application's pages among the operator's.
const SHOP: &str = "/dashboard/applications/shop";

fn message(id: &str) -> String {
    format!("{SHOP}/messages/{id}")
}

/// The operator's own.
fn operators(filled: &Filled) -> Vec<Page> {
    vec![
        Page::new("overview", "/dashboard").shows("Overview"),
        Page::new("messages", "/dashboard/messages").shows("Messages"),
        Page::new("deliveries", "/dashboard/messages/deliveries").shows("order"),
        Page::new("messages-of-one", format!("{SHOP}/messages")),
        Page::new("message-new", format!("{SHOP}/messages/new")),
        Page::new("message-delivered", message(&filled.delivered)).shows("failing"),
        Page::new("message-exhausted", message(&filled.exhausted)),
        Page::new("message-waiting", message(&filled.waiting)),
        Page::new("attempts", format!("{SHOP}/endpoints/failing/attempts")),
        Page::new("nowhere", "/dashboard/nowhere")
            .shows("No such page")
            .status(404),
    ]
}

/// What makes the table worth something: there is something to be seen on each page.
#[tokio::test]
async fn a_filled_server_has_something_of_everything() {
    let (_server, api, filled) = filled().await;
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
async fn every_page_is_good_in_a_browser() {
    let (mut server, _api, filled) = filled().await;
    let token = server.token().await;
    let visit = Visit::to(server.url())
        .signing_in(OPERATOR, "/dashboard/sign-in", json!({"token": token}))
        .pages(pages(&filled));
    visit.is_good().await;
}

async fn filled() -> (Server, Api, Filled) {
    let waiting = Options::dev().option("--retry-schedule", "3600");
    let mut server = Server::start(waiting).await;
    let api = server.api().await;
    let filled = fill(&api, Filling::default()).await;
    (server, api, filled)
}
