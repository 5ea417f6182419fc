//! Every word is found where it has no place, and left alone where it is at home.

use super::*;

const NOTHING: [&str; 0] = [];

fn rules(path: &str, text: &str) -> Vec<&'static str> {
    let findings = check_source(&Source::read(path, text));
    findings.into_iter().map(|finding| finding.rule).collect()
}

fn rules_of_text(path: &str, text: &str) -> Vec<&'static str> {
    check_text(path, text)
        .into_iter()
        .map(|finding| finding.rule)
        .collect()
}

#[test]
fn sockets_are_opened_by_one_file_and_by_tests_only() {
    for text in [
        "let a = TcpStream::connect(b).await?;",
        "use tokio::net::TcpStream as Stream;",
        "tokio::net::UnixStream::connect(a)",
        "tokio::net::lookup_host(a)",
        "use std::net::{ToSocketAddrs, UdpSocket};",
        "TcpSocket::new_v4()",
    ] {
        assert!(
            rules("crates/engine/src/a.rs", text).contains(&"socket"),
            "{text}"
        );
        assert!(
            rules("crates/transport/src/a.rs", text).contains(&"socket"),
            "{text}"
        );
        assert_eq!(
            rules("crates/transport/src/dial.rs", text),
            NOTHING,
            "{text}"
        );
        assert_eq!(rules("tests/tests/a.rs", text), NOTHING, "{text}");
        let test = format!("#[cfg(test)]\nmod tests {{ fn a() {{ {text} }} }}");
        assert_eq!(rules("crates/engine/src/a.rs", &test), NOTHING, "{text}");
    }
    for text in [
        "// TcpStream::connect",
        "f(\"UdpSocket\")",
        "fn a(b: &TcpStream) {}",
    ] {
        assert_eq!(rules("crates/engine/src/a.rs", text), NOTHING, "{text}");
    }
}

#[test]
fn only_the_doors_listen() {
    let text = "let a = tokio::net::TcpListener::bind(b);";
    assert_eq!(rules("crates/engine/src/a.rs", text), ["listener"]);
    assert_eq!(rules("crates/transport/src/a.rs", text), ["listener"]);
    assert_eq!(rules("crates/webhook/src/a.rs", text), ["listener"]);
    assert_eq!(rules("crates/webhook/examples/a.rs", text), NOTHING);
    assert_eq!(rules("crates/api/src/a.rs", text), NOTHING);
    assert_eq!(rules("crates/postrider/src/a.rs", text), NOTHING);
}

#[test]
fn only_the_binary_starts_threads() {
    for text in [
        "std::thread::spawn(f)",
        "thread::Builder::new()",
        "thread::scope(f)",
    ] {
        assert_eq!(
            rules("crates/store-sqlite/src/a.rs", text),
            ["thread"],
            "{text}"
        );
        assert_eq!(rules("crates/postrider/src/a.rs", text), NOTHING, "{text}");
        assert_eq!(
            rules("crates/store/src/a/tests.rs", text),
            NOTHING,
            "{text}"
        );
    }
    assert_eq!(rules("crates/engine/src/a.rs", "tokio::spawn(f)"), NOTHING);
}

#[test]
fn status_codes_stay_at_the_doors() {
    let text = "fn a() -> http::StatusCode { b }";
    assert_eq!(rules("crates/app/src/a.rs", text), ["status"]);
    assert_eq!(rules("crates/engine/src/attempt.rs", text), ["status"]);
    assert_eq!(rules("crates/webhook/src/receiver.rs", text), ["status"]);
    for path in [
        "crates/engine/src/verdict.rs",
        "crates/webhook/src/layer.rs",
        "crates/api/src/a.rs",
        "tests/tests/a.rs",
    ] {
        assert_eq!(rules(path, text), NOTHING, "{path}");
    }
}

#[test]
fn tests_do_not_sleep() {
    for text in [
        "fn a() { tokio::time::sleep(b).await; }",
        "fn a() { sleep(b).await; }",
        "fn a() { sleep_until(b).await; }",
        "fn a() { std::thread::sleep(b); }",
    ] {
        assert_eq!(rules("crates/x/tests/a.rs", text), ["sleep"], "{text}");
        assert_eq!(rules("crates/x/src/a.rs", text), NOTHING, "{text}");
    }
    for text in [
        "fn sleep(a: u8) {}",
        "fn a() { clock.sleep(b); }",
        "// sleep(b)",
    ] {
        assert_eq!(rules("crates/x/tests/a.rs", text), NOTHING, "{text}");
    }
}

#[test]
fn in_paused_time_a_sleep_waits_for_nobody() {
    let paused = "#[tokio::test(start_paused = true)]\nasync fn a() { sleep(b).await; }";
    assert_eq!(rules("crates/x/tests/a.rs", paused), NOTHING);
    let blocked = "#[tokio::test(start_paused = true)]\nasync fn a() { thread::sleep(b); }";
    assert_eq!(rules("crates/x/tests/a.rs", blocked), ["sleep"]);
}

#[test]
fn nothing_is_ignored_or_left_unfinished() {
    for (text, rule) in [
        ("#[ignore]\nfn a() {}", "ignore"),
        ("#[ignore = \"slow\"]\nfn a() {}", "ignore"),
        ("fn a() { todo!() }", "mark"),
        ("fn a() { unimplemented!(\"b\") }", "mark"),
        ("#[allow(clippy::unwrap_used)]\nfn a() {}", "unwrap"),
        ("#![allow(clippy::panic, clippy::unwrap_used)]", "unwrap"),
    ] {
        assert_eq!(rules("crates/x/src/a.rs", text), [rule], "{text}");
        assert_eq!(rules("crates/x/tests/a.rs", text), [rule], "{text}");
    }
    for text in ["fn ignore() {}", "let todo = 1;", "#[allow(clippy::panic)]"] {
        assert_eq!(rules("crates/x/src/a.rs", text), NOTHING, "{text}");
    }
}

#[test]
fn marks_are_found_in_comments_and_documents() {
    let mark = concat!("TO", "DO");
    assert_eq!(
        rules_of_text("crates/x/src/a.rs", &format!("// {mark}: more")),
        ["mark"]
    );
    assert_eq!(rules_of_text("docs/a.md", &format!("- {mark}")), ["mark"]);
    assert_eq!(
        rules_of_text("docs/a.md", &format!("- {mark}S {mark}_LIST")),
        NOTHING
    );
    assert_eq!(
        rules_of_text("conformance/a.json", &format!("\"{mark}\"")),
        NOTHING
    );
}

#[test]
fn places_outside_the_repository_are_not_named() {
    let place = concat!("/wo", "rk/");
    for text in [
        format!("see {place}a"),
        format!("`{place}a`"),
        concat!("../", "shared").into(),
    ] {
        assert_eq!(rules_of_text("docs/a.md", &text), ["outside"], "{text}");
        assert_eq!(
            rules_of_text("conformance/a.json", &text),
            ["outside"],
            "{text}"
        );
        assert_eq!(rules_of_text(".ci/run", &text), NOTHING, "{text}");
    }
    for text in [
        format!("https://example.com{place}a"),
        format!("a{place}b"),
        "/workers/".into(),
    ] {
        assert_eq!(rules_of_text("docs/a.md", &text), NOTHING, "{text}");
    }
}
