//! Query strings. What can't be read as what it should be is refused with 400 and the reason; what
//! breaks a rule, by the use case, with 422. Unknown parameters are ignored.

use crate::Shared;
use crate::bounds::{self, word};
use crate::problem::Problem;
use app::filter::WORDS_MAX;
use app::page::LIMIT_MAX;
use app::{AppError, ListInput, Order, Violation};
use axum::extract::FromRequestParts;
use http::request::Parts;
use model::Timestamp;
use model::id::Kind;
use model::name::{Name, NameError};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fmt::Display;
use url::form_urlencoded;

/// What a handler wants of the query string.
pub(crate) trait FromQuery: Sized {
    /// Takes it.
    fn from_query(query: &Pairs) -> Result<Self, AppError>;
}

/// A query string as what it should be.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: FromQuery> FromRequestParts<Shared> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        let pairs = Pairs::parse(parts.uri.query().unwrap_or_default());
        Ok(Self(T::from_query(&pairs)?))
    }
}

/// The names and values of a query string.
pub(crate) struct Pairs {
    values: Vec<(String, String)>,
    /// What was asked for, where somebody wants to know.
    asked: Option<RefCell<Vec<Parameter>>>,
}

/// A parameter, for the document.
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is, as JSON Schema says it.
    pub(crate) schema: Value,
    /// Whether it must be given.
    pub(crate) required: bool,
}

impl Pairs {
    /// Decodes a query string; what is not UTF-8 becomes replacement characters, which no value
    /// may hold that means anything.
    pub(crate) fn parse(query: &str) -> Self {
        let values = form_urlencoded::parse(query.as_bytes());
        Self {
            values: values.into_owned().collect(),
            asked: None,
        }
    }

    /// What a handler asks for: found out by letting it ask. So it must ask for everything,
    /// whatever it is given.
    pub(crate) fn asked_for<T: FromQuery>() -> Vec<Parameter> {
        let pairs = Self {
            values: Vec::new(),
            asked: Some(RefCell::default()),
        };
        // It may miss something: that is asked for all the same.
        drop(T::from_query(&pairs));
        pairs.asked.map(RefCell::into_inner).unwrap_or_default()
    }

    fn ask(&self, name: &'static str, schema: impl FnOnce() -> Value) {
        if let Some(asked) = &self.asked {
            asked.borrow_mut().push(Parameter {
                name,
                schema: schema(),
                required: false,
            });
        }
    }

    fn once(&self, name: &str) -> Result<Option<&str>, AppError> {
        let mut values = self
            .values
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value);
        let first = values.next();
        match values.next() {
            None => Ok(first.map(String::as_str)),
            Some(_) => Err(unreadable(format!("duplicate field `{name}`"))),
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, AppError> {
        self.ask(name, || json!({ "type": "boolean" }));
        self.read(name, str::parse)
    }

    /// A point in time (RFC 3339).
    pub(crate) fn time(&self, name: &'static str) -> Result<Option<Timestamp>, AppError> {
        self.ask(name, || json!({ "type": "string", "format": "date-time" }));
        self.read(name, crate::render::parse_time)
    }

    /// A point in time that must be given. Who wants several asks for all before looking at one.
    pub(crate) fn required_time(&self, name: &'static str) -> Result<Timestamp, AppError> {
        let time = self.time(name);
        if let Some(asked) = &self.asked
            && let Some(last) = asked.borrow_mut().last_mut()
        {
            last.required = true;
        }
        time?.ok_or_else(|| unreadable(format!("missing field `{name}`")))
    }

    /// One of several words, or of several numbers.
    pub(crate) fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, AppError> {
        self.ask(name, || {
            choices_schema(choices.iter().map(|(word, _)| *word))
        });
        self.read(name, |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, choice)| *choice).ok_or_else(|| {
                let known: Vec<_> = choices
                    .iter()
                    .map(|(word, _)| format!("`{word}`"))
                    .collect();
                format!("unknown variant `{text}`, expected {}", known.join(" or "))
            })
        })
    }

    /// A word, such as a channel.
    pub(crate) fn name(&self, name: &'static str) -> Result<Option<Name>, AppError> {
        self.ask(name, || word().into());
        let parse = |text: &str| {
            text.parse().map_err(|error| {
                AppError::from(Violation::query(&[name, "__all__"], format!("{error}")))
            })
        };
        self.once(name)?.map(parse).transpose()
    }

    /// Several words: `name=a,b`, `name=a&name=b`, `name[]=a` and `name[0]=a` all mean the same.
    pub(crate) fn names(&self, name: &'static str) -> Result<Option<Vec<Name>>, AppError> {
        // How many is not said: words of full length reach the bound of a URL before theirs.
        self.ask(
            name,
            || json!({ "type": "array", "items": word(), "minItems": 1 }),
        );
        let values: Vec<&str> = self
            .values
            .iter()
            .filter(|(other, _)| is_list_name(other, name))
            .map(|(_, value)| value.as_str())
            .collect();
        if values.is_empty() {
            return Ok(None);
        }
        let words = values.iter().flat_map(|value| value.split(','));
        let refused = |reason| Violation::query(&["__all__"], format!("{name}: {reason}"));
        let count = words.clone().count();
        if count > WORDS_MAX {
            return Err(refused(format!("must be at most {WORDS_MAX} words, not {count}")).into());
        }
        let names: Result<Vec<Name>, _> = words.map(str::parse).collect();
        let names = names.map_err(|error: NameError| refused(error.to_string()))?;
        Ok(Some(names))
    }

    /// Which part of a list is asked for, and in which order.
    pub(crate) fn list<K: Kind>(&self) -> Result<ListInput, AppError> {
        Ok(ListInput {
            order: self.choice("order", &ORDERS)?,
            ..self.page::<K>()?
        })
    }

    /// The same of a list by name.
    pub(crate) fn list_by_name(&self) -> Result<ListInput, AppError> {
        let list = ListInput {
            order: self.choice("order", &ORDERS)?,
            ..self.part(bounds::iterator_by_name)?
        };
        list.checked_by_name()
    }

    /// Which part of a list is asked for that has one order only.
    pub(crate) fn page<K: Kind>(&self) -> Result<ListInput, AppError> {
        self.part(bounds::iterator::<K>)?.checked::<K>()
    }

    /// Which part of a list is asked for that is read forwards only: its limit, and where to go on.
    pub(crate) fn forward<K: Kind>(&self) -> Result<(Option<u64>, Option<String>), AppError> {
        self.ask(
            "limit",
            || json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX }),
        );
        self.ask("iterator", bounds::forward_iterator::<K>);
        let iterator = self.once("iterator")?.map(str::to_owned);
        Ok((self.read("limit", str::parse)?, iterator))
    }

    fn part(&self, iterator: fn() -> Value) -> Result<ListInput, AppError> {
        self.ask(
            "limit",
            || json!({ "type": "integer", "minimum": 0, "maximum": LIMIT_MAX }),
        );
        self.ask("iterator", iterator);
        Ok(ListInput {
            limit: self.read("limit", str::parse)?,
            iterator: self.once("iterator")?.map(str::to_owned),
            order: None,
            before: None,
            after: None,
        })
    }

    /// Which part of a list of what happened is asked for.
    pub(crate) fn recent<K: Kind>(&self) -> Result<ListInput, AppError> {
        Ok(ListInput {
            before: self.time("before")?,
            after: self.time("after")?,
            ..self.page::<K>()?
        })
    }

    fn read<T, E: Display>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, AppError> {
        let Some(text) = self.once(name)? else {
            return Ok(None);
        };
        let refused = |error| unreadable(format!("{name}: {error}"));
        read(text).map(Some).map_err(refused)
    }
}

/// Whether `text` is `name`, `name[]` or `name[0]`, with whatever number.
fn is_list_name(text: &str, name: &str) -> bool {
    match text.strip_prefix(name) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit())),
        None => false,
    }
}

const ORDERS: [(&str, Order); 2] = [
    ("ascending", Order::Ascending),
    ("descending", Order::Descending),
];

fn choices_schema<'w>(words: impl Iterator<Item = &'w str> + Clone) -> Value {
    match words
        .clone()
        .map(str::parse)
        .collect::<Result<Vec<u16>, _>>()
    {
        Ok(numbers) => json!({ "type": "integer", "enum": numbers }),
        Err(_) => json!({ "type": "string", "enum": words.collect::<Vec<_>>() }),
    }
}

fn unreadable(reason: String) -> AppError {
    AppError::BadRequest {
        code: "generic_error",
        detail: format!("Failed to deserialize query string: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::MessageKind;

    #[test]
    fn several_words_are_written_in_many_ways() {
        for query in [
            "event_types=a.b,c",
            "event_types=a.b&event_types=c",
            "event_types[]=a.b&event_types[]=c",
            "event_types%5B0%5D=a.b&event_types%5B1%5D=c",
            "event_types=a.b&x=1&event_types[7]=c&event_typesx=d",
        ] {
            let names = Pairs::parse(query)
                .names("event_types")
                .expect(query)
                .expect(query);
            let names: Vec<&str> = names.iter().map(Name::as_str).collect();
            assert_eq!(names, ["a.b", "c"], "{query}");
        }
        assert_eq!(Pairs::parse("").names("event_types").ok(), Some(None));
        for query in ["event_types=", "event_types=a,,b", "event_types=a%20b"] {
            let Err(AppError::Invalid(violations)) = Pairs::parse(query).names("event_types")
            else {
                panic!("{query} is not refused");
            };
            assert_eq!(violations[0].location, ["query", "__all__"]);
        }
    }

    #[test]
    fn no_more_words_are_taken_than_each_row_can_be_compared_with() {
        for (count, fine) in [(WORDS_MAX, true), (WORDS_MAX + 1, false)] {
            let query = format!("event_types={}", vec!["a"; count].join(","));
            let names = Pairs::parse(&query).names("event_types");
            assert_eq!(names.is_ok(), fine, "{count}");
        }
    }

    #[test]
    fn what_can_not_be_read_is_refused_with_its_reason() {
        let cases = [
            ("limit=x", "limit: invalid digit found in string"),
            ("limit=-1", "limit: invalid digit found in string"),
            ("limit=", "limit: cannot parse integer from empty string"),
            ("limit=1&limit=2", "duplicate field `limit`"),
            (
                "order=up",
                "order: unknown variant `up`, expected `ascending` or `descending`",
            ),
        ];
        for (query, reason) in cases {
            let refused = Pairs::parse(query)
                .list::<MessageKind>()
                .expect_err(query)
                .to_string();
            assert_eq!(
                refused,
                format!("Failed to deserialize query string: {reason}")
            );
        }
        assert!(
            Pairs::parse("before=yesterday")
                .recent::<MessageKind>()
                .is_err()
        );
        assert!(
            Pairs::parse("with_content=yes")
                .flag("with_content")
                .is_err()
        );
    }

    #[test]
    fn empty_words_break_a_rule() {
        let Err(AppError::Invalid(violations)) = Pairs::parse("channel=").name("channel") else {
            panic!("an empty channel is not refused");
        };
        assert_eq!(violations[0].location, ["query", "channel", "__all__"]);
    }
}
