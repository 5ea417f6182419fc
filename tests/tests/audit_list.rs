//! Who did what is listed by the command that asks a server, and sealed soon.

use e2e::command::postrider;
use e2e::{Options, Server, eventually};
use serde_json::{Value, json};

#[tokio::test]
async fn who_did_what_is_listed_and_a_checkpoint_of_it_can_be_kept() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    let app = api.application("shop").await;
    let url = json!({ "url": "https://example.com/hook" });
    let endpoint = api.endpoint("shop", &url).await;
    let secret = format!("/app/shop/endpoint/{endpoint}/secret");
    api.get(&secret).await.expect(200);

    let token = server.home().join("token");
    std::fs::write(&token, server.token().await).expect("a file can be written");
    let (url, token) = (server.url(), token.to_str().expect("a path in UTF-8"));
    let door = ["--server", &url, "--token-file", token];
    let audit = async |words: &[&str]| {
        let shown = postrider(&[&["audit"], words, &door[..]].concat()).await;
        shown.expect(0).text().to_owned()
    };
    let of_app = ["list", "--app", "shop", "--json"];
    let list: Value = serde_json::from_str(&audit(&of_app).await).expect("JSON");
    let rows = list["data"].as_array().expect("a list");
    let actions: Vec<_> = rows.iter().map(|row| row["action"].as_str()).collect();
    let expected = [
        "endpoint.secret_read",
        "endpoint.created",
        "application.created",
    ];
    assert_eq!(actions, expected.map(Some), "{list}");
    for row in rows {
        assert_eq!(
            (&row["appId"], &row["remoteAddress"]),
            (&json!(app), &json!("127.0.0.1"))
        );
        assert_eq!(row["actor"]["type"], "token");
    }
    let read = ["list", "--action", "endpoint.secret_read"];
    assert!(audit(&read).await.contains(&endpoint));

    let sealed = eventually("a place in the chain".to_owned(), || async {
        let list = api.get("/audit").await.expect(200).json();
        let is_sealed = list["data"][0]["position"].as_u64();
        is_sealed.ok_or_else(|| list.to_string())
    })
    .await;
    let checkpoint: Value = serde_json::from_str(&audit(&["checkpoint"]).await).expect("JSON");
    assert_eq!(
        checkpoint["position"].as_u64(),
        Some(sealed),
        "{checkpoint}"
    );
    let file = server.home().join("checkpoint");
    std::fs::write(&file, checkpoint.to_string()).expect("a file can be written");
    let (file, data_dir) = (file.to_str(), server.data_dir().to_str());
    let (file, data_dir) = (file.expect("UTF-8"), data_dir.expect("UTF-8"));
    let verify = [
        "audit",
        "verify",
        "--checkpoint",
        file,
        "--data-dir",
        data_dir,
    ];
    postrider(&verify).await.expect(0);
}
