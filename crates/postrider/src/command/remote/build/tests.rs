//! What command lines become as requests. Nothing is sent.

use super::*;
use crate::cli::{Asked, Cli, Command};
use clap::Parser as _;

/// 2026-01-02T03:04:05Z.
const NOW: i64 = 1_767_323_045_000_000;

/// What is typed, and what is asked.
const LINES: &[(&str, &str)] = &[
    ("app list", "GET /app"),
    (
        "app list --all --with-endpoints-only --order descending",
        "GET /app?order=descending&exclude_apps_with_no_endpoints=true&limit=250",
    ),
    (
        "app list --limit 3 --iterator it",
        "GET /app?limit=3&iterator=it",
    ),
    ("app get acme", "GET /app/acme"),
    ("app delete a/b", "DELETE /app/a/b"),
    ("message delete --app a m", "DELETE /app/a/msg/m/content"),
    (
        "attempt delete --app a --message m t",
        "DELETE /app/a/msg/m/attempt/t/content",
    ),
    (
        "event-type delete x --expunge",
        "DELETE /event-type/x?expunge=true",
    ),
    (
        "event-type list --archived --json",
        "GET /event-type?include_archived=true",
    ),
    ("event-type list", "GET /event-type?with_content=false"),
    (
        "message list --app a --type x,y --after 2h",
        "GET /app/a/msg?after=2026-01-02T01:04:05Z&event_types=x,y&with_content=false\
         &expanded_statuses=true",
    ),
    (
        "message list --app a --endpoint e --status fail --json",
        "GET /app/a/endpoint/e/msg?status=2&expanded_statuses=true",
    ),
    (
        "message list --app a --json --with-content=false",
        "GET /app/a/msg?with_content=false&expanded_statuses=true",
    ),
    (
        "endpoint list --app a --message m",
        "GET /app/a/msg/m/endpoint",
    ),
    (
        "attempt list --app a --message m --endpoint e --json",
        "GET /app/a/attempt/msg/m?endpoint_id=e&expanded_statuses=true",
    ),
    (
        "attempt list --app a --endpoint e --code-class 500 --json",
        "GET /app/a/attempt/endpoint/e?status_code_class=500&expanded_statuses=true",
    ),
    (
        "attempt get --app a --message m t",
        "GET /app/a/msg/m/attempt/t",
    ),
    (
        "delivery list --state exhausted --app a --endpoint e --since 2h --type t",
        "GET /delivery?state=exhausted&app_id=a&endpoint_id=e&event_type=t\
         &after=2026-01-02T01:04:05Z",
    ),
    ("delivery get d", "GET /delivery/d"),
    (
        "security list --severity critical --kind clock.skew --app a --after 2h",
        "GET /security/event?kind=clock.skew&severity=critical&app_id=a\
         &after=2026-01-02T01:04:05Z",
    ),
    (
        "delivery resend --state cancelled --code-class 0 --before 2026-01-01T00:00:00Z",
        "GET /delivery?state=cancelled&status_code_class=0&before=2026-01-01T00:00:00Z",
    ),
    (
        "delivery resend --state delivered --iterator it --yes",
        "GET /delivery?state=delivered&iterator=it",
    ),
    ("message expunge --tag a", "POST /message/expunge"),
    (
        "message resend --app a --endpoint e m",
        "POST /app/a/msg/m/endpoint/e/resend",
    ),
    (
        "send --app a --type t --data {}",
        "POST /app/a/msg?with_content=false",
    ),
    ("send --app a --type t --data {} --json", "POST /app/a/msg"),
    ("endpoint secret --app a e", "GET /app/a/endpoint/e/secret"),
    ("endpoint oauth --app a e", "GET /app/a/endpoint/e/oauth"),
    (
        "endpoint delete-oauth --app a e",
        "DELETE /app/a/endpoint/e/oauth",
    ),
    ("endpoint ca --app a e", "GET /app/a/endpoint/e/ca"),
    (
        "endpoint set-ca --app a e --min-tls 1.3",
        "PUT /app/a/endpoint/e/ca",
    ),
    (
        "endpoint delete-mtls --app a e",
        "DELETE /app/a/endpoint/e/mtls",
    ),
    (
        "endpoint set-pins --app a e --mode first-use",
        "PUT /app/a/endpoint/e/pins",
    ),
    (
        "endpoint verification --app a e",
        "GET /app/a/endpoint/e/verification",
    ),
    (
        "endpoint send-challenge --app a e",
        "POST /app/a/endpoint/e/verification",
    ),
    (
        "operational-webhook send-example e --type security.event",
        "POST /operational-webhook/endpoint/e/send-example",
    ),
    (
        "endpoint encryption --app a e",
        "GET /app/a/endpoint/e/encryption",
    ),
    (
        "endpoint set-encryption --app a e --jwks-url https://k.example/ --kid 1",
        "PUT /app/a/endpoint/e/encryption",
    ),
    (
        "endpoint delete-encryption --app a e",
        "DELETE /app/a/endpoint/e/encryption",
    ),
    (
        "endpoint payload --app a e",
        "GET /app/a/endpoint/e/payload",
    ),
    (
        "endpoint set-payload --app a e --mode thin",
        "PUT /app/a/endpoint/e/payload",
    ),
    (
        "endpoint delete-payload --app a e",
        "DELETE /app/a/endpoint/e/payload",
    ),
    (
        "background-task list --status failed --task endpoint.recover --order ascending",
        "GET /background-task?order=ascending&status=failed&task=endpoint.recover",
    ),
    ("background-task get t", "GET /background-task/t"),
    ("environment get", "GET /environment/settings"),
    (
        "environment update --enable-channels=false",
        "PATCH /environment/settings",
    ),
    ("environment export", "POST /environment/export"),
    (
        "event-type retry-schedule t",
        "GET /event-type/t/retry-schedule",
    ),
    (
        "event-type set-retry-schedule t --waits 5",
        "PUT /event-type/t/retry-schedule",
    ),
    (
        "event-type delete-retry-schedule t",
        "PUT /event-type/t/retry-schedule",
    ),
    (
        "endpoint stats --app a e --until 2026-01-01T00:00:00+01:00",
        "GET /app/a/endpoint/e/stats?until=2026-01-01T00:00:00+01:00",
    ),
];

fn built(words: &[&str]) -> Result<Request, Failure> {
    let line = ["postrider"].iter().chain(words);
    let cli = Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let Command::Asked(Asked::Remote(args)) = cli.command else {
        panic!("{words:?} asks no server");
    };
    let build = Build {
        args: &args,
        now: Timestamp::from_micros(NOW),
    };
    build.request(build.headers()?.is_some())
}

/// Method, path and query.
fn line(request: &Request) -> String {
    let query: Vec<_> = request
        .query
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let path = request.path.join("/");
    format!("{} /{path}{mark}{}", request.method, query.join("&"))
}

#[test]
fn what_is_typed_becomes_the_request_that_it_means() {
    for (typed, expected) in LINES {
        let words: Vec<_> = typed.split(' ').collect();
        assert_eq!(line(&built(&words).unwrap()), *expected, "{typed}");
    }
}

#[test]
fn fields_are_written_as_they_should_be_and_payloads_as_they_were() {
    let body = |words: &[&str]| {
        let request = built(words).unwrap_or_else(|failure| panic!("{words:?}: {failure:?}"));
        String::from_utf8(request.body.to_vec()).unwrap()
    };
    let data = "{ \"z\":1.50, \"a\" : [1e2] }";
    let send = ["send", "--app", "a", "--type", "t", "--channel", "x,y"];
    let padded = format!(" {data}\n");
    assert_eq!(
        body(&[&send[..], &["--data", &padded]].concat()),
        format!("{{\"channels\":[\"x\",\"y\"],\"eventType\":\"t\",\"payload\":{data}}}")
    );
    let update = [
        "app",
        "update",
        "x",
        "--unset",
        "rateLimit",
        "--name",
        "a\"b",
    ];
    assert_eq!(
        body(&[&update[..], &["--metadata", "k=v=w"]].concat()),
        r#"{"metadata":{"k":"v=w"},"name":"a\"b","rateLimit":null}"#
    );
    let create = ["endpoint", "create", "--app", "a", "--body"];
    let given = r#"{"url":"http://a","version":7,"uid":"u"}"#;
    assert_eq!(
        body(
            &[
                &create[..],
                &[given, "--url", "http://b", "--disabled=false"]
            ]
            .concat()
        ),
        r#"{"disabled":false,"uid":"u","url":"http://b","version":7}"#
    );
    assert_eq!(
        body(&["endpoint", "recover", "--app", "a", "e", "--since", "1d"]),
        r#"{"since":"2026-01-01T03:04:05Z"}"#
    );
    assert_eq!(
        body(&["endpoint", "rotate-secret", "--app", "a", "e"]),
        "{}"
    );
    let waits = |waits| body(&["event-type", "set-retry-schedule", "t", "--waits", waits]);
    assert_eq!(
        waits("5,90s,10m,2d"),
        r#"{"retrySchedule":[5,90,600,172800]}"#
    );
    assert_eq!(waits(""), r#"{"retrySchedule":[]}"#);
    assert_eq!(body(&["event-type", "delete-retry-schedule", "t"]), "{}");
    assert_eq!(
        body(&["message", "expunge", "--where", "/a~1b/c=d=\"e\""]),
        r#"{"where":{"path":"/a~1b/c","value":"d=\"e\""}}"#
    );
    assert_eq!(
        body(&[
            "environment",
            "update",
            "--unset",
            "customColor",
            "--enable-channels"
        ]),
        r#"{"customColor":null,"enableChannels":true}"#
    );
}

#[test]
fn files_are_read_and_secrets_come_from_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (data, secret) = (file("data", "{\"a\": 1}\n"), file("secret", "whsec_x\n"));
    let data = format!("@{data}");
    let sent = built(&["send", "--app", "a", "--type", "t", "--data", &data]).unwrap();
    assert_eq!(&sent.body[..], br#"{"eventType":"t","payload":{"a": 1}}"#);
    let whole = file("environment", "{ \"settings\": {\"customColor\": null} }\n");
    let import = built(&["environment", "import", &whole]).unwrap();
    assert_eq!(line(&import), "POST /environment/import");
    assert_eq!(&import.body[..], br#"{"settings":{"customColor": null}}"#);
    let rotate = ["endpoint", "rotate-secret", "--app", "a", "e"];
    let rotate = built(&[&rotate[..], &["--secret-file", &secret]].concat()).unwrap();
    assert_eq!(&rotate.body[..], br#"{"key":"whsec_x"}"#);
}

#[test]
fn headers_go_with_a_new_endpoint_and_apart_where_one_is_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("headers");
    std::fs::write(&path, "authorization: Bearer x:y\n\nx-b: 2\n").unwrap();
    let file = path.display().to_string();
    let flags = ["--header", "x-a: 1", "--header-file", &file];
    let create = ["endpoint", "create", "--app", "a", "--url", "http://h"];
    let made = built(&[&create[..], &flags].concat()).unwrap();
    let expected = concat!(
        r#"{"headers":{"authorization":"Bearer x:y","x-a":"1","x-b":"2"},"#,
        r#""url":"http://h"}"#
    );
    assert_eq!(&made.body[..], expected.as_bytes());

    let changed = |words: &[&str]| {
        let typed = [
            &["postrider", "endpoint", "update", "--app", "a", "e"],
            words,
        ]
        .concat();
        let Command::Asked(Asked::Remote(args)) = Cli::try_parse_from(typed).unwrap().command
        else {
            panic!("it asks a server");
        };
        let now = Timestamp::from_micros(NOW);
        let headers = Build { args: &args, now }.headers().unwrap();
        headers.map(|headers| (line(&headers), headers.body))
    };
    let update = ["endpoint", "update", "--app", "a", "e"];
    let (headers, body) = changed(&["--header", "x-a: 1", "--unset-header", "x-b"]).unwrap();
    assert_eq!(headers, "PATCH /app/a/endpoint/e/headers");
    assert_eq!(&body[..], br#"{"headers":{"x-a":"1","x-b":null}}"#);
    let only = built(&[&update[..], &["--header", "x-a: 1"]].concat()).unwrap();
    assert_eq!(line(&only), "GET /app/a/endpoint/e");
    let both = built(&[&update[..], &["--header", "x-a: 1", "--uid", "u"]].concat()).unwrap();
    assert_eq!(line(&both), "PATCH /app/a/endpoint/e");
    assert_eq!(&both.body[..], br#"{"uid":"u"}"#);
    assert!(changed(&["--uid", "u"]).is_none());
}

#[test]
fn what_can_not_be_asked_is_misuse_and_repeats_nothing_of_what_it_was() {
    let send = |data: &'static str| vec!["send", "--app", "a", "--type", "t", "--data", data];
    for (words, part) in [
        (send("{\"sesame\": }"), "--data is not JSON: see line 1"),
        (send("sesame"), "--data is not JSON"),
        (
            vec!["app", "create", "--body", "[\"sesame\"]"],
            "--body is not a JSON object",
        ),
        (vec!["app", "update", "x"], "nothing to change"),
        (
            vec![
                "endpoint", "update", "--app", "a", "e", "--header", "sesame",
            ],
            "--header is no header",
        ),
        (
            vec!["attempt", "list", "--app", "a"],
            "--message or --endpoint",
        ),
        (
            vec!["endpoint", "recover", "--app", "a", "e", "--since", "soon"],
            "`soon` is no time",
        ),
        (
            vec![
                "event-type",
                "set-retry-schedule",
                "t",
                "--waits",
                "5,a\u{1b}",
            ],
            "--waits: `a\\u{1b}` is not a duration",
        ),
        (
            vec!["app", "create", "--name", "a", "--idempotency-key", ""],
            "--idempotency-key must be",
        ),
        (
            vec!["app", "create", "--name", "a", "--idempotency-key", "é"],
            "--idempotency-key must be",
        ),
    ] {
        let Err(Failure::Misuse(error)) = built(&words) else {
            panic!("{words:?}");
        };
        let text = error.to_string();
        assert!(text.contains(part) && !text.contains("sesame"), "{text}");
    }
    let missing = built(&send("@/nowhere/at/all"));
    assert!(matches!(missing, Err(Failure::CouldNot(_))));
}
