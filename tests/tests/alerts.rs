//! Security events reach people: the first at once, a storm as one digest, by a webhook and by
//! e-mail, without anything secret in it.

use e2e::mail::MailServer;
use e2e::{Answer, Api, Authority, Options, Receiver, Server};
use serde_json::{Value, json};

const ALERTS: &str = "/environment/alerts";
const TEST: &str = "/environment/alerts/test";

/// Tells of refused tokens there, with a digest every ten seconds.
async fn tell(api: &Api, channels: Value) {
    let alerts = json!({ "channels": channels, "dedupSeconds": 10, "digestSeconds": 10 });
    api.put(ALERTS, &alerts).await.expect(204);
}

fn text(body: &Value) -> &str {
    body["text"].as_str().expect("Slack's form")
}

#[tokio::test]
async fn a_wrong_token_is_told_once_and_a_storm_of_them_as_one_digest() {
    let mut server = Server::start(Options::dev()).await;
    let (api, people) = (server.api().await, Receiver::willing().await);
    let url = people.url("/services/T0/sesame");
    let kinds = ["api.authentication_failed"];
    tell(
        &api,
        json!([{ "type": "slack", "url": url, "kinds": kinds }]),
    )
    .await;
    let bad = api.with_token("made-up");
    bad.get("/app").await.expect(401);
    let first = people.next().await;
    assert_eq!(first.path, "/services/T0/sesame");
    let told = text(&first.json()).to_owned();
    assert!(
        told.contains("api.authentication_failed") && told.contains("127.0.0.1"),
        "{told}"
    );

    for _ in 0..60 {
        bad.get("/app").await.expect(401);
    }
    let digest = text(&people.next().await.json()).to_owned();
    assert!(
        digest.contains("- api.authentication_failed: 60\n"),
        "{digest}"
    );
    assert!(people.rest().await.is_empty(), "one digest is all");
    let all = format!("{told}{digest}{}", server.log());
    for secret in ["made-up", "sesame"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[tokio::test]
async fn what_is_left_is_told_when_the_server_ends() {
    let mut server = Server::start(Options::dev()).await;
    let (api, people) = (server.api().await, Receiver::willing().await);
    tell(&api, json!([{ "type": "slack", "url": people.url("/") }])).await;
    let bad = api.with_token("made-up");
    bad.get("/app").await.expect(401);
    people.next().await;
    bad.get("/app").await.expect(401);
    assert!(server.terminate().await.success());
    let last = text(&people.next().await.json()).to_owned();
    assert!(last.contains("- api.authentication_failed: 1\n"), "{last}");
}

#[tokio::test]
async fn a_letter_goes_over_starttls_to_the_server_that_is_configured() {
    let authority = Authority::new("the mail server's own");
    let mail = MailServer::start(&authority, "postrider", "open sesame").await;
    let home = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.to_str().expect("a text").to_owned()
    };
    let options = Options::dev()
        .option("--trusted-roots", file("roots.pem", &authority.pem()))
        .option("--smtp-url", format!("smtp://postrider@{}", mail.address()))
        .option("--smtp-from", "postrider@example.com")
        .option("--smtp-password-file", file("password", "open sesame\n"));
    let mut server = Server::start(options).await;
    let api = server.api().await;
    tell(
        &api,
        json!([{ "type": "email", "to": ["ops@example.com"] }]),
    )
    .await;
    api.with_token("made-up").get("/app").await.expect(401);
    let letter = mail.next().await;
    assert_eq!(letter.recipients, ["ops@example.com"]);
    let lines = letter.lines.join("\n");
    for words in [
        "From: postrider@example.com",
        "To: ops@example.com",
        "Subject: Postrider: warning: api.authentication_failed",
        "Auto-Submitted: auto-generated",
        "127.0.0.1, at ",
    ] {
        assert!(lines.contains(words), "{words} in {lines}");
    }
    for secret in ["made-up", "sesame"] {
        assert!(
            !format!("{lines}{}", server.log()).contains(secret),
            "{secret}"
        );
    }
    assert!(
        !mail.heard_in_clear().contains("MAIL"),
        "{}",
        mail.heard_in_clear()
    );
}

#[tokio::test]
async fn a_test_alert_tells_of_each_channel_how_it_went() {
    let mut server = Server::start(Options::dev()).await;
    let (api, people) = (server.api().await, Receiver::willing().await);
    let gone = Receiver::start(|_| Answer::status(404).body("sesame")).await;
    let channels = json!([
        { "type": "slack", "url": people.url("/one") },
        { "type": "slack", "url": gone.url("/two"), "minSeverity": "critical" },
    ]);
    tell(&api, channels).await;
    let tried = api.post(TEST, &json!({})).await.expect(200).json();
    assert_eq!(tried["channels"][0]["ok"], true, "{tried}");
    assert_eq!(tried["channels"][1]["ok"], false, "{tried}");
    let detail = tried["channels"][1]["detail"].as_str().expect("a sentence");
    assert!(
        detail.contains("404") && !detail.contains("sesame"),
        "{detail}"
    );
    assert!(text(&people.next().await.json()).contains("a test alert"));
}

#[tokio::test]
async fn a_webhook_that_fails_for_a_while_gets_it_later() {
    let mut server = Server::start(Options::dev()).await;
    let (api, answers) = (server.api().await, [503, 503, 200].map(Answer::status));
    let people = Receiver::in_turn(answers).await;
    tell(&api, json!([{ "type": "slack", "url": people.url("/") }])).await;
    api.with_token("made-up").get("/app").await.expect(401);
    let tries = people.take(3).await;
    assert_eq!(tries[0].body, tries[2].body);
}
