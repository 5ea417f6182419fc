//! What the API has, as a table: nouns, what can be done with each, and what that takes. The
//! command line is built from it (`cli/remote.rs`), and so are the requests (`command/remote/`): a
//! noun is data, and a new one needs no code.
//!
//! It has no rule of its own. Whether a value is right, the server says.

mod app;
mod attempt;
mod audit;
mod background_task;
mod delivery;
mod endpoint;
mod environment;
mod event_type;
mod message;
mod operational;
mod owned;
mod security;
mod source;

pub(crate) use delivery::COLUMNS;
pub(crate) use message::SEND;

use crate::command::Column;

/// Every noun, in the order in which they are shown.
pub(crate) const NOUNS: [&Noun; 12] = [
    &app::APP,
    &endpoint::ENDPOINT,
    &event_type::EVENT_TYPE,
    &message::MESSAGE,
    &delivery::DELIVERY,
    &attempt::ATTEMPT,
    &background_task::BACKGROUND_TASK,
    &environment::ENVIRONMENT,
    &source::SOURCE_NOUN,
    &operational::OPERATIONAL_WEBHOOK,
    &security::SECURITY,
    &audit::AUDIT,
];

/// A kind of thing.
#[derive(Debug)]
pub(crate) struct Noun {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: &'static str,
    /// What can be done with it.
    pub(crate) operations: &'static [Operation],
}

/// Something that can be done.
#[derive(Debug)]
pub(crate) struct Operation {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: &'static str,
    /// Command lines that work.
    pub(crate) examples: &'static str,
    pub(crate) verb: Verb,
    /// Paths below `/api/v1`, with `{NAME}` for a parameter; what is behind `/ingest` is below
    /// `/ingest/api/v1`. The first is taken whose parameters are all given.
    pub(crate) paths: &'static [&'static str],
    pub(crate) parameters: &'static [Parameter],
    /// What the query always has.
    pub(crate) fixed: &'static [(&'static str, &'static str)],
    pub(crate) shows: Shows,
}

/// How it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `GET`, page by page.
    List,
    /// `GET`, again and again, of what is new.
    Follow,
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `PATCH`: what is not mentioned stays.
    Patch,
    /// `PUT`: what is not mentioned is taken away.
    Put,
    /// `DELETE`.
    Delete,
    /// `POST`, of what begins background work, which is waited for.
    Begin,
    /// `GET`, page by page, and a `POST` for each of what is found.
    Resend,
}

/// What is shown of an answer to people.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shows {
    /// A row for each object; `lean`: none of these columns needs payloads or the like, and the
    /// answer can be had without.
    Rows {
        columns: &'static [Column],
        lean: bool,
    },
    /// All fields of the object.
    Fields,
    /// One field alone, for use in a script; `lean` as above.
    Text { field: &'static str, lean: bool },
    /// All of it as JSON, for a file.
    Json,
    /// That it was done.
    Done(&'static str),
}

/// What an operation takes.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// As it is typed: `--NAME`, or the one word that needs no name.
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) is_required: bool,
    /// Another parameter, without which this one means nothing.
    pub(crate) needs: Option<&'static str>,
    /// Another parameter, beside which this one can't be.
    pub(crate) excludes: Option<&'static str>,
    pub(crate) help: &'static str,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Into the path, and it is typed without a name.
    Target,
    /// Into the path; into the query under this name, where the path has no place for it.
    Path(Option<&'static str>),
    /// Into the query under this name.
    Query(&'static str),
    /// Into the body under this name; under the one behind a dot, in the object of the one before.
    Body(&'static str),
    /// It is the body, which stands in a file or on standard input; it is typed without a name.
    Whole,
    /// Among an endpoint's headers: a part of the body where it is made, and something of its own
    /// where it is changed.
    Header,
}

/// How a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// True where it stands alone, or `=false`.
    Bool,
    /// Several words, with commas between them or given again.
    Words,
    /// `KEY=VALUE`, given again for more.
    Pairs,
    /// `PATH=VALUE`, a place of a payload and what is there.
    ValueAt,
    /// JSON, `@FILE`, or `-`.
    Json,
    /// A point in time, or how long ago.
    Time,
    /// Spans of time with commas between them, which the body has in seconds; there may be none.
    Waits,
    /// A file with a secret, or `-`.
    SecretFile,
    /// `NAME: VALUE`, given again for more.
    Headers,
    /// A file with a `NAME: VALUE` in each line, or `-`.
    HeaderFile,
    /// One of these words, each with what the server is told.
    Choice(&'static [(&'static str, &'static str)]),
}

impl Place {
    /// Whether it is typed without a name.
    pub(crate) fn is_nameless(self) -> bool {
        matches!(self, Self::Target | Self::Whole)
    }
}

impl Parameter {
    /// What an operation is about.
    const fn target(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Place::Target, Kind::Text, help).required()
    }

    /// Whose something is.
    const fn path(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Place::Path(None), Kind::Text, help)
    }

    /// The whole body.
    const fn whole(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Place::Whole, Kind::Text, help).required()
    }

    /// A filter.
    const fn query(name: &'static str, to: &'static str, kind: Kind, help: &'static str) -> Self {
        Self::new(name, Place::Query(to), kind, help)
    }

    /// A field.
    const fn body(name: &'static str, to: &'static str, kind: Kind, help: &'static str) -> Self {
        Self::new(name, Place::Body(to), kind, help)
    }

    const fn new(name: &'static str, place: Place, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            place,
            kind,
            is_required: false,
            needs: None,
            excludes: None,
            help,
        }
    }

    const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    const fn instead_of(mut self, other: &'static str) -> Self {
        self.excludes = Some(other);
        self
    }

    const fn needs(mut self, other: &'static str) -> Self {
        self.needs = Some(other);
        self
    }
}

/// `--app APP`.
const APP: Parameter = Parameter::path("app", "The application, by id or uid").required();

const ORDER: Parameter = Parameter::query(
    "order",
    "order",
    Kind::Choice(&[("ascending", "ascending"), ("descending", "descending")]),
    "Oldest first, or newest first",
);

const BEFORE: Parameter = Parameter::query(
    "before",
    "before",
    Kind::Time,
    "Only older ones: a time such as 2026-01-02T03:04:05Z, or how long ago, such as 2h",
);

const AFTER: Parameter = Parameter::query(
    "after",
    "after",
    Kind::Time,
    "Only newer ones: a time, or how long ago",
);

const EVENT_TYPES: Parameter = Parameter::query(
    "type",
    "event_types",
    Kind::Words,
    "Only of these event types",
);

const CHANNEL: Parameter =
    Parameter::query("channel", "channel", Kind::Text, "Only of this channel");

const TAG: Parameter = Parameter::query("tag", "tag", Kind::Text, "Only with this tag");

const CODE_CLASS: Parameter = Parameter::query(
    "code-class",
    "status_code_class",
    Kind::Choice(&[
        ("0", "0"),
        ("100", "100"),
        ("200", "200"),
        ("300", "300"),
        ("400", "400"),
        ("500", "500"),
    ]),
    "Only those answered with a status of this hundred; 0: with none",
);

/// How a delivery stands, in the API's numbers.
const STATUS: Kind = Kind::Choice(&[
    ("success", "0"),
    ("pending", "1"),
    ("fail", "2"),
    ("sending", "3"),
    ("canceled", "4"),
]);

/// So that all of these can be told apart.
const EXPANDED: (&str, &str) = ("expanded_statuses", "true");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn operations() -> impl Iterator<Item = &'static Operation> {
        let all = NOUNS.iter().flat_map(|noun| noun.operations);
        all.chain([&SEND])
    }

    #[test]
    fn every_name_in_a_path_is_a_parameter_and_every_such_parameter_has_a_path() {
        for operation in operations() {
            let (name, mut used) = (operation.name, BTreeSet::new());
            for path in operation.paths {
                let names = path.split('/').filter_map(|word| word.strip_prefix('{'));
                used.extend(names.map(|word| word.trim_end_matches('}')));
            }
            let of_path = |place| matches!(place, Place::Target | Place::Path(_));
            let parameters = operation.parameters.iter();
            let parameters = parameters.filter(|one| of_path(one.place));
            let known: BTreeSet<&str> = parameters.map(|one| one.name).collect();
            assert_eq!(used, known, "{name}");
            let path = operation.paths.last().expect("there is one");
            assert!(path.starts_with('/') && !path.ends_with('/'), "{path}");
        }
    }

    #[test]
    fn every_operation_shows_how_it_is_typed() {
        for operation in operations() {
            let name = operation.name;
            assert!(operation.examples.contains("postrider "), "{name}");
            for needed in operation.parameters.iter().filter(|one| one.is_required) {
                if !needed.place.is_nameless() {
                    let flag = format!("--{}", needed.name);
                    assert!(operation.examples.contains(&flag), "{name} {flag}");
                }
            }
        }
    }
}
