//! Tokens and keys over real sockets: a whole round, and servers that don't behave.

use std::sync::Arc;

use model::address::AddressPolicy;
use model::oauth::{ClientAuthentication, Grant, OauthConfig};
use model::{Clock, Entropy, Secret, Timestamp};
use transport::{HttpsTransport, KeySets, OauthClient, TokenKeeper, WantedKey, fetch_target};

use crate::receiver::*;
use crate::tls::{Authority, url};

/// No assertion is made here, which alone would ask for the time and for chance.
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

impl Entropy for Nothing {
    fn fill(&self, _: &mut [u8]) {}
}

fn keeper(transport: Arc<HttpsTransport>) -> TokenKeeper {
    TokenKeeper::new(transport, Arc::new(Nothing), Arc::new(Nothing))
}

fn client(url: &str) -> OauthClient {
    let config = OauthConfig {
        token_url: url.to_owned(),
        client_id: "client".to_owned(),
        authentication: ClientAuthentication::SecretPost(Secret::new(b"s3cr3t".to_vec())),
        grant: Grant::ClientCredentials,
        scopes: vec![],
        extra_params: vec![],
        extra_headers: vec![],
    };
    let client = OauthClient::new(&config, &AddressPolicy::development());
    client.map_err(|error| error.to_string()).expect("a client")
}

/// What the tenant of a server at this receiver reads while `serving` goes on.
async fn failure(url: String, serving: impl Future<Output = ()> + Send + 'static) -> String {
    let serving = tokio::spawn(serving);
    let error = keeper(transport()).token(&client(&url)).await;
    let error = error.err().expect("no token");
    serving.abort();
    error.for_tenant().into_owned()
}

fn here(receiver: &Receiver) -> String {
    format!("http://127.0.0.1:{}/token", receiver.address.port())
}

#[tokio::test]
async fn token_is_fetched_over_tls_and_once() {
    let (authority, mut receiver) = (Authority::new(), Receiver::start().await);
    let (keeper, client) = (keeper(authority.trusting()), client(&url(&receiver)));
    let serving = tokio::spawn(async move {
        let connection = receiver.connection().await;
        let (mut connection, _) = authority.accept(connection, HOST, &["http/1.1"]).await;
        let seen = connection.request().await;
        let body = r#"{"access_token":"t1","token_type":"Bearer","expires_in":60}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write(format!("{head}{body}")).await;
        (seen, receiver)
    });
    for _ in 0..3 {
        let token = keeper.token(&client).await;
        let token = token.map_err(|error| error.to_string()).expect("a token");
        assert_eq!(token.authorization(), "Bearer t1");
    }
    let (seen, mut receiver) = serving.await.expect("no panic");
    assert!(
        seen.head.starts_with("POST /in HTTP/1.1\r\n"),
        "{}",
        seen.head
    );
    let form = "grant_type=client_credentials&client_id=client&client_secret=s3cr3t";
    assert_eq!(seen.body, form.as_bytes());
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn certificate_that_nobody_vouches_for_sees_no_secret() {
    let (authority, mut receiver) = (Authority::new(), Receiver::start().await);
    let url = url(&receiver);
    let text = failure(url, async move {
        let connection = receiver.connection().await;
        let params = rcgen::CertificateParams::new([HOST.to_owned()]).expect("a name");
        let refused = authority.try_accept(connection, params, &[]).await;
        refused.expect_err("the handshake is refused");
    });
    let text = text.await;
    assert!(text.contains("issuer is not trusted"), "{text}");
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let (mut receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let (url, location) = (here(&receiver), here(&elsewhere));
    let text = failure(url, async move {
        let mut connection = receiver.connection().await;
        connection.request().await;
        let head = "HTTP/1.1 307 Elsewhere\r\ncontent-length: 0\r\nlocation:";
        connection.write(format!("{head} {location}\r\n\r\n")).await;
        connection.closed().await;
    });
    let text = text.await;
    assert!(text.contains("it answered 307, a redirect"), "{text}");
    let mut elsewhere = elsewhere;
    assert!(elsewhere.has_no_further_connection());
}

#[tokio::test]
async fn answer_of_ten_megabytes_is_not_read() {
    let mut receiver = Receiver::start().await;
    let url = here(&receiver);
    let text = failure(url, async move {
        let mut connection = receiver.connection().await;
        connection.request().await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 10485760\r\n\r\n";
        connection
            .write(format!("{head}{}", "x".repeat(1 << 17)))
            .await;
        connection.closed().await;
    });
    let text = text.await;
    assert!(text.contains("longer than 65536 bytes"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn server_that_hangs_is_given_up() {
    let mut receiver = Receiver::start().await;
    let url = here(&receiver);
    let text = failure(url, async move {
        let mut connection = receiver.connection().await;
        connection.closed().await;
    });
    let text = text.await;
    assert!(text.ends_with("request timed out"), "{text}");
}

#[tokio::test]
async fn key_set_is_fetched_by_get_without_a_body() {
    let mut receiver = Receiver::start().await;
    let set = fetch_target(&here(&receiver), &AddressPolicy::development());
    let wanted = WantedKey {
        set: set.expect("a URL to fetch from"),
        key_id: None,
        algorithm: None,
    };
    let serving = tokio::spawn(async move {
        let mut connection = receiver.connection().await;
        let head = connection.head().await;
        let body = r#"{"keys":[{"kty":"OKP","crv":"X25519","kid":"a",
            "x":"H3aIKQpVxwtX1_AbE1_KeL5YLB0ZraC2lKspX4RUzWk"}]}"#;
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        connection.write(answer).await;
        head
    });
    let recipient = KeySets::new(transport()).recipient(&wanted).await;
    let recipient = recipient.map_err(|error| error.to_string()).expect("a key");
    assert_eq!(recipient.key_id(), "a");
    let head = serving.await.expect("no panic");
    assert!(head.starts_with("GET /token HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("content-length"), "{head}");
}
