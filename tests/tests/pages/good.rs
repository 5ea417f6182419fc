//! Every page is good: it can be read and used in each size and scheme, by keyboard and without
//! scripts, asks nobody else for anything, and takes no text for more than that.

use e2e::filling::fill;
use e2e::hostile::HOSTILE;
use e2e::{Api, Filled, Filling, Options, Page, Server, Visit, eventually};

/// The pages, in a server that is filled.
fn pages() -> Vec<Page> {
    vec![Page::new("docs", "/docs").shows("Postrider's API")]
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
    let (server, _api, _filled) = filled().await;
    let visit = Visit::to(server.url()).pages(pages());
    visit.is_good().await;
}

async fn filled() -> (Server, Api, Filled) {
    let waiting = Options::dev().option("--retry-schedule", "3600");
    let mut server = Server::start(waiting).await;
    let api = server.api().await;
    let filled = fill(&api, Filling::default()).await;
    (server, api, filled)
}
