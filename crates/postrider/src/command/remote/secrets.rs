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
            _ => {}
        }
    }
    if let Some(Input::Text(body)) = args.body.as_deref().map(Input::value)
        && holds_a_secret(&body)
    {
        instead.push("a body with a secret as --body @FILE, or on standard input, --body -".into());
    }
    instead
}

fn holds_a_secret(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let mut headers = body["headers"].as_object().into_iter().flatten();
    SECRET_FIELDS.iter().any(|field| body[field].is_string())
        || body["url"].as_str().is_some_and(has_password)
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
    use crate::cli::{Cli, Command};
    use clap::Parser as _;

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
            let Command::Remote(args) = Cli::try_parse_from(typed).unwrap().command else {
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
