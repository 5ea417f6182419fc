//! Tokens that a command makes for a role, or ends, beside the server that is at work on the same
//! store.

use e2e::{Options, Server, comes_to};
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_revoked_by_a_command_is_refused_within_a_second_and_after_a_restart() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    let minted = server.mint(&["--json"]).await.expect(0).text().to_owned();
    let minted: Value = serde_json::from_str(&minted).expect("a JSON object");
    let text = |name: &str| minted[name].as_str().expect("a text").to_owned();
    let other = api.with_token(&text("token"));
    other.get("/app").await.expect(200);

    let revoked = server.mint(&["revoke", &text("jti")]).await;
    assert_eq!(revoked.expect(0).text(), format!("revoked {}", text("jti")));
    comes_to(401, async || other.get("/app").await.status).await;
    api.get("/app").await.expect(200);
    assert!(!server.log().contains(&text("token")), "no log has a token");

    server.kill().await;
    server.restart().await;
    other
        .get("/app")
        .await
        .expect_error(401, "authentication_failed");
    api.get("/app").await.expect(200);
}

#[tokio::test]
async fn a_token_revoked_while_no_server_runs_is_refused_by_the_next() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    let minted = server.mint(&["--json"]).await.expect(0).text().to_owned();
    let minted: Value = serde_json::from_str(&minted).expect("a JSON object");
    let other = api.with_token(minted["token"].as_str().expect("a token"));
    assert!(server.terminate().await.success());
    let jti = minted["jti"].as_str().expect("an id");
    let revoked = server.mint(&["revoke", jti, "--json"]).await;
    let said: Value = serde_json::from_str(revoked.expect(0).text()).expect("a JSON object");
    assert_eq!(said, json!({ "revoked": jti }));
    server.restart().await;
    other
        .get("/app")
        .await
        .expect_error(401, "authentication_failed");
}

#[tokio::test]
async fn a_token_with_a_role_may_do_no_more_than_the_role() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.application("shop").await;
    for (role, may_write) in [("viewer", 403), ("operator", 403), ("admin", 200)] {
        let token = server.mint(&["--role", role]).await;
        let limited = api.with_token(token.expect(0).text());
        limited.get("/app/shop").await.expect(200);
        let renamed = json!({ "name": role, "uid": "shop" });
        let renamed = limited.put("/app/shop", &renamed).await;
        assert_eq!(renamed.status, may_write, "{role}");
        let who = limited.get("/auth/whoami").await.expect(200).json();
        assert_eq!(who["role"], role);
    }
    let app = "app_2d2yYyBqcv3nhV6r8fZKGjvfhnG";
    for (wrong, told) in [
        (&["--role", "owner"][..], "`viewer`, `operator` or `admin`"),
        (&["--role", "api"], "`viewer`, `operator` or `admin`"),
        (&["--role", "viewer", "--app", app], "leave out --role"),
        (
            &["--role", "viewer", "revoke", "x"],
            "leave out --app and --role",
        ),
    ] {
        server.mint(wrong).await.expect(2).complains_of(told);
    }
}

#[tokio::test]
async fn messages_are_accepted_while_tokens_are_revoked_beside_the_server() {
    let mut server = Server::start(Options::dev()).await;
    let api = server.api().await;
    api.application("shop").await;
    let sending = async {
        for number in 0..100 {
            api.send("shop", "order.paid", &json!({ "number": number }))
                .await;
        }
    };
    let revoking = async {
        for number in 0..5 {
            let jti = format!("made-up-{number}");
            server.mint(&["revoke", &jti]).await.expect(0);
        }
    };
    tokio::join!(sending, revoking);
    let listed = api.get("/app/shop/msg?limit=250").await.expect(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(100));
}

#[tokio::test]
async fn what_can_not_be_revoked_is_told_apart() {
    let server = Server::start(Options::dev()).await;
    let token = server.mint(&[]).await.expect(0).text().to_owned();
    let refused = server.mint(&["revoke", &token]).await;
    refused.expect(2).complains_of("not its id");
    let key = format!("sk_{}", "0".repeat(64));
    let refused = server.mint(&["revoke", &key]).await;
    refused.expect(2).complains_of("API key");
    let home = server.home().to_str().expect("a path in UTF-8").to_owned();
    let nowhere = e2e::command::postrider(&["token", "revoke", "x", "--data-dir", &home]).await;
    nowhere.expect(3).complains_of("there is no store");
}
