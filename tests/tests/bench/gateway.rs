//! `bench --receive`: that the gateway is measured beside the relay and in a flood, that nothing is
//! lost or left behind, and that what makes no sense with it is refused.

use super::{expect_figures, name, report};
use e2e::command::postrider;
use serde_json::Value;
use std::fs;

#[tokio::test]
async fn the_gateway_is_measured_beside_the_relay_and_then_in_a_flood() {
    let home = tempfile::tempdir().expect("a directory");
    let directory = home.path().to_str().expect("a text");
    let arguments = ["bench", "--json", "--receive", "--messages", "200"];
    let arguments = [&arguments[..], &["--clients", "4,2", "--rounds", "2"]].concat();
    let arguments = [&arguments[..], &["--applications", "2", "--endpoints", "2"]].concat();
    let arguments = [&arguments[..], &["--flood-seconds", "1"]].concat();
    let arguments = [&arguments[..], &["--data-dir", directory]].concat();
    let report = report(postrider(&arguments).await.text());
    let counts = ["lost", "repeated", "refused"].map(|count| report[count].as_u64());
    assert_eq!(counts, [Some(0); 3]);
    let cases = report["cases"].as_array().expect("cases");
    let names: Vec<_> = cases.iter().map(name).collect();
    let expected =
        [4, 2].map(|clients| ["raw", "relay", "gateway"].map(|way| (way, clients, true)));
    assert_eq!(names, expected.concat());
    for case in cases {
        assert_eq!(case["rounds"].as_array().expect("rounds").len(), 2);
        expect_figures(case);
    }
    expect_flood(&report["flood"]);
    let demands = report["demands"].as_array().expect("demands");
    let about = demands.iter().map(|demand| demand["what"].as_str());
    let about: Vec<_> = about.map(|what| what.expect("a text")).collect();
    // The rate is demanded with the most clients alone.
    let expected = [
        "ofRelay",
        "lost",
        "lost",
        "goodRefused",
        "goodLost",
        "acceptP99OfQuiet",
        "moreMib",
    ];
    assert_eq!(about, expected);
    for demand in demands {
        assert!(demand["held"].is_boolean(), "{demand}");
    }
    let left = fs::read_dir(directory).expect("a directory").count();
    assert_eq!(left, 0, "a data directory was left behind");
}

/// Passes a flood that has every figure, was refused, and let good requests through.
#[track_caller]
fn expect_flood(flood: &Value) {
    assert_eq!(flood["clients"], 2, "{flood}");
    assert_eq!(flood["rounds"].as_array().expect("rounds").len(), 2);
    let figures = &flood["median"];
    for side in ["quiet", "flooded"] {
        for latency in ["acceptMs", "endToEndMs"] {
            assert!(figures[side][latency]["p99"].is_number(), "{flood}");
        }
        assert!(figures[side]["peakMib"].is_number(), "{flood}");
    }
    for figure in ["acceptP99OfQuiet", "endToEndP99OfQuiet", "cpuUs"] {
        assert!(figures[figure].is_number(), "{figure}: {flood}");
    }
    let statuses = figures["answers"]["statuses"].as_object();
    let statuses: Vec<_> = statuses.expect("statuses").keys().collect();
    assert_eq!(statuses, ["401", "429"], "{flood}");
}

#[tokio::test]
async fn what_makes_no_sense_with_the_gateway_is_refused_in_a_sentence() {
    let nobody = "http://127.0.0.1:1";
    for (arguments, part) in [
        (&["--receive", "--cluster", "1"][..], "--cluster"),
        (&["--receive", "--options"], "--options"),
        (&["--receive", "--stored", "5"], "--stored"),
        (&["--receive", "--batch", "5"], "--batch"),
        (&["--receive", "--rate", "5"], "--rate"),
        (&["--receive", "--only-receive"], "--only-receive"),
        (
            &["--receive", "--server", nobody, "--token", "t"],
            "--server",
        ),
        (&["--receive", "--ways", "relay"], "name `gateway`"),
        (&["--flood-seconds", "5"], "--receive"),
        (&["--ways", "gateway", "--bystanders", "1"], "--bystanders"),
        (&["--ways", "gateway", "--cluster", "1"], "--cluster"),
        (
            &["--ways", "gateway", "--server", nobody, "--token", "t"],
            "--server",
        ),
    ] {
        let outcome = postrider(&[&["bench"], arguments].concat()).await;
        outcome.expect(2).complains_of(part);
    }
}
