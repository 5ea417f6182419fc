//! The bench: that it measures, loses nothing, leaves nothing behind, and says so when something
//! was lost.

mod cluster;
mod gateway;
mod pages;

use std::fs;
use std::process::Stdio;

use e2e::command::{postrider, run};
use e2e::{Answer, Options, Receiver, Server, place};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

#[tokio::test]
async fn a_small_bench_loses_nothing_and_has_all_its_numbers() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().to_str().expect("a text");
    let arguments = ["bench", "--json", "--messages", "200", "--clients", "4,2"];
    let arguments = [&arguments[..], &["--endpoints", "2", "--rounds", "2"]].concat();
    let arguments = [&arguments[..], &["--data-dir", directory]].concat();
    let report = report(postrider(&arguments).await.text());
    assert_eq!(
        (&report["lost"], &report["repeated"]),
        (&0.into(), &0.into())
    );
    let cases = report["cases"].as_array().expect("cases");
    let names: Vec<_> = cases.iter().map(name).collect();
    let expected = [4, 2].map(|clients| {
        [
            ("raw", true),
            ("relay", true),
            ("postrider", true),
            ("postrider", false),
        ]
        .map(|(way, keys)| (way, clients, keys))
    });
    assert_eq!(names, expected.concat());
    for case in cases {
        assert_eq!(case["rounds"].as_array().expect("rounds").len(), 2);
        expect_figures(case);
    }
    let left = fs::read_dir(directory).expect("a directory").count();
    assert_eq!(left, 0, "a data directory was left behind");
}

#[tokio::test]
async fn a_filled_store_is_measured_beside_an_empty_one_and_bystanders_get_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().to_str().expect("a text");
    let arguments = ["bench", "--json", "--ways", "postrider", "--keys", "auto"];
    let arguments = [&arguments[..], &["--messages", "61", "--clients", "2"]].concat();
    let arguments = [&arguments[..], &["--rounds", "2", "--stored", "50,0"]].concat();
    let arguments = [&arguments[..], &["--applications", "3", "--endpoints", "2"]].concat();
    let arguments = [&arguments[..], &["--bystanders", "499"]].concat();
    let arguments = [&arguments[..], &["--data-dir", directory]].concat();
    let report = report(postrider(&arguments).await.text());
    assert_eq!(
        (&report["lost"], &report["repeated"]),
        (&0.into(), &0.into())
    );
    let size = &report["size"];
    assert_eq!(
        (
            &size["applications"],
            &size["endpoints"],
            &size["bystanders"]
        ),
        (&3.into(), &2.into(), &499.into())
    );
    let cases = report["cases"].as_array().expect("cases");
    let stored: Vec<_> = cases.iter().map(|case| case["stored"].as_u64()).collect();
    assert_eq!(stored, [Some(0), Some(50)]);
    let left = fs::read_dir(directory).expect("a directory").count();
    assert_eq!(left, 0, "a data directory was left behind");
}

#[tokio::test]
async fn a_server_that_runs_is_measured_and_left_as_it_was() {
    let mut server = Server::start(Options::dev()).await;
    let (url, pid) = (server.url(), server.pid().to_string());
    let mut command = place::command(place::binary());
    command
        .args(["bench", "--json", "--ways", "postrider", "--keys", "auto"])
        .args(["--messages", "40", "--batch", "20", "--clients", "2"])
        .args(["--applications", "2", "--bystanders", "1"])
        .args(["--rounds", "1", "--server", &url, "--pid", &pid])
        .env("POSTRIDER_TOKEN", server.token().await);
    let outcome = run(command).await;
    let report = report(outcome.text());
    assert_eq!(report["lost"], 0);
    let case = &report["cases"][0];
    for figure in ["cpuUs", "peakMib"] {
        assert!(case["median"][figure].is_number(), "{figure}: {case}");
    }
    assert!(case["median"]["commitMs"]["p50"].is_number(), "{case}");
    for what in ["/app", "/event-type"] {
        let list = server.api().await.get(what).await.expect(200).json();
        assert_eq!(list["data"], Value::Array(Vec::new()), "{what}");
    }
}

#[tokio::test]
async fn what_endpoints_are_given_is_measured_beside_what_they_are_without_it() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().to_str().expect("a text");
    let arguments = ["bench", "--json", "--options", "--messages", "20"];
    let arguments = [&arguments[..], &["--clients", "2", "--rounds", "2"]].concat();
    let arguments = [&arguments[..], &["--endpoints", "2"]].concat();
    let arguments = [&arguments[..], &["--data-dir", directory]].concat();
    let report = report(postrider(&arguments).await.text());
    assert_eq!(
        (&report["lost"], &report["repeated"]),
        (&0.into(), &0.into())
    );
    let cases = report["cases"].as_array().expect("cases");
    let options = cases.iter().map(|case| case["option"].as_str());
    let options: Vec<_> = options.map(|option| option.expect("a text")).collect();
    assert_eq!(options[..4], ["plain", "tls", "ca", "pins"]);
    assert_eq!(options.len(), 16);
    for case in cases {
        let figures = &case["median"];
        assert!(figures["cpuUs"].is_number(), "{case}");
        assert!(figures["connections"].is_number(), "{case}");
        let has_base = case["option"] != "plain";
        assert_eq!(figures["moreThanBaseUs"].is_number(), has_base, "{case}");
    }
    let left = fs::read_dir(directory).expect("a directory").count();
    assert_eq!(left, 0, "a data directory was left behind");
}

#[tokio::test]
async fn company_that_never_answers_is_measured_beside_none_and_counts_for_nothing() {
    let arguments = ["bench", "--json", "--ways", "postrider", "--keys", "auto"];
    let arguments = [&arguments[..], &["--messages", "60", "--clients", "2"]].concat();
    let arguments = [&arguments[..], &["--rounds", "1", "--applications", "2"]].concat();
    let company = "none,hanging:3,backlog:hanging:2:150,backlog:refusing:1:20";
    let arguments = [&arguments[..], &["--company", company]].concat();
    let arguments = [&arguments[..], &["--looks", "--restarts"]].concat();
    let report = report(postrider(&arguments).await.text());
    let cases = report["cases"].as_array().expect("a list");
    let shown = cases.iter().map(|case| case["company"].as_str());
    let shown: Vec<_> = shown.map(|company| company.expect("a text")).collect();
    assert_eq!(shown.join(","), company);
    for case in cases {
        let figures = &case["median"];
        assert_eq!(
            (&figures["lost"], &figures["repeated"]),
            (&0.into(), &0.into()),
            "{case}"
        );
        let beside = case["company"] != "none";
        assert_eq!(figures["ofAlone"].is_number(), beside, "{case}");
        assert!(figures["startAfterKillMs"].is_number(), "{case}");
        assert!(figures["startAfterEndMs"].is_number(), "{case}");
    }
}

#[tokio::test]
async fn another_server_is_measured_beside_the_own_one_with_the_same_load() {
    let mut other = Server::start(Options::dev()).await;
    let (url, pid) = (other.url(), other.pid().to_string());
    let mut command = place::command(place::binary());
    command
        .args(["bench", "--json", "--ways", "postrider", "--keys", "both"])
        .args(["--messages", "40", "--clients", "2", "--rounds", "2"])
        .args(["--beside", "--server", &url, "--pid", &pid])
        .env("POSTRIDER_TOKEN", other.token().await);
    let report = report(run(command).await.text());
    assert_eq!(
        (&report["lost"], &report["other"]),
        (&0.into(), &url.into())
    );
    let cases = report["cases"].as_array().expect("cases");
    let names: Vec<_> = cases.iter().map(name).collect();
    let expected = ["postrider", "other"].map(|way| [(way, 2, true), (way, 2, false)]);
    assert_eq!(names, expected.concat());
    for case in cases {
        assert_eq!(case["rounds"].as_array().expect("rounds").len(), 2);
        let peak = &case["median"]["peakMib"];
        assert!(peak.is_number(), "its processes are not counted: {case}");
    }
    let list = other.api().await.get("/app").await.expect(200).json();
    assert_eq!(list["data"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_receiver_by_itself_is_delivered_to_by_a_bench_that_runs_elsewhere() {
    let mut command = place::command(place::binary());
    command.args(["bench", "--only-receive"]);
    command.stderr(Stdio::piped()).kill_on_drop(true);
    let mut receiver = command.spawn().expect("a receiver");
    let stderr = receiver.stderr.take().expect("it is piped");
    let line = BufReader::new(stderr).lines().next_line().await;
    let line = line.expect("a line").expect("it says where it listens");
    let (_, url) = line.split_once("listening on ").expect(&line);
    let arguments = ["bench", "--json", "--ways", "raw,postrider", "--messages"];
    let arguments = [&arguments[..], &["40", "--clients", "2", "--keys", "auto"]].concat();
    let arguments = [&arguments[..], &["--rounds", "1", "--receiver", url]].concat();
    let report = report(postrider(&arguments).await.text());
    assert_eq!(report["lost"], 0);
    for case in report["cases"].as_array().expect("cases") {
        let latency = &case["median"]["endToEndMs"];
        assert!(latency.is_object(), "the clock is this machine's: {case}");
    }
}

#[tokio::test]
async fn at_a_fixed_rate_no_more_is_sent_than_was_said() {
    let rate = ["bench", "--json", "--rate", "200", "--seconds", "1"];
    let rate = [
        &rate[..],
        &["--clients", "8", "--rounds", "1", "--ways", "relay"],
    ]
    .concat();
    let report = report(postrider(&rate).await.text());
    let figures = &report["cases"][0]["median"];
    let per_second = figures["messagesPerSecond"].as_f64().expect("a number");
    assert!(per_second <= 201.0, "{figures}");
    assert_eq!(report["size"]["messages"], 200);
}

#[tokio::test]
async fn what_a_server_accepts_and_never_delivers_is_lost() {
    let made = r#"{"id":"app_1"}"#;
    let server = Receiver::start(move |_| Answer::status(202).body(made)).await;
    let arguments = ["bench", "--json", "--ways", "postrider", "--keys", "auto"];
    let arguments = [&arguments[..], &["--messages", "5", "--clients", "1"]].concat();
    let arguments = [&arguments[..], &["--rounds", "1", "--patience", "0"]].concat();
    let url = server.url("");
    let arguments = [&arguments[..], &["--server", &url, "--token", "t"]].concat();
    let outcome = postrider(&arguments).await;
    outcome.expect(1).complains_of("POSTRIDER_TOKEN");
    assert_eq!(report(&outcome.stdout)["lost"], 5);
}

#[tokio::test]
async fn what_can_not_be_measured_is_told_from_what_was_asked_wrongly() {
    let nobody = "http://127.0.0.1:1";
    for (arguments, status, part) in [
        (&["--server", "https://x", "--token", "t"][..], 2, "no TLS"),
        (&["--server", nobody], 2, "needs a token"),
        (&["--server", nobody, "--token", "t"], 3, "can't be reached"),
        (
            &["--server", nobody, "--token", "t", "--stored", "0,5"],
            2,
            "--stored",
        ),
        (&["--company", "hanging:0"], 2, "backlog:refusing"),
        (&["--options=pin"], 2, "http-signature-hmac"),
        (&["--options", "--server", nobody], 2, "--server"),
        (
            &["--server", nobody, "--token", "t", "--data-dir", "."],
            2,
            "--beside",
        ),
        (&["--beside"], 2, "--server"),
        (&["--payload", "99"], 2, "--payload"),
        (&["--seconds", "1"], 2, "--rate"),
        (&["--rate", "1000000", "--seconds", "101"], 2, "too many"),
        (&["--cluster", "0"], 2, "--cluster"),
        (&["--cluster", "3", "--clients", "2"], 2, "3 nodes"),
        (&["--cluster", "3", "--restarts"], 2, "--restarts"),
        (&["--cluster", "1", "--data-dir", "absent"], 3, "absent"),
    ] {
        let arguments = [&["bench", "--ways", "postrider"], arguments].concat();
        let outcome = postrider(&arguments).await;
        outcome.expect(status).complains_of(part);
    }
}

fn report(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn name(case: &Value) -> (&str, u64, bool) {
    let way = case["way"].as_str().expect("a way");
    let clients = case["clients"].as_u64().expect("a number");
    (way, clients, case["keys"].as_bool().expect("yes or no"))
}

/// Passes a case that has every figure that its way can have.
#[track_caller]
fn expect_figures(case: &Value) {
    let (way, figures) = (name(case).0, &case["median"]);
    let always = [
        "messagesPerSecond",
        "deliveriesPerSecond",
        "harnessCpuUs",
        "lost",
        "repeated",
    ];
    let through = ["ofRelay", "cpuUs", "peakMib"];
    for (names, is_there) in [(&always[..], true), (&through, way != "raw")] {
        for name in names {
            assert_eq!(figures[name].is_number(), is_there, "{name}: {case}");
        }
    }
    let latencies = [
        ("acceptMs", true),
        ("endToEndMs", true),
        ("commitMs", ["postrider", "gateway"].contains(&way)),
    ];
    for (name, is_there) in latencies {
        for part in ["p50", "p99", "p999", "max"] {
            assert_eq!(figures[name][part].is_number(), is_there, "{name}: {case}");
        }
    }
}
