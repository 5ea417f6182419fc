//! An endpoint's headers, by flag and by file.

use serde_json::json;

use super::Desk;

#[tokio::test]
async fn headers_are_given_by_flag_or_by_file_and_a_flag_with_a_secret_warns() {
    let desk = Desk::new().await;
    desk.acme("http://127.0.0.1:9999/in").await;
    let secret = desk.file("secret.headers", "Authorization: Bearer sesame\n");
    let create = ["endpoint", "create", "--app", "acme", "--uid", "second"];
    let url = ["--url", "http://127.0.0.1:9999/x"];
    let headers = ["--header", "x-a: 1", "--header-file", &secret];
    let made = desk.ask(&[&create[..], &url, &headers].concat()).await;
    assert!(made.expect(0).stderr.is_empty(), "{made:?}");
    let of = |endpoint| ["endpoint", "headers", "--app", "acme", endpoint];
    let shown = desk.json(&of("second")).await;
    assert_eq!(
        (&shown["headers"], &shown["sensitive"]),
        (&json!({"x-a": "1"}), &json!(["Authorization"]))
    );

    let update = ["endpoint", "update", "--app", "acme", "second"];
    let change = ["--header", "x-b: 2", "--unset-header", "x-a"];
    let changed = desk.json(&[&update[..], &change].concat()).await;
    assert_eq!(changed["uid"], "second");
    let shown = desk.json(&of("second")).await;
    assert_eq!(shown["headers"], json!({"x-b": "2"}));

    let flag = ["--header", "X-Api-Key: sesame", "--description", "d"];
    let warned = desk.ask(&[&update[..], &flag].concat()).await;
    warned
        .expect(0)
        .complains_of("give `X-Api-Key` by --header-file");
    let shown = format!("{}{}", warned.stdout, warned.stderr);
    assert!(!shown.contains("sesame"), "{warned:?}");
    assert_eq!(
        desk.json(&of("second")).await["sensitive"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );

    let url = ["--url", "http://user:sesame@127.0.0.1:9999/x"];
    let warned = desk.ask(&[&update[..], &url].concat()).await;
    warned
        .expect(0)
        .complains_of("a URL with a password by --body @FILE");
    let shown = format!("{}{}", warned.stdout, warned.stderr);
    assert!(!shown.contains("sesame"), "{warned:?}");

    let host = ["--header", "host: h", "--description", "e"];
    let refused = desk.ask(&[&update[..], &host].concat()).await;
    refused.expect(2).complains_of("`host`");
    let get = ["endpoint", "get", "--app", "acme", "second"];
    assert_eq!(desk.json(&get).await["description"], "d");
    let taken = ["--header", "x-c: 3", "--uid", "first"];
    let half = desk.ask(&[&update[..], &taken].concat()).await;
    half.expect(1).complains_of("its headers were changed");
}
