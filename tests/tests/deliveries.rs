//! What happens on the way to an endpoint that is slow, broken, gone or odd: over real sockets,
//! seen from the receiver and then in the attempts that can be looked up.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::{Answer, Api, Gate, Options, Receiver, Server, eventually};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_failed_delivery_is_tried_again_until_it_succeeds() {
    let answers = [500, 404, 302, 200].map(Answer::status);
    let (mut server, receiver) = (retrying("1,1,1,1").await, Receiver::in_turn(answers).await);
    let api = server.api().await;
    let (_, message) = one_message(&api, &receiver, json!({"n": 1})).await;
    let tries = receiver.take(4).await;
    assert!(
        tries.iter().all(|request| request.id() == message),
        "the id never changes"
    );
    assert!(tries.iter().all(|request| request.body == tries[0].body));
    let times: Vec<u64> = tries
        .iter()
        .map(|request| number(request.header("webhook-timestamp")))
        .collect();
    assert!(
        times.is_sorted() && times[3] > times[0],
        "each attempt has its own time: {times:?}"
    );
    for pair in tries.windows(2) {
        let gap = pair[1].at - pair[0].at;
        assert!(
            gap >= Duration::from_millis(800),
            "a second, less a fifth of jitter: {gap:?}"
        );
    }
    let attempts = attempts(&api, &message, 4).await;
    assert_eq!(codes(&attempts), [500, 404, 302, 200]);
    let statuses: Vec<_> = attempts
        .iter()
        .map(|attempt| &attempt["statusText"])
        .collect();
    assert_eq!(statuses, ["fail", "fail", "fail", "success"]);
    assert!(receiver.rest().await.is_empty());
}

/// Each at a moment of its own: before its answer, in the middle of it, or not at all.
#[tokio::test]
async fn what_a_client_sent_whole_is_delivered_though_it_hangs_up() {
    const MESSAGES: usize = 40;
    let (mut server, receiver) = (
        Server::start(Options::dev()).await,
        Receiver::willing().await,
    );
    let api = server.api().await;
    api.application("shop").await;
    let url = receiver.url("/");
    api.endpoint("shop", &json!({ "url": url })).await;
    let token = server.token().await;
    for number in 0..MESSAGES {
        let body = json!({"eventType": "a", "payload": {"n": number}}).to_string();
        let request = format!(
            "POST /api/v1/app/shop/msg HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut client = TcpStream::connect(server.address())
            .await
            .expect("it listens");
        client
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
    }
    let mut numbers: Vec<_> = receiver.take(MESSAGES).await;
    numbers.sort_by_key(|request| request.json()["n"].as_u64());
    assert!(
        numbers
            .iter()
            .zip(0..)
            .all(|(request, n)| request.json()["n"] == n)
    );
}

#[tokio::test]
async fn a_delivery_ends_with_its_schedule_and_stays_to_be_seen() {
    let (mut server, receiver) = (
        retrying("1").await,
        Receiver::in_turn([Answer::status(500)]).await,
    );
    let api = server.api().await;
    let (endpoint, message) = one_message(&api, &receiver, json!({})).await;
    receiver.take(2).await;
    assert_eq!(codes(&attempts(&api, &message, 2).await), [500, 500]);
    let path = format!("/app/shop/endpoint/{endpoint}/msg");
    let list = api.get(&path).await.expect(200).json();
    assert_eq!(list["data"][0]["statusText"], "fail", "{list}");
    assert!(
        list["data"][0]
            .get("nextAttempt")
            .is_none_or(Value::is_null),
        "{list}"
    );
}

#[tokio::test]
async fn a_resend_that_succeeds_ends_the_automatic_retries() {
    let receiver = Receiver::in_turn([500, 500, 200].map(Answer::status)).await;
    let mut server = retrying("3600").await;
    let api = server.api().await;
    let (endpoint, message) = one_message(&api, &receiver, json!({})).await;
    let standing = |text: &'static str| {
        let (api, path) = (api.clone(), format!("/app/shop/endpoint/{endpoint}/msg"));
        async move { stands(&api, &path, text).await }
    };
    receiver.next().await;
    let waiting = standing("sending").await;
    let next: Timestamp = waiting["nextAttempt"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    let wait = next.duration_since(Timestamp::now()).as_secs();
    assert!(
        (2_800..=4_320).contains(&wait),
        "an hour, give or take a fifth: {wait} s"
    );

    let resend = format!("/app/shop/msg/{message}/endpoint/{endpoint}/resend");
    api.post(&resend, &json!({})).await.expect(202);
    receiver.next().await;
    attempts(&api, &message, 2).await;
    let waiting = standing("sending").await;
    assert_eq!(
        waiting["nextAttempt"],
        next.to_string(),
        "a failed resend changes nothing"
    );

    api.post(&resend, &json!({})).await.expect(202);
    receiver.next().await;
    let done = standing("success").await;
    assert!(done.get("nextAttempt").is_none_or(Value::is_null), "{done}");
    let stats = api
        .get(&format!("/app/shop/endpoint/{endpoint}/stats"))
        .await
        .expect(200)
        .json();
    let expected = json!({"success": 1, "fail": 2, "pending": 0, "sending": 0, "canceled": 0});
    assert_eq!(stats, expected);
}

#[tokio::test]
async fn retry_after_puts_the_next_attempt_off_up_to_twice_the_wait() {
    let busy = |seconds| Answer::status(503).header("retry-after", seconds);
    let receiver = Receiver::in_turn([busy(3), busy(3_600), Answer::status(200)]).await;
    let mut server = retrying("2,2").await;
    let api = server.api().await;
    one_message(&api, &receiver, json!({})).await;
    let tries = receiver.take(3).await;
    // 3 s and 2 x 2 s, each with up to a fifth of jitter; and 2.4 s would be without.
    let gaps: Vec<_> = tries
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .collect();
    assert!(gaps[0] >= Duration::from_millis(2_400), "{gaps:?}");
    assert!(gaps[1] >= Duration::from_millis(3_200), "{gaps:?}");
    assert!(gaps[1] < Duration::from_secs(60), "{gaps:?}");
}

#[tokio::test]
async fn an_answer_of_410_disables_the_endpoint() {
    let (mut server, receiver) = (
        retrying("1").await,
        Receiver::in_turn([Answer::status(410)]).await,
    );
    let (api, other) = (server.api().await, Receiver::willing().await);
    let (endpoint, message) = one_message(&api, &receiver, json!({"n": 1})).await;
    receiver.next().await;
    let path = format!("/app/shop/endpoint/{endpoint}");
    eventually("the endpoint to be disabled", || async {
        let shown = api.get(&path).await.expect(200).json();
        if shown["disabled"] == true {
            Ok(())
        } else {
            Err(shown.to_string())
        }
    })
    .await;
    assert_eq!(codes(&attempts(&api, &message, 1).await), [410]);

    // The time of the retry passes: a message put off beyond it, to another endpoint, tells when.
    api.endpoint("shop", &json!({"url": other.url("/")})).await;
    api.send("shop", "x", &json!({"n": 2})).await;
    other.next().await;
    let due = Timestamp::now() + SignedDuration::from_millis(1_500);
    let late = json!({"eventType": "x", "payload": {"n": 3}, "deliverAt": due.to_string()});
    api.post("/app/shop/msg", &late).await.expect(202);
    other.next().await;
    assert!(
        receiver.rest().await.is_empty(),
        "a disabled endpoint got something"
    );

    api.patch(&path, &json!({"disabled": false}))
        .await
        .expect(200);
    api.send("shop", "x", &json!({"n": 4})).await;
    assert_eq!(
        receiver.next().await.json()["n"],
        4,
        "enabled again, it gets what is new"
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Receiver::willing().await;
    let redirect = Answer::status(307).header("location", elsewhere.url("/elsewhere"));
    let (mut server, receiver) = (retrying("1").await, Receiver::in_turn([redirect]).await);
    let api = server.api().await;
    let (_, message) = one_message(&api, &receiver, json!({})).await;
    receiver.take(2).await;
    let attempts = attempts(&api, &message, 2).await;
    assert_eq!(codes(&attempts), [307, 307]);
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt["statusText"] == "fail"),
        "{attempts:?}"
    );
    assert!(elsewhere.rest().await.is_empty(), "a redirect was followed");
}

#[tokio::test]
async fn a_slow_endpoint_does_not_delay_another() {
    let gate = Gate::new();
    let held = Answer::status(200).after(&gate);
    let (slow, quick) = (
        Receiver::start(move |_| held.clone()).await,
        Receiver::willing().await,
    );
    let mut server = Server::start(Options::dev().option("--attempts-in-flight-max", "64")).await;
    let api = server.api().await;
    api.application("shop").await;
    for receiver in [&slow, &quick] {
        api.endpoint("shop", &json!({"url": receiver.url("/")}))
            .await;
    }
    for n in 0..300 {
        api.send("shop", "x", &json!({"n": n})).await;
    }
    quick.take(300).await;
    let waiting = slow.rest().await;
    assert!(!waiting.is_empty(), "the slow one was tried");
    assert!(
        waiting.len() < 64,
        "the slow one may not have all slots: {}",
        waiting.len()
    );
    gate.open();
    slow.take(300 - waiting.len()).await;
}

#[tokio::test]
async fn any_answer_is_recorded_whatever_bytes_it_holds() {
    let odd = [
        Answer::status(200).body(&b"a\0b\x00\xff\xfe\xc3"[..]),
        Answer::status(299).body("grün \u{1F98A}"),
        Answer::status(999).body("beyond"),
        Answer::status(200).body(vec![b'x'; 1 << 20]),
        Answer::status(200).body(vec![0xff; 1 << 20]),
    ];
    let expected = [200, 299, 999, 200, 200];
    let (mut server, receiver) = (retrying("").await, Receiver::in_turn(odd).await);
    let api = server.api().await;
    api.application("shop").await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    for (n, code) in expected.into_iter().enumerate() {
        let message = api.send("shop", "x", &json!({"n": n})).await;
        receiver.next().await;
        let attempt = attempts(&api, &message, 1).await.remove(0);
        assert_eq!(attempt["responseStatusCode"], code, "{attempt}");
        let status = if code == 999 { "fail" } else { "success" };
        assert_eq!(attempt["statusText"], status, "{attempt}");
        let response = attempt["response"].as_str().expect("the response is text");
        assert!(
            !response.is_empty() && response.len() <= 64 << 10,
            "{} bytes",
            response.len()
        );
        if n == 1 {
            assert_eq!(response, "grün \u{1F98A}");
        }
    }
}

#[tokio::test]
async fn headers_of_an_endpoint_are_sent_and_kept_secret() {
    let (mut server, receiver) = (retrying("").await, Receiver::willing().await);
    let api = server.api().await;
    api.application("shop").await;
    let headers = json!({"X-Shop": "one", "X-Api-Key": "sesame", "accept": "text/plain"});
    let endpoint = json!({"url": receiver.url("/"), "uid": "main", "headers": headers});
    api.endpoint("shop", &endpoint).await;
    api.send("shop", "x", &json!({})).await;
    let request = receiver.next().await;
    let sent = ["x-shop", "x-api-key", "accept"].map(|name| request.header(name));
    assert_eq!(sent, ["one", "sesame", "text/plain"]);
    assert_eq!(request.header("host"), receiver.address().to_string());
    assert!(
        request
            .header("user-agent")
            .to_lowercase()
            .contains("postrider")
    );

    let path = "/app/shop/endpoint/main/headers";
    let shown = api.get(path).await.expect(200).json();
    assert!(!shown.to_string().contains("sesame"), "{shown}");
    assert_eq!(
        shown["sensitive"].as_array().map(Vec::len),
        Some(1),
        "{shown}"
    );
    let long = "x".repeat(4_097);
    for (name, value) in [
        ("host", "elsewhere"),
        ("Webhook-Signature", "v1,x"),
        ("svix-id", "x"),
        ("content-length", "0"),
        ("transfer-encoding", "chunked"),
        ("x-a", "b\r\nx-c: d"),
        ("x-a", &long),
        ("x a", "b"),
    ] {
        let body = json!({"headers": {name: value}});
        api.put(path, &body).await.expect(422);
        api.patch(path, &body).await.expect(422);
    }
    assert_eq!(
        api.get(path).await.expect(200).json(),
        shown,
        "nothing was half-written"
    );
}

#[tokio::test]
async fn a_password_in_the_url_becomes_basic_authentication_and_is_shown_to_nobody() {
    let (mut server, receiver) = (retrying("").await, Receiver::willing().await);
    let api = server.api().await;
    api.application("shop").await;
    let url = receiver
        .url("/in")
        .replace("http://", "http://alice:open%20sesame@");
    api.endpoint("shop", &json!({"url": url})).await;
    let message = api.send("shop", "x", &json!({})).await;
    let request = receiver.next().await;
    let basic = request
        .header("authorization")
        .strip_prefix("Basic ")
        .expect("Basic");
    assert_eq!(
        STANDARD.decode(basic).expect("base64"),
        b"alice:open sesame"
    );
    assert_eq!(request.path, "/in");
    attempts(&api, &message, 1).await;
    assert!(!server.log().contains("sesame"), "the log holds a password");
}

#[tokio::test]
async fn only_what_the_operator_allowed_is_called() {
    let (mut server, receiver) = (
        Server::start(Options::plain()).await,
        Receiver::willing().await,
    );
    let api = server.api().await;
    api.application("shop").await;
    let metadata = "https://169.254.169.254/";
    for url in [
        &receiver.url("/"),
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        metadata,
    ] {
        let reply = api
            .post("/app/shop/endpoint", &json!({"url": url}))
            .await
            .expect(422);
        assert_eq!(
            reply.json()["detail"][0]["loc"],
            json!(["body", "url"]),
            "{reply}"
        );
    }
    server.terminate().await;

    // One rule for one address and port, and http.
    let rule = format!("127.0.0.1/32:{}", receiver.address().port());
    let options = Options::plain()
        .option("--allow-destination", rule)
        .argument("--allow-http");
    let data_dir = server.data_dir().to_owned();
    server.restart_with(options.data_dir(&data_dir)).await;
    let api = server.api().await;
    api.endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let other = Receiver::willing().await;
    api.post("/app/shop/endpoint", &json!({"url": other.url("/")}))
        .await
        .expect(422);
    api.send("shop", "x", &json!({"allowed": true})).await;
    assert_eq!(receiver.next().await.json(), json!({"allowed": true}));
}

#[tokio::test]
async fn a_rate_limit_is_kept() {
    let (mut server, receiver) = (retrying("").await, Receiver::willing().await);
    let api = server.api().await;
    api.application("shop").await;
    api.endpoint(
        "shop",
        &json!({"url": receiver.url("/"), "throttleRate": 10}),
    )
    .await;
    for n in 0..30 {
        api.send("shop", "x", &json!({"n": n})).await;
    }
    let arrivals = receiver.take(30).await;
    let (first, last) = (arrivals[0].at, arrivals[29].at);
    // 10 at once, 20 more at 10 a second.
    assert!(
        last - first >= Duration::from_millis(1_500),
        "30 within {:?}",
        last - first
    );
}

/// A server in development mode with this schedule.
async fn retrying(schedule: &str) -> Server {
    Server::start(Options::dev().option("--retry-schedule", schedule)).await
}

/// One application `shop` with one endpoint and one message: the ids of the latter two.
async fn one_message(api: &Api, receiver: &Receiver, payload: Value) -> (String, String) {
    api.application("shop").await;
    let endpoint = api
        .endpoint("shop", &json!({"url": receiver.url("/")}))
        .await;
    let message = api.send("shop", "x", &payload).await;
    (endpoint, message)
}

/// The attempts of a message, oldest first, when all `count` are recorded.
async fn attempts(api: &Api, message: &str, count: usize) -> Vec<Value> {
    let path = format!("/app/shop/attempt/msg/{message}");
    eventually(format!("{count} attempts of {message}"), || async {
        let list = api.get(&path).await.expect(200).json();
        let mut attempts = list["data"].as_array().expect("a list").clone();
        attempts.reverse();
        if attempts.len() == count {
            Ok(attempts)
        } else {
            Err(list.to_string())
        }
    })
    .await
}

/// The only message of an endpoint, when it stands so.
async fn stands(api: &Api, path: &str, text: &str) -> Value {
    eventually(format!("the message to be {text:?}"), || async {
        let list = api.get(path).await.expect(200).json();
        let message = list["data"][0].clone();
        if message["statusText"] == text {
            Ok(message)
        } else {
            Err(list.to_string())
        }
    })
    .await
}

fn codes(attempts: &[Value]) -> Vec<u64> {
    let codes = attempts
        .iter()
        .map(|attempt| attempt["responseStatusCode"].as_u64());
    codes
        .map(|code| code.expect("a code is a number"))
        .collect()
}

fn number(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is no number"))
}
