//! What leaves for a webhook, and what its answers mean. The network is a fake; letters are tried
//! against a server in `transport`.

use super::*;
use model::Timestamp;
use std::sync::Mutex;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Answers all with one status, and keeps what it got.
struct Answering(u16, Mutex<Vec<Outgoing>>);

#[async_trait]
impl Transport for Answering {
    async fn send(&self, request: Outgoing) -> Result<Answer, SendError> {
        self.1.lock().expect("no panic while held").push(request);
        Ok(Answer {
            status: self.0,
            retry_after: Some("7".to_owned()),
            allowed: None,
            body: "sesame"[..].into(),
            truncated: false,
            headers_after: Duration::ZERO,
            date: None,
            handshake: None,
            observed: Box::default(),
        })
    }
}

fn sender(status: u16) -> (Sender, Arc<Answering>) {
    let network = Arc::new(Answering(status, Mutex::default()));
    let sender = Sender {
        transport: network.clone(),
        policy: AddressPolicy::default(),
        mailer: None,
        user_agent: "Postrider/test".to_owned(),
        clock: Arc::new(Still),
    };
    (sender, network)
}

fn slack(url: &str) -> Destination {
    Destination::Slack(Secret::from(url.to_owned()))
}

fn note() -> Note {
    Note {
        subject: "<!channel> & co".to_owned(),
        text: "from <https://evil.example|here>".to_owned(),
    }
}

#[tokio::test]
async fn what_could_mention_or_link_is_escaped() {
    let (sender, network) = sender(200);
    let url = "https://hooks.example/services/sesame";
    sender
        .send(&slack(url), &note())
        .await
        .expect("it is taken");
    let sent = network.1.lock().expect("no panic while held");
    let [request] = &sent[..] else {
        panic!("one request");
    };
    assert_eq!(request.purpose, Purpose::Alert);
    assert_eq!(request.headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    let text = "*&lt;!channel&gt; &amp; co*\nfrom &lt;https://evil.example|here&gt;";
    assert_eq!(body, serde_json::json!({ "text": text }));
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_will_not() {
    for (status, may_pass) in [
        (302, false),
        (400, false),
        (403, false),
        (404, false),
        (408, true),
        (410, false),
        (429, true),
        (500, true),
        (503, true),
    ] {
        let (sender, _) = sender(status);
        let sent = sender
            .send(&slack("https://hooks.example/sesame"), &note())
            .await;
        let error = sent.expect_err("it is refused");
        assert_eq!(error.may_pass, may_pass, "{status}");
        assert!(!error.sentence.contains("sesame"), "{error}");
        assert!(error.sentence.contains(&status.to_string()), "{error}");
        assert_eq!(error.wait, Some(Duration::from_secs(7)), "{status}");
    }
}

#[tokio::test]
async fn what_may_no_longer_be_called_is_not() {
    for url in [
        "https://169.254.169.254/latest",
        "http://hooks.example/1",
        "https://me:sesame@hooks.example/1",
    ] {
        let (sender, network) = sender(200);
        let refused = sender.send(&slack(url), &note()).await.expect_err(url);
        assert!(
            !refused.may_pass && !refused.sentence.contains("sesame"),
            "{refused}"
        );
        assert!(network.1.lock().expect("no panic while held").is_empty());
    }
}

#[tokio::test]
async fn without_a_mail_server_letters_are_refused_with_what_would_be_right() {
    let (sender, _) = sender(200);
    let to = Destination::Email(vec!["ops@example.com".parse().expect("an address")]);
    let refused = sender.send(&to, &note()).await.expect_err("there is none");
    assert!(refused.sentence.contains("`smtp_url`"), "{refused}");
    assert!(!sender.sends_mail() && !refused.may_pass);
}
