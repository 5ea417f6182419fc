//! Listening to a server: what is heard, what becomes of it, and that nothing of it stays.

use std::net::TcpListener;
use std::process::Stdio;

use e2e::command::run;
use e2e::wait::within;
use e2e::{Answer, Receiver};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::Desk;

/// A listener that has begun.
struct Listener {
    child: Child,
    heard: Lines<BufReader<ChildStdout>>,
    said: Lines<BufReader<ChildStderr>>,
}

impl Listener {
    async fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let mut listener = Self {
            child,
            heard: BufReader::new(out.expect("it is piped")).lines(),
            said: BufReader::new(err.expect("it is piped")).lines(),
        };
        listener.says("listening to").await;
        listener
    }

    /// The next line on standard error that holds this.
    async fn says(&mut self, part: &str) -> String {
        loop {
            let line = within(format!("{part:?} to be said"), self.said.next_line()).await;
            let line = line.expect("it is UTF-8").expect("it goes on");
            if line.contains(part) {
                return line;
            }
        }
    }

    /// The next line on standard output.
    async fn hears(&mut self) -> String {
        let line = within("a message to be heard", self.heard.next_line()).await;
        line.expect("it is UTF-8").expect("it goes on")
    }

    async fn hears_json(&mut self) -> Value {
        serde_json::from_str(&self.hears().await).expect("an object in a line")
    }

    /// Ends it by a signal, and gives its exit status.
    async fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().expect("it runs").to_string();
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &pid]);
        run(kill).await.expect(0);
        let ended = within("the listener's end", self.child.wait()).await;
        ended.expect("a child can be waited for").code()
    }
}

/// What `send` printed: the message's id.
async fn send(desk: &Desk, event_type: &str, payload: &str) -> String {
    let sent = ["send", "--app", "acme", "--type", event_type, "--data"];
    let sent = desk.ask(&[&sent[..], &[payload]].concat()).await;
    sent.text().to_owned()
}

async fn app(desk: &Desk) {
    let app = ["app", "create", "--name", "Acme", "--uid", "acme"];
    desk.ask(&app).await.expect(0);
}

/// What there would be of an endpoint.
async fn nothing_is_kept(desk: &Desk, message: &str) {
    let endpoints = desk.json(&["endpoint", "list", "--app", "acme"]).await;
    assert_eq!(endpoints["data"], json!([]));
    let attempts = ["attempt", "list", "--app", "acme", "--message", message];
    assert_eq!(desk.json(&attempts).await["data"], json!([]));
}

#[tokio::test]
async fn what_is_heard_is_genuine_and_is_sent_on_as_it_would_have_come() {
    let desk = Desk::new().await;
    let answers = [Answer::status(200), Answer::status(500)];
    let receiver = Receiver::in_turn(answers).await;
    app(&desk).await;
    send(&desk, "order.paid", "{\"before\": true}").await;
    let secret = desk.file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let url = receiver.url("/in?from=listen");
    let listen = [
        "listen",
        "--app",
        "acme",
        "--forward",
        &url,
        "--json",
        "--type",
        "order.paid",
        "--secret-file",
        &secret,
    ];
    let mut listener = Listener::start(desk.command(&listen)).await;
    for status in [200, 500] {
        send(&desk, "order.lost", "{}").await;
        let payload = "{ \"z\": 1.50, \"a\": [1e2, \"é\"] }";
        let id = send(&desk, "order.paid", payload).await;
        let received = receiver.next().await;
        assert_eq!(
            (&*received.method, &*received.path),
            ("POST", "/in?from=listen")
        );
        assert_eq!(&received.body[..], payload.as_bytes());
        assert_eq!(received.headers["webhook-id"], *id);
        assert_eq!(received.headers["content-type"], "application/json");
        let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers = headers.map(|name| {
            let value = received.headers[name].to_str().expect("visible ASCII");
            format!("{name}: {value}\n")
        });
        let headers = desk.file("headers", headers.concat());
        let body = desk.file("body", &received.body);
        let verify = [
            "verify",
            "--scheme",
            "standard-webhooks",
            "--secret-file",
            &secret,
            "--headers",
            &headers,
            "--body",
            &body,
        ];
        desk.ask(&verify).await.expect(0);

        let heard = listener.hears_json().await;
        assert_eq!(heard["id"], *id);
        assert_eq!(heard["body"], payload);
        assert_eq!(heard["genuine"], true);
        assert_eq!(heard["response"]["status"], status);
        assert!(heard["response"]["durationMs"].is_u64(), "{heard}");
        nothing_is_kept(&desk, &id).await;
    }
    assert_eq!(listener.end("INT").await, Some(0));
}

#[tokio::test]
async fn people_see_what_came_laid_out_and_its_secret_once() {
    let desk = Desk::new().await;
    app(&desk).await;
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}/", closed.local_addr().expect("it is bound"));
    drop(closed);
    let listen = ["listen", "--app", "acme", "--forward", &nobody];
    let mut listener = Listener::start(desk.command(&listen)).await;
    let secret = listener.says("signed with whsec_").await;
    let id = send(&desk, "order.paid", "{\"a\":\"\u{9b}2J\",\"n\":1.50}").await;
    let mut shown = Vec::new();
    while !shown.iter().any(|line: &String| line.contains('→')) {
        shown.push(listener.hears().await);
    }
    let shown = shown.join("\n");
    assert!(
        shown.contains(&format!("order.paid  {id}  genuine")),
        "{shown}"
    );
    assert!(
        shown.contains("\n    \"a\": \"\\u009b2J\",\n    \"n\": 1.50\n"),
        "{shown}"
    );
    assert!(shown.contains("no answer after"), "{shown}");
    let secret = secret.rsplit(' ').next().expect("it is the last word");
    assert!(!desk.server.log().contains(secret), "no log has it");
    assert_eq!(listener.end("TERM").await, Some(0));
}

#[tokio::test]
async fn a_listener_that_is_killed_leaves_nothing_behind() {
    let mut desk = Desk::new().await;
    app(&desk).await;
    let listen = ["listen", "--app", "acme", "--json"];
    let mut listener = Listener::start(desk.command(&listen)).await;
    let id = send(&desk, "order.paid", "{}").await;
    assert_eq!(listener.hears_json().await["id"], *id);
    assert_eq!(listener.end("KILL").await, None);
    let later = send(&desk, "order.paid", "{}").await;
    nothing_is_kept(&desk, &later).await;
    // Nor does a request that still waits keep the server.
    let mut waiting = Listener::start(desk.command(&listen)).await;
    assert!(desk.server.terminate().await.success());
    waiting.says("waiting: no server answers").await;
    assert_eq!(waiting.end("INT").await, Some(0));
}

#[tokio::test]
async fn a_listener_goes_on_where_it_was_when_its_server_is_there_again() {
    let mut desk = Desk::new().await;
    app(&desk).await;
    let listen = ["listen", "--app", "acme", "--json"];
    let mut listener = Listener::start(desk.command(&listen)).await;
    let mut sent = vec![send(&desk, "order.paid", "{}").await];
    desk.server.kill().await;
    listener.says("waiting: ").await;
    desk.server.restart().await;
    for _ in 0..3 {
        sent.push(send(&desk, "order.paid", "{}").await);
    }
    let mut heard = Vec::new();
    for _ in &sent {
        heard.push(listener.hears_json().await["id"].clone());
    }
    assert_eq!(json!(heard), json!(sent));
    assert_eq!(listener.end("INT").await, Some(0));
}

#[tokio::test]
async fn who_may_not_listen_is_told_so() {
    let desk = Desk::new().await;
    app(&desk).await;
    let ask = async |arguments: &[&str]| desk.ask(&[&["listen"], arguments].concat()).await;
    ask(&[]).await.expect(2).complains_of("--app");
    ask(&["--app", "nobody"])
        .await
        .expect(1)
        .complains_of("404");
    let forward = ["--app", "acme", "--forward", "ftp://x"];
    ask(&forward).await.expect(2).complains_of("--forward");
    let secret = desk.file("secret", "hush");
    let refused = ask(&["--app", "acme", "--secret-file", &secret]).await;
    refused.expect(2).complains_of("--secret-file");
    assert!(!refused.stderr.contains("hush"));

    // An application's own token says whom it is for; when it ends, so does listening.
    let id = desk.json(&["app", "get", "acme"]).await["id"].clone();
    let id = id.as_str().expect("an id");
    let minted = desk.server.mint(&["--app", id, "--json"]).await;
    let minted: Value = serde_json::from_str(minted.text()).expect("an object");
    let text = |name: &str| minted[name].as_str().expect("a text").to_owned();
    let token = desk.file("own-token", text("token"));
    let own = ["listen", "--json", "--token-file", &token];
    let mut listener = Listener::start(desk.command(&own)).await;
    let message = send(&desk, "order.paid", "{}").await;
    assert_eq!(listener.hears_json().await["id"], *message);
    let revoked = desk.server.mint(&["revoke", &text("jti")]).await;
    revoked.expect(0);
    listener.says("401").await;
    let ended = within("the listener's end", listener.child.wait()).await;
    assert_eq!(ended.expect("it can be waited for").code(), Some(1));
}
