//! Query strings. What can't be read as what it should be is refused with 400 and the reason; what
//! breaks a rule, by the use case, with 422. Unknown parameters are ignored.

use crate::Shared;
use crate::problem::Problem;
use app::{AppError, ListInput, Order, Violation};
use axum::extract::FromRequestParts;
use http::request::Parts;
use model::Timestamp;
use model::name::Name;
use std::fmt::Display;
use std::str::FromStr;
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
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Decodes a query string; what is not UTF-8 becomes replacement characters, which no value
    /// may hold that means anything.
    pub(crate) fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// A parameter that may be there once.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, AppError> {
        let mut values = self
            .0
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value);
        let first = values.next();
        match values.next() {
            None => Ok(first.map(String::as_str)),
            Some(_) => Err(unreadable(format!("duplicate field `{name}`"))),
        }
    }

    /// A number.
    pub(crate) fn number<N>(&self, name: &str) -> Result<Option<N>, AppError>
    where
        N: FromStr<Err: Display>,
    {
        self.read(name, str::parse)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, AppError> {
        self.read(name, str::parse)
    }

    /// A point in time (RFC 3339).
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, AppError> {
        self.read(name, crate::render::parse_time)
    }

    /// A word, such as a channel.
    pub(crate) fn name(&self, name: &str) -> Result<Option<Name>, AppError> {
        let parse = |text: &str| {
            text.parse().map_err(|error| {
                AppError::from(Violation::query(&[name, "__all__"], format!("{error}")))
            })
        };
        self.text(name)?.map(parse).transpose()
    }

    /// Several words: `name=a,b`, `name=a&name=b`, `name[]=a` and `name[0]=a` all mean the same.
    pub(crate) fn names(&self, name: &str) -> Result<Option<Vec<Name>>, AppError> {
        let values: Vec<&str> = self
            .0
            .iter()
            .filter(|(other, _)| is_list_name(other, name))
            .map(|(_, value)| value.as_str())
            .collect();
        if values.is_empty() {
            return Ok(None);
        }
        let names = values
            .iter()
            .flat_map(|value| value.split(','))
            .map(str::parse);
        let names: Result<Vec<Name>, _> = names.collect();
        let refused = |error| Violation::query(&["__all__"], format!("{name}: {error}"));
        Ok(Some(names.map_err(refused)?))
    }

    /// Which part of a list is asked for, and in which order.
    pub(crate) fn list(&self) -> Result<ListInput, AppError> {
        Ok(ListInput {
            limit: self.number("limit")?,
            iterator: self.text("iterator")?.map(str::to_owned),
            order: self.read("order", order)?,
            before: None,
            after: None,
        })
    }

    /// Which part of a list of what happened is asked for.
    pub(crate) fn recent(&self) -> Result<ListInput, AppError> {
        Ok(ListInput {
            limit: self.number("limit")?,
            iterator: self.text("iterator")?.map(str::to_owned),
            order: None,
            before: self.time("before")?,
            after: self.time("after")?,
        })
    }

    /// A parameter of whatever kind.
    pub(crate) fn read<T, E: Display>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, AppError> {
        let Some(text) = self.text(name)? else {
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

fn order(text: &str) -> Result<Order, String> {
    match text {
        "ascending" => Ok(Order::Ascending),
        "descending" => Ok(Order::Descending),
        other => Err(format!(
            "unknown variant `{other}`, expected `ascending` or `descending`"
        )),
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
            let refused = Pairs::parse(query).list().expect_err(query).to_string();
            assert_eq!(
                refused,
                format!("Failed to deserialize query string: {reason}")
            );
        }
        assert!(Pairs::parse("before=yesterday").recent().is_err());
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
