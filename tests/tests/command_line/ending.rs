//! How a command ends that did not get what it asked for: the sentence and the exit status. And
//! that the token goes to nobody else.

use e2e::Receiver;
use e2e::command::run;

use super::{Desk, command};

/// What a token could look like, and is not.
const WRONG: &str = "eyJhbGciOiJIUzI1NiJ9.c2VzYW1l.c2VzYW1lc2VzYW1l";

#[tokio::test]
async fn a_wrong_token_is_refused_and_shown_nowhere() {
    let desk = Desk::new().await;
    let wrong = desk.file("wrong", WRONG);
    let by_file = ["app", "list", "--token-file", &wrong];
    let mut by_variable = desk.command(&["app", "list"]);
    by_variable
        .env_remove("POSTRIDER_TOKEN_FILE")
        .env("POSTRIDER_TOKEN", WRONG);
    let by_input = desk
        .ask_with(WRONG, &["app", "list", "--token-file", "-"])
        .await;
    for refused in [desk.ask(&by_file).await, run(by_variable).await, by_input] {
        refused.expect(1).complains_of("401 authentication_failed");
        let shown = format!("{}{}", refused.stdout, refused.stderr);
        assert!(
            WRONG.split('.').all(|part| !shown.contains(part)),
            "{refused:?}"
        );
    }
    let no_token = desk.file("none", "not a token\n");
    let refused = desk.ask(&["app", "list", "--token-file", &no_token]).await;
    refused.expect(2).complains_of("the token is none");
    assert!(!refused.stderr.contains("not a token"), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_is_away_could_not_be_asked() {
    let mut desk = Desk::new().await;
    desk.server.kill().await;
    let url = desk.server.url();
    for arguments in [
        &["app", "list"][..],
        &["app", "delete", "x"],
        &["send", "--app", "a", "--type", "t", "--data", "{}"],
    ] {
        let refused = desk.ask(arguments).await;
        refused.expect(3).complains_of("no server answers");
        assert!(refused.stderr.contains(&url), "{refused:?}");
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
    let stranger = Receiver::willing().await;
    let url = stranger.url("/elsewhere");
    let strange = desk.ask(&["app", "list", "--server", &url]).await;
    strange
        .expect(3)
        .complains_of("does not answer as Postrider does");
    assert!(
        stranger
            .next()
            .await
            .path
            .starts_with("/elsewhere/api/v1/app")
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_field_by_field() {
    let desk = Desk::new().await;
    desk.acme("http://127.0.0.1:9999/in").await;
    for (arguments, status, part) in [
        (&["app", "get", "nobody"][..], 1, "404 not_found"),
        (&["endpoint", "list", "--app", "nobody"], 1, "404 not_found"),
        (
            &["app", "create", "--name", "x", "--uid", "a b"],
            2,
            "body.uid: ",
        ),
        (
            &["endpoint", "create", "--app", "acme", "--url", "ftp://x"],
            2,
            "body.url: ",
        ),
        (&["app", "list", "--iterator", "nowhere"], 2, "iterator"),
        (&["app", "get", ".."], 2, "no name or id"),
        (&["app", "create", "--body", "[]"], 2, "--body"),
        (
            &["send", "--app", "acme", "--type", "t", "--data", "{"],
            2,
            "--data is not JSON",
        ),
        (
            &["send", "--app", "acme", "--type", "t", "--data", "[]"],
            2,
            "payload",
        ),
        (
            &[
                "send",
                "--app",
                "acme",
                "--type",
                "t",
                "--data",
                "@/nowhere",
            ],
            3,
            "can't be read",
        ),
        (
            &["attempt", "list", "--app", "acme"],
            2,
            "--message or --endpoint",
        ),
        (&["app", "frobnicate"], 2, "frobnicate"),
    ] {
        let refused = desk.ask(arguments).await;
        refused.expect(status).complains_of(part);
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
}

#[tokio::test]
async fn no_name_leads_elsewhere_and_standard_input_is_one_thing_only() {
    let desk = Desk::new().await;
    desk.acme("http://127.0.0.1:9999/in").await;
    let elsewhere = ["endpoint", "delete", "--app", "acme", "\t.."];
    let refused = desk.ask(&elsewhere).await;
    refused.expect(2).complains_of("no name or id");
    desk.ask(&["app", "get", "acme"]).await.expect(0);
    let update = ["endpoint", "update", "--app", "acme", "first"];
    let both = ["--header-file", "-", "--body", "-"];
    let refused = desk.ask(&[&update[..], &both].concat()).await;
    refused
        .expect(2)
        .complains_of("only one thing can be on standard input");
}

#[tokio::test]
async fn a_profile_names_a_server_with_its_token_which_goes_to_no_other() {
    let desk = Desk::new().await;
    let url = desk.server.url();
    let config = format!(
        "listen = '127.0.0.1:1'\n[profile.here]\nserver = '{url}'\ntoken_file = 'token'\n\
         [profile.lab]\nserver = 'http://lab.example.com:8071'\ntoken_file = 'token'\n"
    );
    let config = desk.file("postrider.toml", config);
    let ask = |arguments: &[&str]| run(command(&[arguments, &["--config", &config]].concat()));
    let list = ["app", "list", "--profile"];
    assert_eq!(ask(&[&list[..], &["here"]].concat()).await.text(), "none");
    let refused = ask(&[&list[..], &["hree"]].concat()).await;
    refused.expect(2).complains_of("did you mean `here`?");
    let refused = ask(&[&list[..], &["lab"]].concat()).await;
    refused.expect(2).complains_of("--unsafe-http");

    let stranger = Receiver::willing().await;
    let elsewhere = ["here", "--server", &stranger.url("")];
    let refused = ask(&[&list[..], &elsewhere].concat()).await;
    refused
        .expect(2)
        .complains_of("the profile's token is not for");
    let served = run(command(&["config", "--config", &config])).await;
    served.expect(0);
    let none = run(command(&["app", "list"])).await;
    none.expect(2).complains_of("there is no token");
}
