//! What pages are put together from: times, words for states, tables, forms, and ways through long
//! lists. Everything that is shown goes through `maud`, which escapes it; nothing here writes
//! markup by hand.

use crate::posted::FORM_TOKEN;
use crate::problem::Refused;
use crate::seat::Seat;
use app::Page;
use jiff::Timestamp as Time;
use maud::{Markup, Render, html};
use model::Timestamp;
use std::time::Duration;
use url::form_urlencoded;

/// The longest text of others' that a list shows of one thing.
const SHORT: usize = 120;

/// A point in time, to the second, in UTC: scripts add how long ago it is.
pub(crate) fn time(at: Timestamp) -> Markup {
    let Ok(time) = Time::from_microsecond(at.micros()) else {
        return html! { "never" };
    };
    let exact = time.to_string();
    let shown = time.strftime("%Y-%m-%d %H:%M:%S");
    html! { time datetime=(exact) title=(exact) { (shown.to_string()) } }
}

/// The same where there may be none.
pub(crate) fn time_or(at: Option<Timestamp>, none: &str) -> Markup {
    match at {
        Some(at) => time(at),
        None => html! { span.quiet { (none) } },
    }
}

/// How long something took, or is.
pub(crate) fn duration(took: Duration) -> String {
    let micros = took.as_micros();
    match micros {
        // Many are kept to the millisecond.
        0 => "under 1 ms".to_owned(),
        1..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.1} ms", took.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => format!("{:.1} s", took.as_secs_f64()),
        _ => {
            let seconds = took.as_secs();
            match seconds {
                0..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
                3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
                _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
            }
        }
    }
}

/// A count with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// How something stands: colour is never all that tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Waiting,
    Plain,
}

/// A word for a state.
pub(crate) fn badge(tone: Tone, word: impl Render) -> Markup {
    let class = match tone {
        Tone::Good => "badge good",
        Tone::Bad => "badge bad",
        Tone::Waiting => "badge waiting",
        Tone::Plain => "badge",
    };
    html! { span class=(class) { (word) } }
}

/// Others' text in a list: cut where it is long.
pub(crate) fn short(text: &str) -> Markup {
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => html! { span title=(text) { (&text[..end]) "…" } },
        None => html! { (text) },
    }
}

/// Others' bytes: as text where they are text, with what can't be printed made visible.
pub(crate) fn excerpt(bytes: &[u8]) -> Markup {
    let text = String::from_utf8_lossy(bytes);
    html! { pre.excerpt tabindex="0" { code { (plain(&text)) } } }
}

/// Others' text with what can't be printed made visible.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// Control characters and what turns the direction of writing are shown, not obeyed.
fn visible(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        other if other.is_control() => '\u{fffd}',
        other => other,
    }
}

/// A list's rows, or a word that there are none.
pub(crate) fn table(
    caption: &str,
    heads: &[&str],
    rows: Vec<Vec<Markup>>,
    none: impl Render,
) -> Markup {
    html! {
        @if rows.is_empty() { p.empty { (none) } }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(caption) {
                table {
                    caption { (caption) }
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody {
                        @for row in rows {
                            tr {
                                @for (cell, head) in row.into_iter().zip(heads) {
                                    td data-head=(head) { div { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Facts about one thing.
pub(crate) fn facts(facts: Vec<(&str, Markup)>) -> Markup {
    html! {
        dl.facts {
            @for (name, fact) in facts { div { dt { (name) } dd { (fact) } } }
        }
    }
}

/// A thing's id, which somebody will want to copy.
pub(crate) fn id(id: impl ToString) -> Markup {
    html! { code.id { (id.to_string()) } }
}

/// The ways on from one part of a list: back to its beginning, and on behind it.
pub(crate) fn pager<T>(seat: &Seat, page: &Page<T>) -> Markup {
    let begins = !seat.here.contains("iterator=");
    let next = page.iterator.as_deref().filter(|_| !page.done);
    html! {
        @if !begins || next.is_some() {
            nav.pager aria-label="Parts of the list" {
                @if !begins { a href=(with(&seat.here, "iterator", None)) rel="first" { "To the beginning" } }
                @if let Some(next) = next {
                    a href=(with(&seat.here, "iterator", Some(next))) rel="next" { "Further" }
                }
            }
        }
    }
}

/// An address with one part of its query set, or taken away.
pub(crate) fn with(here: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = here.split_once('?').unwrap_or((here, ""));
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    for (own, text) in form_urlencoded::parse(query.as_bytes()) {
        if own != name && own != NOTICE {
            serializer.append_pair(&own, &text);
        }
    }
    if let Some(value) = value {
        serializer.append_pair(name, value);
    }
    let query = serializer.finish();
    match query.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{query}"),
    }
}

/// What every form of a session's pages carries.
pub(crate) fn form_token(seat: &Seat) -> Markup {
    html! { input type="hidden" name=(FORM_TOKEN) value=(seat.form_token); }
}

/// A form that is nothing but a button.
pub(crate) fn button(seat: &Seat, action: &str, (class, text): (&str, &str)) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            (form_token(seat))
            button class=(class) type="submit" { (text) }
        }
    }
}

/// A field of a form with what is wrong with it, if the form was refused.
pub(crate) struct Field<'a> {
    /// What it is sent as, and named in refusals.
    pub(crate) name: &'a str,
    /// What people read.
    pub(crate) label: &'a str,
    /// What stands in it.
    pub(crate) value: &'a str,
    /// A word on what belongs there.
    pub(crate) hint: &'a str,
    /// Whether it may not stay empty.
    pub(crate) required: bool,
}

impl Field<'_> {
    /// One line.
    pub(crate) fn line(&self, refused: Option<&Refused>) -> Markup {
        self.around(
            refused,
            html! {
                input #(self.name) name=(self.name) value=(self.value) required[self.required]
                    autocomplete="off" aria-describedby={ (self.name) "-hint" }
                    aria-invalid=[self.wrong(refused).map(|_| "true")];
            },
        )
    }

    /// Many lines.
    pub(crate) fn lines(&self, rows: usize, refused: Option<&Refused>) -> Markup {
        self.around(
            refused,
            html! {
                textarea #(self.name) name=(self.name) rows=(rows) required[self.required]
                    autocomplete="off" aria-describedby={ (self.name) "-hint" }
                    aria-invalid=[self.wrong(refused).map(|_| "true")] { (self.value) }
            },
        )
    }

    /// One of some words: each with what people read.
    pub(crate) fn choice(&self, words: &[(&str, &str)], refused: Option<&Refused>) -> Markup {
        self.around(
            refused,
            html! {
                select #(self.name) name=(self.name) aria-describedby={ (self.name) "-hint" }
                    aria-invalid=[self.wrong(refused).map(|_| "true")] {
                    @for (word, text) in words {
                        option value=(word) selected[*word == self.value] { (text) }
                    }
                }
            },
        )
    }

    /// One line that nobody reads over a shoulder. What was typed is never shown again.
    pub(crate) fn secret(&self, refused: Option<&Refused>) -> Markup {
        self.around(
            refused,
            html! {
                input #(self.name) type="password" name=(self.name) required[self.required]
                    autocomplete="off" aria-describedby={ (self.name) "-hint" }
                    aria-invalid=[self.wrong(refused).map(|_| "true")];
            },
        )
    }

    /// A point in time, in UTC, in one of several forms of a page, of which this one has that name.
    pub(crate) fn moment(&self, form: &str, refused: Option<&Refused>) -> Markup {
        let id = format!("{form}-{}", self.name);
        html! {
            div.field {
                label for=(id) { (self.label) @if self.required { " (needed)" } }
                input #(id) type="datetime-local" name=(self.name) value=(self.value)
                    required[self.required] aria-describedby={ (id) "-hint" }
                    aria-invalid=[self.wrong(refused).map(|_| "true")];
                p.hint id={ (id) "-hint" } {
                    (self.hint)
                    @if let Some(wrong) = self.wrong(refused) { " " strong.wrong { (wrong) } }
                }
            }
        }
    }

    fn around(&self, refused: Option<&Refused>, control: Markup) -> Markup {
        html! {
            div.field {
                label for=(self.name) { (self.label) @if self.required { " (needed)" } }
                (control)
                p.hint id={ (self.name) "-hint" } {
                    (self.hint)
                    @if let Some(wrong) = self.wrong(refused) { " " strong.wrong { (wrong) } }
                }
            }
        }
    }

    fn wrong<'r>(&self, refused: Option<&'r Refused>) -> Option<&'r str> {
        let violations = refused.map_or(&[][..], Refused::violations);
        let own = violations.iter().find(|(field, _)| {
            let rest = field.strip_prefix(self.name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        own.map(|(_, text)| text.as_str())
    }
}

/// A box that can be ticked.
pub(crate) fn tick(name: &str, label: &str, on: bool) -> Markup {
    html! {
        div.field {
            label.tick { input type="checkbox" name=(name) value="on" checked[on]; (label) }
        }
    }
}

/// What a refused form says above its fields.
pub(crate) fn refusal(refused: Option<&Refused>) -> Markup {
    html! {
        @if let Some(refused) = refused {
            div.notice.bad role="alert" {
                p { (refused.detail()) }
                @if !refused.violations().is_empty() {
                    ul {
                        @for (field, text) in refused.violations() {
                            li { code { (field) } ": " (text) }
                        }
                    }
                }
            }
        }
    }
}

/// The part of the query that names what was just done.
pub(crate) const NOTICE: &str = "done";

/// What was just done. The address names it by a word: it can't be made to say anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Notice(&'static str, &'static str);

/// Words in addresses, and what they say.
const NOTICES: &[Notice] = &[
    Notice("saved", "Saved."),
    Notice("created", "Made."),
    Notice("deleted", "Deleted."),
    Notice("sent", "Sent: it appears here as soon as it was tried."),
    Notice("resent", "It is sent again: the attempt appears below."),
    Notice(
        "started",
        "It is being done in the background: how far it is stands below.",
    ),
    Notice("cancelled", "What was on its way was cancelled."),
    Notice("ended", "It is not good any more."),
    Notice(
        "asked",
        "Its receiver is asked, unless it was a moment ago: what it answered stands below.",
    ),
    Notice(
        "rotated",
        "There is a new secret. The one before stays good for a while.",
    ),
];

impl Notice {
    /// The one that an address names.
    pub(crate) fn of(here: &str) -> Option<Self> {
        let query = here.split_once('?')?.1;
        let word = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == NOTICE)?;
        NOTICES.iter().find(|notice| notice.0 == word.1).copied()
    }
}

/// It, as it is shown.
pub(crate) fn notice(notice: Option<Notice>) -> Markup {
    html! { @if let Some(notice) = notice { p.notice.good role="status" { (notice.1) } } }
}

/// The address to go on at, with a word on what was done.
pub(crate) fn done(to: &str, word: &str) -> axum::response::Redirect {
    debug_assert!(NOTICES.iter().any(|notice| notice.0 == word), "{word}");
    axum::response::Redirect::to(&with(to, NOTICE, Some(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_counts_are_put_for_people() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        for (took, text) in [
            (Duration::ZERO, "under 1 ms"),
            (Duration::from_micros(250), "250 µs"),
            (Duration::from_micros(2_500), "2.5 ms"),
            (Duration::from_millis(250), "250 ms"),
            (Duration::from_millis(1_500), "1.5 s"),
            (Duration::from_secs(90), "1 min 30 s"),
            (Duration::from_secs(7_260), "2 h 1 min"),
            (Duration::from_secs(90_000), "1 d 1 h"),
        ] {
            assert_eq!(duration(took), text);
        }
    }

    #[test]
    fn what_others_wrote_is_shown_and_not_obeyed() {
        let page = excerpt("<b>\u{202e}evil\u{7}\n".as_bytes()).into_string();
        assert!(page.contains("&lt;b&gt;\u{fffd}evil\u{fffd}\n"), "{page}");
    }

    #[test]
    fn an_address_says_what_was_done_by_a_known_word_alone() {
        let to = with("/dashboard/messages?a=1&done=sent", "iterator", Some("x&y"));
        assert_eq!(to, "/dashboard/messages?a=1&iterator=x%26y");
        assert!(Notice::of("/dashboard?done=saved").is_some());
        assert!(Notice::of("/dashboard?done=call+this+number").is_none());
    }
}
