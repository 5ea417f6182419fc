//! Schemathesis looks for holes in the API of a real server, by the document that it serves: the
//! script is `tests/clients/holes.py`.

use e2e::{Options, Server, clients, place};
use std::time::Duration;

/// How long that may take: a minute and a half where it has a core for itself.
const LIMIT: Duration = Duration::from_secs(600);

/// A proxy that is not there, so that no message leaves the machine, whatever endpoints are made.
const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn schemathesis_finds_no_holes() {
    let server = Options::dev().option("--egress-proxy", NOWHERE);
    let mut server = Server::start(server).await;
    let api = server.api().await;
    let document = api.get("/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().expect("paths");
    let operations: usize = paths
        .values()
        .map(|path| path.as_object().expect("methods").len())
        .sum();

    let token = server.token().await;
    let variables = [("SERVER_URL", server.url()), ("TOKEN", token)];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let said = clients::run_for(LIMIT, "holes.py", &variables).await;
    for expected in [
        format!("Selected: {operations}/{operations}"),
        format!("Tested: {operations}"),
        "No issues found".to_owned(),
    ] {
        assert!(said.contains(&expected), "not {expected:?}: {said}");
    }
    assert_eq!(server.terminate().await.code(), Some(0), "it ends in order");
}

#[test]
fn readme_names_the_version_that_looks_for_holes() {
    let root = place::repository();
    let text = |path: &str| std::fs::read_to_string(root.join(path)).expect("it is there");
    let pinned = text("tests/clients/requirements.txt");
    let version = pinned
        .lines()
        .find_map(|line| line.strip_prefix("schemathesis=="));
    let named = format!("`schemathesis`\n{}", version.expect("it is pinned"));
    assert!(
        text("README.md").contains(&named),
        "the README lacks {named:?}"
    );
}
