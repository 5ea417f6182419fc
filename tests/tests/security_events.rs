//! What was suspicious is listed soon, and stays so.

use e2e::command::postrider;
use e2e::{Api, Call, Options, Receiver, Server, eventually};
use http::Method;
use serde_json::{Value, json};

/// The events of a kind, when there is one that is counted so often.
async fn counted(api: &Api, (kind, count): (&str, u64)) -> Value {
    let path = format!("/security/event?kind={kind}");
    eventually(format!("{count} of {kind}"), || async {
        let list = api.get(&path).await.expect(200).json();
        let is = list["data"][0]["count"].as_u64() == Some(count);
        let found = is.then(|| list["data"].clone());
        found.ok_or_else(|| list.to_string())
    })
    .await
}

#[tokio::test]
async fn a_bad_token_and_a_blocked_destination_are_listed_also_after_a_restart() {
    let (mut server, receiver) = (
        Server::start(Options::dev()).await,
        Receiver::willing().await,
    );
    let api = server.api().await;
    let app = api.application("shop").await;
    let endpoint = api
        .endpoint("shop", &json!({ "url": receiver.url("/") }))
        .await;
    let bad = api.with_token("made-up");
    for _ in 0..3 {
        bad.get("/app").await.expect(401);
    }
    api.call(Call::new(Method::GET, "/app").anonymous())
        .await
        .expect(401);
    let failed = counted(&api, ("api.authentication_failed", 4)).await;
    assert_eq!(failed.as_array().map(Vec::len), Some(1), "{failed}");
    assert_eq!(failed[0]["severity"], "warning");
    assert_eq!(failed[0]["remoteAddress"], "127.0.0.1");
    assert_eq!(failed[0]["subject"]["type"], "organisation");
    assert!(!failed.to_string().contains("made-up"), "{failed}");
    bad.get("/app").await.expect(401);
    assert!(server.terminate().await.success());

    // What was allowed is not any more.
    let data_dir = server.data_dir().to_owned();
    let options = Options::plain().argument("--allow-http");
    server.restart_with(options.data_dir(&data_dir)).await;
    let api = server.api().await;
    counted(&api, ("api.authentication_failed", 5)).await;
    api.send("shop", "order.paid", &json!({})).await;
    let blocked = counted(&api, ("delivery.destination_blocked", 1)).await;
    let subject = json!({ "type": "endpoint", "id": endpoint });
    assert_eq!(blocked[0]["subject"], subject);
    assert!(receiver.rest().await.is_empty());
    let path = format!("/security/event?app_id={app}&severity=warning");
    let own = api.get(&path).await.expect(200).json();
    assert_eq!(own["data"], blocked);

    let token = server.home().join("token");
    std::fs::write(&token, server.token().await).expect("a file can be written");
    let (url, token) = (server.url(), token.to_str().expect("a path in UTF-8"));
    let list = ["security", "list", "--kind", "delivery.destination_blocked"];
    let door = ["--server", &url, "--token-file", token];
    let shown = postrider(&[&list[..], &door].concat()).await;
    assert!(shown.expect(0).text().contains(&endpoint));
    let shown = postrider(&[&list[..], &door, &["--json"]].concat()).await;
    let shown: Value = serde_json::from_str(shown.expect(0).text()).expect("JSON");
    assert_eq!(shown["data"], blocked);
}
