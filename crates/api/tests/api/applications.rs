//! Applications, row by row of the contract.

use crate::world::World;
use serde_json::{Value, json};

#[tokio::test]
async fn an_application_is_shown_as_clients_know_it() {
    let world = World::new();
    let least = world.post("/app", json!({"name": "One"})).await.is(201);
    let id = least.text("id");
    assert!(id.starts_with("app_") && id.len() == 31, "{id}");
    let time = least.text("createdAt");
    assert!(
        time.starts_with("2026-01-01T00:30:00") && time.ends_with('Z'),
        "{time}"
    );
    assert_eq!(
        least.body,
        json!({
            "id": id, "name": "One", "throttleRate": null, "metadata": {},
            "createdAt": time, "updatedAt": time,
        })
    );
    let all = json!({
        "name": "Two", "uid": "two", "throttleRate": 7, "metadata": {"a": "b"}, "unknown": 1,
    });
    let all = world.post("/app", all).await.is(201);
    assert_eq!(all["uid"], "two");
    assert_eq!(
        (&all["rateLimit"], &all["throttleRate"]),
        (&json!(7), &json!(7))
    );
    assert_eq!(all["metadata"], json!({"a": "b"}));
    for path in [all.text("id"), "two".to_owned()] {
        let read = world.get(format!("/app/{path}")).await;
        assert_eq!(read.is(200).body, all.body);
    }
}

#[tokio::test]
async fn a_uid_that_is_taken_is_a_conflict() {
    let world = World::new();
    let detail = "An application with that id or uid already exists";
    let body = json!({"name": "A", "uid": "taken"});
    world.post("/app", &body).await.is(201);
    let again = world.post("/app", &body).await;
    assert_eq!(again.refuses(409, "conflict"), detail);
    let other = world.application("b").await;
    let path = format!("/app/{other}");
    let patched = world.patch(&path, json!({"uid": "taken"})).await;
    assert_eq!(patched.refuses(409, "conflict"), detail);
    let put = world.put(&path, body).await;
    assert_eq!(put.refuses(409, "conflict"), detail);
}

#[tokio::test]
async fn get_if_exists_gives_back_what_is_there() {
    let world = World::new();
    let first = world
        .post("/app?get_if_exists=true", json!({"name": "A", "uid": "u"}))
        .await
        .is(201);
    let again = world
        .post("/app?get_if_exists=true", json!({"name": "B", "uid": "u"}))
        .await
        .is(200);
    assert_eq!(again.body, first.body, "unchanged, whatever the body says");
    for _ in 0..2 {
        world
            .post("/app?get_if_exists=true", json!({"name": "C"}))
            .await
            .is(201);
    }
}

#[tokio::test]
async fn put_replaces_all_or_makes_anew() {
    let world = World::new();
    let whole = json!({"name": "A", "uid": "u", "rateLimit": 3, "metadata": {"k": "v"}});
    let id = world.post("/app", whole).await.is(201).text("id");
    let put = world.put("/app/u", json!({"name": "B"})).await.is(200);
    assert_eq!(put.text("id"), id);
    assert_eq!(put["name"], "B");
    assert_eq!(
        (&put["uid"], &put["rateLimit"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(put["metadata"], json!({}));
    let made = world
        .put("/app/u", json!({"name": "C", "uid": "other"}))
        .await
        .is(201);
    assert_ne!(made.text("id"), id);
    assert_eq!(made["uid"], "other", "the path's name is not used");
    world.get("/app/u").await.is(404);
}

#[tokio::test]
async fn patch_changes_what_it_names() {
    let world = World::new();
    let whole = json!({"name": "A", "uid": "u", "rateLimit": 3, "metadata": {"k": "v"}});
    let id = world.post("/app", whole).await.is(201).text("id");
    let before = world.get("/app/u").await.is(200);
    world.clock.advance(std::time::Duration::from_secs(1));
    let path = format!("/app/{id}");
    let cases = [
        (json!({}), json!({})),
        (json!({"name": "B"}), json!({"name": "B"})),
        (
            json!({"throttleRate": null}),
            json!({"throttleRate": null, "rateLimit": null}),
        ),
        (
            json!({"throttleRate": 9, "rateLimit": 5}),
            json!({"throttleRate": 9, "rateLimit": 9}),
        ),
        (
            json!({"rateLimit": 5}),
            json!({"throttleRate": 5, "rateLimit": 5}),
        ),
        (
            json!({"metadata": {"x": "y"}}),
            json!({"metadata": {"x": "y"}}),
        ),
        (json!({"metadata": null}), json!({"metadata": {}})),
        (json!({"uid": null}), json!({"uid": null})),
    ];
    let mut expected = before.body;
    for (patch, changes) in cases {
        let patched = world.patch(&path, &patch).await.is(200);
        assert_ne!(patched["updatedAt"], expected["createdAt"], "{patch}");
        for (field, value) in changes.as_object().expect("changes") {
            expected[field] = value.clone();
        }
        expected["updatedAt"] = patched["updatedAt"].clone();
        expected
            .as_object_mut()
            .expect("an object")
            .retain(|field, value| {
                !(value.is_null() && matches!(field.as_str(), "uid" | "rateLimit"))
            });
        assert_eq!(patched.body, expected, "{patch}");
    }
    let refused = world.patch(&path, json!({"name": null})).await;
    assert_eq!(refused.broken(), ["body/name"]);
    let missing = world.patch("/app/missing", json!({})).await;
    assert_eq!(missing.refuses(404, "not_found"), "Entity not found");
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_its_uid_free() {
    let world = World::new();
    let id = world.application("u").await;
    world.get(format!("/app/{id}")).await.is(200);
    let deleted = world.delete("/app/u").await.is(204);
    assert_eq!(deleted.body, Value::Null);
    for (method, path) in [
        ("GET", format!("/app/{id}")),
        ("GET", "/app/u".to_owned()),
        ("DELETE", format!("/app/{id}")),
        ("GET", format!("/app/{id}/endpoint")),
        ("PATCH", format!("/app/{id}")),
    ] {
        world.call(method, path).body("{}").await.is(404);
    }
    let again = world.application("u").await;
    assert_ne!(again, id);
    let list = world.get("/app").await.is(200);
    assert_eq!(list.column("id"), [again]);
}

#[tokio::test]
async fn broken_rules_are_told_together_with_where_they_are() {
    let world = World::new();
    let cases = [
        (json!({"name": ""}), vec!["body/name"]),
        (json!({"name": "a\u{0}b"}), vec!["body/name"]),
        (json!({"name": "a\tb"}), vec![]),
        (json!({}), vec!["body//"]),
        (json!([]), vec!["body//"]),
        (json!({"name": 1}), vec!["body/name"]),
        (json!({"name": "a", "uid": ""}), vec!["body/uid/__all__"]),
        (
            json!({"name": "a", "uid": "app_x"}),
            vec!["body/uid/__all__"],
        ),
        (json!({"name": "a", "uid": "a b"}), vec!["body/uid/__all__"]),
        (
            json!({"name": "a", "uid": "x".repeat(257)}),
            vec!["body/uid/__all__"],
        ),
        (json!({"name": "a", "uid": "x".repeat(256)}), vec![]),
        (
            json!({"name": "a", "throttleRate": 0}),
            vec!["body/throttleRate"],
        ),
        (json!({"name": "a", "rateLimit": 0}), vec!["body/rateLimit"]),
        (
            json!({"name": "a", "throttleRate": 65_536}),
            vec!["body/throttleRate"],
        ),
        (
            json!({"name": "a", "throttleRate": -1}),
            vec!["body/throttleRate"],
        ),
        (json!({"name": "a", "throttleRate": 65_535}), vec![]),
        (
            json!({"name": "a", "metadata": {"k": 1}}),
            vec!["body/metadata/k"],
        ),
        (
            json!({"name": "a", "metadata": {"k": "x".repeat(4_096)}}),
            vec!["body/metadata"],
        ),
        (
            json!({"name": "a", "metadata": {"k\u{0}": "v"}}),
            vec!["body/metadata"],
        ),
        (json!({"name": "a", "metadata": null}), vec![]),
        (
            json!({"name": "", "uid": "a b"}),
            vec!["body/name", "body/uid/__all__"],
        ),
    ];
    for (body, locations) in cases {
        let answer = world.post("/app", &body).await;
        match locations.as_slice() {
            [] => assert_eq!(answer.status, 201, "{body}: {answer:?}"),
            locations => assert_eq!(answer.broken(), locations, "{body}"),
        }
    }
}

#[tokio::test]
async fn lists_go_both_ways() {
    let world = World::new();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(world.application(name).await);
    }
    let first = world.get("/app?limit=2").await.is(200);
    assert_eq!(first.column("id"), ids[..2]);
    assert_eq!(first["done"], false);
    assert_eq!(first.text("iterator"), ids[1]);
    assert_eq!(first.text("prevIterator"), format!("-{}", ids[0]));
    let second = world
        .get(format!("/app?limit=2&iterator={}", ids[1]))
        .await
        .is(200);
    assert_eq!(
        (second.column("id"), &second["done"]),
        (ids[2..].to_vec(), &json!(true))
    );
    let back = world
        .get(format!(
            "/app?limit=2&iterator={}",
            second.text("prevIterator")
        ))
        .await;
    assert_eq!(
        (back.column("id"), &back["done"]),
        (ids[..2].to_vec(), &json!(true))
    );
    let newest = world.get("/app?limit=1&order=descending").await.is(200);
    assert_eq!(newest.column("id"), ids[2..]);
    let empty = world.get(format!("/app?iterator={}", ids[2])).await.is(200);
    assert_eq!(
        empty.body,
        json!({"data": [], "iterator": null, "done": true})
    );
    let none = world.get("/app?limit=0").await.is(200);
    assert_eq!(
        none.body,
        json!({"data": [], "iterator": null, "done": false})
    );
    assert_eq!(
        world.get("/app?limit=251").await.broken(),
        ["query/limit/limit"]
    );
    assert_eq!(
        world.get("/app?iterator=ep_1").await.broken(),
        ["query/iterator"]
    );
    assert_eq!(
        world.get("/app?iterator=app_1").await.broken(),
        ["query/iterator"]
    );
    for query in ["limit=x", "limit=-1", "order=up"] {
        let refused = world.get(format!("/app?{query}")).await;
        refused.refuses(400, "generic_error");
    }
}

#[tokio::test]
async fn applications_without_working_endpoints_can_be_left_out() {
    let world = World::new();
    for (uid, endpoints) in [
        ("none", vec![]),
        ("good", vec![false]),
        ("bad", vec![false, true]),
    ] {
        world.application(uid).await;
        for disabled in endpoints {
            world.endpoint(uid, json!({"disabled": disabled})).await;
        }
    }
    for (query, uids) in [
        ("exclude_apps_with_no_endpoints=true", vec!["good", "bad"]),
        (
            "exclude_apps_with_disabled_endpoints=true",
            vec!["none", "good"],
        ),
        (
            "exclude_apps_with_disabled_endpoints=true&exclude_apps_with_no_endpoints=true",
            vec!["good"],
        ),
    ] {
        let list = world.get(format!("/app?{query}")).await.is(200);
        assert_eq!(list.column("uid"), uids, "{query}");
    }
}

#[tokio::test]
async fn a_repeated_request_makes_nothing_new() {
    let world = World::new();
    let body = json!({"name": "A"});
    let first = world.post("/app", &body).key("k1").await.is(201);
    world.clock.advance(std::time::Duration::from_secs(60));
    let again = world.post("/app", &body).key("k1").await.is(201);
    assert_eq!(again.body, first.body);
    let other_key = world.post("/app", &body).key("k2").await.is(201);
    assert_ne!(other_key.text("id"), first.text("id"));
    let reused = world.post("/app", json!({"name": "B"})).key("k1").await;
    reused.refuses(409, "conflict");
    let path = format!("/app/{}", first.text("id"));
    world.delete(path).await.is(204);
    world.post("/app", body).key("k1").await.is(409);
}

#[tokio::test]
async fn refused_requests_leave_their_key_free() {
    let world = World::new();
    world
        .post("/app", json!({"name": ""}))
        .key("k")
        .await
        .is(422);
    world
        .post("/app", json!({"name": "A"}))
        .key("k")
        .await
        .is(201);
}

#[tokio::test]
async fn an_old_key_is_forgotten() {
    let world = World::new();
    let body = json!({"name": "A"});
    for (key, hours) in [("auto_1", 2), ("mine", 13)] {
        let first = world.post("/app", &body).key(key).await.is(201);
        world
            .clock
            .advance(std::time::Duration::from_secs(hours * 3_600 + 3_600));
        let sweep = store::work::SweepLimits {
            keep_since: model::Timestamp::MIN,
            rows_max: 1_000,
        };
        world.app.store.sweep(sweep).await.expect("a sweep");
        let later = world.post("/app", &body).key(key).await.is(201);
        assert_ne!(later.text("id"), first.text("id"), "{key}");
    }
}
