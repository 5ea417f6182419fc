//! Which flags hold what every user of this machine can read: a secret belongs into a file, or on
//! standard input. It only warns, and repeats nothing of what it found.

use super::super::{Input, escaped};
use crate::cli::{Given, RemoteArgs};
use crate::resources::{Kind, Place};
use serde_json::Value;
use url::Url;

/// What names of headers have that hold secrets.
const SECRET_PARTS: [&str; 6] = ["auth", "token", "key", "secret", "password", "cookie"];
/// Fields of a body that are secrets.
const SECRET_FIELDS: [&str; 2] = ["secret", "key"];

/// The field of a source's body that has all of its secrets.
const CONFIG: &str = "config";
/// What of it holds some.
const SECRET_PARTS_OF_CONFIG: [&str; 6] = [
    "secret",
    "secrets",
    "signature",
    "auth",
    "encryption",
    "verifyToken",
];

/// Says which flags hold a secret, and how else it can be given.
pub(super) fn warn(args: &RemoteArgs) {
    for instead in exposed(args) {
        eprintln!(
            "postrider: whoever uses this machine can read what a flag holds: give {instead}"
        );
    }
}

/// How to give otherwise what a flag should not hold.
fn exposed(args: &RemoteArgs) -> Vec<String> {
    let mut instead = Vec::new();
    for (parameter, given) in &args.given {
        match (parameter.kind, parameter.place, given) {
            (Kind::Headers, _, Given::Words(lines)) => {
                let names = lines.iter().filter_map(|line| line.split_once(':'));
                let names = names.map(|(name, _)| name.trim());
                let secret = names.filter(|name| may_hold_a_secret(name));
                instead.extend(
                    secret.map(|name| format!("`{}` by --header-file FILE", escaped(name))),
                );
            }
            (Kind::Text, Place::Body("url"), Given::Text(url)) if has_password(url) => {
                instead.push("a URL with a password by --body @FILE".to_owned());
            }
            (Kind::Json, Place::Body(CONFIG), Given::Text(text))
                if inline(text).is_some_and(|config| config_holds_a_secret(&config)) =>
            {
                instead.push("a configuration with a secret as --source-config @FILE".to_owned());
            }
            _ => {}
        }
    }
    if let Some(body) = args.body.as_deref().and_then(inline)
        && holds_a_secret(&body)
    {
        instead.push("a body with a secret as --body @FILE, or on standard input, --body -".into());
    }
    instead
}

/// What stands in a flag itself.
fn inline(text: &str) -> Option<Value> {
    match Input::value(text) {
        Input::Text(text) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

fn config_holds_a_secret(config: &Value) -> bool {
    SECRET_PARTS_OF_CONFIG
        .iter()
        .any(|part| !config[part].is_null())
}

fn holds_a_secret(body: &Value) -> bool {
    let mut headers = body["headers"].as_object().into_iter().flatten();
    SECRET_FIELDS.iter().any(|field| body[field].is_string())
        || body["url"].as_str().is_some_and(has_password)
        || config_holds_a_secret(&body[CONFIG])
        || headers.any(|(name, _)| may_hold_a_secret(name))
}

fn has_password(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.password().is_some())
}

fn may_hold_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Asked, Cli, Command};
    use clap::Parser as _;

    #[test]
    fn a_configuration_with_a_secret_belongs_into_a_file() {
        for (flag, expected) in [
            (r#"--source-config={"secret":"sesame"}"#, true),
            (
                r#"--source-config={"auth":{"type":"bearer","token":"sesame"}}"#,
                true,
            ),
            (r#"--source-config={"rateLimit":5}"#, false),
            ("--source-config=@sesame.json", false),
            ("--source-config=-", false),
            ("--secret-file=sesame", false),
        ] {
            let typed = [
                "postrider",
                "source",
                "create",
                "--name=a",
                "--type=stripe",
                flag,
            ];
            let Command::Asked(Asked::Remote(args)) = Cli::try_parse_from(typed).unwrap().command
            else {
                panic!("{flag} asks no server");
            };
            let told = exposed(&args).concat();
            assert_eq!(
                told.contains("--source-config @FILE"),
                expected,
                "{flag}: {told}"
            );
            assert!(!told.contains("sesame"), "{flag}: {told}");
        }
    }

    #[test]
    fn names_that_usually_stand_for_secrets_are_known() {
        for (name, expected) in [
            ("Authorization", true),
            ("x-api-key", true),
            ("X-Auth-Token", true),
            ("Cookie", true),
            ("x-region", false),
            ("accept", false),
        ] {
            assert_eq!(may_hold_a_secret(name), expected, "{name}");
        }
    }

    #[test]
    fn a_flag_with_a_secret_is_told_and_a_file_or_a_flag_without_one_is_not() {
        let url = "--url=https://user:sesame@h";
        for (flag, expected) in [
            (
                "--header=X-Api-Key: sesame",
                Some("`X-Api-Key` by --header-file"),
            ),
            (url, Some("by --body @FILE")),
            (r#"--body={"secret":"sesame"}"#, Some("--body -")),
            (r#"--body={"url":"https://u:sesame@h"}"#, Some("--body -")),
            (
                r#"--body={"headers":{"cookie":"sesame"}}"#,
                Some("--body -"),
            ),
            (
                r#"--body={"config":{"verifyToken":"sesame"}}"#,
                Some("--body -"),
            ),
            ("--body=@sesame.json", None),
            ("--body=-", None),
            (r#"--body={"uid":"key"}"#, None),
            ("--url=https://h", None),
            ("--header=x-region: eu", None),
            ("--secret-file=sesame", None),
        ] {
            let typed = ["postrider", "endpoint", "create", "--app=a", flag];
            let url = ["--url=http://h"].into_iter();
            let url = url.filter(|_| !flag.starts_with("--url"));
            let typed = typed.into_iter().chain(url);
            let Command::Asked(Asked::Remote(args)) = Cli::try_parse_from(typed).unwrap().command
            else {
                panic!("{flag} asks no server");
            };
            let told = exposed(&args);
            assert_eq!(told.len(), usize::from(expected.is_some()), "{flag}");
            let told = told.concat();
            assert!(
                told.contains(expected.unwrap_or_default()),
                "{flag}: {told}"
            );
            assert!(!told.contains("sesame"), "{flag}: {told}");
        }
    }
}
