//! HTTP/1.1 without TLS: what goes on the wire, what comes back, and receivers that misbehave.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use tokio::net::TcpListener;
use transport::{HeaderSpelling, Options, PoolLimits, Stage};

use crate::receiver::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn answer_has_status_retry_after_and_body() {
    let mut receiver = Receiver::start().await;
    let sending = send(&transport(), outgoing(&receiver.url("/in"), "{}"));
    let mut connection = receiver.connection().await;
    connection.request().await;
    let body = b"\0\xff\xfe not text";
    let head = "HTTP/1.1 503 No\r\nRetry-After: 120\r\ncontent-length: 12\r\n\r\n";
    connection
        .write([head.as_bytes(), &body[..]].concat())
        .await;
    let answer = answered(sending).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.retry_after.as_deref(), Some("120"));
    assert_eq!(&answer.body[..], body);
    assert!(!answer.truncated && !answer.observed.phases.reused && !answer.observed.phases.http2);
}

#[tokio::test]
async fn request_is_written_as_given() {
    let mut receiver = Receiver::start().await;
    let url = format!(
        "http://us%65r:pass@{HOST}:{}/in/a?b=c#d",
        receiver.address.port()
    );
    let mut request = outgoing(&url, r#"{"a":1}"#);
    let custom = [
        ("webhook-id", "msg_1"),
        ("x-api-key", "k"),
        ("x-trace", "1"),
        ("host", "other"),
    ];
    for (name, value) in custom {
        request.headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    request.spelling = HeaderSpelling::of(["X-Api-KEY", "x-trace"]);
    let sending = send(&transport(), request);
    let seen = receiver.connection().await.serve().await;
    answered(sending).await;
    let port = receiver.address.port();
    assert_eq!(
        seen.head,
        format!(
            "POST /in/a?b=c HTTP/1.1\r\nhost: {HOST}:{port}\r\nwebhook-id: msg_1\r\n\
             X-Api-KEY: k\r\nx-trace: 1\r\nauthorization: Basic dXNlcjpwYXNz\r\n\
             content-length: 7\r\n\r\n"
        )
    );
    assert_eq!(seen.body, br#"{"a":1}"#);
}

#[tokio::test]
async fn authorization_header_goes_before_the_urls_password() {
    let mut receiver = Receiver::start().await;
    let url = format!("http://user:pass@{HOST}:{}/", receiver.address.port());
    let mut request = outgoing(&url, "");
    request
        .headers
        .insert("authorization", HeaderValue::from_static("Bearer t"));
    let sending = send(&transport(), request);
    let seen = receiver.connection().await.serve().await;
    answered(sending).await;
    assert!(
        seen.head.contains("authorization: Bearer t\r\n"),
        "{}",
        seen.head
    );
    assert!(!seen.head.contains("Basic"), "{}", seen.head);
    assert!(seen.head.contains("content-length: 0\r\n"), "{}", seen.head);
}

#[tokio::test]
async fn connection_serves_one_request_after_the_other() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    let first = send(&transport, outgoing(&receiver.url("/1"), "{}"));
    let mut connection = receiver.connection().await;
    connection.serve().await;
    assert!(!answered(first).await.observed.phases.reused);
    for _ in 0..3 {
        let next = send(&transport, outgoing(&receiver.url("/2"), "{}"));
        connection.serve().await;
        assert!(answered(next).await.observed.phases.reused);
    }
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn connection_that_announces_its_end_is_not_kept() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    for _ in 0..2 {
        let sending = send(&transport, outgoing(&receiver.url("/"), "{}"));
        let mut connection = receiver.connection().await;
        connection.request().await;
        connection
            .write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall until the end")
            .await;
        drop(connection);
        let answer = answered(sending).await;
        assert_eq!(&answer.body[..], b"all until the end");
        assert!(!answer.observed.phases.reused);
    }
}

#[tokio::test]
async fn request_on_a_dead_kept_connection_is_sent_once_more() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    let first = send(&transport, outgoing(&receiver.url("/1"), "{}"));
    let mut kept = receiver.connection().await;
    kept.serve().await;
    answered(first).await;

    let second = send(&transport, outgoing(&receiver.url("/2"), "{}"));
    kept.request().await;
    drop(kept);
    let seen = receiver.connection().await.serve().await;
    assert!(seen.head.starts_with("POST /2 "));
    let answer = answered(second).await;
    assert!(!answer.observed.phases.reused);
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn request_that_was_worked_on_before_its_connection_ended_is_not_sent_again() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    let first = send(&transport, outgoing(&receiver.url("/1"), "{}"));
    let mut kept = receiver.connection().await;
    kept.serve().await;
    answered(first).await;

    let second = send(&transport, outgoing(&receiver.url("/2"), "{}"));
    kept.request().await;
    pass(Duration::from_secs(2)).await;
    drop(kept);
    assert_eq!(failed(second).await.stage(), Stage::Read);
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn request_that_got_part_of_an_answer_is_not_sent_again() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    let first = send(&transport, outgoing(&receiver.url("/1"), "{}"));
    let mut kept = receiver.connection().await;
    kept.serve().await;
    answered(first).await;

    let second = send(&transport, outgoing(&receiver.url("/2"), "{}"));
    kept.request().await;
    kept.write("HTTP/1.1 2").await;
    drop(kept);
    assert_eq!(failed(second).await.stage(), Stage::Read);
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn failure_of_a_new_connection_is_the_attempts_failure() {
    let mut receiver = Receiver::start().await;
    let sending = send(&transport(), outgoing(&receiver.url("/"), "{}"));
    let mut connection = receiver.connection().await;
    connection.request().await;
    drop(connection);
    let error = failed(sending).await;
    assert_eq!(error.stage(), Stage::Read);
    assert_eq!(
        error.for_tenant(),
        "the connection closed before the response was complete"
    );
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn nobody_listening_is_a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let port = listener.local_addr().expect("its address").port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port}/");
    let error = failed(send(&transport(), outgoing(&url, "{}"))).await;
    assert_eq!(error.stage(), Stage::Connect);
    assert_eq!(error.for_tenant(), "the connection was refused");
}

#[tokio::test]
async fn redirect_is_an_answer_and_is_not_followed() {
    let mut receiver = Receiver::start().await;
    let mut elsewhere = Receiver::start().await;
    let transport = transport();
    let sending = send(&transport, outgoing(&receiver.url("/"), "{}"));
    let mut connection = receiver.connection().await;
    connection.request().await;
    let location = elsewhere.url("/stolen");
    connection
        .write(format!(
            "HTTP/1.1 307 Go\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
    assert_eq!(answered(sending).await.status, 307);
    let next = send(&transport, outgoing(&receiver.url("/"), "{}"));
    connection.serve().await;
    answered(next).await;
    assert!(elsewhere.has_no_further_connection());
}

#[tokio::test]
async fn silence_runs_out_of_time_and_closes_the_connection() {
    let mut receiver = Receiver::start().await;
    let mut request = outgoing(&receiver.url("/"), "{}");
    request.limits.total_timeout = LIMIT;
    let sending = send(&transport(), request);
    let mut connection = receiver.connection().await;
    connection.request().await;
    pass(LIMIT).await;
    let error = failed(sending).await;
    assert_eq!(error.stage(), Stage::Timeout);
    assert_eq!(error.for_tenant(), "request timed out");
    connection.closed().await;
}

#[tokio::test]
async fn body_that_never_ends_runs_out_of_time() {
    let mut receiver = Receiver::start().await;
    let mut request = outgoing(&receiver.url("/"), "{}");
    request.limits.total_timeout = LIMIT;
    let sending = send(&transport(), request);
    let mut connection = receiver.connection().await;
    connection.request().await;
    connection
        .write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        .await;
    pass(LIMIT).await;
    assert_eq!(failed(sending).await.stage(), Stage::Timeout);
    connection.closed().await;
}

#[tokio::test]
async fn body_that_is_cut_short_is_a_failure() {
    let mut receiver = Receiver::start().await;
    let sending = send(&transport(), outgoing(&receiver.url("/"), "{}"));
    let mut connection = receiver.connection().await;
    connection.request().await;
    connection
        .write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        .await;
    drop(connection);
    assert_eq!(failed(sending).await.stage(), Stage::Read);
    assert!(receiver.has_no_further_connection());
}

#[tokio::test]
async fn of_a_huge_body_the_first_bytes_are_kept() {
    let mut receiver = Receiver::start().await;
    let mut request = outgoing(&receiver.url("/"), "{}");
    request.limits.response_bytes_max = 1_000;
    let sending = send(&transport(), request);
    let mut connection = receiver.connection().await;
    connection.request().await;
    connection
        .write("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        .await;
    connection.write(vec![b'x'; 10_000]).await;
    let answer = answered(sending).await;
    assert_eq!(answer.body, vec![b'x'; 1_000]);
    assert!(answer.truncated);
    connection.closed().await;
}

#[tokio::test]
async fn body_of_exactly_the_limit_is_whole() {
    let mut receiver = Receiver::start().await;
    let mut request = outgoing(&receiver.url("/"), "{}");
    request.limits.response_bytes_max = 2;
    let sending = send(&transport(), request);
    receiver.connection().await.serve().await;
    let answer = answered(sending).await;
    assert_eq!((&answer.body[..], answer.truncated), (&b"ok"[..], false));
}

#[tokio::test]
async fn connection_of_a_somewhat_too_long_body_is_kept() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    let url = receiver.url("/");
    tokio::spawn(async move {
        loop {
            let mut connection = receiver.connection().await;
            tokio::spawn(async move {
                loop {
                    connection.request().await;
                    connection
                        .write("HTTP/1.1 200 OK\r\ncontent-length: 40000\r\n\r\n")
                        .await;
                    connection.write(vec![b'x'; 40_000]).await;
                }
            });
        }
    });
    // The rest is read beside the answer, so the next request may be early for it, but not all of
    // them.
    for _ in 0..100 {
        let answer = answered(send(&transport, outgoing(&url, "{}"))).await;
        assert!(answer.truncated && answer.body.len() == 20_000);
        if answer.observed.phases.reused {
            return;
        }
    }
    panic!("no connection was kept");
}

#[tokio::test]
async fn connection_is_not_drained_while_enough_others_are() {
    let mut receiver = Receiver::start().await;
    let pool = PoolLimits {
        draining_max: 0,
        ..PoolLimits::default()
    };
    let transport = with_options(Options {
        pool,
        ..Options::default()
    });
    let mut request = outgoing(&receiver.url("/"), "{}");
    request.limits.response_bytes_max = 1;
    let sending = send(&transport, request);
    let mut connection = receiver.connection().await;
    connection.serve().await;
    assert!(answered(sending).await.truncated);
    connection.closed().await;
}

#[tokio::test]
async fn unusual_status_is_recorded() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    let mut connection = None;
    for status in [200, 204, 299, 418, 599, 600, 999] {
        let sending = send(&transport, outgoing(&receiver.url("/"), "{}"));
        let connection = match &mut connection {
            Some(kept) => kept,
            none => none.insert(receiver.connection().await),
        };
        connection.request().await;
        let length = if status == 204 {
            ""
        } else {
            "content-length: 0\r\n"
        };
        connection
            .write(format!("HTTP/1.1 {status} X\r\n{length}\r\n"))
            .await;
        assert_eq!(answered(sending).await.status, status);
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_failure() {
    let odd = [
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "SSH-2.0-x\r\n",
        "\0\0\0\0\r\n\r\n",
    ];
    for bytes in odd {
        let mut receiver = Receiver::start().await;
        let sending = send(&transport(), outgoing(&receiver.url("/"), "{}"));
        let mut connection = receiver.connection().await;
        connection.request().await;
        connection.write(bytes).await;
        let error = failed(sending).await;
        assert_eq!(error.stage(), Stage::Read, "{bytes:?}");
        assert_eq!(
            error.for_tenant(),
            "the response is not valid HTTP",
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn endless_head_is_cut_off() {
    let mut receiver = Receiver::start().await;
    let sending = send(&transport(), outgoing(&receiver.url("/"), "{}"));
    let mut connection = receiver.connection().await;
    connection.request().await;
    connection.write("HTTP/1.1 200 OK\r\nx: ").await;
    connection.write(vec![b'x'; 80 * 1024]).await;
    assert_eq!(failed(sending).await.stage(), Stage::Read);
}

#[tokio::test]
async fn answer_before_the_request_was_read_counts_and_frees_the_connection() {
    let mut receiver = Receiver::start().await;
    // More than the sockets' buffers take.
    let body = Bytes::from(vec![b'x'; 64 * 1024 * 1024]);
    let sending = send(&transport(), outgoing(&receiver.url("/"), body));
    let mut connection = receiver.connection().await;
    connection.head().await;
    connection
        .write("HTTP/1.1 413 Too Large\r\ncontent-length: 8\r\n\r\ntoo much")
        .await;
    let answer = answered(sending).await;
    assert_eq!((answer.status, &answer.body[..]), (413, &b"too much"[..]));
    connection.closed().await;
}

#[tokio::test]
async fn answer_survives_that_its_sender_closes_on_the_rest_of_the_request() {
    let mut receiver = Receiver::start().await;
    let body = Bytes::from(vec![b'x'; 64 * 1024 * 1024]);
    let sending = send(&transport(), outgoing(&receiver.url("/"), body));
    let mut connection = receiver.connection().await;
    connection.head().await;
    connection
        .write("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        .await;
    drop(connection);
    assert_eq!(answered(sending).await.status, 413);
}

#[tokio::test]
async fn idle_connection_is_closed() {
    let mut receiver = Receiver::start().await;
    let pool = PoolLimits {
        idle_timeout: Duration::from_millis(200),
        ..PoolLimits::default()
    };
    let transport = with_options(Options {
        pool,
        ..Options::default()
    });
    let sending = send(&transport, outgoing(&receiver.url("/"), "{}"));
    let mut connection = receiver.connection().await;
    connection.serve().await;
    answered(sending).await;
    connection.closed().await;
}

#[tokio::test]
async fn switching_protocols_is_an_answer_and_ends_the_connection() {
    let mut receiver = Receiver::start().await;
    let sending = send(&transport(), outgoing(&receiver.url("/"), "{}"));
    let mut connection = receiver.connection().await;
    connection.request().await;
    connection
        .write("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
        .await;
    assert_eq!(answered(sending).await.status, 101);
    connection.closed().await;
}

#[tokio::test]
async fn endless_informational_answers_run_out_of_time() {
    let mut receiver = Receiver::start().await;
    let mut request = outgoing(&receiver.url("/"), "{}");
    request.limits.total_timeout = LIMIT;
    let sending = send(&transport(), request);
    let mut connection = receiver.connection().await;
    connection.request().await;
    tokio::spawn(async move {
        let hints = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100);
        let write = tokio::io::AsyncWriteExt::write_all;
        while write(&mut connection.0, hints.as_bytes()).await.is_ok() {}
    });
    pass(LIMIT).await;
    assert_eq!(failed(sending).await.stage(), Stage::Timeout);
}

#[tokio::test]
async fn secrets_and_payloads_do_not_print() {
    let mut request = outgoing("http://user:swordfish@127.0.0.1:1234/", "a payload");
    let key = HeaderValue::from_static("swordfish");
    request.headers.insert("x-api-key", key);
    let printed = format!("{request:?}");
    assert!(printed.contains("127.0.0.1"), "{printed}");
    assert!(
        !printed.contains("swordfish") && !printed.contains("payload"),
        "{printed}"
    );
}

#[tokio::test]
async fn bytes_after_an_answer_spoil_the_connection_and_not_the_next_answer() {
    let mut receiver = Receiver::start().await;
    let transport = transport();
    let first = send(&transport, outgoing(&receiver.url("/"), "{}"));
    let mut connection = receiver.connection().await;
    connection.request().await;
    connection
        .write(format!(
            "{OK}HTTP/1.1 418 Smuggled\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
    assert_eq!(answered(first).await.status, 200);
    connection.closed().await;
    let second = send(&transport, outgoing(&receiver.url("/"), "{}"));
    receiver.connection().await.serve().await;
    assert_eq!(answered(second).await.status, 200);
}
