//! Names of code in documents: what a page points at must exist.
//!
//! The one notation is `crates/engine/src/attempt.rs::run_attempt`: a file from the root, `::`,
//! and an item that this file declares. It is checked in every Markdown page, in prose and in
//! charts. The page [`LIFE`] is made of such names: there every code span with `::` must be
//! one, and at least one must be there.

use super::Finding;
use super::lexer::is_word;
use super::source::Source;

/// The page that shows the way of a message by function names.
const LIFE: &str = "docs/life-of-a-message.md";

/// What may stand before a name that a file declares, or implements.
const KINDS: [&str; 10] = [
    "fn", "struct", "enum", "trait", "type", "const", "static", "mod", "impl", "for",
];

pub(crate) fn check(path: &str, text: &str, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut names = 0_usize;
    for (index, line) in text.lines().enumerate() {
        for (file, item) in code_names(line) {
            names += 1;
            if let Err(text) = check_item(&file, item, sources) {
                findings.push(Finding::new("page", path, index + 1, text));
            }
        }
        if path == LIFE {
            for span in spans(line).filter(|span| span.contains("::") && !span.contains(".rs::")) {
                let text = format!("`{span}`: write it as `path/to/file.rs::function`");
                findings.push(Finding::new("page", path, index + 1, text));
            }
        }
    }
    if path == LIFE && names == 0 {
        let text = "names no function as `path/to/file.rs::function`: nothing could be checked";
        findings.push(Finding::new("page", path, 1, text));
    }
    findings
}

/// File and item of each `file.rs::item` in `line`; `path/to/` stands for any path.
fn code_names(line: &str) -> impl Iterator<Item = (String, &str)> {
    let words = line.split(|c: char| !is_word(c) && !"./:-".contains(c));
    words.filter_map(|word| {
        let (file, item) = word.split_once(".rs::")?;
        let item = item.trim_end_matches(['.', ':', '-', '/']);
        (!file.starts_with("path/to/")).then(|| (format!("{file}.rs"), item))
    })
}

/// What stands between backticks in `line`.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn check_item(file: &str, item: &str, sources: &[Source]) -> Result<(), String> {
    let Some(source) = sources.iter().find(|source| source.path == file) else {
        return Err(format!(
            "`{file}` does not exist: name the file where `{item}` is now"
        ));
    };
    let tokens = source.tokens();
    for name in item.split("::") {
        let declares = tokens
            .windows(2)
            .any(|pair| KINDS.contains(&pair[0].text) && pair[1].text == name);
        if !declares {
            return Err(format!(
                "`{file}` declares no `{name}`: write the name it has today"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(path: &str, page: &str) -> Vec<String> {
        let code = "pub struct Lane;\nimpl Lane {\n  pub fn grow(&self) {}\n}\n// fn gone() {}\n";
        let sources = [Source::read("crates/engine/src/lane.rs", code)];
        check(path, page, &sources)
            .into_iter()
            .map(|finding| finding.to_string())
            .collect()
    }

    #[test]
    fn names_that_exist_are_fine() {
        for page in [
            "`crates/engine/src/lane.rs::grow`",
            "`crates/engine/src/lane.rs::grow()`.",
            "`crates/engine/src/lane.rs::Lane::grow`",
            "a[crates/engine/src/lane.rs::grow] --> b",
            "Then crates/engine/src/lane.rs::Lane.",
        ] {
            assert_eq!(texts(LIFE, page), [""; 0], "{page}");
        }
    }

    #[test]
    fn names_that_are_gone_are_found() {
        for page in [
            "`crates/engine/src/lane.rs::gone`",
            "`crates/engine/src/lane.rs::Lane::gone`",
            "`crates/engine/src/road.rs::grow`",
            "a[crates/engine/src/lane.rs::gone] --> b",
        ] {
            assert_eq!(texts(LIFE, page).len(), 1, "{page}");
            assert_eq!(texts("ARCHITECTURE.md", page).len(), 1, "{page}");
        }
        assert_eq!(
            texts("docs/a.md", "one\n`crates/engine/src/lane.rs::gone`"),
            [
                "docs/a.md:2: `crates/engine/src/lane.rs` declares no `gone`: \
              write the name it has today [page]"
            ]
        );
    }

    #[test]
    fn the_life_of_a_message_uses_the_one_notation() {
        let good = "`crates/engine/src/lane.rs::grow`";
        assert_eq!(
            texts(LIFE, &format!("{good} and `engine::lane::grow`")).len(),
            1
        );
        assert_eq!(texts("docs/a.md", "`engine::lane::grow`"), [""; 0]);
    }

    #[test]
    fn a_life_of_a_message_without_names_is_found() {
        assert_eq!(texts(LIFE, "# The way of a message\n").len(), 1);
        assert_eq!(texts("docs/a.md", "# Another page\n"), [""; 0]);
    }
}
