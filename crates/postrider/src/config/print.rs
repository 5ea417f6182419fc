//! The effective configuration in the form of the file, so that it can be read, compared and used
//! again. Secrets are masked.

use super::checked::{Checked, LogFormat, has_credentials};
use super::database::DatabaseUrl;
use super::detection;
use super::oidc::{self, Oidc};
use super::portal::Portal;
use super::{Given, KeyChoice};
use crate::keys::{MASTER_KEY_FILE, TOKEN_KEY_FILE};
use dashboard::Brand;
use model::duration;
use model::node::Role;
use serde::Serialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// What is known of an option.
enum Shown {
    /// Its value, given or by default.
    Value(Value),
    /// What is in force since nothing was given, and would be something else in another place: not
    /// to be written down as if it had been chosen.
    Derived(Value),
    /// What is in force depends on what only a running server knows.
    Depends(&'static str),
    /// Nothing is in force.
    Unset,
}

type Entry = (&'static str, Shown);

/// Every option with what is in force.
fn entries(config: &Checked) -> Vec<Entry> {
    let mut entries = places(config);
    entries.extend(destinations(config));
    entries.extend(identity(config.oidc.as_ref()));
    entries.extend(deliveries(config));
    entries.extend(limits(config));
    entries
}

fn places(config: &Checked) -> Vec<Entry> {
    let public_url = match &config.app.public_url {
        Some(url) => value(url),
        None => Shown::Derived(json!(config.public_url_or(config.listen))),
    };
    let log_format = match config.log_format {
        Some(LogFormat::Json) => value("json"),
        Some(LogFormat::Text) => value("text"),
        None => Shown::Depends("text on a terminal, json otherwise"),
    };
    let database = config.database.as_ref();
    let url = database.map(|database| &database.url);
    let direct_url = database.and_then(|database| database.direct_url.as_ref());
    let shown = |url: &DatabaseUrl| json!(url.shown());
    let own =
        |address: Option<SocketAddr>| given(address.map(|address| json!(address.to_string())));
    let proxies = config.trusted_proxies.iter();
    let proxies: Vec<_> = proxies.map(ToString::to_string).collect();
    let tls = config.tls.as_ref();
    let roles: Vec<_> = config.roles.iter().map(Role::word).collect();
    let mut entries = vec![
        ("listen", value(config.listen.to_string())),
        ("ingest_listen", own(config.ingest_listen)),
        ("admin_listen", own(config.admin_listen)),
        ("metrics_listen", own(config.metrics_listen)),
        ("trusted_proxy", value(proxies)),
        ("data_dir", path_of(&config.data_dir)),
        ("database_url", given(url.map(shown))),
        ("database_direct_url", given(direct_url.map(shown))),
        ("role", value(roles)),
        ("public_url", public_url),
        (
            "tls_cert",
            tls.map_or(Shown::Unset, |tls| path_of(&tls.certificate)),
        ),
        ("tls_key", tls.map_or(Shown::Unset, |tls| path_of(&tls.key))),
    ];
    entries.extend(portal(&config.portal));
    entries.extend(keys(config));
    entries.extend([
        ("body_timeout", length(config.body_timeout)),
        ("drain_timeout", length(config.drain_timeout)),
        ("log", value(&config.log)),
        ("log_format", log_format),
    ]);
    entries
}

fn portal(portal: &Portal) -> Vec<Entry> {
    let Brand { name, colours, .. } = &portal.brand;
    let colours = colours.as_ref().map(|(light, dark)| json!([light, dark]));
    let logo = portal.logo.as_deref();
    vec![
        ("portal_name", value(name)),
        ("portal_colours", given(colours)),
        ("portal_logo", logo.map_or(Shown::Unset, path_of)),
        ("portal_frame_ancestors", value(&portal.frame_ancestors)),
    ]
}

/// Of each key the place that it comes from. Texts are masked.
fn keys(config: &Checked) -> Vec<Entry> {
    let masked = |key: &Given| given(key.text.as_ref().map(|_| json!("***")));
    let file = |key: &Given, name: Option<&str>| match (&key.file, name) {
        (Some(path), _) => path_of(path),
        (None, Some(name)) if !key.is_given() => {
            Shown::Derived(json!(config.data_dir.join(name).to_string_lossy()))
        }
        _ => Shown::Unset,
    };
    let command = |key: &Given| given(key.command.as_ref().map(|text| json!(text)));
    let KeyChoice {
        master,
        previous,
        token,
        smtp_password,
        oidc_client_secret,
    } = &config.keys;
    vec![
        ("master_key", masked(master)),
        ("master_key_file", file(master, Some(MASTER_KEY_FILE))),
        ("master_key_command", command(master)),
        ("previous_master_key", masked(previous)),
        ("previous_master_key_file", file(previous, None)),
        ("previous_master_key_command", command(previous)),
        ("token_key", masked(token)),
        ("token_key_file", file(token, Some(TOKEN_KEY_FILE))),
        ("smtp_password", masked(smtp_password)),
        ("smtp_password_file", file(smtp_password, None)),
        ("oidc_client_secret", masked(oidc_client_secret)),
        ("oidc_client_secret_file", file(oidc_client_secret, None)),
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
    let proxy = proxy.map(|(_, url)| json!(without_credentials(url)));
    let roots = config.trusted_roots.as_ref();
    let mail = config.mail.as_ref();
    let otlp = config.otlp.as_ref();
    vec![
        ("allow_http", value(config.policy.allow_http)),
        ("allow_destination", value(rules)),
        ("dev", value(config.dev)),
        ("egress_proxy", given(proxy)),
        (
            "trusted_roots",
            roots.map_or(Shown::Unset, |path| path_of(path)),
        ),
        ("smtp_url", given(mail.map(|mail| json!(mail.url)))),
        (
            "smtp_from",
            given(mail.map(|mail| json!(mail.from.as_str()))),
        ),
        (
            "smtp_insecure",
            value(mail.is_some_and(|mail| mail.insecure)),
        ),
        (
            "otlp_endpoint",
            given(otlp.map(|otlp| json!(without_credentials(&otlp.endpoint)))),
        ),
        ("otlp_traces", value(otlp.map_or(0.0, |otlp| otlp.traces))),
    ]
}

/// Of the identity provider.
fn identity(oidc: Option<&Oidc>) -> Vec<Entry> {
    let text = |text: Option<&str>| given(text.map(|text| json!(text)));
    let scopes = oidc.map(|oidc| json!(oidc.scopes));
    let hosts = oidc.map(|oidc| json!(oidc.hosts));
    vec![
        ("oidc_issuer", text(oidc.map(|oidc| oidc.issuer.as_str()))),
        (
            "oidc_client_id",
            text(oidc.map(|oidc| oidc.client_id.as_str())),
        ),
        ("oidc_scope", given(scopes)),
        ("oidc_host", given(hosts)),
        (
            "oidc_redirect_url",
            text(oidc.and_then(|oidc| oidc.redirect_url.as_deref())),
        ),
    ]
}

fn deliveries(config: &Checked) -> Vec<Entry> {
    let signature = match config.app.default_signature {
        app::DefaultSignature::Hmac => "hmac",
        app::DefaultSignature::Ed25519 => "ed25519",
    };
    vec![
        ("retry_schedule", value(&config.retry_waits)),
        ("connect_timeout", length(config.connect_timeout)),
        ("request_timeout", length(config.request_timeout)),
        ("disable_after", length(config.disable_after)),
        (
            "attempts_in_flight_max",
            value(config.attempts_in_flight_max),
        ),
        ("attempts_per_host_max", value(config.attempts_per_host_max)),
        ("header_family", value(config.header_family.to_string())),
        ("default_signature", value(signature)),
    ]
}

fn limits(config: &Checked) -> Vec<Entry> {
    let app = &config.app;
    let checkpoints = config.audit.checkpoint_file.as_ref();
    vec![
        ("encrypt_payloads", value(app.encrypt_payloads)),
        ("retention", length(app.retention)),
        ("audit_retention", length(config.audit.retention)),
        (
            "audit_checkpoint_file",
            checkpoints.map_or(Shown::Unset, |path| path_of(path)),
        ),
        ("payload_bytes_max", value(app.payload_bytes_max)),
        ("endpoints_max", value(app.endpoints_max)),
        ("batch_messages_max", value(app.batch_messages_max)),
        ("deliveries_max", value(app.deliveries_max)),
        (
            "requests_per_second_max",
            given(app.requests_per_second_max.map(|most| json!(most))),
        ),
        ("accept_foreign_tokens", value(config.accept_foreign_tokens)),
        ("organisation", value(&config.organisation)),
    ]
}

fn value(value: impl Serialize) -> Shown {
    Shown::Value(json!(value))
}

fn given(value: Option<Value>) -> Shown {
    value.map_or(Shown::Unset, Shown::Value)
}

fn path_of(path: &Path) -> Shown {
    value(path.to_string_lossy())
}

fn length(duration: Duration) -> Shown {
    value(duration::write(duration))
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
        let map = entries.into_iter().map(|(name, shown)| match shown {
            Shown::Value(value) | Shown::Derived(value) => (name.to_owned(), value),
            Shown::Depends(_) | Shown::Unset => (name.to_owned(), Value::Null),
        });
        let map = map.chain(tables(config));
        return Value::Object(map.collect()).to_string();
    }
    let lines = entries.into_iter().map(|(name, shown)| match shown {
        Shown::Value(value) => format!("{name} = {value}\n"),
        Shown::Derived(value) => format!("# {name} is not set: {value}\n"),
        Shown::Depends(words) => format!("# {name} is not set: {words}\n"),
        Shown::Unset => format!("# {name} is not set\n"),
    });
    let options = lines.collect::<String>();
    let tables: serde_json::Map<_, _> = tables(config).collect();
    let tables = toml::to_string(&tables).unwrap_or_default();
    format!("{options}\n{}", tables.trim_end())
}

/// What is more than options.
fn tables(config: &Checked) -> impl Iterator<Item = (String, Value)> {
    let detection = Value::Object(config.detection.shown());
    let oidc = config.oidc.as_ref();
    let roles = oidc.map(|oidc| (oidc::KEY.to_owned(), Value::Object(oidc.shown())));
    std::iter::once((detection::KEY.to_owned(), detection)).chain(roles)
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::*;

    fn checked() -> Checked {
        let options = Options {
            egress_proxy: Some("http://user:sesame@proxy.example.com:3128".into()),
            database_url: Some("postgres://user:sesame@db.example.com/postrider".into()),
            database_direct_url: Some("postgres://db.example.com/?password=sesame".into()),
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
        let url = "postgres://user:***@db.example.com/postrider";
        assert_eq!(options.database_url.as_deref(), Some(url));
    }

    #[test]
    fn what_is_in_force_by_default_is_said_without_being_chosen() {
        let options = Options {
            listen: Some("127.0.0.1:9".into()),
            data_dir: Some("d".into()),
            ..Options::default()
        };
        let mut keys = KeyChoice::default();
        keys.token.text = Some("sesame".to_owned().into());
        let config = Checked::new(options, keys).unwrap();
        let text = print(&config, false);
        for line in [
            "# public_url is not set: \"http://127.0.0.1:9\"",
            "# master_key_file is not set: \"d/master.key\"",
            "# token_key_file is not set",
            "# log_format is not set: text on a terminal, json otherwise",
            "# trusted_roots is not set",
        ] {
            assert!(text.lines().any(|one| one == line), "no {line} in {text}");
        }
        let json: Value = serde_json::from_str(&print(&config, true)).unwrap();
        assert_eq!(json["public_url"], "http://127.0.0.1:9");
        assert_eq!(json["token_key_file"], Value::Null);
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
                Shown::Value(Value::String(text)) => text,
                Shown::Value(Value::Array(list)) if !list.is_empty() => {
                    let list: Vec<_> = list.iter().map(Value::to_string).collect();
                    list.join(",").replace('"', "")
                }
                Shown::Value(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
                _ => continue,
            };
            assert!(
                line.contains(&format!("| `{shown}` |")),
                "{name} is {shown}: {line}"
            );
        }
    }
}
