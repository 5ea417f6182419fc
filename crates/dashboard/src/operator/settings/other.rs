//! What is set for the whole installation beside what is asked of payloads: it is kept for pages
//! that others build on the API, and changes nothing here. Fields are called as the API calls them.

use super::{CHANGE, HERE as SETTINGS};
use crate::Shared;
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{self, Field, excerpt};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use app::environment::settings::{RULES, Rule};
use app::environment::{ENFORCE_SCHEMAS, Extent, SCAN_PAYLOADS, Settings};
use axum::extract::State;
use axum::response::IntoResponse as _;
use maud::{Markup, html};
use serde_json::{Map, Value};

pub(super) const HERE: &str = "/dashboard/settings/other";

/// On the page of all settings.
pub(super) fn part(seat: &Seat, settings: &Settings) -> Markup {
    let mut all = settings.all();
    for name in [ENFORCE_SCHEMAS, SCAN_PAYLOADS] {
        all.remove(name);
    }
    html! {
        h2 { "Other settings" }
        p.quiet {
            "They are for the pages that others build on the API. Those that are null are as they \
             were at first."
        }
        (excerpt(serde_json::to_string_pretty(&all).unwrap_or_default().as_bytes()))
        @if seat.may(CHANGE) {
            p.actions { a.button href=(HERE) { "Change other settings" } }
        }
    }
}

pub(super) async fn form(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let settings = rooms.app.environment_settings(&seat.caller).await?;
    let content = page(&seat, &filled(&settings), None);
    Ok(still(&rooms, &seat, &content))
}

pub(super) async fn set(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let input = input(fields);
    let set = rooms
        .app
        .set_environment_settings(&seat.caller, input, Extent::Some);
    match set.await {
        Ok(_) => Ok(parts::done(SETTINGS, "saved").into_response()),
        Err(error) => {
            let refused = Refused::from(error).in_form()?;
            let content = page(seat, fields, Some(&refused));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

/// Those that have a field.
fn settable() -> impl Iterator<Item = (&'static str, Rule)> {
    let all = RULES.iter().copied();
    all.filter(|(name, rule)| {
        let is_elsewhere = [ENFORCE_SCHEMAS, SCAN_PAYLOADS].contains(name);
        !is_elsewhere && !matches!(rule, Rule::NotBuilt | Rule::Nothing)
    })
}

/// A field's name: that of a setting, within that of what it is a part of.
fn named(within: &str, name: &str) -> String {
    match within {
        "" => name.to_owned(),
        within => format!("{within}.{name}"),
    }
}

/// What the form says; empty fields are as they were at first.
fn input(fields: &Fields) -> Map<String, Value> {
    let value = |(name, rule)| (name, value(fields, (name, rule)));
    let all = settable().map(value);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn value(fields: &Fields, (name, rule): (&str, Rule)) -> Value {
    let text = fields.text(name);
    match rule {
        Rule::Object(rules) => {
            let inner = rules.iter().map(|(own, rule)| {
                let value = value(fields, (&named(name, own), *rule));
                ((*own).to_owned(), value)
            });
            let inner: Map<_, _> = inner.filter(|(_, value)| !value.is_null()).collect();
            match inner.is_empty() {
                true => Value::Null,
                false => Value::Object(inner),
            }
        }
        _ if text.is_empty() => Value::Null,
        Rule::Flag(_) | Rule::Number(_) => {
            let parsed = serde_json::from_str(text);
            parsed.unwrap_or_else(|_| Value::String(text.to_owned()))
        }
        _ => Value::String(text.to_owned()),
    }
}

/// The form of the settings as they are.
fn filled(settings: &Settings) -> Fields {
    let mut pairs = Vec::new();
    for (name, value) in settings.all() {
        fill(&mut pairs, &name, value);
    }
    pairs.into()
}

fn fill(pairs: &mut Vec<(String, String)>, name: &str, value: Value) {
    let text = match value {
        Value::Object(inner) => {
            for (own, value) in inner {
                fill(pairs, &named(name, &own), value);
            }
            return;
        }
        Value::Null => return,
        Value::String(text) => text,
        other => other.to_string(),
    };
    pairs.push((name.to_owned(), text));
}

fn page(seat: &Seat, fields: &Fields, refused: Option<&Refused>) -> Content {
    let body = html! {
        p { "What stays empty is as it was at first." }
        (parts::refusal(refused))
        form method="post" action=(HERE) {
            (parts::form_token(seat))
            @for (name, rule) in settable() { (control(("", name), rule, fields, refused)) }
            div.actions { button.primary type="submit" { "Save" } }
        }
    };
    let above = vec![(SETTINGS.to_owned(), "Settings".to_owned())];
    Content::new("Other settings", body).below(above)
}

fn control(
    (within, label): (&str, &str),
    rule: Rule,
    fields: &Fields,
    refused: Option<&Refused>,
) -> Markup {
    let name = named(within, label);
    let hint = rule.wanted().replace('`', "");
    let field = Field {
        name: &name,
        label,
        value: fields.text(&name),
        hint: &hint,
        required: false,
    };
    let choice = |words: &[&'static str]| {
        let all = [""].iter().chain(words);
        let all: Vec<_> = all.map(|word| (*word, told(word))).collect();
        field.choice(&all, refused)
    };
    match rule {
        Rule::Object(rules) => html! {
            fieldset {
                legend { (label) }
                @for (own, rule) in rules { (control((&name, own), *rule, fields, refused)) }
            }
        },
        Rule::Flag(_) => choice(&["true", "false"]),
        Rule::Word(words) | Rule::Choice(words) => choice(words),
        _ => field.line(refused),
    }
}

fn told(word: &'static str) -> &'static str {
    match word {
        "" => "as it was at first",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let pairs = pairs.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        pairs.into()
    }

    #[test]
    fn what_is_typed_is_as_the_api_takes_it() {
        let input = input(&fields(&[
            ("customColor", "#fff"),
            ("enableChannels", "true"),
            ("colorPaletteDark.primary", "#000"),
            ("customThemeOverride.fontSize.base", "12"),
            ("customThemeOverride.borderRadius.card", ""),
            ("displayName", " "),
        ]));
        assert_eq!(input["customColor"], "#fff");
        assert_eq!(input["enableChannels"], true);
        assert_eq!(input["colorPaletteDark"], json!({ "primary": "#000" }));
        assert_eq!(
            input["customThemeOverride"],
            json!({ "fontSize": { "base": 12 } })
        );
        assert_eq!(input["displayName"], Value::Null);
        assert_eq!(input["colorPaletteLight"], Value::Null);
        for name in [ENFORCE_SCHEMAS, SCAN_PAYLOADS, "enableTransformations"] {
            assert!(!input.contains_key(name), "{name}");
        }
    }

    #[test]
    fn a_form_says_of_settings_that_nobody_set_what_they_are() {
        let again = input(&filled(&Settings::default()));
        let all = Settings::default().all();
        for (name, value) in again {
            assert_eq!(Some(&value), all.get(&name), "{name}");
        }
    }
}
