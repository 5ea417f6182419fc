//! The demo, as the README has a newcomer run it: the whole main job, with trouble on the way.

use std::process::Stdio;

use e2e::command::{COMMAND_LIMIT, postrider, run};
use e2e::wait::within_time;
use e2e::{Api, Call, place, within};
use http::Method;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// What the attacker tries at the gateway, and how that refuses it.
const AT_THE_GATEWAY: [(&str, &str); 9] = [
    ("a changed body", "401 signature_invalid"),
    ("a replay, seconds later", "came before"),
    ("a replay, an hour later", "401 timestamp_stale"),
    ("a captured body under a fresh id", "401 replayed"),
    ("a wrong secret", "401 signature_invalid"),
    ("a wrong user", "401 credentials_invalid"),
    ("no signature", "401 signature_invalid"),
    ("an oversized body", "413 too_large"),
    ("a slow body", "408"),
];
/// What it tries at the order system itself.
const PAST_THE_GATEWAY: [&str; 5] = [
    "a changed body",
    "a replay",
    "an old request",
    "a wrong secret",
    "no signature",
];

#[tokio::test]
async fn the_demo_loses_nothing_and_lets_no_attack_through() {
    let outcome = postrider(&["demo"]).await;
    let text = outcome.text();
    println!("{text}");
    let has = |part: &str| text.lines().any(|line| line.contains(part));
    assert!(text.lines().any(|line| line == "lost: 0"), "{outcome:#?}");
    for trouble in [
        "is slow",
        "is down",
        "the platforms' Postrider is killed (SIGKILL)",
        "the order system's Postrider is killed (SIGKILL)",
    ] {
        assert!(has(trouble), "no trouble: {trouble}");
    }
    let retries: u32 = cell(text, "retries there").parse().expect("a number");
    assert!(retries > 0, "nothing was tried again");
    for (attack, how) in AT_THE_GATEWAY {
        let refused = cell(text, attack);
        assert!(
            refused.starts_with(&format!("gateway: {how}")),
            "{attack}: {refused}"
        );
    }
    for attack in PAST_THE_GATEWAY {
        let refused = cell(text, &format!("past the gateway: {attack}"));
        assert!(refused.starts_with("order system: "), "{attack}: {refused}");
    }
    let by = |who: &str| text.lines().filter(|line| line.contains(who)).count();
    assert_eq!(by("order system: "), PAST_THE_GATEWAY.len());
    assert_eq!(by("gateway: 4") + by("gateway: came"), AT_THE_GATEWAY.len());
}

/// On a machine without any program but the shell, too.
#[tokio::test]
async fn what_is_kept_running_can_be_looked_at_until_it_is_interrupted() {
    let programs = tempfile::tempdir().expect("a directory");
    std::os::unix::fs::symlink("/bin/sh", programs.path().join("sh")).expect("a link");
    let mut command = place::command(place::binary());
    command
        .args(["demo", "--orders", "3", "--keep"])
        .env("PATH", programs.path())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("the demo starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut shown = Vec::new();
    within_time(COMMAND_LIMIT, "the demo to keep running", async {
        while shown.last().is_none_or(|line| line != "Ctrl-C stops them.") {
            let line = lines.next_line().await.expect("its output can be read");
            shown.push(line.unwrap_or_else(|| panic!("the demo ended: {shown:#?}")));
        }
    })
    .await;

    let running = "Postrider is still running at ";
    let place = shown.iter().position(|line| line.starts_with(running));
    let place = place.unwrap_or_else(|| panic!("no address: {shown:#?}"));
    let (base, _) = shown[place][running.len()..]
        .split_once(',')
        .expect("the address ends at a comma");
    let api = Api::new(base, &shown[place + 1]);
    let list = api.get("/app/order-system/msg").await.expect(200).json();
    assert!(!list["data"].as_array().expect("a list").is_empty());
    let message = shown.iter().find(|line| line.starts_with("A message:"));
    let (_, path) = message
        .and_then(|line| line.rsplit_once("/api/v1"))
        .unwrap_or_else(|| panic!("no line for a message: {shown:#?}"));
    api.get(path).await.expect(200);

    let interrupt = format!("kill -INT {}", child.id().expect("it runs"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &interrupt]);
    run(shell).await.expect(0);
    let ended = within("the end of the demo", child.wait()).await;
    assert!(
        ended.as_ref().is_ok_and(|status| status.success()),
        "{ended:?}"
    );
    let answer = api.try_call(Call::new(Method::GET, "/health")).await;
    assert!(answer.is_err(), "its server was left behind");
}

#[tokio::test]
async fn the_demo_says_what_it_can_be_asked() {
    postrider(&["demo", "--orders", "0"])
        .await
        .expect(2)
        .complains_of("--orders");
    let help = postrider(&["demo", "--help"]).await;
    for option in ["--orders", "--keep"] {
        assert!(help.text().contains(option), "{help:?}");
    }
}

/// The second cell of the table's row whose first begins so.
fn cell<'a>(text: &'a str, beginning: &str) -> &'a str {
    let row = |line: &'a str| {
        let mut cells = line.split(['│', '┆']).map(str::trim).skip(1);
        let is_asked = cells.next()?.starts_with(beginning);
        cells.next().filter(|_| is_asked)
    };
    let found = text.lines().find_map(row);
    found.unwrap_or_else(|| panic!("no row {beginning:?} in {text}"))
}
