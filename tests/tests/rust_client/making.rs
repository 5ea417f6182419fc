//! The story's first part: applications, event types, endpoints and their headers. Sends nothing.

use std::collections::BTreeMap;

use serde_json::{from_value, json};
use svix::api::{ApplicationListOptions, EventTypeListOptions};
use svix::models::{
    ApplicationIn, ApplicationPatch, EndpointHeadersIn, EndpointHeadersPatchIn, EndpointIn,
    EndpointPatch, EndpointUpsertIn, EventTypeImportOpenApiIn, EventTypeIn, EventTypePatch,
    EventTypeUpsertIn, Ordering,
};

use crate::{APP, Story, app, ask, done, refused, set};

pub(crate) async fn applications(story: &Story) {
    let named = |name: &str| ApplicationIn {
        uid: Some(app()),
        ..ApplicationIn::new(name.to_owned())
    };
    let mut shop = named("Shop");
    shop.metadata = Some(map(&[("plan", "gold")]));
    let made = done!(story, application.create(shop, None));
    assert!(
        made.id.starts_with("app_") && made.id.len() == 31,
        "{made:?}"
    );
    assert_eq!(
        (made.name.as_str(), made.uid.as_deref()),
        ("Shop", Some(APP))
    );
    assert_eq!(made.metadata, map(&[("plan", "gold")]));

    let again = done!(story, application.get_or_create(named("Other"), None));
    assert_eq!((&again.id, again.name.as_str()), (&made.id, "Shop"));
    let conflict = ask!(story, application.create(named("x"), None));
    assert_eq!(refused(409, conflict), "conflict");
    let nameless = ApplicationIn::new(String::new());
    assert_eq!(
        refused(422, ask!(story, application.create(nameless, None))),
        "body.name"
    );

    assert_eq!(done!(story, application.get(app())).id, made.id);
    let patch = ApplicationPatch {
        name: Some("The Shop".to_owned()),
        ..ApplicationPatch::new()
    };
    let patched = done!(story, application.patch(made.id.clone(), patch));
    assert_eq!(
        (patched.name.as_str(), patched.metadata),
        ("The Shop", made.metadata)
    );
    let mut whole = named("Shop");
    whole.throttle_rate = Some(900);
    let whole = done!(story, application.upsert(app(), whole));
    assert_eq!((&whole.id, whole.throttle_rate), (&made.id, Some(900)));
    assert!(whole.metadata.is_empty(), "{whole:?}");
    pages_of_applications(story, &made.id).await;
}

async fn pages_of_applications(story: &Story, made: &str) {
    let other = ApplicationIn::new("Other".to_owned());
    let other = done!(story, application.create(other, None)).id;
    let descending = |limit, iterator| {
        Some(ApplicationListOptions {
            limit,
            iterator,
            order: Some(Ordering::Descending),
            ..ApplicationListOptions::default()
        })
    };
    let first = done!(story, application.list(descending(Some(1), None)));
    assert_eq!((first.data.len(), first.done), (1, false));
    assert_eq!(first.data[0].id, other);
    let second = done!(story, application.list(descending(None, first.iterator)));
    assert!(second.data.iter().any(|it| it.id == made));
    assert!(second.data.iter().all(|it| it.id != other));
    done!(story, application.delete(other.clone()));
    assert_eq!(
        refused(404, ask!(story, application.get(other))),
        "not_found"
    );
}

pub(crate) async fn event_types(story: &Story) {
    let made = EventTypeIn {
        schemas: Some(json!({"1": {"type": "object"}})),
        group_name: Some("invoice".to_owned()),
        ..EventTypeIn::new("invoice.paid".to_owned(), "An invoice was paid".to_owned())
    };
    let made = done!(story, event_type.create(made, None));
    assert_eq!(
        (made.name.as_str(), made.group_name.as_deref()),
        ("invoice.paid", Some("invoice"))
    );
    let lost = || EventTypeIn::new("invoice.lost".to_owned(), "An invoice was lost".to_owned());
    done!(story, event_type.create(lost(), None));
    let conflict = ask!(story, event_type.create(lost(), None));
    assert_eq!(refused(409, conflict), "event_type_exists");

    let whole = done!(story, event_type.get("invoice.paid".to_owned()));
    assert_eq!(
        whole.schemas.expect("it has schemas")["1"]["type"],
        "object"
    );
    let patch = EventTypePatch {
        description: Some("Gone".to_owned()),
        ..EventTypePatch::new()
    };
    let patched = done!(story, event_type.patch("invoice.lost".to_owned(), patch));
    assert_eq!(patched.description, "Gone");
    let sent = EventTypeUpsertIn::new("Sent".to_owned());
    let upserted = done!(story, event_type.upsert("invoice.sent".to_owned(), sent));
    assert_eq!(upserted.name, "invoice.sent");

    let all = ["invoice.lost", "invoice.paid", "invoice.sent"];
    assert_eq!(type_names(story, false).await, all);
    done!(story, event_type.delete("invoice.sent".to_owned(), None));
    assert_eq!(type_names(story, false).await, all[..2]);
    assert_eq!(type_names(story, true).await, all);
}

pub(crate) async fn imported_event_types(story: &Story) {
    let spec = json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "webhooks": {"invoice.sent": {"post": {"description": "It was sent"}}},
    });
    let dry_run = EventTypeImportOpenApiIn {
        spec: Some(spec.clone()),
        dry_run: Some(true),
        ..EventTypeImportOpenApiIn::new()
    };
    let foreseen = done!(story, event_type.import_openapi(dry_run, None)).data;
    let foreseen = foreseen.to_modify.expect("it says what it would do");
    assert_eq!(foreseen[0].name, "invoice.sent");
    let raw = EventTypeImportOpenApiIn {
        spec_raw: Some(spec.to_string()),
        ..EventTypeImportOpenApiIn::new()
    };
    let imported = done!(story, event_type.import_openapi(raw, None)).data;
    assert_eq!(imported.modified, ["invoice.sent"]);
    let none = EventTypeImportOpenApiIn::new();
    refused(400, ask!(story, event_type.import_openapi(none, None)));
    done!(story, event_type.delete("invoice.sent".to_owned(), None));
}

async fn type_names(story: &Story, archived: bool) -> Vec<String> {
    let options = EventTypeListOptions {
        include_archived: Some(archived),
        ..EventTypeListOptions::default()
    };
    let page = done!(story, event_type.list(Some(options)));
    page.data.into_iter().map(|it| it.name).collect()
}

pub(crate) async fn endpoints(story: &Story) {
    let url = |path: &str| story.receiver.url(path);
    let main = EndpointIn {
        uid: Some("main".to_owned()),
        description: Some("all that is paid".to_owned()),
        event_types: Some(set(&["invoice.paid"])),
        headers: Some(map(&[
            ("X-Shop", "one"),
            ("authorization", "Bearer of-the-shop"),
        ])),
        ..EndpointIn::new(url("/main"))
    };
    let made = done!(story, endpoint.create(app(), main, None));
    assert!(
        made.id.starts_with("ep_") && made.id.len() == 30,
        "{made:?}"
    );
    assert_eq!(made.event_types, Some(set(&["invoice.paid"])));
    let vip = EndpointIn {
        uid: Some("vip".to_owned()),
        channels: Some(set(&["vip"])),
        ..EndpointIn::new(url("/vip"))
    };
    done!(story, endpoint.create(app(), vip.clone(), None));
    let conflict = ask!(story, endpoint.create(app(), vip, None));
    assert_eq!(refused(409, conflict), "conflict");
    let unknown = EndpointIn {
        event_types: Some(set(&["no.such"])),
        ..EndpointIn::new(url("/"))
    };
    let unknown = ask!(story, endpoint.create(app(), unknown, None));
    assert_eq!(refused(422, unknown), "body.eventTypes");
    let inside = EndpointIn::new("http://10.1.2.3/".to_owned());
    refused(422, ask!(story, endpoint.create(app(), inside, None)));

    assert_eq!(
        done!(story, endpoint.get(app(), "main".to_owned())).id,
        made.id
    );
    let listed = done!(story, endpoint.list(app(), None)).data;
    let listed: Vec<_> = listed.iter().filter_map(|it| it.uid.as_deref()).collect();
    assert_eq!(listed, ["vip", "main"]);

    let key = story.secret("main").await;
    assert!(key.starts_with("whsec_"));
    let patch: EndpointPatch =
        from_value(json!({"description": "paid", "throttleRate": null})).expect("a patch");
    let patched = done!(story, endpoint.patch(app(), "main".to_owned(), patch));
    assert_eq!(
        (patched.description.as_str(), patched.url),
        ("paid", url("/main"))
    );
    let upsert = EndpointUpsertIn {
        uid: Some("main".to_owned()),
        event_types: Some(set(&["invoice.paid"])),
        ..EndpointUpsertIn::new(url("/main"))
    };
    done!(story, endpoint.upsert(app(), "main".to_owned(), upsert));
    assert_eq!(
        story.secret("main").await,
        key,
        "an upsert keeps the secret"
    );
}

pub(crate) async fn headers(story: &Story) {
    let main = || "main".to_owned();
    let got = done!(story, endpoint.get_headers(app(), main()));
    assert_eq!(got.headers, map(&[("X-Shop", "one")]));
    assert_eq!(got.sensitive, set(&["authorization"]));
    let patch = EndpointHeadersPatchIn {
        delete_headers: Some(vec!["authorization".to_owned()]),
        ..EndpointHeadersPatchIn::new(map(&[("x-branch", "two")]))
    };
    done!(story, endpoint.patch_headers(app(), main(), patch));
    let got = done!(story, endpoint.get_headers(app(), main()));
    assert_eq!(got.headers, map(&[("X-Shop", "one"), ("x-branch", "two")]));
    assert!(got.sensitive.is_empty(), "{got:?}");
    let three = EndpointHeadersIn::new(map(&[("X-Shop", "three")]));
    done!(story, endpoint.set_headers(app(), main(), three));
    let got = done!(story, endpoint.get_headers(app(), main()));
    assert_eq!(got.headers, map(&[("X-Shop", "three")]));
    let ours = EndpointHeadersIn::new(map(&[("webhook-id", "x")]));
    refused(422, ask!(story, endpoint.set_headers(app(), main(), ours)));
}

fn map(items: &[(&str, &str)]) -> BTreeMap<String, String> {
    let items = items
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    items.collect()
}
