//! The effective configuration in the form of the file, so that it can be read, compared and used
//! again. Secrets are masked.

use super::checked::{Checked, LogFormat, has_credentials};
use crate::duration;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

type Entry = (&'static str, Option<Value>);

/// Every option with its effective value; `None` where there is neither value nor default.
fn entries(config: &Checked) -> Vec<Entry> {
    let mut entries = places(config);
    entries.extend(destinations(config));
    entries.extend(deliveries(config));
    entries.extend(limits(config));
    entries
}

fn places(config: &Checked) -> Vec<Entry> {
    let masked = |secret: bool| secret.then(|| json!("***"));
    let format = |format| {
        if format == LogFormat::Json {
            "json"
        } else {
            "text"
        }
    };
    vec![
        ("listen", Some(json!(config.listen.to_string()))),
        ("data_dir", path(Some(&config.data_dir))),
        (
            "public_url",
            config.public_url.as_ref().map(|url| json!(url)),
        ),
        ("master_key", masked(config.master_key.is_some())),
        ("master_key_file", path(config.master_key_file.as_ref())),
        ("token_key", masked(config.token_key.is_some())),
        ("token_key_file", path(config.token_key_file.as_ref())),
        ("drain_timeout", length(config.drain_timeout)),
        ("log", Some(json!(config.log))),
        (
            "log_format",
            config.log_format.map(|one| json!(format(one))),
        ),
    ]
}

fn destinations(config: &Checked) -> Vec<Entry> {
    let rules: Vec<_> = config
        .policy
        .allow
        .iter()
        .map(ToString::to_string)
        .collect();
    let proxy = config.egress_proxy.as_ref();
    vec![
        ("allow_http", Some(json!(config.policy.allow_http))),
        ("allow_destination", Some(json!(rules))),
        ("dev", Some(json!(config.dev))),
        (
            "egress_proxy",
            proxy.map(|(_, url)| json!(without_credentials(url))),
        ),
        ("trusted_roots", path(config.trusted_roots.as_ref())),
    ]
}

fn deliveries(config: &Checked) -> Vec<Entry> {
    let signature = match config.app.default_signature {
        app::DefaultSignature::Hmac => "hmac",
        app::DefaultSignature::Ed25519 => "ed25519",
    };
    let in_flight = config.attempts_in_flight_max;
    vec![
        ("retry_schedule", Some(json!(config.retry_waits))),
        ("connect_timeout", length(config.connect_timeout)),
        ("request_timeout", length(config.request_timeout)),
        ("disable_after", length(config.disable_after)),
        ("attempts_in_flight_max", Some(json!(in_flight))),
        (
            "attempts_per_host_max",
            Some(json!(config.attempts_per_host_max)),
        ),
        (
            "header_family",
            Some(json!(config.header_family.to_string())),
        ),
        ("default_signature", Some(json!(signature))),
    ]
}

fn limits(config: &Checked) -> Vec<Entry> {
    vec![
        ("encrypt_payloads", Some(json!(config.app.encrypt_payloads))),
        ("retention", length(config.app.retention)),
        (
            "payload_bytes_max",
            Some(json!(config.app.payload_bytes_max)),
        ),
        ("endpoints_max", Some(json!(config.app.endpoints_max))),
        (
            "batch_messages_max",
            Some(json!(config.app.batch_messages_max)),
        ),
        ("deliveries_max", Some(json!(config.app.deliveries_max))),
        (
            "accept_foreign_tokens",
            Some(json!(config.accept_foreign_tokens)),
        ),
        ("organisation", Some(json!(config.organisation))),
    ]
}

fn path(path: Option<&PathBuf>) -> Option<Value> {
    path.map(|path| json!(path.to_string_lossy()))
}

fn length(duration: Duration) -> Option<Value> {
    Some(json!(duration::write(duration)))
}

/// A user's name can be a secret too: some proxies take a token there.
fn without_credentials(url: &url::Url) -> String {
    let mut url = url.clone();
    if has_credentials(&url) {
        let masked = url
            .set_username("***")
            .and_then(|()| url.set_password(None));
        if masked.is_err() {
            return "***".into();
        }
    }
    url.into()
}

/// The configuration as TOML, or as one JSON object. JSON's strings, numbers, booleans and arrays
/// of them are TOML's too.
pub(crate) fn print(config: &Checked, as_json: bool) -> String {
    let entries = entries(config);
    if as_json {
        let map = entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.unwrap_or_default()));
        return Value::Object(map.collect()).to_string();
    }
    let lines = entries.into_iter().map(|(name, value)| match value {
        Some(value) => format!("{name} = {value}\n"),
        None => format!("# {name} is not set\n"),
    });
    lines.collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::key_choice::KeyChoice;
    use super::*;

    fn checked() -> Checked {
        let options = Options {
            egress_proxy: Some("http://user:sesame@proxy.example.com:3128".into()),
            allow_destination: Some(vec!["10.0.0.0/8:443".into()]),
            ..Options::default()
        };
        let mut keys = KeyChoice::default();
        keys.master.text = Some("sesame".to_owned().into());
        Checked::new(options, keys).unwrap()
    }

    #[test]
    fn what_is_printed_masks_secrets_and_is_a_configuration_file() {
        let text = print(&checked(), false);
        assert!(!text.contains("sesame"), "{text}");
        let table: toml::Table = text.parse().unwrap();
        let options: Options = table.try_into().unwrap();
        assert_eq!(options.allow_destination.unwrap(), ["10.0.0.0/8:443"]);
    }

    #[test]
    fn nothing_of_a_proxys_credentials_is_shown() {
        for (given, shown) in [
            ("http://user:sesame@p.example", "http://***@p.example/"),
            ("http://sesame@p.example:3128", "http://***@p.example:3128/"),
            ("http://:sesame@p.example", "http://***@p.example/"),
            ("http://p.example:3128", "http://p.example:3128/"),
        ] {
            assert_eq!(without_credentials(&given.parse().unwrap()), shown);
        }
    }

    #[test]
    fn every_option_is_printed() {
        let value: Value = serde_json::from_str(&print(&checked(), true)).unwrap();
        for name in Options::NAMES {
            assert!(value.get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_document_has_every_option_with_its_default() {
        let document = include_str!("../../../../docs/configuration.md");
        let defaults = Checked::new(Options::default(), KeyChoice::default()).unwrap();
        for (name, value) in entries(&defaults) {
            let line = document
                .lines()
                .find(|line| line.starts_with(&format!("| `{name}` |")));
            let Some(line) = line else {
                assert!(
                    !Options::NAMES.contains(&name),
                    "{name} is not in the document"
                );
                continue;
            };
            let shown = match value {
                Some(Value::String(text)) => text,
                Some(Value::Array(list)) if !list.is_empty() => {
                    let list: Vec<_> = list.iter().map(Value::to_string).collect();
                    list.join(",")
                }
                Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
                _ => continue,
            };
            assert!(
                line.contains(&format!("| `{shown}` |")),
                "{name} is {shown}: {line}"
            );
        }
    }
}
