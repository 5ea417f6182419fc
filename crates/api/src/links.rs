//! Links between operations: what one answers names what others take. They follow from the paths:
//! what is made at `/app` is what is open in `/app/{app_id}`; and where nothing is made by a
//! request, it is the first item of a list there.

use crate::openapi::open_parts;
use crate::operation::{MethodName, Operation};
use serde_json::{Map, Value, json};

/// Which field of an answer names a thing, where it isn't its `id`.
const NAMED_BY: [(&str, &str); 1] = [("event_type_name", "name")];

/// What is named by an answer to something else: the operation, the open part, and where it is.
const ELSEWHERE: [(&str, &str, &str); 1] = [("v1.authentication.whoami", "env_id", "/envId")];

/// The links of an operation's answers to these others.
pub(crate) fn links(operation: &Operation, others: &[Operation]) -> Map<String, Value> {
    let Some(named) = Named::by(operation, others) else {
        return Map::new();
    };
    let followed = others.iter().filter(|other| named.leads_to(other));
    let link = |other: &Operation| (other.id.to_owned(), named.link(other));
    followed.map(link).collect()
}

/// A thing that an answer names.
struct Named<'a> {
    /// Who answers.
    operation: &'a Operation,
    /// The open part of a path that it is the name for.
    part: &'static str,
    /// Where it is in the answer.
    pointer: String,
}

impl<'a> Named<'a> {
    fn by(operation: &'a Operation, others: &[Operation]) -> Option<Self> {
        if let Some((_, part, pointer)) = ELSEWHERE.iter().find(|(id, ..)| *id == operation.id) {
            return Some(Self {
                operation,
                part,
                pointer: (*pointer).to_owned(),
            });
        }
        let is_maker = |other: &&Operation| other.method == MethodName::Post;
        let made_here = others
            .iter()
            .filter(is_maker)
            .any(|other| other.path == operation.path);
        let within = match operation.method {
            MethodName::Post => "",
            MethodName::Get if !made_here => "/data/0",
            _ => return None,
        };
        let below = |other: &Operation| other.path.strip_prefix(operation.path)?.strip_prefix('/');
        let part = others.iter().filter_map(below).find_map(|rest| {
            let first = rest.split('/').next()?;
            first.strip_prefix('{')?.strip_suffix('}')
        })?;
        let field = NAMED_BY.iter().find(|(other, _)| *other == part);
        let field = field.map_or("id", |(_, field)| field);
        Some(Self {
            operation,
            part,
            pointer: format!("{within}/{field}"),
        })
    }

    /// Whether the other takes it, and nothing that isn't known by then. What lists show leads only
    /// to what is below them.
    fn leads_to(&self, other: &Operation) -> bool {
        let known =
            |part| part == self.part || open_parts(self.operation.path).any(|own| own == part);
        let takes = open_parts(other.path).any(|part| part == self.part);
        let is_list = self.operation.method == MethodName::Get && self.pointer.contains("/data/");
        takes
            && open_parts(other.path).all(known)
            && (!is_list || other.path.starts_with(self.operation.path))
    }

    fn link(&self, other: &Operation) -> Value {
        let parameters = open_parts(other.path).map(|part| {
            let place = match part == self.part {
                true => format!("$response.body#{}", self.pointer),
                false => format!("$request.path.{part}"),
            };
            (part.to_owned(), Value::from(place))
        });
        json!({ "operationId": other.id, "parameters": parameters.collect::<Map<_, _>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links_of(id: &str) -> Map<String, Value> {
        let operations = crate::operations();
        let operation = operations.iter().find(|one| one.id == id);
        links(operation.expect("it is declared"), &operations)
    }

    #[test]
    fn what_is_made_leads_to_all_that_takes_it() {
        let links = links_of("v1.endpoint.create");
        let expected = json!({
            "operationId": "v1.message-attempt.list-by-endpoint",
            "parameters": {
                "app_id": "$request.path.app_id",
                "endpoint_id": "$response.body#/id",
            },
        });
        assert_eq!(links["v1.message-attempt.list-by-endpoint"], expected);
        assert!(
            !links.contains_key("v1.application.get"),
            "no endpoint is there"
        );
        assert!(
            !links.contains_key("v1.message-attempt.resend"),
            "which message?"
        );
    }

    #[test]
    fn a_list_of_what_no_request_makes_leads_to_what_is_below_it() {
        let links = links_of("v1.message-attempt.list-attempted-destinations");
        let expected = json!({
            "app_id": "$request.path.app_id",
            "msg_id": "$request.path.msg_id",
            "endpoint_id": "$response.body#/data/0/id",
        });
        assert_eq!(links["v1.message-attempt.resend"]["parameters"], expected);
        assert!(!links.contains_key("v1.endpoint.get"), "others lead there");
    }

    #[test]
    fn what_changes_or_removes_leads_nowhere() {
        for id in [
            "v1.application.update",
            "v1.application.delete",
            "v1.health.get",
        ] {
            assert!(links_of(id).is_empty(), "{id}");
        }
    }
}
