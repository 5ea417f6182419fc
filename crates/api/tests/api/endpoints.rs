//! Endpoints, row by row of the contract.

use crate::world::{World, merged};
use app::Settings;
use serde_json::{Value, json};
use std::time::Duration;

/// A world with an application `a` and the event types `x.one`, `x.two` and the archived `x.old`.
async fn world() -> World {
    let world = World::new();
    world.application("a").await;
    for (name, archived) in [("x.one", false), ("x.two", false), ("x.old", true)] {
        let body = json!({"name": name, "description": "", "archived": archived});
        world.post("/event-type", body).await.is(201);
    }
    world
}

#[tokio::test]
async fn an_endpoint_is_shown_as_clients_know_it() {
    let world = world().await;
    let least = world
        .post("/app/a/endpoint", json!({"url": "https://example.com"}))
        .await
        .is(201);
    let (id, time) = (least.text("id"), least.text("createdAt"));
    assert!(id.starts_with("ep_"), "{id}");
    assert_eq!(
        least.body,
        json!({
            "id": id, "uid": null, "url": "https://example.com/", "description": "",
            "disabled": false, "version": 1, "eventTypes": null, "filterTypes": null,
            "channels": null, "rateLimit": null, "throttleRate": null, "metadata": {},
            "createdAt": time, "updatedAt": time,
        })
    );
    let all = json!({
        "url": "https://example.com/hook?a=b", "uid": "e", "description": "It", "disabled": true,
        "version": 3, "filterTypes": ["x.two", "x.one", "x.two"], "channels": ["c"],
        "rateLimit": 5, "metadata": {"k": "v"}, "headers": {"X-A": "1"},
    });
    let all = world.post("/app/a/endpoint", all).await.is(201);
    assert_eq!(all["eventTypes"], json!(["x.one", "x.two"]));
    assert_eq!(all["filterTypes"], all["eventTypes"]);
    assert_eq!(
        (&all["channels"], &all["version"]),
        (&json!(["c"]), &json!(3))
    );
    assert_eq!(
        (&all["rateLimit"], &all["throttleRate"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(
        (&all["disabled"], &all["description"]),
        (&json!(true), &json!("It"))
    );
    for path in [all.text("id"), "e".to_owned()] {
        let read = world.get(format!("/app/a/endpoint/{path}")).await;
        assert_eq!(read.is(200).body, all.body);
    }
    let headers = world.get("/app/a/endpoint/e/headers").await.is(200);
    assert_eq!(
        headers.body,
        json!({"headers": {"X-A": "1"}, "sensitive": []})
    );
}

#[tokio::test]
async fn broken_rules_are_told_with_where_they_are() {
    let world = world().await;
    let eleven: Vec<String> = (0..11).map(|number| format!("c{number}")).collect();
    let cases = [
        (json!({"url": null}), vec!["body/url"]),
        (json!({"url": "nonsense"}), vec!["body/url"]),
        (json!({"description": null}), vec!["body/description"]),
        (json!({"description": "\u{1}"}), vec!["body/description"]),
        (json!({"disabled": null}), vec!["body/disabled"]),
        (json!({"version": 0}), vec!["body/version"]),
        (json!({"version": 65_536}), vec!["body/version"]),
        (json!({"eventTypes": []}), vec!["body/eventTypes"]),
        (json!({"eventTypes": [1]}), vec!["body/eventTypes[0]"]),
        (
            json!({"eventTypes": ["a b"]}),
            vec!["body/eventTypes[0]/__all__"],
        ),
        (
            json!({"eventTypes": ["x.one", "x.none"]}),
            vec!["body/eventTypes"],
        ),
        (json!({"eventTypes": ["x.old"]}), vec!["body/eventTypes"]),
        (
            json!({"eventTypes": ["x.one"], "filterTypes": ["x.one"]}),
            vec!["body//"],
        ),
        (json!({"channels": []}), vec!["body/channels"]),
        (json!({"channels": eleven}), vec!["body/channels"]),
        (json!({"throttleRate": 0}), vec!["body/throttleRate"]),
        (json!({"uid": "ep_x"}), vec!["body/uid/__all__"]),
        (json!({"metadata": {"k": null}}), vec!["body/metadata/k"]),
        (json!({"secret": "whsec_short"}), vec!["body/secret"]),
        (json!({"headers": {"host": "x"}}), vec!["body/headers"]),
        (
            json!({"description": "\u{1}", "url": "http://example.com", "eventTypes": ["n"]}),
            vec!["body/description", "body/url", "body/eventTypes"],
        ),
    ];
    for (changes, locations) in cases {
        let body = merged(json!({"url": "https://example.com"}), changes);
        let answer = world.post("/app/a/endpoint", &body).await;
        assert_eq!(answer.broken(), locations, "{body}");
    }
    let unknown = json!({"url": "https://example.com", "eventTypes": ["b", "a", "x.one"]});
    let answer = world.post("/app/a/endpoint", unknown).await.is(422);
    assert_eq!(
        answer["detail"][0]["msg"],
        "The following event types don't exist: a, b"
    );
    let empty = world.post("/app/a/endpoint", json!({})).await;
    assert_eq!(empty.broken(), ["body//"]);
}

#[tokio::test]
async fn urls_that_may_not_be_called_are_refused_however_they_come() {
    let world = world().await;
    world.endpoint("a", json!({"uid": "e"})).await;
    let uniform = "requests to this IP range are blocked (see the server configuration)";
    let cases = [
        ("http://example.com", false, None),
        ("ftp://example.com", false, None),
        ("https://127.0.0.1", false, Some(uniform)),
        ("https://10.0.0.1/", false, Some(uniform)),
        ("https://localhost", false, Some(uniform)),
        ("https://[::1]/", false, Some(uniform)),
        ("https://private.example.com", false, Some(uniform)),
        ("https://mixed.example.com", false, Some(uniform)),
        ("https://unknown.example.com", true, None),
        ("https://user:pass@example.com/x", true, None),
    ];
    for (url, fine, text) in cases {
        let body = json!({"url": url});
        for (method, path, good) in [
            ("POST", "/app/a/endpoint", 201),
            ("PUT", "/app/a/endpoint/e", 200),
            ("PATCH", "/app/a/endpoint/e", 200),
        ] {
            let mut body = body.clone();
            if method == "PUT" {
                body["uid"] = json!("e");
            }
            let answer = world.call(method, path).body(body).await;
            if fine {
                assert_eq!(answer.status, good, "{method} {url}: {answer:?}");
                continue;
            }
            assert_eq!(answer.broken(), ["body/url"], "{method} {url}");
            if let Some(text) = text {
                assert_eq!(answer["detail"][0]["msg"], text, "{method} {url}");
            }
        }
    }
}

#[tokio::test]
async fn credentials_in_a_url_are_masked_and_stay_while_it_leads_to_the_same_place() {
    let world = world().await;
    let url = |url: &str| json!({ "url": url, "uid": "e" });
    let made = world.post("/app/a/endpoint", url("https://user:pass@example.com/x"));
    let made = made.await.is(201);
    assert_eq!(made["url"], "https://***:***@example.com/x");
    let path = "/app/a/endpoint/e";
    assert_eq!(world.get(path).await.is(200)["url"], made["url"]);

    let moved = url("https://***:***@example.com/y");
    world.put(path, &moved).await.is(200);
    world.patch(path, &moved).await.is(200);
    world
        .put(format!("{path}/headers"), json!({"headers": {}}))
        .await
        .is(204);
    world.patch(path, &moved).await.is(200);
    for elsewhere in [
        "https://***:***@example.org/y",
        "https://***:***@example.com:444/",
    ] {
        let refused = world.patch(path, url(elsewhere)).await;
        assert_eq!(refused.broken(), ["body/url"], "{elsewhere}");
    }
    world.events.take();
    for (password, reported) in [("pass", 0), ("other", 1)] {
        let given = url(&format!("https://user:{password}@example.com/y"));
        world.put(path, given).await.is(200);
        assert_eq!(world.events.take_kinds().len(), reported, "{password}");
    }
    let plain = url("https://example.com/y");
    let plain = world.put(path, plain).await.is(200);
    assert_eq!(plain["url"], "https://example.com/y");
    let refused = world.put(path, &moved).await;
    assert_eq!(refused.broken(), ["body/url"], "they are gone");
    let refused = world.post("/app/a/endpoint", url("https://***:***@example.com/"));
    assert_eq!(refused.await.broken(), ["body/url"], "there never were any");
}

#[tokio::test]
async fn put_replaces_all_but_secret_and_headers() {
    let world = world().await;
    let whole = json!({
        "url": "https://example.com", "uid": "e", "description": "It", "disabled": true,
        "version": 2, "eventTypes": ["x.one"], "channels": ["c"], "throttleRate": 5,
        "metadata": {"k": "v"}, "headers": {"X-A": "1"},
    });
    let before = world.post("/app/a/endpoint", whole).await.is(201);
    let secret = world.get("/app/a/endpoint/e/secret").await.is(200);
    let body = json!({"url": "https://other.example.com", "uid": "e"});
    let put = world.put("/app/a/endpoint/e", body).await.is(200);
    assert_eq!(put.text("id"), before.text("id"));
    for (field, value) in [
        ("url", json!("https://other.example.com/")),
        ("description", json!("")),
        ("disabled", json!(false)),
        ("version", json!(1)),
        ("eventTypes", json!(null)),
        ("channels", json!(null)),
        ("throttleRate", json!(null)),
        ("metadata", json!({})),
    ] {
        assert_eq!(put.body[field], value, "{field}");
    }
    let kept = world.get("/app/a/endpoint/e/secret").await.is(200);
    assert_eq!(kept.text("key"), secret.text("key"));
    let headers = world.get("/app/a/endpoint/e/headers").await.is(200);
    assert_eq!(headers["headers"], json!({"X-A": "1"}));
}

#[tokio::test]
async fn put_makes_an_endpoint_where_there_is_none() {
    let world = world().await;
    let body = json!({"url": "https://example.com"});
    let made = world.put("/app/a/endpoint/new", body).await.is(201);
    assert_eq!(made["uid"], Value::Null, "the path's name is not used");
    world.get("/app/a/endpoint/new").await.is(404);
    let path = format!("/app/a/endpoint/{}/secret", made.text("id"));
    let secret = world.get(path).await.is(200);
    assert!(secret.text("key").starts_with("whsec_"));
}

#[tokio::test]
async fn patch_changes_what_it_names() {
    let world = world().await;
    let whole = json!({
        "url": "https://example.com", "uid": "e", "description": "It", "eventTypes": ["x.one"],
        "channels": ["c"], "throttleRate": 5, "metadata": {"k": "v"},
    });
    let mut expected = world.post("/app/a/endpoint", whole).await.is(201).body;
    let id = expected["id"].as_str().expect("an id").to_owned();
    let cases = [
        (json!({}), json!({})),
        (json!({"description": "B"}), json!({"description": "B"})),
        (json!({"disabled": true}), json!({"disabled": true})),
        (
            json!({"filterTypes": ["x.two"]}),
            json!({"eventTypes": ["x.two"], "filterTypes": ["x.two"]}),
        ),
        (
            json!({"eventTypes": null}),
            json!({"eventTypes": null, "filterTypes": null}),
        ),
        (json!({"channels": null}), json!({"channels": null})),
        (
            json!({"rateLimit": 9}),
            json!({"rateLimit": 9, "throttleRate": 9}),
        ),
        (
            json!({"metadata": {"x": "y"}}),
            json!({"metadata": {"x": "y"}}),
        ),
        (json!({"uid": null}), json!({"uid": null})),
        (json!({"version": 4}), json!({"version": 4})),
    ];
    for (patch, changes) in cases {
        world.clock.advance(Duration::from_secs(1));
        let path = format!("/app/a/endpoint/{id}");
        let patched = world.patch(&path, &patch).await.is(200);
        assert_ne!(patched["updatedAt"], expected["updatedAt"], "{patch}");
        for (field, value) in changes.as_object().expect("changes") {
            expected[field] = value.clone();
        }
        expected["updatedAt"] = patched["updatedAt"].clone();
        assert_eq!(patched.body, expected, "{patch}");
        assert_eq!(world.get(&path).await.body, expected, "{patch}");
    }
    let path = format!("/app/a/endpoint/{id}");
    for field in ["url", "description", "disabled"] {
        let patch = json!({field: null});
        let answer = world.patch(&path, patch).await;
        assert_eq!(answer.broken(), [format!("body/{field}")]);
    }
    let missing = "/app/a/endpoint/missing";
    world.patch(missing, json!({})).await.is(404);
}

#[tokio::test]
async fn a_filter_keeps_event_types_that_are_archived_later() {
    let world = world().await;
    let body = json!({"uid": "e", "eventTypes": ["x.one"]});
    world.endpoint("a", body).await;
    world.delete("/event-type/x.one").await.is(204);
    let patched = world
        .patch("/app/a/endpoint/e", json!({"description": "B"}))
        .await
        .is(200);
    assert_eq!(patched["eventTypes"], json!(["x.one"]));
    let again = json!({"eventTypes": ["x.one"]});
    world.patch("/app/a/endpoint/e", again).await.is(422);
}

#[tokio::test]
async fn uids_are_unique_in_their_application() {
    let world = world().await;
    world.application("b").await;
    let body = json!({"url": "https://example.com", "uid": "e"});
    world.post("/app/a/endpoint", &body).await.is(201);
    world.post("/app/b/endpoint", &body).await.is(201);
    let detail = "An endpoint with that id or uid already exists";
    let again = world.post("/app/a/endpoint", body).await;
    assert_eq!(again.refuses(409, "conflict"), detail);
    let other = world.endpoint("a", json!({})).await;
    let path = format!("/app/a/endpoint/{other}");
    let patched = world.patch(path, json!({"uid": "e"})).await;
    assert_eq!(patched.refuses(409, "conflict"), detail);
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_its_uid_free() {
    let world = world().await;
    let id = world.endpoint("a", json!({"uid": "e"})).await;
    world.delete("/app/a/endpoint/e").await.is(204);
    for path in ["/app/a/endpoint/e", &format!("/app/a/endpoint/{id}")] {
        world.get(path).await.is(404);
        world.get(format!("{path}/secret")).await.is(404);
        world.get(format!("{path}/headers")).await.is(404);
        world.delete(path).await.is(404);
    }
    assert_eq!(world.get("/app/a/endpoint").await.column("id"), [""; 0]);
    world.endpoint("a", json!({"uid": "e"})).await;
}

#[tokio::test]
async fn an_endpoint_of_another_application_is_not_there() {
    let world = world().await;
    world.application("b").await;
    let id = world.endpoint("a", json!({"uid": "e"})).await;
    for path in [id, "e".to_owned()] {
        let path = format!("/app/b/endpoint/{path}");
        world.get(&path).await.is(404);
        world.delete(&path).await.is(404);
    }
}

#[tokio::test]
async fn lists_begin_with_the_newest() {
    let world = world().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, world.endpoint("a", json!({})).await);
    }
    let first = world.get("/app/a/endpoint?limit=2").await.is(200);
    assert_eq!(
        (first.column("id"), &first["done"]),
        (ids[..2].to_vec(), &json!(false))
    );
    let path = format!(
        "/app/a/endpoint?limit=2&iterator={}",
        first.text("iterator")
    );
    let second = world.get(&path).await.is(200);
    assert_eq!(
        (second.column("id"), &second["done"]),
        (ids[2..].to_vec(), &json!(true))
    );
    let path = format!(
        "/app/a/endpoint?limit=1&iterator={}",
        second.text("prevIterator")
    );
    let back = world.get(&path).await.is(200);
    assert_eq!(
        (back.column("id"), &back["done"]),
        (ids[1..2].to_vec(), &json!(false))
    );
    ids.reverse();
    let oldest = world.get("/app/a/endpoint?order=ascending").await;
    assert_eq!(oldest.column("id"), ids);
}

#[tokio::test]
async fn no_more_endpoints_than_the_operator_allows() {
    let settings = Settings {
        endpoints_max: 2,
        ..Settings::default()
    };
    let world = World::with(settings);
    world.application("a").await;
    for _ in 0..2 {
        world.endpoint("a", json!({})).await;
    }
    let body = json!({"url": "https://example.com"});
    let refused = world.post("/app/a/endpoint", body).await;
    let detail = refused.refuses(400, "limit_reached");
    assert!(detail.contains("endpoints_max"), "{detail}");
}

#[tokio::test]
async fn changes_hold_before_they_are_acknowledged_and_new_urls_are_reported() {
    let world = world().await;
    let secret_url = json!({"url": "https://user:hidden@old.example.com/?k=hidden", "uid": "e"});
    world.endpoint("a", secret_url).await;
    assert_eq!(world.lanes.take_changed(), 1);
    let events = world.events.take();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind.as_str(), "endpoint.created");
    assert!(events[0].description.contains("old.example.com"));
    assert!(!events[0].description.contains("hidden"));
    let description = json!({"description": "x"});
    world.patch("/app/a/endpoint/e", description).await.is(200);
    assert_eq!(world.lanes.take_changed(), 1);
    assert_eq!(world.events.take_kinds(), [""; 0]);
    let secret_url = json!({"url": "https://user:hidden@new.example.com/?k=hidden"});
    world.patch("/app/a/endpoint/e", secret_url).await.is(200);
    let events = world.events.take();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind.as_str(), "endpoint.url_changed");
    assert!(events[0].description.contains("new.example.com"));
    assert!(!events[0].description.contains("hidden"));
    world.delete("/app/a/endpoint/e").await.is(204);
    assert_eq!(world.lanes.take_changed(), 2);
}

#[tokio::test]
async fn a_repeated_request_makes_nothing_new() {
    let world = world().await;
    let body = json!({"url": "https://example.com"});
    let first = world.post("/app/a/endpoint", &body).key("k").await.is(201);
    let again = world.post("/app/a/endpoint", body).key("k").await.is(201);
    assert_eq!(again.body, first.body);
    let other = json!({"url": "https://other.example.com"});
    let other = world.post("/app/a/endpoint", other).key("k").await;
    other.refuses(409, "conflict");
    assert_eq!(world.get("/app/a/endpoint").await.column("id").len(), 1);
}
