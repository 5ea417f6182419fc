//! The settings of the installation, and carrying them elsewhere with its event types.

use crate::world::World;
use serde_json::{Value, json};

const SETTINGS: &str = "/environment/settings";
const EXPORT: &str = "/environment/export";
const IMPORT: &str = "/environment/import";

#[tokio::test]
async fn settings_are_at_first_as_the_contract_has_them() {
    let world = World::new();
    let settings = world.get(SETTINGS).await.is(200);
    let expected = json!({
        "advancedEndpointTypes": [], "colorPaletteDark": null, "colorPaletteLight": null,
        "customColor": null, "customFontFamily": null, "customFontFamilyUrl": null,
        "customLogoUrl": null, "customStringsOverride": null, "customThemeOverride": null,
        "displayName": null, "enableChannels": false, "enableEndpointMtlsConfig": false,
        "enableEndpointOauthConfig": false, "enableIntegrationManagement": false,
        "enableMessageStream": false, "enableMessageTags": false,
        "enableTransformations": false, "enforceEventTypeSchemas": false, "logoUrl": null,
        "scanPayloads": "off",
        "showFeatureTooltips": false, "showSvixBrandFooter": false, "showUseSvixPlay": true,
        "wipeSuccessfulPayload": false,
    });
    assert_eq!(settings.body, expected);
}

#[tokio::test]
async fn settings_are_changed_as_far_as_they_are_given_or_written_anew() {
    let world = World::new();
    let some = json!({
        "displayName": "Shop", "customColor": "#1a2b3c", "enforceEventTypeSchemas": true,
        "colorPaletteDark": { "primary": "#fff" },
        "customThemeOverride": { "borderRadius": { "card": "lg" }, "fontSize": { "base": 14 } },
    });
    let patched = world.patch(SETTINGS, &some).await.is(200);
    for (name, value) in some.as_object().expect("it is one") {
        assert_eq!(&patched[name.as_str()], value, "{name}");
    }
    let more = json!({ "displayName": null, "logoUrl": "https://example.com/a.png" });
    let more = world.patch(SETTINGS, more).await.is(200);
    assert_eq!(more["displayName"], json!(null));
    assert_eq!(more["customColor"], "#1a2b3c");
    assert_eq!(world.get(SETTINGS).await.is(200).body, more.body);
    let anew = world
        .put(SETTINGS, json!({ "showUseSvixPlay": false }))
        .await;
    let anew = anew.is(200);
    assert_eq!(anew["showUseSvixPlay"], false);
    assert_eq!(anew["enforceEventTypeSchemas"], false);
    assert_eq!(anew["logoUrl"], json!(null));
}

#[tokio::test]
async fn settings_that_can_not_be_are_refused_and_change_nothing() {
    let world = World::new();
    for (body, place) in [
        (
            json!({ "wipeSuccessfulPayload": true }),
            "body/wipeSuccessfulPayload",
        ),
        (
            json!({ "enforceEventTypeSchema": true }),
            "body/enforceEventTypeSchema",
        ),
        (json!({ "customColor": "red" }), "body/customColor"),
        (
            json!({ "colorPaletteDark": { "primary": 7 } }),
            "body/colorPaletteDark/primary",
        ),
        (json!({ "logoUrl": "javascript:alert(1)" }), "body/logoUrl"),
        (json!([]), "body//"),
    ] {
        let both = merge(&body, &json!({ "displayName": "Shop" }));
        assert_eq!(
            world.patch(SETTINGS, &both).await.broken(),
            [place],
            "{body}"
        );
        assert_eq!(world.put(SETTINGS, &both).await.broken(), [place], "{body}");
    }
    assert_eq!(world.get(SETTINGS).await["displayName"], json!(null));
}

#[tokio::test]
async fn what_is_exported_makes_another_installation_the_same() {
    let (one, other) = (World::new(), World::new());
    let schemas = json!({ "1": { "type": "object" }, "2": { "required": ["id"] } });
    for body in [
        json!({ "name": "order.paid", "description": "Paid", "schemas": schemas }),
        json!({ "name": "order.lost", "description": "", "archived": true, "groupName": "o" }),
        json!({ "name": "order.new", "description": "", "featureFlags": ["x", "y"] }),
    ] {
        one.post("/event-type", body).await.is(201);
    }
    let settings = json!({ "enforceEventTypeSchemas": true, "customColor": "#abc" });
    one.patch(SETTINGS, settings).await.is(200);
    let exported = one.call("POST", EXPORT).await.is(200);
    assert_eq!(
        (&exported["version"], &exported["connectors"]),
        (&json!(1), &json!([]))
    );
    let names = exported["eventTypes"].as_array().expect("a list").iter();
    let names: Vec<_> = names.map(|event_type| &event_type["name"]).collect();
    assert_eq!(names, ["order.lost", "order.new", "order.paid"]);

    let old = json!({ "name": "order.paid", "description": "Old", "deprecated": true });
    other.post("/event-type", old).await.is(201);
    other
        .post("/event-type", json!({ "name": "else", "description": "" }))
        .await
        .is(201);
    for _ in 0..2 {
        other.post(IMPORT, &exported.body).await.is(204);
    }
    let query = "/event-type?with_content=true&include_archived=true";
    let there = |answer: &Value| -> Vec<Value> {
        let rows = answer["data"].as_array().expect("a list").iter();
        rows.map(without_times)
            .filter(|row| row["name"] != "else")
            .collect()
    };
    let (expected, found) = (one.get(query).await.is(200), other.get(query).await.is(200));
    assert_eq!(there(&found.body), there(&expected.body));
    assert_eq!(found.rows().len(), 4, "nothing is deleted");
    let settings = other.get(SETTINGS).await.is(200);
    assert_eq!(settings.body, one.get(SETTINGS).await.is(200).body);
}

#[tokio::test]
async fn redaction_rules_and_retry_schedules_go_with_their_event_types() {
    let (one, other) = (World::new(), World::new());
    let rules = json!({ "rules": [{ "path": "/email", "action": "mask", "keepLast": 4 }] });
    let schedule = json!({ "retrySchedule": [{ "secs": 7, "nanos": 0 }] });
    for world in [&one, &other] {
        for name in ["a", "b"] {
            let body = json!({ "name": name, "description": "" });
            world.post("/event-type", body).await.is(201);
        }
    }
    one.put("/event-type/a/redaction", &rules).await.is(204);
    one.put("/event-type/a/retry-schedule", &schedule)
        .await
        .is(200);
    let old = json!({ "rules": [{ "path": "/b", "action": "drop" }] });
    other.put("/event-type/b/redaction", &old).await.is(204);
    let exported = one.call("POST", EXPORT).await.is(200);
    assert_eq!(exported["eventTypes"][0]["redaction"], rules);
    assert_eq!(exported["eventTypes"][1].get("redaction"), None);
    for _ in 0..2 {
        other.post(IMPORT, &exported.body).await.is(204);
        let redaction = other.get("/event-type/a/redaction").await.is(200);
        assert_eq!(redaction.body, rules);
        let own = other.get("/event-type/a/retry-schedule").await.is(200);
        assert_eq!(own.body, schedule);
        let kept = other.get("/event-type/b/redaction").await.is(200);
        assert_eq!(kept.body, old, "what is not named stays");
    }

    // Clients write back what they know of an event type.
    let mut known = exported.body.clone();
    let types = known["eventTypes"].as_array_mut().expect("a list");
    let own = types[0].as_object_mut().expect("it is one");
    own.retain(|name, _| !["redaction", "retrySchedule"].contains(&name.as_str()));
    other.post(IMPORT, &known).await.is(204);
    other.get("/event-type/a/redaction").await.is(200);
    let nothing = json!({ "eventTypes": [{
        "name": "a", "description": "", "redaction": { "rules": [] }, "retrySchedule": null,
    }] });
    other.post(IMPORT, nothing).await.is(204);
    other.get("/event-type/a/redaction").await.is(404);
    let own = other.get("/event-type/a/retry-schedule").await.is(200);
    assert_eq!(own.body, schedule);
}

#[tokio::test]
async fn an_import_of_what_is_there_saves_nothing_again() {
    let world = World::new();
    let body = json!({
        "eventTypes": [{ "name": "a", "description": "", "schemas": { "1": true } }],
        "settings": { "enableChannels": true },
    });
    world.post(IMPORT, &body).await.is(204);
    let before = world.get("/event-type/a").await.is(200);
    world.clock.advance(std::time::Duration::from_secs(5));
    world.post(IMPORT, &body).await.is(204);
    assert_eq!(world.get("/event-type/a").await.body, before.body);
    world.post(IMPORT, json!({})).await.is(204);
    let nulls = json!({ "eventTypes": null, "settings": null, "connectors": null });
    world.post(IMPORT, nulls).await.is(204);
    assert_eq!(world.get(SETTINGS).await["enableChannels"], true);
}

#[tokio::test]
async fn an_import_with_anything_wrong_in_it_writes_nothing() {
    let world = World::new();
    let fine = json!({ "name": "fine", "description": "" });
    let typed = |more: Value| json!({ "eventTypes": [fine, more] });
    let settings = |more: Value| json!({ "eventTypes": [fine], "settings": more });
    for (body, place) in [
        (
            typed(json!({ "name": "a b", "description": "" })),
            "body/eventTypes[1]/name/__all__",
        ),
        (typed(fine.clone()), "body/eventTypes[1]/name"),
        (
            typed(json!({ "name": "a", "description": "", "schemas": { "1": { "type": 7 } } })),
            "body/eventTypes[1]/schemas",
        ),
        (typed(json!({ "name": "a" })), "body/eventTypes[1]"),
        (
            typed(json!({
                "name": "a", "description": "",
                "redaction": { "rules": [{ "path": "email", "action": "drop" }] },
            })),
            "body/eventTypes[1]/redaction/rules[0]/path",
        ),
        (
            typed(json!({ "name": "a", "description": "", "retrySchedule": [1e9] })),
            "body/eventTypes[1]/retrySchedule",
        ),
        (
            settings(json!({ "enableTransformations": true })),
            "body/settings/enableTransformations",
        ),
        (
            settings(json!({ "colour": "#fff" })),
            "body/settings/colour",
        ),
        (
            json!({ "eventTypes": [fine], "connectors": [{ "name": "a", "transformation": "" }] }),
            "body/connectors",
        ),
        (
            json!({ "eventTypes": vec![&fine; 1_001] }),
            "body/eventTypes",
        ),
    ] {
        assert_eq!(world.post(IMPORT, &body).await.broken(), [place], "{place}");
    }
    world.get("/event-type/fine").await.is(404);
}

#[tokio::test]
async fn an_import_is_done_once_under_one_idempotency_key() {
    let world = World::new();
    let body = |text: &str| json!({ "eventTypes": [{ "name": "a", "description": text }] });
    world.post(IMPORT, body("one")).key("k").await.is(204);
    world
        .put("/event-type/a", json!({ "description": "two" }))
        .await
        .is(200);
    world.post(IMPORT, body("one")).key("k").await.is(204);
    assert_eq!(world.get("/event-type/a").await["description"], "two");
    world
        .post(IMPORT, body("three"))
        .key("k")
        .await
        .refuses(409, "conflict");
}

fn without_times(event_type: &Value) -> Value {
    let mut event_type = event_type.clone();
    let members = event_type.as_object_mut().expect("it is one");
    members.retain(|name, _| !name.ends_with("At"));
    event_type
}

/// The members of both, if both have any.
fn merge(one: &Value, other: &Value) -> Value {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else {
        return one.clone();
    };
    let members = one.iter().chain(other);
    members
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
