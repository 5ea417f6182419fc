//! Operations of the contract that are not built: each says so to whoever may know. `not_built.txt`
//! has them, one a line: the method, the path, and the name.

use crate::authentication::Authenticated;
use crate::operation::{MethodName, Routes, organisation};
use crate::problem::Problem;
use crate::render::not_built;

const OPERATIONS: &str = include_str!("not_built.txt");
/// The one of them that would show a token.
const SHOWS_A_TOKEN: &str = "v1.authentication.get-poller-token";

pub(crate) fn routes() -> Routes {
    let mut routes = Routes::default();
    for (method, path, id) in OPERATIONS.lines().filter_map(parts) {
        let named = match organisation(id, "") {
            named if id == SHOWS_A_TOKEN => named.shows_a_secret(),
            named => named,
        };
        routes = routes.and_at(path).not_built(method, named, refused);
    }
    routes
}

fn parts(line: &'static str) -> Option<(MethodName, &'static str, &'static str)> {
    let (method, rest) = line.split_once(' ')?;
    let (path, id) = rest.split_once(' ')?;
    let method = match method {
        "GET" => MethodName::Get,
        "POST" => MethodName::Post,
        "PUT" => MethodName::Put,
        "PATCH" => MethodName::Patch,
        "DELETE" => MethodName::Delete,
        _ => return None,
    };
    Some((method, path, id))
}

async fn refused(Authenticated(caller): Authenticated) -> Problem {
    match caller.require_organisation() {
        Ok(()) => not_built().into(),
        Err(refused) => refused.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_an_operation() {
        for line in OPERATIONS.lines() {
            assert!(parts(line).is_some(), "{line}");
        }
    }
}
