//! Words that have no place, or only one: sockets, threads, status codes, sleeps, marks.
//!
//! [`WORDS`] is the whole list of what is looked for in code, as sequences of tokens. Comments
//! and literals may name anything; [`check_text`] reads them too, for the few things that no
//! file at all may hold.

use super::Finding;
use super::lexer::{Token, is_word};
use super::source::Source;

/// Where a word is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Everywhere,
    OutsideTests,
    InTests,
}

/// Sequences of tokens that only some rooms may hold.
struct Word {
    rule: &'static str,
    scope: Scope,
    /// Tokens are divided by spaces.
    sequences: &'static [&'static str],
    /// Beginnings of paths where the word is at home.
    homes: &'static [&'static str],
    instead: &'static str,
}

const WORDS: &[Word] = &[
    Word {
        rule: "socket",
        scope: Scope::OutsideTests,
        sequences: &[
            "TcpStream :: connect",
            "TcpStream as",
            "UnixStream :: connect",
            "UnixStream as",
            "TcpSocket",
            "UdpSocket",
            "UnixDatagram",
            "HttpConnector",
            "ToSocketAddrs",
            "lookup_host",
            "to_socket_addrs",
        ],
        homes: &[
            "crates/transport/src/dial.rs",
            "crates/bench/src/dial.rs", // to what whoever runs the bench names, and nowhere else
            "crates/postrider/src/demo/attack/gateway.rs", // the attacker, to the demo's own gateway
        ],
        instead: "only transport's dial.rs opens connections, to checked addresses: ask that room",
    },
    Word {
        rule: "listener",
        scope: Scope::OutsideTests,
        sequences: &["TcpListener", "UnixListener"],
        homes: &[
            "crates/postrider/",
            "crates/api/",
            "crates/bench/",
            "crates/webhook/examples/", // whole programs of receivers
        ],
        instead: "only the rooms postrider, api and bench listen",
    },
    Word {
        rule: "thread",
        scope: Scope::OutsideTests,
        sequences: &["thread :: spawn", "thread :: Builder", "thread :: scope"],
        homes: &["crates/postrider/"],
        instead: "only the room postrider starts threads: be driven by a call or a future",
    },
    Word {
        rule: "status",
        scope: Scope::OutsideTests,
        sequences: &["StatusCode"],
        homes: &[
            "crates/api/",
            "crates/dashboard/src/problem.rs", // the pages' only map from refusals
            "crates/ingest/",
            "crates/bench/",
            "crates/transport/",
            "crates/engine/src/verdict",
            "crates/postrider/",
            "crates/webhook/src/layer.rs", // a receiver's own door
            "crates/webhook/examples/",
        ],
        instead: "only the doors and the engine's verdict know status codes: return an error of \
                  your own room",
    },
    Word {
        rule: "sleep",
        scope: Scope::InTests,
        sequences: &["thread :: sleep"],
        homes: &[],
        instead: "wait for a signal, or use a clock of the test's own",
    },
    Word {
        rule: "ignore",
        scope: Scope::Everywhere,
        sequences: &["# [ ignore"],
        homes: &[],
        instead: "a test runs or goes away",
    },
    Word {
        rule: "mark",
        scope: Scope::Everywhere,
        sequences: &["todo !", "unimplemented !"],
        homes: &[],
        instead: "finish it, or return an error that says so",
    },
    Word {
        rule: "unwrap",
        scope: Scope::Everywhere,
        sequences: &["clippy :: unwrap_used"],
        homes: &[],
        instead: "write `expect(\"the invariant\")`, or return the error",
    },
];

/// Looks for [`WORDS`], and for sleeps, in code.
pub(crate) fn check_source(source: &Source) -> Vec<Finding> {
    let tokens = source.tokens();
    let mut findings = Vec::new();
    for word in WORDS {
        if word.homes.iter().any(|home| source.path.starts_with(home)) {
            continue;
        }
        for sequence in word.sequences {
            let at = occurrences(&tokens, sequence).filter(|token| match word.scope {
                Scope::Everywhere => true,
                Scope::OutsideTests => !source.is_test(token.line),
                Scope::InTests => source.is_test(token.line),
            });
            let text = format!("`{}`: {}", sequence.replace(' ', ""), word.instead);
            findings.extend(
                at.map(|token| Finding::new(word.rule, &source.path, token.line, text.clone())),
            );
        }
    }
    findings.extend(sleeps(source, &tokens));
    findings
}

fn occurrences<'a>(tokens: &'a [Token<'a>], sequence: &str) -> impl Iterator<Item = Token<'a>> {
    let wanted: Vec<&str> = sequence.split(' ').collect();
    let length = wanted.len();
    let found = move |&at: &usize| {
        tokens[at..at + length]
            .iter()
            .zip(&wanted)
            .all(|(token, &want)| token.text == want)
    };
    (0..(tokens.len() + 1).saturating_sub(length))
        .filter(found)
        .map(|at| tokens[at])
}

/// A call of tokio's `sleep` or `sleep_until` in a test, unless the file's tests run in paused
/// time, where nobody waits. A method of that name is a clock's, and fine.
fn sleeps(source: &Source, tokens: &[Token<'_>]) -> Vec<Finding> {
    let paused = ["start_paused", "time :: pause"];
    if paused
        .iter()
        .any(|sequence| occurrences(tokens, sequence).next().is_some())
    {
        return Vec::new();
    }
    let calls = tokens.windows(3).filter(|three| {
        let [before, name, after] = three else {
            return false;
        };
        let called = matches!(name.text, "sleep" | "sleep_until") && after.text == "(";
        called && !matches!(before.text, "." | "fn") && source.is_test(name.line)
    });
    calls
        .filter(|three| !is_after(tokens, &three[0], "thread"))
        .map(|three| {
            let text = "a sleep in a test: wait for a signal, or run in paused time";
            Finding::new("sleep", &source.path, three[1].line, text)
        })
        .collect()
}

/// Whether `colons`, a `::`, stands after `word`: that one has its own row in [`WORDS`].
fn is_after(tokens: &[Token<'_>], colons: &Token<'_>, word: &str) -> bool {
    let at = tokens.iter().position(|token| std::ptr::eq(token, colons));
    let before = at
        .and_then(|at| at.checked_sub(1))
        .map(|at| tokens[at].text);
    colons.text == "::" && before == Some(word)
}

/// Looks for what no file may hold, in code, comments and documents alike: marks of unfinished
/// work, and paths that exist only on the machine where somebody wrote them.
pub(crate) fn check_text(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let places = [concat!("/wo", "rk/"), concat!("../", "shared")];
    let is_data = path.starts_with("conformance/") || path.ends_with(".json");
    for (index, line) in text.lines().enumerate() {
        for mark in marks
            .iter()
            .filter(|mark| !is_data && holds_word(line, mark))
        {
            let text = format!("the mark {mark}: finish it, or file an issue");
            findings.push(Finding::new("mark", path, index + 1, text));
        }
        for place in places.iter().filter(|place| holds_path(line, place)) {
            if path == ".ci/run" {
                continue; // it alone knows where it runs
            }
            let text =
                format!("`{place}` is outside this repository: say it here, or leave it out");
            findings.push(Finding::new("outside", path, index + 1, text));
        }
    }
    findings
}

fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// Whether a path in `line` begins with `place`; as a part of a longer path it is another one.
fn holds_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        place.starts_with('.') || !before.is_some_and(|c| is_word(c) || "/.-~}".contains(c))
    })
}

#[cfg(test)]
mod tests;
