//! Who may not come in any more is known to every node within a second, whichever was told.

use e2e::{Api, comes_to};
use serde_json::{Value, json};

use crate::cluster::Cluster;

#[tokio::test]
async fn what_ends_on_one_node_is_refused_by_the_other_within_a_second() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    let shop = here.application("shop").await;

    // By logging out.
    let own = first
        .mint(&["--app", &shop])
        .await
        .expect(0)
        .text()
        .to_owned();
    let (own_here, own_there) = (here.with_token(&own), there.with_token(&own));
    own_there.get("/auth/whoami").await.expect(200);
    own_here.post("/auth/logout", &json!({})).await.expect(204);
    own_here.get("/auth/whoami").await.expect(401);
    refused(&own_there).await;

    // By the application's all.
    let all = first
        .mint(&["--app", &shop])
        .await
        .expect(0)
        .text()
        .to_owned();
    let all_there = there.with_token(&all);
    all_there.get("/auth/whoami").await.expect(200);
    let ended = here.post("/auth/app/shop/expire-all", &json!({})).await;
    ended.expect(204);
    refused(&all_there).await;

    // By a command.
    let minted = cluster.run(&["token", "--json"]).await;
    let minted: Value = serde_json::from_str(minted.expect(0).text()).expect("JSON");
    let text = |name: &str| minted[name].as_str().expect("a text").to_owned();
    let by_command = [&here, &there].map(|api| api.with_token(&text("token")));
    for api in &by_command {
        api.get("/auth/whoami").await.expect(200);
    }
    cluster
        .run(&["token", "revoke", &text("jti")])
        .await
        .expect(0);
    for api in &by_command {
        refused(api).await;
    }
}

#[tokio::test]
async fn an_api_key_made_on_one_node_is_good_on_the_other_until_it_ends_there() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    let who = here.get("/auth/whoami").await.expect(200).json();
    let organisation = who["envId"].as_str().expect("an id").to_owned();
    let keys = format!("/management/authentication/{organisation}/api-token");
    let made = here
        .post(&keys, &json!({ "name": "CI" }))
        .await
        .expect(200)
        .json();
    let by_key = there.with_token(made["token"].as_str().expect("a token"));
    is(&by_key, 200).await;
    let id = made["id"].as_str().expect("an id");
    let end = format!("{keys}/{id}/expire");
    here.post(&end, &json!({})).await.expect(204);
    refused(&by_key).await;
}

#[tokio::test]
async fn a_link_is_good_once_in_all() {
    let cluster = Cluster::new().await;
    let (mut first, mut second) = (cluster.node().await, cluster.node().await);
    let (here, there) = (first.api().await, second.api().await);
    here.application("shop").await;
    let access = here.post("/auth/app-portal-access/shop", &json!({})).await;
    let access = access.expect(200).json();
    let url = access["url"].as_str().expect("a URL");
    let (_, once) = url
        .split_once("/portal/open/")
        .expect("a token in the fragment");
    let body = json!({ "oneTimeToken": once });
    let both = tokio::join!(
        here.post("/auth/one-time-token", &body),
        there.post("/auth/one-time-token", &body)
    );
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

/// Waits until it is, and not for long.
async fn refused(api: &Api) {
    is(api, 401).await;
}

async fn is(api: &Api, status: u16) {
    comes_to(status, async || api.get("/auth/whoami").await.status).await;
}
