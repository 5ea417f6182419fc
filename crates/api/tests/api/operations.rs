//! The table of every operation that the API serves. It is held against the routes of the source
//! and the methods that the router answers: what has no row fails a claim.

use crate::call::Answer;
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Who may, the method, the path.
const TABLE: &str = "
    anybody       GET     /health
    anybody       GET     /health/ping
    anybody       POST    /auth/logout (not built)

    organisation  GET     /app
    organisation  POST    /app
    application   GET     /app/{app_id}
    organisation  PUT     /app/{app_id}
    organisation  PATCH   /app/{app_id}
    organisation  DELETE  /app/{app_id}
    organisation  POST    /auth/app-portal-access/{app_id} (not built)
    organisation  POST    /auth/dashboard-access/{app_id} (not built)

    organisation  GET     /node

    application   GET     /event-type
    organisation  POST    /event-type
    application   GET     /event-type/{event_type_name}
    organisation  PUT     /event-type/{event_type_name}
    organisation  PATCH   /event-type/{event_type_name}
    organisation  DELETE  /event-type/{event_type_name}

    application   GET     /app/{app_id}/endpoint
    application   POST    /app/{app_id}/endpoint
    application   GET     /app/{app_id}/endpoint/{endpoint_id}
    application   PUT     /app/{app_id}/endpoint/{endpoint_id}
    application   PATCH   /app/{app_id}/endpoint/{endpoint_id}
    application   DELETE  /app/{app_id}/endpoint/{endpoint_id}
    application   GET     /app/{app_id}/endpoint/{endpoint_id}/headers
    application   PUT     /app/{app_id}/endpoint/{endpoint_id}/headers
    application   PATCH   /app/{app_id}/endpoint/{endpoint_id}/headers
    application   GET     /app/{app_id}/endpoint/{endpoint_id}/msg
    application   POST    /app/{app_id}/endpoint/{endpoint_id}/recover
    application   GET     /app/{app_id}/endpoint/{endpoint_id}/secret
    application   POST    /app/{app_id}/endpoint/{endpoint_id}/secret/rotate
    organisation  POST    /app/{app_id}/endpoint/{endpoint_id}/send-example (not built)
    application   GET     /app/{app_id}/endpoint/{endpoint_id}/stats

    application   GET     /app/{app_id}/msg
    organisation  POST    /app/{app_id}/msg
    application   GET     /app/{app_id}/msg/batch
    organisation  POST    /app/{app_id}/msg/batch
    application   GET     /app/{app_id}/msg/{msg_id}
    organisation  DELETE  /app/{app_id}/msg/{msg_id}/content (not built)
    application   GET     /app/{app_id}/msg/{msg_id}/endpoint

    application   GET     /app/{app_id}/attempt/endpoint/{endpoint_id}
    application   GET     /app/{app_id}/attempt/msg/{msg_id}
    application   GET     /app/{app_id}/msg/{msg_id}/attempt
    application   GET     /app/{app_id}/msg/{msg_id}/attempt/{attempt_id}
    organisation  DELETE  /app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/content (not built)
    application   GET     /app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/attempt
    application   POST    /app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend
";

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// The path, its open parts in braces.
    pub(crate) template: &'static str,
    pub(crate) who: Who,
    pub(crate) built: bool,
}

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anybody,
    Organisation,
    /// The organisation, and an application for itself.
    Application,
}

/// All rows.
pub(crate) fn operations() -> Vec<Operation> {
    let rows = TABLE.lines().map(str::trim);
    rows.filter(|row| !row.is_empty()).map(operation).collect()
}

fn operation(row: &'static str) -> Operation {
    let (row, built) = match row.strip_suffix(" (not built)") {
        Some(row) => (row, false),
        None => (row, true),
    };
    let [who, method, template] = row.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{row}: three columns")
    };
    let who = match who {
        "anybody" => Who::Anybody,
        "organisation" => Who::Organisation,
        "application" => Who::Application,
        other => panic!("{other}: nobody is called so"),
    };
    Operation {
        method,
        template,
        who,
        built,
    }
}

impl Operation {
    /// The parts of its path that are left open.
    pub(crate) fn open_parts(&self) -> Vec<&'static str> {
        let parts = self.template.split('/');
        parts.filter(|part| part.starts_with('{')).collect()
    }

    /// Passes an orderly answer. 501 is one only where nothing is built.
    #[track_caller]
    pub(crate) fn judge(&self, answer: &Answer) {
        answer.is_orderly();
        assert!(answer.status != 501 || !self.built, "{answer:?}");
    }
}

#[test]
fn every_route_has_its_row() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut routes = BTreeSet::new();
    collect_routes(&source, &mut routes);
    let rows = operations().into_iter();
    let rows = rows.map(|row| row.template.to_owned()).collect();
    let odd: Vec<_> = routes.symmetric_difference(&rows).collect();
    assert_eq!(
        odd, [""; 0],
        "a route without a row, or a row without a route"
    );
}

/// The paths of all routes below a directory, as they are written.
fn collect_routes(directory: &Path, routes: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("the source is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_routes(&path, routes);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a text");
        let code = text.split("\n#[cfg(test)]\nmod tests {").next();
        let code = code.expect("at least one part");
        for other_way in ["route_service(", "nest_service(", "::route(", "nest("] {
            assert!(!code.contains(other_way), "{path:?}: {other_way}");
        }
        for route in code.split(".route(").skip(1) {
            let literal = route.trim_start().strip_prefix('"');
            let literal = literal.and_then(|rest| rest.split('"').next());
            let path = literal.and_then(|path| path.strip_prefix("/api/v1"));
            routes.insert(path.expect("a path is written out").to_owned());
        }
    }
}

/// The methods that the table has for each path.
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
async fn a_method_that_is_in_no_row_is_refused_with_those_that_are() {
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
