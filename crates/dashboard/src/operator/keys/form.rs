//! What is asked of an API key: its name, and what it may do, by a role or by single scopes.

use super::trail;
use crate::Shared;
use crate::layout::Content;
use crate::parts::{Field, form_token, refusal};
use crate::posted::Fields;
use crate::problem::Refused;
use crate::seat::Seat;
use app::api_keys::ApiKeyInput;
use maud::{Markup, html};
use model::api_key::{ApiKey, Scope};

/// What a key may do that no scopes limit.
const ALL: &str = "all";
/// That it is limited by single scopes.
const SINGLE: &str = "scopes";

const CHOICES: [(&str, &str); 5] = [
    ("viewer", "Look at everything but secrets (viewer)"),
    ("operator", "Send again, besides (operator)"),
    ("admin", "Everything that people may (admin)"),
    (ALL, "Everything"),
    (SINGLE, "What the scopes below say"),
];

/// The page with the form for a new key.
pub(super) fn new(
    seat: &Seat,
    (rooms, fields): (&Shared, &Fields),
    refused: Option<&Refused>,
) -> Content {
    let body = html! {
        (refusal(refused))
        form method="post" action=(super::HERE) {
            (form_token(seat))
            (of(rooms, fields, refused))
            button.primary type="submit" { "Make the key" }
        }
    };
    Content::new("A new key", body).below(trail())
}

/// The fields.
pub(super) fn of(rooms: &Shared, fields: &Fields, refused: Option<&Refused>) -> Markup {
    let nouns = rooms.config.written.nouns.join(", ");
    let hint = format!(
        "One in each line: NOUN:read or NOUN:write, where * is each noun. The nouns are {nouns}."
    );
    let name = Field {
        name: "name",
        label: "Name",
        value: fields.text("name"),
        hint: "What people call it: who uses it, and for what.",
        required: false,
    };
    let may = Field {
        name: "may",
        label: "What it may do",
        value: fields.text("may"),
        hint: "No key can be given more than you may do yourself.",
        required: false,
    };
    let scopes = Field {
        name: "scopes",
        label: "Scopes",
        value: fields.text("scopes"),
        hint: &hint,
        required: false,
    };
    html! {
        (name.line(refused))
        (may.choice(&CHOICES, refused))
        (scopes.lines(4, refused))
    }
}

/// What was sent of it.
pub(super) fn input(fields: &Fields) -> ApiKeyInput {
    ApiKeyInput {
        name: fields.text("name").to_owned(),
        scopes: match fields.text("may") {
            ALL => None,
            SINGLE => Some(fields.list("scopes")),
            role => Some(vec![format!("role:{role}")]),
        },
    }
}

/// What the fields have for a key that there is, and for when it is to end.
pub(super) fn fields(key: &ApiKey, expiry: &str) -> Fields {
    let (may, scopes) = match key.scopes.as_deref() {
        None => (ALL.to_owned(), Vec::new()),
        Some([Scope::Role(role)]) => (role.to_string(), Vec::new()),
        Some(scopes) => {
            let scopes = scopes.iter().map(Scope::to_string).collect();
            (SINGLE.to_owned(), scopes)
        }
    };
    Fields::from(vec![
        ("name".to_owned(), key.name.clone()),
        ("may".to_owned(), may),
        ("scopes".to_owned(), scopes.join("\n")),
        ("expiry".to_owned(), expiry.to_owned()),
    ])
}
