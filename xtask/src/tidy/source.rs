//! One `.rs` file as the rules see it: its lines, its functions, and which lines are tests.
//!
//! Tests are: everything in the package `tests`, in folders and files named `tests`, in items
//! under `#[cfg(test)]`, and in the files of modules that are declared so.

use super::functions::{self, Function};
use super::lexer::{self, Line, Token};

/// One `.rs` file, read once.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the workspace's root, with `/`.
    pub(crate) path: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) functions: Vec<Function>,
    /// Modules that live in files of their own, `mod name;`.
    pub(crate) modules: Vec<Module>,
    test_lines: Vec<bool>,
}

/// A declaration `mod name;`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) test: bool,
}

impl Source {
    /// Reads `text`. Whether another file declares it as a test module is not known yet:
    /// [`mark_test_modules`] tells it.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let lines = lexer::lines(text);
        let tokens = lexer::tokens(&lines);
        let functions = functions::find(&tokens);
        let mut test_lines = vec![is_test_path(path); lines.len()];
        for (first, last) in test_items(&tokens) {
            test_lines[first - 1..last].fill(true);
        }
        let modules = module_files(&tokens, &test_lines);
        Self {
            path: path.to_owned(),
            functions,
            modules,
            test_lines,
            lines,
        }
    }

    pub(crate) fn tokens(&self) -> Vec<Token<'_>> {
        lexer::tokens(&self.lines)
    }

    /// Whether `line`, counted from 1, is compiled for tests only.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.test_lines.get(line - 1).copied().unwrap_or(false)
    }

    /// The folder that holds the files of this file's modules.
    pub(crate) fn module_folder(&self) -> &str {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        match stem.rsplit_once('/') {
            Some((folder, "lib" | "main" | "mod")) => folder,
            _ => stem,
        }
    }

    /// The file's name without `.rs`.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.strip_suffix(".rs").unwrap_or(name)
    }
}

/// Marks the files of modules that are declared under `#[cfg(test)]`, and of modules in those.
pub(crate) fn mark_test_modules(sources: &mut [Source]) {
    let roots: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            let tests = source.modules.iter().filter(|module| module.test);
            tests.map(|module| format!("{}/{}", source.module_folder(), module.name))
        })
        .collect();
    for source in sources {
        let is_root = |root: &String| match source.path.strip_prefix(root.as_str()) {
            Some(rest) => rest == ".rs" || rest.starts_with('/'),
            None => false,
        };
        if roots.iter().any(is_root) {
            source.test_lines.fill(true);
        }
    }
}

fn is_test_path(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/benches/")
}

/// First and last line of every item under `#[cfg(test)]`, or under a `cfg` that begins with
/// `any(test` or `all(test`.
fn test_items(tokens: &[Token<'_>]) -> Vec<(usize, usize)> {
    let mut items = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.text != "#" {
            continue;
        }
        let after: Vec<&str> = tokens[at + 1..].iter().take(6).map(|t| t.text).collect();
        match after[..] {
            ["!", "[", "cfg", "(", "test", ..] => {
                items.push((1, tokens.last().map_or(1, |last| last.line)));
            }
            ["[", "cfg", "(", "test", ")", ..]
            | ["[", "cfg", "(", "any" | "all", "(", "test", ..] => {
                items.push((token.line, item_end(tokens, at)));
            }
            _ => {}
        }
    }
    items
}

/// The last line of the item whose attributes begin at `at`.
fn item_end(tokens: &[Token<'_>], at: usize) -> usize {
    let mut at = at;
    while tokens.get(at).is_some_and(|token| token.text == "#") {
        at = functions::closing(tokens, at + 1) + 1;
    }
    let end = functions::body_or_semicolon(tokens, at);
    tokens[end.min(tokens.len() - 1)].line
}

fn module_files(tokens: &[Token<'_>], test_lines: &[bool]) -> Vec<Module> {
    let declared = tokens
        .windows(3)
        .filter(|three| three[0].text == "mod" && three[2].text == ";");
    declared
        .map(|three| Module {
            name: three[1].text.to_owned(),
            test: test_lines[three[1].line - 1],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_lines(path: &str, text: &str) -> Vec<usize> {
        let source = Source::read(path, text);
        (1..=source.lines.len())
            .filter(|&line| source.is_test(line))
            .collect()
    }

    #[test]
    fn items_under_cfg_test_are_tests() {
        let text = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod b {\n  fn c() {}\n}\nfn d() {}\n";
        assert_eq!(test_lines("crates/x/src/lib.rs", text), [2, 3, 4, 5, 6]);
        let text = "#[cfg(test)]\nfn a(x: [u8; 3]) -> [u8; 3] {\n x\n}\nfn b() {}\n";
        assert_eq!(test_lines("crates/x/src/lib.rs", text), [1, 2, 3, 4]);
        let text = "#[cfg(test)]\nuse a::b;\nfn b() {}\n";
        assert_eq!(test_lines("crates/x/src/lib.rs", text), [1, 2]);
    }

    #[test]
    fn other_conditions_are_not_tests() {
        let text = "#[cfg(unix)]\nfn a() {}\n#[cfg(not(test))]\nfn b() {}\n";
        assert_eq!(test_lines("crates/x/src/lib.rs", text), [] as [usize; 0]);
    }

    #[test]
    fn test_folders_and_files_are_tests() {
        for path in [
            "tests/src/lib.rs",
            "crates/x/tests/a.rs",
            "crates/x/src/a/tests.rs",
        ] {
            assert_eq!(test_lines(path, "fn a() {}\n"), [1], "{path}");
        }
        assert_eq!(
            test_lines("crates/x/src/attests.rs", "fn a() {}\n"),
            [] as [usize; 0]
        );
    }

    #[test]
    fn files_of_test_modules_are_tests() {
        let mut sources = vec![
            Source::read("crates/x/src/lib.rs", "mod a;\n#[cfg(test)]\nmod fakes;\n"),
            Source::read("crates/x/src/a.rs", "fn a() {}\n"),
            Source::read("crates/x/src/fakes.rs", "mod clock;\n"),
            Source::read("crates/x/src/fakes/clock.rs", "fn b() {}\n"),
            Source::read("crates/x/src/fakes_not.rs", "fn b() {}\n"),
        ];
        mark_test_modules(&mut sources);
        let marked: Vec<bool> = sources.iter().map(|source| source.is_test(1)).collect();
        assert_eq!(marked, [false, false, true, true, false]);
    }

    #[test]
    fn a_modules_files_lie_in_the_folder_of_its_name() {
        for (path, folder) in [
            ("crates/x/src/lib.rs", "crates/x/src"),
            ("crates/x/src/a.rs", "crates/x/src/a"),
            ("crates/x/src/a/mod.rs", "crates/x/src/a"),
        ] {
            assert_eq!(Source::read(path, "").module_folder(), folder);
        }
    }
}
