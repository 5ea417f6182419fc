//! Lines that are right, and what is said of those that are not.

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn wrong(text: &str) -> String {
    match read(text) {
        Ok(_) => panic!("{text} is right"),
        Err(wrong) => wrong.join("\n"),
    }
}

#[test]
fn lines_become_applications_with_their_endpoints() {
    let text = format!(
        "{}\n\n{}\n{}\n",
        json!({"app": "acme", "appName": "Acme", "url": "https://a.example.com", "secret": SECRET,
            "types": ["paid", "failed", "paid"], "scheme": "standard-webhooks"}),
        json!({"app": "other", "url": "https://a.example.com", "uid": "x", "description": "d",
            "channels": ["c"], "headers": {"x-a": "1"}, "rateLimit": 5, "disabled": false,
            "metadata": {"k": "v"}, "secret": null}),
        json!({"app": "acme", "appName": "Acme", "url": "https://b.example.com", "secret": SECRET}),
    );
    let state = read(&text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let types: Vec<_> = state.event_types.keys().collect();
    assert_eq!(types, ["failed", "paid"]);
    let [acme, other] = &state.applications[..] else {
        panic!("two applications");
    };
    assert_eq!(
        acme.fields,
        Fields::from([("uid", json!("acme")), ("name", json!("Acme"))])
    );
    assert_eq!(acme.endpoints.len(), 2);
    let first = &acme.endpoints[0];
    assert_eq!(first.fields["url"], "https://a.example.com/");
    assert_eq!(first.fields["eventTypes"], json!(["failed", "paid"]));
    assert!(
        first.uid().starts_with("url-") && first.uid().len() == 24,
        "{}",
        first.uid()
    );
    assert_ne!(first.uid(), acme.endpoints[1].uid());
    assert!(matches!(first.key, Key::Secret(_)) && first.headers.is_none());
    let second = &other.endpoints[0];
    let expected = Fields::from([
        ("url", json!("https://a.example.com/")),
        ("uid", json!("x")),
        ("description", json!("d")),
        ("disabled", json!(false)),
        ("channels", json!(["c"])),
        ("rateLimit", json!(5)),
        ("metadata", json!({"k": "v"})),
    ]);
    assert_eq!(second.fields, expected);
    assert!(matches!(second.key, Key::Unknown));
    assert!(
        second
            .headers
            .as_ref()
            .is_some_and(|headers| headers.shown.len() == 1)
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_without_a_secret() {
    let good = json!({"app": "a", "url": "https://h/", "secret": SECRET});
    let with = |name: &str, value: Value| {
        let mut line = good.clone();
        line[name] = value;
        line.to_string()
    };
    for (line, part) in [
        ("{\"secret\": \"sesame\"".to_owned(), "not JSON from column"),
        ("[\"sesame\"]".to_owned(), "not a JSON object"),
        (with("urls", json!("sesame")), "there is no `urls`"),
        (with("app", Value::Null), "`app` is missing"),
        (with("app", json!("a b")), "`app`: `a b` is no name"),
        (with("url", json!(null)), "`url` is missing"),
        (
            with("url", json!("ftp://u:sesame@h")),
            "an http or https URL",
        ),
        (with("url", json!(5)), "`url` must be a text"),
        (
            with("secret", json!("sesame")),
            "`secret`: a signing secret begins with",
        ),
        (with("secret", json!("whsec_sesame")), "`secret`: "),
        (with("secret", json!(["sesame"])), "`secret` must be a text"),
        (with("types", json!([])), "`types` must be a list of names"),
        (
            with("types", json!("paid")),
            "`types` must be a list of names",
        ),
        (with("types", json!(["a/b"])), "`types`: `a/b` is no name"),
        (
            with("headers", json!({"a": ["sesame"]})),
            "`headers` must be an object",
        ),
        (
            with("rateLimit", json!(0)),
            "`rateLimit` must be a whole number",
        ),
        (
            with("rateLimit", json!(1.5)),
            "`rateLimit` must be a whole number",
        ),
        (
            with("disabled", json!("no")),
            "`disabled` must be true or false",
        ),
        (
            with("scheme", json!("stripe")),
            "the scheme `stripe` can't be moved yet",
        ),
        (with("uid", json!("a\u{1b}[2J")), "a\\u{1b}[2J"),
    ] {
        let text = wrong(&format!("{}\n\n{line}", with("uid", json!("fine"))));
        let is_told = text.starts_with("line 3: ") && text.contains(part);
        assert!(is_told && !text.contains("sesame"), "{line}: {text}");
    }
}

#[test]
fn two_lines_of_one_endpoint_are_told() {
    let line = |uid: Value| json!({"app": "a", "url": "https://h/", "uid": uid}).to_string();
    let text = wrong(&[line(Value::Null), line(Value::Null)].join("\n"));
    assert!(
        text.contains("line 2: line 1 is of the same") && text.contains("give each"),
        "{text}"
    );
    let text = wrong(&[line(json!("u")), line(json!("u"))].join("\n"));
    assert!(text.contains("the same `uid`"), "{text}");
    assert!(read(&[line(json!("u")), line(json!("v"))].join("\n")).is_ok());
    let names = ["A", "B"].map(|name| {
        json!({"app": "a", "appName": name, "url": format!("https://{name}/")}).to_string()
    });
    assert!(wrong(&names.join("\n")).contains("line 2: `appName` is another"));
}

#[test]
fn a_file_of_nothing_but_wrong_lines_is_told_in_short() {
    let text = wrong(&"x\n".repeat(WRONG_MAX + 5));
    assert_eq!(text.lines().count(), WRONG_MAX + 1);
    assert!(text.ends_with("and 5 lines more"), "{text}");
}
