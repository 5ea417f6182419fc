//! What the address of a list asks for: its filters, and which part of it. What can't be read is
//! told beside the filters, as what the use case refuses is. Deliberately not here: what a filter
//! means.

use crate::parts;
use crate::posted::Fields;
use crate::problem::{Answer, Refused};
use crate::search;
use crate::seat::Seat;
use app::{AppError, ListInput, Page, Violation};
use maud::{Markup, html};
use model::Timestamp;
use model::name::Name;

/// The query of a page's address.
pub(super) struct Asked {
    fields: Fields,
    wrong: Vec<Violation>,
}

impl Asked {
    pub(super) fn of(seat: &Seat) -> Self {
        Self {
            fields: search::asked(seat),
            wrong: Vec::new(),
        }
    }

    /// What a field has; empty where it has nothing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.text(name)
    }

    /// One of some words.
    pub(super) fn choice<T>(&mut self, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.fields.some(name)?;
        let read = read(&text);
        if read.is_none() {
            self.note(name, "there is no such word to choose");
        }
        read
    }

    /// An id or a uid.
    pub(super) fn name(&mut self, name: &str) -> Option<Name> {
        let read: Result<Name, _> = self.fields.some(name)?.parse();
        if let Err(error) = &read {
            self.note(name, error.to_string());
        }
        read.ok()
    }

    /// Which part of a list of what happened.
    pub(super) fn recent(&mut self) -> ListInput {
        ListInput {
            before: self.time("before"),
            after: self.time("after"),
            ..self.list()
        }
    }

    /// Which part of a list.
    pub(super) fn list(&self) -> ListInput {
        ListInput {
            iterator: self.fields.some("iterator"),
            ..ListInput::default()
        }
    }

    /// Whatever was asked, if all of it could be read.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub(super) fn finish<T>(self, asked: T) -> Result<T, AppError> {
        match self.wrong.is_empty() {
            true => Ok(asked),
            false => Err(AppError::Invalid(self.wrong)),
        }
    }

    fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.fields.some(name)?;
        let read = search::moment(&text);
        if read.is_none() {
            self.note(name, "is no time: write 2026-01-02T03:04, by UTC");
        }
        read
    }

    fn note(&mut self, name: &str, text: impl Into<String>) {
        self.wrong.push(Violation::query(&[name], text));
    }
}

/// A page of a list, or, where it can't be had because of what was asked, why not.
///
/// # Errors
/// What has nothing to do with what was asked.
pub(super) fn shown<T>(
    page: Result<Page<T>, AppError>,
    list: impl FnOnce(&Page<T>) -> Markup,
) -> Answer<Markup> {
    match page {
        Ok(page) => Ok(list(&page)),
        Err(error @ (AppError::Invalid(_) | AppError::NotFound(_))) => {
            Ok(parts::refusal(Some(&Refused::from(error))))
        }
        Err(error) => Err(error.into()),
    }
}

/// The form above a list. `fields` are made by [`line`], [`moment`] and [`choice`].
pub(super) fn filter(seat: &Seat, fields: &[Markup]) -> Markup {
    html! {
        form.filter method="get" action=(seat.path()) {
            @for field in fields { (field) }
            div.actions {
                button type="submit" { "Filter" }
                a href=(seat.path()) { "All" }
            }
        }
    }
}

/// A field of one line.
pub(super) fn line(name: &str, label: &str, value: &str) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            input #(name) name=(name) value=(value) autocomplete="off";
        }
    }
}

/// A field for a time.
pub(super) fn moment(name: &str, label: &str, value: &str) -> Markup {
    html! {
        div {
            label for=(name) { (label) " (UTC)" }
            input #(name) name=(name) type="datetime-local" step="1" value=(value);
        }
    }
}

/// A field for one of some words, or any.
pub(super) fn choice<'w>(
    (name, label): (&str, &str),
    words: impl Iterator<Item = &'w str>,
    value: &str,
) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            select #(name) name=(name) {
                option value="" { "any" }
                @for word in words { option value=(word) selected[word == value] { (word) } }
            }
        }
    }
}
