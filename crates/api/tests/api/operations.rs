//! Every operation that the API serves, as it is declared beside its handler: what is made in
//! another way than by such a declaration fails a claim.

use crate::call::Answer;
use crate::world::World;
use api::{Access, MethodName};
use model::api_key::Right;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where routes are made that are no operations: what declares them, and what is said of them.
const NO_OPERATIONS: [&str; 4] = ["operation.rs", "openapi.rs", "reference.rs", "metrics.rs"];

/// An operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// The path behind `/api/v1`, where it is there; its open parts in braces.
    pub(crate) template: &'static str,
    pub(crate) who: Who,
    pub(crate) built: bool,
    /// What it is called.
    pub(crate) id: &'static str,
    /// The noun that a scope names for it.
    pub(crate) noun: &'static str,
    /// Whether it only looks.
    pub(crate) reads: bool,
}

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anybody,
    Organisation,
    /// The organisation, and an application for itself.
    Application,
}

/// All of them.
pub(crate) fn operations() -> Vec<Operation> {
    api::operations().into_iter().map(operation).collect()
}

/// The same, first those that write, then those that read, at last those that delete, what is below
/// before what is above: so that all find what is there.
pub(crate) fn in_order() -> Vec<Operation> {
    let mut operations = operations();
    operations.sort_by_key(|operation| match operation.method {
        "DELETE" => (2, Reverse(operation.template.len())),
        "GET" => (1, Reverse(0)),
        _ => (0, Reverse(0)),
    });
    operations
}

fn operation(declared: api::Operation) -> Operation {
    let need = declared.need;
    Operation {
        method: match declared.method {
            MethodName::Get => "GET",
            MethodName::Post => "POST",
            MethodName::Put => "PUT",
            MethodName::Patch => "PATCH",
            MethodName::Delete => "DELETE",
        },
        template: declared
            .path
            .strip_prefix("/api/v1")
            .unwrap_or(declared.path),
        who: match declared.access {
            Access::Public => Who::Anybody,
            Access::Anybody | Access::Application => Who::Application,
            Access::Organisation => Who::Organisation,
        },
        built: declared.built,
        id: declared.id,
        noun: need.noun,
        reads: need.right == Right::Read,
    }
}

impl Operation {
    /// The parts of its path that are left open.
    pub(crate) fn open_parts(&self) -> Vec<&'static str> {
        let parts = self.template.split('/');
        parts.filter(|part| part.starts_with('{')).collect()
    }

    /// The parameters without which it can't be asked, as a query string: these are looked at
    /// before who asks.
    pub(crate) fn query_needed(&self) -> &'static str {
        match self.id {
            "v1.application.stats.attempts" => {
                "?since=2026-01-01T00:00:00Z&until=2026-01-01T01:00:00Z"
            }
            _ => "",
        }
    }

    /// Passes an orderly answer. 501 is one only where nothing is built.
    #[track_caller]
    pub(crate) fn judge(&self, answer: &Answer) {
        answer.is_orderly();
        assert!(answer.status != 501 || !self.built, "{answer:?}");
    }
}

#[test]
fn every_route_is_made_by_a_declaration() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    look_through(&source);
}

fn look_through(directory: &Path) {
    for entry in fs::read_dir(directory).expect("the source is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            look_through(&path);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a text");
        let code = text.split("\n#[cfg(test)]\nmod tests {").next();
        let code = code.expect("at least one part");
        let name = path.file_name().and_then(|name| name.to_str());
        let other = !name.is_some_and(|name| NO_OPERATIONS.contains(&name));
        for way in [
            ".route(",
            "route_service(",
            "nest_service(",
            "::route(",
            "nest(",
        ] {
            assert!(!other || !code.contains(way), "{path:?}: {way}");
        }
    }
}

/// The methods that are declared for each path.
fn methods() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut methods: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for operation in operations() {
        let of_path = methods.entry(operation.template).or_default();
        assert!(of_path.insert(operation.method), "{operation:?}: twice");
        if operation.method == "GET" {
            of_path.insert("HEAD");
        }
    }
    methods
}

#[tokio::test]
async fn a_method_that_is_not_declared_is_refused_with_those_that_are() {
    let world = World::new();
    let all = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW",
    ];
    for (path, known) in methods() {
        for method in all.iter().filter(|method| !known.contains(*method)) {
            let answer = world.call(method, path).await.is(405);
            if *method != "HEAD" {
                answer.refuses(405, "method_not_allowed");
            }
            let allow = answer.headers["allow"].to_str().expect("a text");
            let allow: BTreeSet<_> = allow.split(',').map(str::trim).collect();
            assert_eq!(allow, known, "{answer:?}");
        }
    }
}
