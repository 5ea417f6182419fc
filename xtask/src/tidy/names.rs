//! Names and heads: every file says what it is, and no name is a bag for anything.
//!
//! A file that no `mod` line reaches is dead: it looks like code, and the compiler never saw it.

use std::collections::BTreeSet;

use super::Finding;
use super::source::Source;

/// Names that say nothing of what is inside.
const BAGS: [&str; 8] = [
    "utils", "util", "common", "helpers", "helper", "types", "manager", "misc",
];

/// Parts that make a bag of any name. `types` is none: `event_types` is a word of the field.
const BAG_PARTS: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "manager"];

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let path = &source.path;
    let mut findings = Vec::new();

    if !source
        .lines
        .first()
        .is_some_and(|line| line.raw.starts_with("//! "))
    {
        let text = "no head: begin with `//! ` and one sentence that says what this file is";
        findings.push(Finding::new("head", path, 1, text));
    }
    if let Some(bag) = path
        .trim_end_matches(".rs")
        .split('/')
        .find(|part| is_bag(part))
    {
        let text = format!("`{bag}` says nothing: name the file after what it holds or does");
        findings.push(Finding::new("file-name", path, 1, text));
    }
    for function in source
        .functions
        .iter()
        .filter(|f| f.name.ends_with("_inner"))
    {
        let text = format!(
            "fn {} has no name of its own: say what it does",
            function.name
        );
        findings.push(Finding::new("inner", path, function.line, text));
    }
    findings
}

fn is_bag(part: &str) -> bool {
    BAGS.contains(&part) || part.split(['_', '-']).any(|word| BAG_PARTS.contains(&word))
}

/// Finds files under a `src` folder that no other file declares as a module.
pub(crate) fn check_dead_files(sources: &[Source]) -> Vec<Finding> {
    let declared: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| {
            let modules = source.modules.iter();
            modules.map(|module| format!("{}/{}", source.module_folder(), module.name))
        })
        .collect();
    let dead = sources.iter().filter_map(|source| {
        let module = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let is_root = matches!(source.stem(), "lib" | "main") || source.path.contains("/bin/");
        let dead = source.path.contains("/src/") && !is_root && !declared.contains(module);
        dead.then(|| (source, module.rsplit('/').next().unwrap_or(module)))
    });
    dead.map(|(source, name)| {
        let text = format!("no `mod {name};` reaches this file: declare it or delete it");
        Finding::new("dead-file", &source.path, 1, text)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&Source::read(path, text))
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn a_file_begins_with_its_head() {
        assert_eq!(
            rules("crates/x/src/a.rs", "//! What it is.\n"),
            [] as [&str; 0]
        );
        assert_eq!(rules("crates/x/src/a.rs", "// What it is.\n"), ["head"]);
        assert_eq!(
            rules("crates/x/src/a.rs", "use a;\n//! What it is.\n"),
            ["head"]
        );
        assert_eq!(rules("crates/x/src/a.rs", ""), ["head"]);
    }

    #[test]
    fn bags_are_refused_as_names() {
        for path in [
            "src/utils.rs",
            "tests/common/mod.rs",
            "src/types.rs",
            "src/lane_manager.rs",
        ] {
            assert_eq!(rules(path, "//! A.\n"), ["file-name"], "{path}");
        }
        for path in ["src/event_types.rs", "src/lane.rs", "src/commons.rs"] {
            assert_eq!(rules(path, "//! A.\n"), [] as [&str; 0], "{path}");
        }
    }

    #[test]
    fn inner_functions_are_refused() {
        assert_eq!(rules("src/a.rs", "//! A.\nfn send_inner() {}\n"), ["inner"]);
        assert_eq!(
            rules("src/a.rs", "//! A.\nfn inner() {}\n"),
            [] as [&str; 0]
        );
    }

    #[test]
    fn files_that_no_module_reaches_are_dead() {
        let sources = [
            Source::read("crates/x/src/lib.rs", "mod a;\nmod b;\n"),
            Source::read("crates/x/src/a.rs", "pub(crate) mod c;\n"),
            Source::read("crates/x/src/a/c.rs", ""),
            Source::read("crates/x/src/a/d.rs", ""),
            Source::read("crates/x/src/b/mod.rs", ""),
            Source::read("crates/x/src/bin/tool.rs", ""),
            Source::read("crates/x/tests/story.rs", ""),
        ];
        let findings = check_dead_files(&sources);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].path, "crates/x/src/a/d.rs");
    }
}
