//! Providers that ask whether their requests are welcome are answered, and no message is made of
//! it.

use crate::sender::{Sending, secret, with_secrets};
use crate::world::{At, World};
use model::source::SourceConfig;

fn get(at: &At, query: &str) -> Sending {
    Sending {
        method: "GET",
        path: format!("/in/{}?{query}", at.token),
        headers: Vec::new(),
        body: String::new(),
    }
}

#[tokio::test]
async fn a_signed_handshake_is_answered_only_where_its_signature_is_good() {
    let world = World::new();
    let at = world.source("slack", with_secrets(&["hush"])).await;
    let body = r#"{"type":"url_verification","challenge":"abc123"}"#;
    let unsigned = Sending::to(&at, body);
    world
        .take(&unsigned)
        .await
        .refused(401, "signature_invalid");
    let signed = unsigned.signed("slack", "hush", ("", world.now()));
    let answer = world.take(&signed).await;
    assert_eq!((answer.status, answer.text.contains("abc123")), (200, true));
    assert!(world.messages().await.is_empty());
}

#[tokio::test]
async fn an_unsigned_handshake_needs_its_token_and_gives_back_nothing_else() {
    let world = World::new();
    let config = SourceConfig {
        verify_token: Some(secret("sesame")),
        ..with_secrets(&["hush"])
    };
    let at = world.source("meta", config).await;
    let asked = |token, challenge| {
        get(
            &at,
            &format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge={challenge}"),
        )
    };
    let answer = world.take(&asked("sesame", "42")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "42"));
    assert_eq!(answer.headers["content-type"], "text/plain");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let wrong = world.take(&asked("other", "42")).await;
    wrong.refused(401, "credentials_invalid");
    let injected = world.take(&asked("sesame", "%0D%0A")).await;
    injected.refused(400, "malformed");
    assert!(world.messages().await.is_empty());
}

#[tokio::test]
async fn who_asks_nothing_is_told_the_method() {
    let world = World::new();
    let at = world.source("github", with_secrets(&["hush"])).await;
    let answer = world.take(&get(&at, "challenge=abc")).await;
    answer.refused(405, "method_not_allowed");
    assert_eq!(answer.headers["allow"], "POST");
}
