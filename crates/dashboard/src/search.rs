//! What lists of messages and attempts are asked for, by the query of a page's address: how it is
//! read, and the form that writes it. Rules on what can be asked are the use cases'.

use crate::posted::Fields;
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use app::filter::Filter;
use app::{AppError, ListInput, Violation};
use maud::{Markup, html};
use model::Timestamp;
use model::name::Name;
use url::form_urlencoded;

/// What the address of a page asks for.
pub(crate) fn asked(seat: &Seat) -> Fields {
    let query = seat.here.split_once('?').map_or("", |(_, query)| query);
    let pairs = form_urlencoded::parse(query.as_bytes());
    Fields::from(pairs.into_owned().collect::<Vec<_>>())
}

/// What a status code can be in.
const CLASSES: [(&str, &str); 6] = [
    ("0", "No response"),
    ("100", "100 to 199"),
    ("200", "200 to 299"),
    ("300", "300 to 399"),
    ("400", "400 to 499"),
    ("500", "500 to 599"),
];

/// Which part of a list.
pub(crate) fn list(asked: &Fields) -> Answer<ListInput> {
    Ok(ListInput {
        iterator: asked.some("iterator"),
        before: time(asked, "before")?,
        after: time(asked, "after")?,
        ..ListInput::default()
    })
}

/// Which messages.
pub(crate) fn filter(asked: &Fields) -> Answer<Filter> {
    let many = |name| Ok::<_, Refused>(self::name(asked, name)?.map(|one| vec![one]));
    Ok(Filter {
        event_types: many("type")?,
        channels: many("channel")?,
        tag: name(asked, "tag")?,
    })
}

/// A name, where one is asked for.
pub(crate) fn name(asked: &Fields, field: &str) -> Answer<Option<Name>> {
    let parse = |text: String| text.parse::<Name>();
    let name = asked.some(field).map(parse).transpose();
    name.map_err(|error| wrong(field, error.to_string()))
}

/// The hundred that a status code is in.
pub(crate) fn class(asked: &Fields) -> Answer<Option<u16>> {
    let Some(text) = asked.some("class") else {
        return Ok(None);
    };
    let known = CLASSES.iter().any(|(word, _)| *word == text);
    let class = text.parse().ok().filter(|_| known);
    let wrong = || -> Refused { wrong("class", "must be 0, 100, 200, 300, 400 or 500") };
    class.map(Some).ok_or_else(wrong)
}

/// The field for it.
pub(crate) fn class_field(label: &str) -> Sought<'_> {
    one_of("class", label, &CLASSES)
}

/// What is wrong with one field.
pub(crate) fn wrong(field: &str, text: impl Into<String>) -> Refused {
    AppError::from(Violation::query(&[field], text)).into()
}

/// A point in time: as a browser's own field for one has it, which is taken for UTC, or with its
/// distance from UTC.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let parse = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let time = parse(text).or_else(|| parse(&format!("{text}Z")))?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

/// The one in a field, if there is any.
pub(crate) fn time(fields: &Fields, field: &str) -> Answer<Option<Timestamp>> {
    let Some(text) = fields.some(field) else {
        return Ok(None);
    };
    let time = moment(&text);
    let wrong = || wrong(field, "must be a time such as `2026-05-04T13:30`, in UTC");
    time.map(Some).ok_or_else(wrong)
}

/// A field of a form that searches.
pub(crate) struct Sought<'a> {
    /// Its name in the address.
    pub(crate) name: &'a str,
    /// What people read.
    pub(crate) label: &'a str,
    /// What it takes.
    pub(crate) kind: Kind<'a>,
}

/// What a field takes.
pub(crate) enum Kind<'a> {
    /// A text.
    Text,
    /// A point in time.
    Time,
    /// One of these words, each with what people read, or none.
    OneOf(&'a [(&'a str, &'a str)]),
}

/// The fields by which messages are found.
pub(crate) const OF_MESSAGES: [Sought<'static>; 5] = [
    text("type", "Event type"),
    text("channel", "Channel"),
    text("tag", "Tag"),
    at("after", "After (UTC)"),
    at("before", "Before (UTC)"),
];

pub(crate) const fn text<'a>(name: &'a str, label: &'a str) -> Sought<'a> {
    Sought {
        name,
        label,
        kind: Kind::Text,
    }
}

pub(crate) const fn at<'a>(name: &'a str, label: &'a str) -> Sought<'a> {
    Sought {
        name,
        label,
        kind: Kind::Time,
    }
}

pub(crate) const fn one_of<'a>(
    name: &'a str,
    label: &'a str,
    words: &'a [(&'a str, &'a str)],
) -> Sought<'a> {
    Sought {
        name,
        label,
        kind: Kind::OneOf(words),
    }
}

/// The form, with what was asked for in its fields.
pub(crate) fn form(seat: &Seat, asked: &Fields, fields: &[Sought<'_>]) -> Markup {
    let is_any = fields.iter().any(|one| !asked.text(one.name).is_empty());
    html! {
        form.filter method="get" action=(seat.path()) role="search" {
            @for field in fields { (control(field, asked.text(field.name))) }
            div.actions {
                button type="submit" { "Search" }
                @if is_any { a href=(seat.path()) { "Show all" } }
            }
        }
    }
}

fn control(field: &Sought<'_>, value: &str) -> Markup {
    let id = format!("search-{}", field.name);
    html! {
        div {
            label for=(id) { (field.label) }
            @match field.kind {
                Kind::Text => input #(id) name=(field.name) value=(value) autocomplete="off";,
                Kind::Time => input #(id) type="datetime-local" name=(field.name) value=(value);,
                Kind::OneOf(words) => select #(id) name=(field.name) {
                    option value="" selected[value.is_empty()] { "Any" }
                    @for (word, text) in words {
                        option value=(word) selected[*word == value] { (text) }
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_browsers_write_them_and_with_a_distance_from_utc() {
        let at = |text: &str| {
            let fields = Fields::from(vec![("after".to_owned(), text.to_owned())]);
            time(&fields, "after")
        };
        let expected = Timestamp::from_seconds(1_777_901_400);
        for text in [
            "2026-05-04T13:30",
            "2026-05-04T13:30:00",
            "2026-05-04 13:30:00",
            "2026-05-04T13:30:00Z",
            "2026-05-04T15:30:00+02:00",
        ] {
            assert_eq!(at(text).expect("a time"), Some(expected), "{text}");
        }
        assert_eq!(at("").expect("nothing is fine"), None);
        for text in ["yesterday", "2026-13-04T00:00"] {
            let refused = at(text).expect_err("it is no time");
            assert_eq!(refused.violations()[0].0, "after");
        }
    }
}
