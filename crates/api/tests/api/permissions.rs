//! Who may what, for every operation that is declared, and how whoever may not is refused.

use crate::operations::{Operation, Who, operations};
use crate::stage::Stage;
use crate::tokens::{api_key, ended_api_key, expired_token, revoked_token};
use model::role::Role;
use serde_json::json;
use std::collections::BTreeSet;

/// The operations that need no token. The third one's token is in its body.
const PUBLIC: [&str; 5] = [
    "/health",
    "/health/ping",
    "/auth/one-time-token",
    "/.well-known/jwks.json",
    "/payload/{ticket}",
];

/// Those that only look, although what they look for comes in a body.
const LOOK: [&str; 4] = [
    "v1.environment.export",
    "v1.message.listen",
    "v1.message.precheck",
    "v1.message.search",
];

/// What an application's own people may change, and what their token must name for it.
const CHANGE: [(&str, &str); 31] = [
    ("v1.endpoint.bulk-replay", "CreateAttempts"),
    ("v1.endpoint.cancel-msgs", "ManageEndpoint"),
    ("v1.endpoint.create", "ManageEndpoint"),
    ("v1.endpoint.delete", "ManageEndpoint"),
    ("v1.endpoint.delete-auth", "ManageEndpoint"),
    ("v1.endpoint.delete-redaction", "ManageEndpoint"),
    ("v1.endpoint.delete-encryption", "ManageEndpoint"),
    ("v1.endpoint.delete-payload", "ManageEndpoint"),
    ("v1.endpoint.delete-signature", "ManageEndpoint"),
    ("v1.endpoint.delete-oauth-config", "ManageEndpoint"),
    ("v1.endpoint.delete-mtls-config", "ManageEndpoint"),
    ("v1.endpoint.delete-pins", "ManageEndpoint"),
    ("v1.endpoint.delete-server-ca", "ManageEndpoint"),
    ("v1.endpoint.patch", "ManageEndpoint"),
    ("v1.endpoint.patch-headers", "ManageEndpoint"),
    ("v1.endpoint.recover", "CreateAttempts"),
    ("v1.endpoint.replay-missing", "CreateAttempts"),
    ("v1.endpoint.rotate-secret", "ManageEndpointSecret"),
    ("v1.endpoint.send-challenge", "ManageEndpoint"),
    ("v1.endpoint.set-auth", "ManageEndpoint"),
    ("v1.endpoint.set-redaction", "ManageEndpoint"),
    ("v1.endpoint.set-encryption", "ManageEndpoint"),
    ("v1.endpoint.set-payload", "ManageEndpoint"),
    ("v1.endpoint.set-signature", "ManageEndpoint"),
    ("v1.endpoint.set-oauth-config", "ManageEndpoint"),
    ("v1.endpoint.set-mtls-config", "ManageEndpoint"),
    ("v1.endpoint.set-pins", "ManageEndpoint"),
    ("v1.endpoint.set-server-ca", "ManageEndpoint"),
    ("v1.endpoint.update", "ManageEndpoint"),
    ("v1.endpoint.update-headers", "ManageEndpoint"),
    ("v1.message-attempt.resend", "CreateAttempts"),
];
/// What shows them a secret.
const SECRET: (&str, &str) = ("v1.endpoint.get-secret", "ViewEndpointSecret");

/// What operators may change.
const OPERATE: [&str; 4] = [
    "v1.endpoint.bulk-replay",
    "v1.endpoint.recover",
    "v1.endpoint.replay-missing",
    "v1.message-attempt.resend",
];

/// What is asked with `GET`, and shows a secret: neither viewers nor operators see it. Tokens are
/// made, and URLs with tokens in them, by what changes something.
const SECRETS: [&str; 4] = [
    "v1.authentication.get-poller-token",
    "v1.endpoint.get-secret",
    "v1.ingest.endpoint.get-secret",
    "v1.operational-webhook.endpoint.get-secret",
];

/// What everybody may who may come in: it ends nothing but the very token.
const LOG_OUT: &str = "v1.authentication.logout";

/// The least role that may do it.
fn least_role(operation: &Operation) -> Role {
    let id = operation.id;
    let looks = operation.method == "GET" && !SECRETS.contains(&id);
    if looks || LOOK.contains(&id) || id == LOG_OUT {
        return Role::Viewer;
    }
    match OPERATE.contains(&id) {
        true => Role::Operator,
        false => Role::Admin,
    }
}

#[test]
fn only_these_are_public() {
    let operations = operations().into_iter();
    let public = operations.filter(|one| one.who == Who::Anybody);
    let public: BTreeSet<_> = public.map(|one| one.template).collect();
    assert_eq!(public, BTreeSet::from(PUBLIC));
}

#[tokio::test]
async fn without_a_good_token_nothing_but_the_public_is_answered() {
    let stage = Stage::new().await;
    let forged = format!("{}x", stage.world.token());
    let tokens = [
        "x.y.z".to_owned(),
        forged,
        expired_token(&stage.world),
        revoked_token(&stage.world).await,
        format!("sk_{}", "0".repeat(64)),
        ended_api_key(&stage.world).await,
    ];
    for operation in operations() {
        let with = |token: &String| stage.call(&operation).token(token);
        let mut calls: Vec<_> = tokens.iter().map(with).collect();
        calls.push(stage.call(&operation).without_token());
        for call in calls {
            let answer = call.body("no JSON").await;
            if operation.who == Who::Anybody {
                assert_ne!(answer.status, 401, "{answer:?}");
                continue;
            }
            let detail = answer.refuses(401, "authentication_failed");
            assert_eq!(detail, "Invalid token");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn what_is_the_organisations_is_refused_to_applications_before_any_lookup() {
    let stage = Stage::new().await;
    let token = stage.world.token_of(&stage.ids["app_"], &[]);
    for operation in operations() {
        if operation.who != Who::Organisation {
            continue;
        }
        let mut paths = vec![stage.path(&operation)];
        for part in operation.open_parts() {
            paths.push(stage.path_with(&operation, (part, "nobody")));
        }
        for path in paths {
            let call = stage.world.call(operation.method, path).token(&token);
            let answer = call.body("no JSON").await;
            answer.refuses(403, "insufficient access");
        }
    }
}

#[tokio::test]
async fn to_another_application_an_application_is_not_there() {
    let stage = Stage::new().await;
    let other = stage.world.application("other").await;
    let token = stage.world.token_of(&other, &[]);
    for operation in operations() {
        let below = operation.template.contains("{app_id}");
        if operation.who == Who::Application && below {
            let answer = stage.call(&operation).token(&token).body("no JSON").await;
            assert_eq!(answer.refuses(404, "not_found"), "Entity not found");
        }
    }
}

#[tokio::test]
async fn whoever_may_is_let_in() {
    let mut stage = Stage::new().await;
    for operation in operations() {
        let own = stage.world.token_of(&stage.ids["app_"], &[]);
        let deletes = operation.method == "DELETE";
        let calls = match operation.who {
            Who::Anybody => vec![stage.call(&operation).without_token()],
            Who::Organisation => vec![stage.call(&operation)],
            // What the first deletes is not there for the second.
            Who::Application if deletes => vec![stage.call(&operation).token(&own)],
            Who::Application => vec![stage.call(&operation), stage.call(&operation).token(&own)],
        };
        for call in calls {
            let answer = call.body("{}").await;
            if !operation.built {
                answer.refuses(501, "not_implemented");
                continue;
            }
            operation.judge(&answer);
            assert!(![401, 403, 404, 405].contains(&answer.status), "{answer:?}");
        }
        if deletes {
            stage = Stage::new().await;
        }
    }
}

#[tokio::test]
async fn an_api_key_reaches_what_its_scope_names_and_nothing_else() {
    let stage = Stage::new().await;
    let scope = |one: &Operation| {
        let right = if one.reads { "read" } else { "write" };
        format!("{}:{right}", one.noun)
    };
    let all: BTreeSet<String> = operations().iter().map(scope).collect();
    for needed in &all {
        let others: Vec<_> = all.iter().filter(|other| *other != needed).collect();
        let without = api_key(&stage.world, &others).await;
        let with = api_key(&stage.world, &[needed]).await;
        let same = operations().into_iter();
        let same = same.filter(|one| one.who != Who::Anybody && scope(one) == *needed);
        for operation in same {
            let answer = stage.call(&operation).token(&without).body("no JSON").await;
            answer.refuses(403, "insufficient access");
            // What ends the key itself, or what is there, comes elsewhere.
            let passes = !operation.template.ends_with("/logout") && operation.method != "DELETE";
            if passes {
                let answer = stage.call(&operation).token(&with).body("no JSON").await;
                assert!(![401, 403].contains(&answer.status), "{answer:?}");
            }
        }
    }
}

#[test]
fn what_reads_is_asked_with_get_or_is_one_of_these() {
    let reading = operations().into_iter().filter(|one| one.reads);
    let reading = reading.filter(|one| one.method != "GET");
    let reading: BTreeSet<_> = reading.map(|one| one.id).collect();
    assert_eq!(reading, BTreeSet::from(LOOK));
}

#[tokio::test]
async fn a_token_of_the_portal_may_look_and_change_what_its_capabilities_name() {
    let stage = Stage::new().await;
    for capability in app::access::limits::CAPABILITIES {
        let capability = format!("{capability:?}");
        let body = json!({ "capabilities": BTreeSet::from(["ViewBase", &capability]) });
        let access = stage.world.post("/auth/app-portal-access/acme", body).await;
        let token = access.is(200).text("token");
        for operation in operations() {
            if operation.who != Who::Application || operation.template == "/auth/logout" {
                continue;
            }
            let named = CHANGE.iter().chain([&SECRET]);
            let needed = named.copied().find(|(id, _)| *id == operation.id);
            let allowed = match needed {
                Some((_, needed)) => needed == capability,
                None => operation.method == "GET" || LOOK.contains(&operation.id),
            };
            if allowed && operation.method == "DELETE" {
                continue; // It would be missed by those that follow.
            }
            let answer = stage.call(&operation).token(&token).body("no JSON").await;
            match allowed {
                true => assert!(![401, 403].contains(&answer.status), "{answer:?}"),
                false => drop(answer.refuses(403, "insufficient access")),
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_may_only_look_changes_nothing_and_sees_no_secret() {
    let stage = Stage::new().await;
    let body = json!({ "readOnly": true });
    let access = stage.world.post("/auth/app-portal-access/acme", body).await;
    let token = access.is(200).text("token");
    for (id, _) in CHANGE.iter().chain([&SECRET]) {
        let operation = operations().into_iter().find(|one| one.id == *id);
        let operation = operation.expect("it is declared");
        let answer = stage.call(&operation).token(&token).body("no JSON").await;
        answer.refuses(403, "insufficient access");
    }
    stage
        .world
        .get("/app/acme/endpoint")
        .token(&token)
        .await
        .is(200);
    let out = stage.world.post("/auth/logout", "").token(&token).await;
    out.is(204);
}

#[test]
fn what_the_table_of_roles_names_is_there() {
    let all: BTreeSet<_> = operations().into_iter().map(|one| one.id).collect();
    for id in OPERATE.iter().chain(&SECRETS).chain([&LOG_OUT]) {
        assert!(all.contains(id), "{id}");
    }
}

#[tokio::test]
async fn each_role_reaches_what_it_may_and_nothing_else() {
    let stage = Stage::new().await;
    for role in Role::ALL {
        let key = api_key(&stage.world, &[&format!("role:{role}")]).await;
        for token in [key, stage.world.token_as(role)] {
            for operation in operations() {
                if operation.who == Who::Anybody {
                    continue;
                }
                let may = role >= least_role(&operation);
                // What ends the token itself, or what is there, comes elsewhere.
                if may && (operation.id == LOG_OUT || operation.method == "DELETE") {
                    continue;
                }
                let answer = stage.call(&operation).token(&token).body("no JSON").await;
                match may {
                    true => assert!(![401, 403].contains(&answer.status), "{role} {answer:?}"),
                    false => drop(answer.refuses(403, "insufficient access")),
                }
            }
            let out = stage.world.post("/auth/logout", "").token(&token).await;
            out.is(204);
        }
    }
}

#[tokio::test]
async fn nothing_that_a_role_may_look_at_shows_a_secret() {
    let stage = Stage::new().await;
    let world = &stage.world;
    let own = world.get("/app/acme/endpoint/hook/secret").await.is(200);
    let operators = stage.name("{operators_endpoint_id}");
    let operators = format!("/operational-webhook/endpoint/{operators}/secret");
    let operators = world.get(operators).await.is(200);
    let source = world.get("/ingest/api/v1/source/payments").await.is(200);
    let inbound = source.text("ingestUrl");
    let (_, inbound) = inbound.rsplit_once('/').expect("a path");
    let secrets = [own.text("key"), operators.text("key"), inbound.to_owned()];
    for role in [Role::Viewer, Role::Operator] {
        let token = world.token_as(role);
        for operation in operations() {
            let looks = operation.method == "GET" || LOOK.contains(&operation.id);
            if !looks || operation.who == Who::Anybody {
                continue;
            }
            let answer = stage.call(&operation).token(&token).body("{}").await;
            for secret in &secrets {
                assert!(!answer.text.contains(secret), "{role} {}", operation.id);
            }
            assert!(!answer.text.contains("sesame"), "{role} {}", operation.id);
        }
        let message = world.get("/app/acme/msg/order-1").token(&token).await;
        assert!(message["payload"].is_object(), "{message:?}");
    }
}
