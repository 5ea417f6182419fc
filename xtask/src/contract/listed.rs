//! The differences that are on purpose, each with its reason.

use anyhow::Context as _;
use serde::Deserialize;
use std::path::Path;

/// See the file's head.
pub(super) struct Listed {
    differences: Vec<(Difference, bool)>,
}

/// One entry. A star stands for whatever text, so that one entry may speak of many operations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    finding: String,
    #[allow(dead_code, reason = "it is for people, but it must be there")]
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    difference: Vec<Difference>,
}

impl Listed {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} can't be read", path.display()))?;
        let file: File = toml::from_str(&text)?;
        let unseen = file.difference.into_iter().map(|one| (one, false));
        Ok(Self {
            differences: unseen.collect(),
        })
    }

    /// Whether it is on purpose.
    pub(super) fn has(&mut self, finding: &str) -> bool {
        let mut listed = false;
        for (difference, seen) in &mut self.differences {
            if matches(&difference.finding, finding) {
                *seen = true;
                listed = true;
            }
        }
        listed
    }

    /// Entries that are no difference.
    pub(super) fn unused(self) -> impl Iterator<Item = String> {
        let unseen = self.differences.into_iter().filter(|(_, seen)| !seen);
        unseen.map(|(difference, _)| format!("listed, but not so: {}", difference.finding))
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            let Some(text) = text.strip_prefix(start) else {
                return false;
            };
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| matches(rest, &text[at..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("a: b", "a: b", true),
            ("a: b", "a: bc", false),
            ("*: b", "x y: b", true),
            ("*b", "ab", true),
            ("a*c*", "abbcd", true),
            ("a*c", "abd", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
