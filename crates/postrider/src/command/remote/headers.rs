//! An endpoint's headers as they are typed, `NAME: VALUE`, or stand in a file. What they are is not
//! repeated in an error: they may hold secrets, which belong into a file.

use super::super::{Input, escaped};
use crate::cli::Given;
use crate::failure::Failure;
use crate::resources::{Kind, Parameter, Place};
use anyhow::anyhow;
use std::collections::BTreeMap;
use std::path::Path;

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
}
