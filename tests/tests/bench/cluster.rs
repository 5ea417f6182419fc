//! Nodes on a private PostgreSQL: that they are measured, that what fills it can be read like what
//! was sent, and that nothing of it stays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use e2e::command::postrider;
use e2e::{Answer, Options, Receiver, Server, eventually, place};
use private_postgres::Database;
use serde_json::Value;

use crate::{expect_figures, report};

#[tokio::test]
async fn nodes_on_a_private_postgresql_are_measured_and_leave_nothing() {
    let home = public_directory();
    let directory = home.path().to_str().expect("a text");
    let arguments = ["bench", "--json", "--cluster", "1,2", "--keys", "auto"];
    let arguments = [&arguments[..], &["--messages", "60", "--clients", "4"]].concat();
    let arguments = [&arguments[..], &["--endpoints", "2", "--rounds", "1"]].concat();
    let arguments = [&arguments[..], &["--looks", "--data-dir", directory]].concat();
    let report = report(postrider(&arguments).await.text());
    assert_eq!(
        (&report["lost"], &report["repeated"]),
        (&0.into(), &0.into())
    );
    let cases = report["cases"].as_array().expect("cases");
    let nodes: Vec<_> = cases.iter().map(|case| case["nodes"].as_u64()).collect();
    assert_eq!(nodes, [None, None, Some(1), Some(2)]);
    for case in cases {
        expect_figures(case);
        let figures = &case["median"];
        let figure = |name: &str| figures[name].as_f64();
        let parts = figure("nodesCpuUs").zip(figure("databaseCpuUs"));
        let together = parts.map(|(nodes, database)| nodes + database);
        match case["nodes"].is_null() {
            true => assert_eq!(together, None, "{case}"),
            false => assert_eq!(together, figure("cpuUs"), "{case}"),
        }
        for name in ["rateOfFewestNodes", "cpuOfFewestNodes"] {
            let is_there = figures[name].is_number();
            assert_eq!(is_there, case["nodes"] == 2, "{name}: {case}");
        }
    }
    let left = fs::read_dir(directory).expect("a directory").count();
    assert_eq!(left, 0, "something was left behind");
}

#[tokio::test]
async fn a_filled_cluster_is_measured_beside_an_empty_one_when_its_disk_has_room() {
    let home = public_directory();
    let directory = home.path().to_str().expect("a text");
    let cluster = ["bench", "--cluster", "2", "--data-dir", directory];
    let arguments = ["--json", "--ways", "postrider", "--keys", "auto"];
    let arguments = [&cluster[..], &arguments, &["--messages", "40"]].concat();
    let arguments = [&arguments[..], &["--clients", "2", "--rounds", "1"]].concat();
    let arguments = [
        &arguments[..],
        &["--applications", "3", "--stored", "0,700"],
    ]
    .concat();
    let outcome = postrider(&arguments).await;
    let report = report(outcome.text());
    outcome.complains_of("GiB are free");
    assert_eq!(report["lost"], 0);
    let cases = report["cases"].as_array().expect("cases");
    let shown = cases.iter().map(|case| {
        let compared = case["median"]["ofEmpty"].is_number();
        (case["nodes"].as_u64(), case["stored"].as_u64(), compared)
    });
    let expected = [(Some(2), Some(0), false), (Some(2), Some(700), true)];
    assert_eq!(shown.collect::<Vec<_>>(), expected);

    let too_much = ["--stored", "10000000", "--payload", "16777216"];
    let refused = postrider(&[&cluster[..], &too_much].concat()).await;
    refused.expect(3).complains_of("--data-dir");
}

#[tokio::test]
async fn a_bench_that_is_killed_leaves_no_postgresql_and_no_node() {
    let home = public_directory();
    let directory = home.path().to_str().expect("a text");
    let mut command = place::command(place::binary());
    command
        .args(["bench", "--cluster", "2", "--ways", "postrider"])
        .args(["--keys", "auto", "--clients", "2", "--rate", "50"])
        .args(["--seconds", "600", "--data-dir", directory]);
    let mut bench = command.spawn().expect("it can be started");
    eventually("all of it to run", || async {
        match mentioning(directory).len() {
            // The bench, what holds the database, its watchdog, its first process, two nodes.
            6.. => Ok(()),
            running => Err(running.to_string()),
        }
    })
    .await;
    bench.kill().await.expect("it runs");
    eventually("all of it to be gone", || async {
        let running = mentioning(directory);
        let left = fs::read_dir(directory).expect("a directory").count();
        match running.is_empty() && left == 0 {
            true => Ok(()),
            false => Err(format!("{left} left, {running:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn copies_that_fill_a_database_are_read_like_what_was_sent() {
    let home = tempfile::tempdir().expect("a directory");
    let (keys, database) = (home.path().join("keys"), Database::new());
    let directory = keys.to_str().expect("a text");
    postrider(&["keys", "generate", "--data-dir", directory])
        .await
        .expect(0);
    let options = Options::dev().data_dir(&keys);
    let options = options.variable("POSTRIDER_DATABASE_URL", database.url());
    let mut node = Server::start(options).await;
    let receiver = Receiver::start(|_| Answer::status(200).body("noted")).await;
    let api = node.api().await;
    api.application("shop").await;
    let body = serde_json::json!({"url": receiver.url("/")});
    api.endpoint("shop", &body).await;
    let payload = serde_json::json!({"text": "private"});
    api.send("shop", "x", &payload).await;
    receiver.next().await;
    eventually("its outcome", || async {
        let attempts = database.psql("SELECT count(*) FROM attempt");
        if attempts == "1\n" {
            Ok(())
        } else {
            Err(attempts)
        }
    })
    .await;
    assert!(node.terminate().await.success());

    let fill = ["bench", "--part", "fill", "--stored", "30", "--database"];
    let filled = postrider(&[&fill[..], &[database.url()]].concat()).await;
    assert_eq!(filled.text(), "30");
    node.restart().await;
    let api = node.api().await;
    let list = api.get("/app/shop/msg?limit=100").await.expect(200).json();
    let messages = list["data"].as_array().expect("a list");
    assert_eq!(messages.len(), 30);
    for message in messages {
        assert_eq!(message["payload"], payload, "{message}");
        let id = message["id"].as_str().expect("a text");
        let path = format!("/app/shop/attempt/msg/{id}");
        let attempts = api.get(&path).await.expect(200).json();
        assert_eq!(attempts["data"][0]["response"], "noted", "{attempts}");
        assert_eq!(attempts["data"][1], Value::Null, "{attempts}");
    }
}

/// A directory for a PostgreSQL, whose user may be another.
fn public_directory() -> tempfile::TempDir {
    let home = tempfile::tempdir_in("/tmp").expect("a directory");
    let everybody = fs::Permissions::from_mode(0o755);
    fs::set_permissions(home.path(), everybody).expect("it is ours");
    home
}

/// The processes whose command line holds this text.
fn mentioning(text: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("a system with /proc");
    let lines = entries.flatten().map(|entry| entry.path().join("cmdline"));
    let lines = lines.filter_map(|path| fs::read(path).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text)).collect()
}
