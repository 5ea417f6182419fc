//! Event types, row by row of the contract.

use crate::world::{World, merged};
use serde_json::{Value, json};

#[tokio::test]
async fn an_event_type_is_shown_as_clients_know_it() {
    let world = World::new();
    let least = world
        .post("/event-type", json!({"name": "a.b", "description": "It"}))
        .await
        .is(201);
    let time = least.text("createdAt");
    assert_eq!(
        least.body,
        json!({
            "name": "a.b", "description": "It", "archived": false, "deprecated": false,
            "schemas": null, "featureFlag": null, "featureFlags": [],
            "createdAt": time, "updatedAt": time,
        })
    );
    let schemas = json!({"1": {"type": "object", "b": 1, "a": 2}, "any thing": true});
    let all = json!({
        "name": "c.d", "description": "", "deprecated": true, "schemas": schemas,
        "featureFlag": "beta", "groupName": "c",
    });
    let all = world.post("/event-type", all).await.is(201);
    assert_eq!(all["schemas"], schemas);
    assert_eq!(
        (&all["featureFlag"], &all["featureFlags"]),
        (&json!("beta"), &json!(["beta"]))
    );
    assert_eq!(
        (&all["groupName"], &all["deprecated"]),
        (&json!("c"), &json!(true))
    );
    assert_eq!(world.get("/event-type/c.d").await.is(200).body, all.body);
    let flags = json!({"name": "e", "description": "", "featureFlags": ["x", "y", "x"]});
    let flags = world.post("/event-type", flags).await.is(201);
    assert_eq!(
        (&flags["featureFlag"], &flags["featureFlags"]),
        (&json!("x"), &json!(["x", "y"]))
    );
}

#[tokio::test]
async fn a_live_name_is_taken_and_an_archived_one_comes_back() {
    let world = World::new();
    let body = json!({"name": "a", "description": "one", "schemas": {"1": true}});
    world.post("/event-type", &body).await.is(201);
    let refused = world.post("/event-type", &body).await;
    refused.refuses(409, "event_type_exists");
    for _ in 0..2 {
        assert_eq!(
            world.delete("/event-type/a").await.is(204).body,
            Value::Null
        );
    }
    assert_eq!(world.get("/event-type/a").await.is(200)["archived"], true);
    let again = json!({"name": "a", "description": "two"});
    let again = world.post("/event-type", again).await.is(201);
    assert_eq!(
        (&again["archived"], &again["schemas"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(again["description"], "two");
    world.delete("/event-type/a").await.is(204);
    let archived = json!({"name": "a", "description": "three", "archived": true});
    let archived = world.post("/event-type", archived).await.is(201);
    assert_eq!(
        archived["archived"], true,
        "whatever the body says is applied last"
    );
}

#[tokio::test]
async fn put_replaces_all_or_makes_it() {
    let world = World::new();
    let whole = json!({
        "name": "a", "description": "one", "schemas": {"1": true}, "featureFlag": "f",
        "deprecated": true, "archived": true, "groupName": "g",
    });
    world.post("/event-type", whole).await.is(201);
    let put = world
        .put("/event-type/a", json!({"description": "two"}))
        .await
        .is(200);
    for (field, value) in [
        ("description", json!("two")),
        ("archived", json!(false)),
        ("deprecated", json!(false)),
        ("schemas", json!(null)),
        ("featureFlag", json!(null)),
        ("groupName", json!(null)),
    ] {
        assert_eq!(put.body[field], value, "{field}");
    }
    let made = json!({"description": "", "name": ["ignored"]});
    world.put("/event-type/b", made).await.is(201);
    let bad = world
        .put("/event-type/a%20b", json!({"description": ""}))
        .await;
    assert_eq!(bad.broken(), ["path/event_type_name/__all__"]);
}

#[tokio::test]
async fn patch_changes_what_it_names_also_when_archived() {
    let world = World::new();
    let whole = json!({
        "name": "a", "description": "one", "schemas": {"1": true}, "featureFlag": "f", "archived": true,
    });
    let mut expected = world.post("/event-type", whole).await.is(201).body;
    let cases = [
        (json!({}), json!({})),
        (json!({"description": "two"}), json!({"description": "two"})),
        (json!({"deprecated": true}), json!({"deprecated": true})),
        (json!({"schemas": {"2": {}}}), json!({"schemas": {"2": {}}})),
        (json!({"schemas": null}), json!({"schemas": null})),
        (
            json!({"featureFlags": ["x", "y"]}),
            json!({"featureFlag": "x", "featureFlags": ["x", "y"]}),
        ),
        (
            json!({"featureFlag": null}),
            json!({"featureFlag": null, "featureFlags": []}),
        ),
        (json!({"archived": false}), json!({"archived": false})),
        (json!({"groupName": "g"}), json!({"groupName": "g"})),
    ];
    for (patch, changes) in cases {
        world.clock.advance(std::time::Duration::from_secs(1));
        let patched = world.patch("/event-type/a", &patch).await.is(200);
        assert_ne!(patched["updatedAt"], expected["updatedAt"], "{patch}");
        for (field, value) in changes.as_object().expect("changes") {
            expected[field] = value.clone();
        }
        expected["updatedAt"] = patched["updatedAt"].clone();
        assert_eq!(patched.body, expected, "{patch}");
    }
    for field in ["description", "archived", "deprecated"] {
        let answer = world.patch("/event-type/a", json!({field: null})).await;
        assert_eq!(answer.broken(), [format!("body/{field}")]);
    }
    world.patch("/event-type/missing", json!({})).await.is(404);
}

#[tokio::test]
async fn what_is_expunged_is_gone() {
    let world = World::new();
    world
        .post("/event-type", json!({"name": "a", "description": ""}))
        .await
        .is(201);
    world.delete("/event-type/a?expunge=true").await.is(204);
    world.get("/event-type/a").await.is(404);
    for path in [
        "/event-type/a?expunge=true",
        "/event-type/a",
        "/event-type/a%20b",
    ] {
        world.delete(path).await.is(404);
    }
}

#[tokio::test]
async fn lists_are_by_name_and_brief() {
    let world = World::new();
    for (name, archived) in [("b", false), ("a", false), ("C", false), ("d", true)] {
        let body =
            json!({"name": name, "description": "", "archived": archived, "schemas": {"1": true}});
        world.post("/event-type", body).await.is(201);
    }
    let list = world.get("/event-type?order=descending").await.is(200);
    assert_eq!(
        list.column("name"),
        ["C", "a", "b"],
        "by bytes, whatever the order asked for"
    );
    assert_eq!(list["data"][0]["schemas"], Value::Null);
    let all = world
        .get("/event-type?include_archived=true&with_content=true")
        .await
        .is(200);
    assert_eq!(all.column("name"), ["C", "a", "b", "d"]);
    assert_eq!(all["data"][0]["schemas"], json!({"1": true}));
    let first = world.get("/event-type?limit=2").await.is(200);
    assert_eq!(
        (first.column("name"), first.text("iterator")),
        (vec!["C".into(), "a".into()], "a".into())
    );
    assert_eq!(first["done"], false);
    let second = world.get("/event-type?limit=2&iterator=a").await.is(200);
    assert_eq!(
        (second.column("name"), &second["done"]),
        (vec!["b".into()], &json!(true))
    );
    let iterator = second.text("prevIterator");
    let back = world.get(format!("/event-type?limit=1&iterator={iterator}"));
    let back = back.await;
    assert_eq!(
        (back.column("name"), &back["done"]),
        (vec!["a".into()], &json!(false))
    );
    let refused = world.get("/event-type?iterator=a%20b").await;
    assert_eq!(refused.broken(), ["query/iterator"]);
}

#[tokio::test]
async fn applications_see_what_is_for_all_or_for_their_flags() {
    let world = World::new();
    for (name, flags) in [
        ("all", json!(null)),
        ("beta", json!(["b"])),
        ("both", json!(["b", "g"])),
        ("gamma", json!(["g"])),
    ] {
        let body = json!({"name": name, "description": "", "featureFlags": flags});
        world.post("/event-type", body).await.is(201);
    }
    let id = world.application("a").await;
    for (flags, seen) in [
        (&[][..], vec!["all"]),
        (&["b"], vec!["all", "beta", "both"]),
        (&["x", "g"], vec!["all", "both", "gamma"]),
    ] {
        let token = world.token_of(&id, flags);
        let list = world.get("/event-type").token(&token).await.is(200);
        assert_eq!(list.column("name"), seen, "{flags:?}");
        for name in ["all", "beta", "both", "gamma"] {
            let one = world.get(format!("/event-type/{name}")).token(&token).await;
            assert_eq!(one.status == 200, seen.contains(&name), "{flags:?} {name}");
        }
    }
}

#[tokio::test]
async fn an_empty_list_names_nothing_that_its_reader_may_not_see() {
    let world = World::new();
    let body = json!({"name": "hidden", "description": "", "featureFlags": ["b"]});
    world.post("/event-type", body).await.is(201);
    let token = world.token_of(&world.application("a").await, &[]);
    for query in ["", "?iterator=-z"] {
        let path = format!("/event-type{query}");
        let list = world.get(path).token(&token).await.is(200);
        let expected = json!({"data": [], "iterator": null, "done": true});
        assert_eq!(list.body, expected);
    }
}

#[tokio::test]
async fn broken_rules_are_told_with_where_they_are() {
    let world = World::new();
    for (changes, location) in [
        (json!({"name": "a b"}), "body/name/__all__"),
        (json!({"name": ""}), "body/name/__all__"),
        (json!({"name": null}), "body/name"),
        (json!({"description": null}), "body/description"),
        (json!({"description": "\u{2}"}), "body/description"),
        (json!({"archived": null}), "body/archived"),
        (json!({"schemas": []}), "body/schemas"),
        (json!({"schemas": {"1": "x"}}), "body/schemas"),
        (json!({"schemas": {"1": {"type": "thing"}}}), "body/schemas"),
        (
            json!({"schemas": {"1": {"$ref": "http://127.0.0.1:1/x"}}}),
            "body/schemas",
        ),
        (json!({"featureFlag": "a b"}), "body/featureFlag/__all__"),
        (
            json!({"featureFlag": "a b", "featureFlags": ["a"]}),
            "body/featureFlag/__all__",
        ),
        (
            json!({"featureFlags": ["a b"]}),
            "body/featureFlags/__all__",
        ),
        (json!({"groupName": ""}), "body/groupName/__all__"),
    ] {
        let body = merged(json!({"name": "a", "description": ""}), changes);
        let answer = world.post("/event-type", &body).await;
        assert_eq!(answer.broken(), [location], "{body}");
    }
    for body in [json!({"name": "a"}), json!({"description": ""})] {
        assert_eq!(world.post("/event-type", body).await.broken(), ["body//"]);
    }
}

#[tokio::test]
async fn a_repeated_request_makes_nothing_new() {
    let world = World::new();
    let body = json!({"name": "a", "description": "one"});
    let first = world.post("/event-type", &body).key("k").await.is(201);
    let again = world.post("/event-type", &body).key("k").await.is(201);
    assert_eq!(again.body, first.body);
    let other = json!({"name": "b", "description": "one"});
    world.post("/event-type", other).key("k").await.is(409);
    world.post("/event-type", body).key("l").await.is(409);
}
