//! What leaves an entry in the audit log: every operation that changes something or shows a secret,
//! one of who did what, from where, to what. An operation that is added, and is not in these
//! tables, fails a claim.

use crate::call::{Answer, REMOTE};
use crate::connection::identity;
use crate::operations::{Operation, operations};
use crate::stage::{PROTECTION, Stage};
use crate::tokens::api_key;
use crate::world::World;
use model::audit::{ActorKind, AuditAction};
use model::id::Key;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::audit::{
    AUDIT_SIGNING_KEY, AuditChange, AuditEntry, AuditQuery, AuditSeal, Checkpoint, SignedCheckpoint,
};
use store::change::{Change, ChangeRequest};
use store::query::Window;
use store_sqlite::faults::CommitFault;

/// Those that put messages on their way, which are kept themselves.
const MESSAGES: [&str; 5] = [
    "v1.message.create",
    "v1.message.create-batch",
    "v1.message.test-attempt",
    "v1.endpoint.send-example",
    "v1.operational-webhook.endpoint.send-example",
];

/// A public operation changes as nobody: the receiver that fetches, and whoever has a link.
const BY_OTHERS: [&str; 2] = [
    "v1.authentication.exchange-one-time-token",
    "v1.payload.get",
];

/// All others: what is done, and to what; `*` is what the answer has the id of.
#[rustfmt::skip]
const ENTRIES: &[(&str, &str, &str)] = &[
    ("v1.application.create", "application.created", "*"),
    ("v1.application.delete", "application.deleted", "{app_id}"),
    ("v1.application.patch", "application.updated", "{app_id}"),
    ("v1.application.update", "application.updated", "{app_id}"),
    ("v1.authentication.app-portal-access", "app_portal.opened", "{app_id}"),
    ("v1.authentication.dashboard-access", "app_portal.opened", "{app_id}"),
    ("v1.authentication.expire-all", "application.tokens_expired", "{app_id}"),
    ("v1.authentication.logout", "token.revoked", "{env_id}"),
    ("v1.endpoint.bulk-replay", "messages.replayed", "{endpoint_id}"),
    ("v1.endpoint.cancel-msgs", "deliveries.cancelled", "{endpoint_id}"),
    ("v1.endpoint.create", "endpoint.created", "*"),
    ("v1.endpoint.delete", "endpoint.deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-auth", "endpoint.auth_deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-encryption", "endpoint.encryption_deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-mtls-config", "endpoint.mtls_deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-oauth-config", "endpoint.oauth_deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-payload", "endpoint.payload_deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-pins", "endpoint.pins_deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-redaction", "endpoint.redaction_deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-server-ca", "endpoint.ca_deleted", "{endpoint_id}"),
    ("v1.endpoint.delete-signature", "endpoint.signature_deleted", "{endpoint_id}"),
    ("v1.endpoint.get-secret", "endpoint.secret_read", "{endpoint_id}"),
    ("v1.endpoint.patch", "endpoint.updated", "{endpoint_id}"),
    ("v1.endpoint.patch-headers", "endpoint.headers_updated", "{endpoint_id}"),
    ("v1.endpoint.recover", "deliveries.recovered", "{endpoint_id}"),
    ("v1.endpoint.replay-missing", "messages.missing_replayed", "{endpoint_id}"),
    ("v1.endpoint.rotate-secret", "endpoint.secret_rotated", "{endpoint_id}"),
    ("v1.endpoint.send-challenge", "endpoint.challenge_sent", "{endpoint_id}"),
    ("v1.endpoint.set-auth", "endpoint.auth_set", "{endpoint_id}"),
    ("v1.endpoint.set-encryption", "endpoint.encryption_set", "{endpoint_id}"),
    ("v1.endpoint.set-mtls-config", "endpoint.mtls_set", "{endpoint_id}"),
    ("v1.endpoint.set-oauth-config", "endpoint.oauth_set", "{endpoint_id}"),
    ("v1.endpoint.set-payload", "endpoint.payload_set", "{endpoint_id}"),
    ("v1.endpoint.set-pins", "endpoint.pins_set", "{endpoint_id}"),
    ("v1.endpoint.set-redaction", "endpoint.redaction_set", "{endpoint_id}"),
    ("v1.endpoint.set-server-ca", "endpoint.ca_set", "{endpoint_id}"),
    ("v1.endpoint.set-signature", "endpoint.signature_set", "{endpoint_id}"),
    ("v1.endpoint.update", "endpoint.updated", "{endpoint_id}"),
    ("v1.endpoint.update-headers", "endpoint.headers_updated", "{endpoint_id}"),
    ("v1.environment.export", "environment.exported", "{env_id}"),
    ("v1.environment.import", "environment.imported", "{env_id}"),
    ("v1.environment.patch-settings", "environment.settings_updated", "{env_id}"),
    ("v1.environment.set-alerts", "environment.alerts_set", "{env_id}"),
    ("v1.environment.set-policy", "environment.policy_set", "{env_id}"),
    ("v1.environment.test-alerts", "environment.alerts_tested", "{env_id}"),
    ("v1.environment.update-settings", "environment.settings_updated", "{env_id}"),
    ("v1.event-type.create", "event_type.created", "order.sent"),
    ("v1.event-type.delete", "event_type.archived", "{event_type_name}"),
    ("v1.event-type.delete-redaction", "event_type.redaction_deleted", "{event_type_name}"),
    ("v1.event-type.export-openapi", "event_types.exported", "{env_id}"),
    ("v1.event-type.import-openapi", "event_type.created", "order.described"),
    ("v1.event-type.patch", "event_type.updated", "{event_type_name}"),
    ("v1.event-type.set-redaction", "event_type.redaction_set", "{event_type_name}"),
    ("v1.event-type.set-retry-schedule", "event_type.retry_schedule_set", "{event_type_name}"),
    ("v1.event-type.update", "event_type.updated", "{event_type_name}"),
    ("v1.ingest.authentication.consumer-portal-access", "app_portal.opened", "{app_id}"),
    ("v1.ingest.endpoint.create", "endpoint.created", "*"),
    ("v1.ingest.endpoint.delete", "endpoint.deleted", "{endpoint_id}"),
    ("v1.ingest.endpoint.get-secret", "endpoint.secret_read", "{endpoint_id}"),
    ("v1.ingest.endpoint.rotate-secret", "endpoint.secret_rotated", "{endpoint_id}"),
    ("v1.ingest.endpoint.set-headers", "endpoint.headers_updated", "{endpoint_id}"),
    ("v1.ingest.endpoint.upsert", "endpoint.updated", "{endpoint_id}"),
    ("v1.ingest.source.create", "source.created", "*"),
    ("v1.ingest.source.delete", "source.deleted", "{source_id}"),
    ("v1.ingest.source.get", "source.token_read", "{source_id}"),
    ("v1.ingest.source.list", "source.token_read", "{env_id}"),
    ("v1.ingest.source.patch", "source.updated", "{source_id}"),
    ("v1.ingest.source.rotate-token", "source.token_rotated", "{source_id}"),
    ("v1.ingest.source.upsert", "source.updated", "{source_id}"),
    ("v1.management.authentication.create-api-token", "api_key.created", "*"),
    ("v1.management.authentication.expire-api-token", "api_key.expired", "{key_id}"),
    ("v1.management.authentication.patch-api-token", "api_key.updated", "{key_id}"),
    ("v1.management.authentication.update-api-token", "api_key.updated", "{key_id}"),
    ("v1.message-attempt.expunge-content", "attempt.expunged", "{msg_id}"),
    ("v1.message-attempt.resend", "delivery.resent", "{msg_id}"),
    ("v1.message.broadcast", "message.broadcast", "{env_id}"),
    ("v1.message.bulk-expunge-content", "messages.expunged", "{app_id}"),
    ("v1.message.expunge", "messages.erased", "{env_id}"),
    ("v1.message.expunge-all-contents", "messages.expunged", "{app_id}"),
    ("v1.message.expunge-content", "message.expunged", "{msg_id}"),
    ("v1.operational-webhook.endpoint.create", "endpoint.created", "*"),
    ("v1.operational-webhook.endpoint.delete", "endpoint.deleted", "{operators_endpoint_id}"),
    ("v1.operational-webhook.endpoint.get-secret", "endpoint.secret_read", "{operators_endpoint_id}"),
    ("v1.operational-webhook.endpoint.rotate-secret", "endpoint.secret_rotated", "{operators_endpoint_id}"),
    ("v1.operational-webhook.endpoint.set-headers", "endpoint.headers_updated", "{operators_endpoint_id}"),
    ("v1.operational-webhook.endpoint.upsert", "endpoint.updated", "{operators_endpoint_id}"),
    ("v1.statistics.aggregate-app-stats", "statistics.aggregated", "{env_id}"),
    ("v1.statistics.aggregate-event-types", "statistics.aggregated", "{env_id}"),
];

/// Those that only look, and are in the table all the same: they show a secret, or everything.
const LOOK: [&str; 3] = [
    "v1.environment.export",
    "v1.ingest.source.get",
    "v1.ingest.source.list",
];

/// A body by which an operation does what it is for.
fn body(stage: &Stage, operation: &Operation) -> String {
    let part = operation.template.rsplit('/').next().unwrap_or_default();
    let protection = PROTECTION.iter().find(|(name, _)| *name == part);
    let is_put = operation.method == "PUT" && operation.template.contains("{endpoint_id}/");
    if let Some((_, body)) = protection.filter(|_| is_put) {
        return (*body).to_owned();
    }
    let since = json!({ "since": "2026-01-01T00:00:00Z" });
    let long_ago = json!({ "createdBefore": "2020-01-01T00:00:00Z" });
    let body = match operation.id {
        "v1.endpoint.set-mtls-config" => return identity().to_string(),
        "v1.application.patch" => json!({ "name": "another" }),
        "v1.application.update" => json!({ "name": "another", "uid": "acme" }),
        "v1.application.create" => json!({ "name": "new" }),
        "v1.endpoint.create" | "v1.endpoint.update" => {
            json!({ "url": "https://example.com/other" })
        }
        "v1.ingest.endpoint.create"
        | "v1.ingest.endpoint.upsert"
        | "v1.operational-webhook.endpoint.create"
        | "v1.operational-webhook.endpoint.upsert" => {
            json!({ "url": "https://example.com/other" })
        }
        "v1.endpoint.patch" => json!({ "description": "another" }),
        "v1.endpoint.update-headers" | "v1.endpoint.patch-headers" => {
            json!({ "headers": { "x-tenant": "7" } })
        }
        "v1.ingest.endpoint.set-headers" | "v1.operational-webhook.endpoint.set-headers" => {
            json!({ "headers": { "x-tenant": "7" } })
        }
        "v1.endpoint.recover" | "v1.endpoint.bulk-replay" | "v1.endpoint.replay-missing" => since,
        "v1.endpoint.cancel-msgs" => long_ago,
        "v1.environment.patch-settings" => json!({ "enableChannels": true }),
        "v1.environment.update-settings" => json!({ "enableMessageTags": true }),
        "v1.environment.import" => json!({
            "eventTypes": [{ "name": "order.carried", "description": "" }], "settings": {},
        }),
        "v1.environment.set-alerts" => json!({ "channels": [] }),
        "v1.environment.set-policy" => json!({ "require": ["auth"] }),
        "v1.event-type.create" => json!({ "name": "order.sent", "description": "" }),
        "v1.event-type.update" | "v1.event-type.patch" => json!({ "description": "another" }),
        "v1.event-type.import-openapi" => json!({ "spec": {
            "openapi": "3.1.0", "webhooks": { "order.described": { "post": {} } },
        }}),
        "v1.event-type.set-redaction" => {
            json!({ "rules": [{ "path": "/other", "action": "drop" }] })
        }
        "v1.event-type.set-retry-schedule" => json!({ "retrySchedule": [5] }),
        "v1.ingest.source.create" | "v1.ingest.source.upsert" => json!({
            "name": "another", "type": "stripe", "config": { "secret": "s", "appId": "acme" },
        }),
        "v1.ingest.source.patch" => json!({ "name": "another" }),
        id if id.starts_with("v1.management.authentication.") && !id.contains("expire") => {
            json!({ "name": "another" })
        }
        "v1.message.broadcast" => json!({ "eventType": "order.paid", "payload": {} }),
        "v1.message.bulk-expunge-content" => json!({ "ids": [stage.name("{msg_id}")] }),
        "v1.message.expunge" => json!({ "tag": "somebody" }),
        "v1.statistics.aggregate-app-stats" => json!({
            "since": "2026-01-01T00:00:00Z", "until": "2026-01-01T01:00:00Z",
        }),
        _ => json!({}),
    };
    body.to_string()
}

/// The entries that there are, the oldest first.
async fn entries(world: &World) -> Vec<AuditEntry> {
    let query = AuditQuery {
        window: Window {
            above: Key::MIN,
            below: Key::MAX,
            ascending: true,
            limit: 1_000,
        },
        application: None,
        actions: Vec::new(),
        actor: None,
        subject: None,
    };
    let walk = world.app.store.audit(&query).await.expect("it can be read");
    assert!(!walk.more);
    walk.rows.into_iter().map(|row| row.entry).collect()
}

/// The entries that an operation on what is there left, and its answer.
async fn left_by(stage: &Stage, operation: &Operation) -> (Vec<AuditEntry>, Answer) {
    let before = entries(&stage.world).await.len();
    let answer = stage.call(operation).body(body(stage, operation)).await;
    (entries(&stage.world).await.split_off(before), answer)
}

/// Puts the first entry of the log into its chain, and signs that as nobody would believe.
pub(crate) async fn seal_first(world: &World) -> SignedCheckpoint {
    let app = &world.app;
    let key = app.vault.new_audit_key(&*app.entropy);
    let key = app.store.set_setting(AUDIT_SIGNING_KEY, &key).await;
    let key = key.expect("it is written");
    let checkpoint = Checkpoint {
        position: 1,
        hash: [7; 32],
        count: 1,
        start: 1,
        at: app.clock.now(),
        signature: [9; 64],
    };
    let unsealed = app.store.audit_unsealed(2).await.expect("it is read");
    let seal = Change::Audit(AuditChange::Seal(AuditSeal {
        entries: vec![(unsealed[0].id.key(), checkpoint.hash)],
        checkpoint,
    }));
    let request = ChangeRequest {
        change: seal,
        idempotency: None,
        audit: None,
    };
    app.store.change(request).await.expect("it is sealed");
    let key = app.vault.audit_key(&key).expect("it is ours");
    SignedCheckpoint {
        checkpoint,
        public_key: key.public_key(),
    }
}

#[test]
fn every_operation_that_changes_something_or_shows_a_secret_is_in_the_table() {
    let built = operations().into_iter().filter(|one| one.built);
    let changing = built.filter(|one| !one.reads || LOOK.contains(&one.id));
    let changing: BTreeSet<_> = changing.map(|one| one.id).collect();
    let table = ENTRIES.iter().map(|(id, _, _)| *id);
    let others = MESSAGES.into_iter().chain(BY_OTHERS);
    let mut known: BTreeSet<_> = table.chain(others).collect();
    known.remove("v1.payload.get");
    assert_eq!(changing, known);
}

#[tokio::test]
async fn every_change_and_every_secret_shown_leaves_one_entry_of_who_did_what_to_what() {
    let (mut stage, mut wrong) = (Stage::new().await, Vec::new());
    for (id, action, subject) in ENTRIES {
        let operation = operations().into_iter().find(|one| one.id == *id);
        let operation = operation.expect("it is declared");
        let (left, answer) = left_by(&stage, &operation).await;
        let subject = match *subject {
            "*" => answer["id"].as_str().unwrap_or_default(),
            part => stage.name(part),
        };
        let is_below = operation.template.contains("{app_id}");
        let concerned = Some(stage.name("{app_id}").to_owned()).filter(|_| is_below);
        let is_told = |entry: &AuditEntry| {
            let (actor, application) = (&entry.actor, entry.application);
            (entry.action.as_str(), entry.subject.id.as_str()) == (*action, subject)
                && actor.kind == ActorKind::Token
                && actor.subject == stage.name("{env_id}")
                && actor.credential.is_some()
                && actor.remote_address == Some(REMOTE)
                && (!is_below || application.map(|id| id.to_string()) == concerned)
        };
        if !matches!(&left[..], [entry] if is_told(entry)) {
            wrong.push((id, answer, left));
        }
        if operation.method == "DELETE" {
            stage = Stage::new().await;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn messages_are_kept_themselves_and_leave_no_entry() {
    let stage = Stage::new().await;
    let before = entries(&stage.world).await.len();
    stage.world.message("acme", json!({})).await;
    let batch = json!({ "messages": [{ "eventType": "order.paid", "payload": {} }] });
    stage.world.post("/app/acme/msg/batch", batch).await.is(202);
    assert_eq!(entries(&stage.world).await.len(), before);
    let brought = json!({
        "eventType": "order.paid", "payload": {},
        "application": { "name": "new", "uid": "new" },
    });
    stage.world.post("/app/new/msg", brought).await.is(202);
    let left = entries(&stage.world).await.split_off(before);
    let [made] = &left[..] else {
        panic!("{left:?}");
    };
    assert_eq!(made.action, AuditAction::ApplicationCreated);
}

#[tokio::test]
async fn an_application_and_an_api_key_are_told_apart_from_the_organisation() {
    let stage = Stage::new().await;
    let own = stage.world.token_of(stage.name("{app_id}"), &[]);
    let path = "/app/acme/endpoint/hook";
    let key = api_key(&stage.world, &[&"endpoint:write".to_owned()]).await;
    for token in [own, key] {
        let body = json!({ "description": "another" });
        stage.world.patch(path, body).token(&token).await.is(200);
    }
    let all = entries(&stage.world).await;
    let mut updates = all
        .iter()
        .filter(|one| one.action == AuditAction::EndpointUpdated);
    let (first, second) = (updates.next(), updates.next());
    let (by_application, by_key) = (&first.expect("one").actor, &second.expect("two").actor);
    assert_eq!(by_application.kind, ActorKind::Token);
    assert_eq!(by_application.subject, stage.name("{app_id}"));
    assert_eq!(by_key.kind, ActorKind::ApiKey);
    assert_eq!(by_key.subject, stage.name("{env_id}"));
    let made = all
        .iter()
        .rfind(|one| one.action == AuditAction::ApiKeyCreated);
    let made = made.map(|one| one.subject.id.clone());
    assert_eq!((made.is_some(), &by_key.credential), (true, &made));
}

#[tokio::test]
async fn an_entry_names_fields_and_no_value() {
    let world = World::new();
    let app = world.application("acme").await;
    world.endpoint(&app, json!({ "uid": "hook" })).await;
    let url = "https://ann:sesame@example.org/hook?key=sesame";
    let body = json!({ "url": url, "description": "sesame", "metadata": { "a": "sesame" } });
    world.patch("/app/acme/endpoint/hook", body).await.is(200);
    let headers = json!({ "headers": { "x-key": "sesame" } });
    let path = "/app/acme/endpoint/hook/headers";
    world.patch(path, headers).await.is(204);
    let (path, body) = ("/app/acme/endpoint/hook/auth", PROTECTION[0].1);
    world.put(path, body).await.is(204);
    let erased = json!({ "where": { "path": "/email", "value": "sesame" } });
    world.post("/message/expunge", erased).await.is(202);
    let all = entries(&world).await;
    let details: Vec<_> = all.iter().map(|one| one.detail.as_str()).collect();
    let expected = [
        "",
        "it leads to example.com",
        "url, description, metadata; it leads to example.org",
        "x-key",
        "",
        "by a value at /email",
    ];
    assert_eq!(details, expected);
    assert!(all.iter().all(|one| !one.text().contains("sesame")));
}

#[tokio::test]
async fn a_secret_that_can_not_be_noted_is_not_shown() {
    let stage = Stage::new().await;
    let before = entries(&stage.world).await.len();
    let secret = "/app/acme/endpoint/hook/secret";
    stage.world.events.take();
    stage.world.faults.fail_commits(Some(CommitFault::Write));
    for path in [secret, "/ingest/api/v1/source", "/environment/export"] {
        let method = if path.ends_with("export") {
            "POST"
        } else {
            "GET"
        };
        let answer = stage.world.call(method, path).await;
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    assert_eq!(stage.world.events.take_kinds(), [""; 0]);
    assert_eq!(entries(&stage.world).await.len(), before);
}

#[tokio::test]
async fn a_fetched_payload_is_its_receivers_doing() {
    let stage = Stage::new().await;
    let before = entries(&stage.world).await.len();
    let path = format!("/payload/{}", stage.name("{ticket}"));
    stage.world.get(&path).without_token().await.is(200);
    let left = entries(&stage.world).await.split_off(before);
    let [entry] = &left[..] else {
        panic!("{left:?}");
    };
    assert_eq!(entry.action, AuditAction::PayloadFetched);
    assert_eq!(entry.actor.kind, ActorKind::Receiver);
    assert_eq!(entry.actor.subject, stage.name("{endpoint_id}"));
    assert_eq!(entry.actor.remote_address, Some(REMOTE));
    assert_eq!(entry.subject.id, stage.name("{msg_id}"));
    let wrong = stage.world.get("/payload/x").without_token().await;
    wrong.refuses(404, "not_found");
    assert_eq!(entries(&stage.world).await.len(), before + 1);
}

#[tokio::test]
async fn a_link_s_token_is_found_again_by_its_name() {
    let stage = Stage::new().await;
    let access = stage.world.post("/auth/app-portal-access/acme", json!({}));
    let url = access.await.is(200).text("url");
    let (_, token) = url.split_once("/portal/open/").expect("it has one");
    let body = json!({ "oneTimeToken": token });
    let exchange = async || {
        let call = stage.world.post("/auth/one-time-token", &body);
        call.without_token().await
    };
    exchange().await.is(200);
    exchange().await.refuses(401, "authentication_failed");
    let all = entries(&stage.world).await;
    let [.., opened, exchanged] = &all[..] else {
        panic!("{all:?}");
    };
    assert_eq!(opened.action, AuditAction::AppPortalOpened);
    assert_eq!(exchanged.action, AuditAction::AppPortalTokenExchanged);
    let name = exchanged
        .actor
        .credential
        .as_deref()
        .expect("it has a name");
    assert!(opened.detail.contains(name), "{opened:?} {exchanged:?}");
    assert!(!opened.text().contains(token));
}

#[tokio::test]
async fn what_is_refused_or_repeated_leaves_no_entry() {
    let world = World::new();
    world.application("acme").await;
    let body = json!({ "name": "other", "uid": "other" });
    world.post("/app", &body).key("k").await.is(201);
    world.post("/app", &body).key("k").await.is(201);
    world.post("/app", &body).await.is(409);
    world.delete("/app/nobody").await.is(404);
    assert_eq!(entries(&world).await.len(), 2);
    // A repeat that shows something secret again is a read of it.
    let source = json!({ "name": "acme", "type": "stripe", "config": { "secret": "s" } });
    for _ in 0..2 {
        let made = world.post("/ingest/api/v1/source", &source).key("k");
        made.await.is(201);
    }
    let left = entries(&world).await.split_off(2);
    let actions: Vec<_> = left.iter().map(|one| one.action).collect();
    let expected = [AuditAction::SourceCreated, AuditAction::SourceTokenRead];
    assert_eq!(actions, expected);
}

#[tokio::test]
async fn the_signed_head_is_shown_as_it_is_kept_elsewhere() {
    let world = World::new();
    world.application("acme").await;
    let none = world.get("/audit/checkpoint").await;
    none.refuses(404, "not_found");
    let expected = seal_first(&world).await;
    let shown = world.get("/audit/checkpoint").await.is(200);
    assert_eq!(SignedCheckpoint::read(&shown.text), Some(expected));
    let list = world.get("/audit").await.is(200);
    assert_eq!(list.rows()[0]["position"], 1);
    assert_eq!(list.rows()[0]["hash"], "07".repeat(32));
}

#[tokio::test]
async fn the_log_is_listed_the_newest_first_by_who_and_what() {
    let stage = Stage::new().await;
    let app = stage.name("{app_id}").to_owned();
    let list = stage.world.get("/audit?limit=2").await.is(200);
    assert_eq!(list.rows().len(), 2);
    let read = format!("/audit?action=endpoint.created&app_id={app}");
    let list = stage.world.get(read).await.is(200);
    let [row] = list.rows() else {
        panic!("{list:?}");
    };
    assert_eq!(
        row["subject"],
        json!({ "type": "endpoint", "id": stage.name("{endpoint_id}") })
    );
    assert_eq!(
        (&row["appId"], &row["detail"]),
        (&json!(app), &json!("it leads to example.com"))
    );
    assert_eq!(row["actor"]["type"], "token");
    assert_eq!(row["actor"]["id"], stage.name("{env_id}"));
    assert_eq!(row["remoteAddress"], REMOTE.to_string());
    assert_eq!(
        (&row["position"], &row["hash"]),
        (&Value::Null, &Value::Null)
    );
    let count = async |query: &str| {
        let list = stage.world.get(format!("/audit?limit=250&{query}")).await;
        list.is(200).rows().len()
    };
    assert_eq!(count("actor=nobody").await, 0);
    let of_organisation = count(&format!("actor={}", stage.name("{env_id}"))).await;
    assert_eq!(of_organisation, count("").await);
    let of_application = count("app_id=acme").await;
    assert!((2..of_organisation).contains(&of_application));
    stage.world.delete("/app/acme").await.is(204);
    assert_eq!(count(&format!("app_id={app}")).await, of_application + 1);
    stage
        .world
        .get("/audit?app_id=acme")
        .await
        .refuses(404, "not_found");
    stage.world.get("/audit?action=x").await.is(400);
}
