//! The published clients of Svix's API, unmodified, create everything and send; what arrives is
//! verified with the published verifiers of Standard Webhooks, and with Svix's own.
//!
//! The stories themselves are `tests/clients/story.mjs` and `story.py`.

use e2e::clients::{self, Language, Verifier};
use e2e::{Options, Receiver, Server, place};
use serde_json::json;

/// How many chapters each story has.
const CHAPTERS: usize = 22;

#[tokio::test]
async fn npm_svix_creates_sends_and_looks_up() {
    tell("story.mjs").await;
}

#[tokio::test]
async fn pypi_svix_creates_sends_and_looks_up() {
    tell("story.py").await;
}

#[tokio::test]
async fn published_verifiers_accept_webhook_headers() {
    for language in [Language::Node, Language::Python] {
        verified(
            language,
            &[Verifier::StandardWebhooks, Verifier::Svix],
            "webhook",
        )
        .await;
    }
}

#[tokio::test]
async fn svixs_verifiers_accept_svix_headers() {
    for language in [Language::Node, Language::Python] {
        verified(language, &[Verifier::Svix], "svix").await;
    }
}

#[tokio::test]
async fn all_published_verifiers_accept_both_families_at_once() {
    for language in [Language::Node, Language::Python] {
        verified(
            language,
            &[Verifier::StandardWebhooks, Verifier::Svix],
            "both",
        )
        .await;
    }
}

#[test]
fn readme_names_the_client_versions_that_are_tested() {
    let root = place::repository();
    let text = |path: &str| std::fs::read_to_string(root.join(path)).expect("it is there");
    let readme = text("README.md");
    for (client, file, before, after) in [
        ("npm", "tests/clients/package.json", "\"svix\": \"", "\""),
        ("PyPI", "tests/clients/requirements.txt", "\nsvix==", "\n"),
        ("crate", "tests/Cargo.toml", "svix = { version = \"=", "\""),
    ] {
        let pinned = text(file);
        let version = pinned.split(before).nth(1);
        let version = version.and_then(|rest| rest.split(after).next());
        let version = version.expect("the client is pinned");
        let named = format!("{client} `svix` {version}");
        assert!(readme.contains(&named), "the README lacks {named:?}");
    }
}

async fn tell(story: &str) {
    let mut server = Server::start(Options::dev().option("--retry-schedule", "1")).await;
    let token = server.token().await;
    let url = server.url();
    let said = clients::run(story, &[("SERVER_URL", &url), ("TOKEN", &token)]).await;
    let told = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(told, CHAPTERS, "{said}");
}

/// Sends one message with these headers to an endpoint with a given and to one with a made secret.
async fn verified(language: Language, verifiers: &[Verifier], family: &str) {
    let mut server = Server::start(Options::dev().option("--header-family", family)).await;
    let (api, receiver) = (server.api().await, Receiver::willing().await);
    api.application("shop").await;
    let made = api
        .endpoint("shop", &json!({"url": receiver.url("/made")}))
        .await;
    let made = api.secret("shop", &made).await;
    let given = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    api.endpoint(
        "shop",
        &json!({"url": receiver.url("/given"), "secret": given}),
    )
    .await;
    let message = api
        .send(
            "shop",
            "invoice.paid",
            &json!({"text": "grün \u{1F98A} \"\\"}),
        )
        .await;

    let mut requests = Vec::new();
    for request in receiver.take(2).await {
        let prefixes =
            ["webhook", "svix"].map(|name| request.headers.contains_key(format!("{name}-id")));
        assert_eq!(
            prefixes,
            [family != "svix", family != "webhook"],
            "{:?}",
            request.headers
        );
        let name = if family == "svix" {
            "svix-id"
        } else {
            "webhook-id"
        };
        assert_eq!(request.header(name), message);
        let secret = if request.path == "/made" {
            made.clone()
        } else {
            given.to_owned()
        };
        requests.push((secret, request));
    }
    for verifier in verifiers {
        clients::verify(language, *verifier, &requests).await;
    }
}
