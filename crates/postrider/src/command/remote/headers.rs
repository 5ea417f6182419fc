//! An endpoint's headers as they are typed, `NAME: VALUE`, or stand in a file. What they are is not
//! repeated in an error: they may hold secrets, which belong into a file.

use super::super::{Input, escaped};
use crate::cli::{Given, RemoteArgs};
use crate::failure::Failure;
use crate::resources::{Kind, Parameter, Place};
use anyhow::anyhow;
use std::collections::BTreeMap;
use std::path::Path;

/// What names of headers have that hold secrets.
const SECRET_PARTS: [&str; 6] = ["auth", "token", "key", "secret", "password", "cookie"];

/// Headers by name; none: to be taken away.
pub(super) type Headers = BTreeMap<String, Option<String>>;

/// All headers that were typed.
pub(super) fn given(given: &[(&'static Parameter, Given)]) -> Result<Headers, Failure> {
    let mut headers = Headers::new();
    for (parameter, given) in given.iter().filter(|(one, _)| one.place == Place::Header) {
        match (given, parameter.kind) {
            (Given::Words(names), Kind::Words) => {
                headers.extend(names.iter().map(|name| (name.clone(), None)));
            }
            (Given::Words(lines), _) => {
                for line in lines {
                    add(&mut headers, line, "--header")?;
                }
            }
            (Given::Text(path), _) => {
                let text = Input::file(Path::new(path)).text()?;
                let lines = text.lines().enumerate();
                for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
                    let place = format!("line {} of {}", number + 1, escaped(path));
                    add(&mut headers, line, &place)?;
                }
            }
            (Given::Number(_) | Given::Bool(_), _) => {}
        }
    }
    Ok(headers)
}

/// Says which flags hold what every user of this machine can read.
pub(super) fn warn(args: &RemoteArgs) {
    let flags = args.given.iter();
    let flags = flags.filter(|(parameter, _)| parameter.kind == Kind::Headers);
    let lines = flags.filter_map(|(_, given)| match given {
        Given::Words(lines) => Some(lines),
        Given::Text(_) | Given::Number(_) | Given::Bool(_) => None,
    });
    for (name, _) in lines.flatten().filter_map(|line| line.split_once(':')) {
        if may_hold_a_secret(name) {
            let name = escaped(name.trim());
            eprintln!(
                "postrider: whoever uses this machine can read what a flag holds: give `{name}` by \
                 --header-file FILE"
            );
        }
    }
}

fn add(headers: &mut Headers, line: &str, place: &str) -> Result<(), Failure> {
    let pair = line.split_once(':');
    let pair = pair.map(|(name, value)| (name.trim(), value.trim()));
    let Some((name, value)) = pair.filter(|(name, _)| !name.is_empty()) else {
        return Err(Failure::Misuse(anyhow!(
            "{place} is no header: write NAME: VALUE"
        )));
    };
    headers.insert(name.to_owned(), Some(value.to_owned()));
    Ok(())
}

fn may_hold_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_a_colon_and_a_value_that_no_error_repeats() {
        let mut headers = Headers::new();
        for line in ["x-a: b:c ", " x-b :", "X-C:d"] {
            add(&mut headers, line, "--header").unwrap();
        }
        let expected = [("X-C", "d"), ("x-a", "b:c"), ("x-b", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        assert_eq!(headers, BTreeMap::from(expected));
        for line in ["sesame", ": sesame", " :sesame"] {
            let Err(Failure::Misuse(error)) = add(&mut headers, line, "line 3 of f") else {
                panic!("{line} is a header");
            };
            let text = error.to_string();
            assert!(
                text.starts_with("line 3") && !text.contains("sesame"),
                "{text}"
            );
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
}
