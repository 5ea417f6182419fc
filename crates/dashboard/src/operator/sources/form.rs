//! What is asked of a source: its names, whose requests arrive there, and how they are verified.
//! A configuration is JSON, as the API has it: what it may hold is the use case's to judge. A form
//! never has what is kept of it, since what is shown of that lacks its secrets.

use super::actions::url_of;
use super::{CHANGE, HERE, address, trail, trail_of};
use crate::Shared;
use crate::layout::Content;
use crate::live::{again, still};
use crate::parts::{Field, done, form_token, refusal};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::Seat;
use app::sources::{ConfigInput, SourceInput, SourcePatch, SourceView, types};
use app::{AppError, Patch};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use model::Secret;

pub(super) fn routes() -> Routes {
    Routes::default()
        .page("/dashboard/sources/new", CHANGE, new)
        .action(HERE, CHANGE, create)
        .page("/dashboard/sources/{source}/edit", CHANGE, edit)
        .action("/dashboard/sources/{source}/edit", CHANGE, rename)
        .action("/dashboard/sources/{source}/config", CHANGE, configure)
}

/// A form that was refused, or was not sent yet.
type Sent<'a> = (&'a Fields, Option<&'a Refused>);

async fn new(State(rooms): State<Shared>, seat: Seat) -> Response {
    let content = new_content(&seat, (&Fields::default(), None));
    still(&rooms, &seat, &content)
}

async fn create(State(rooms): State<Shared>, Posted { seat, fields }: Posted) -> Answer {
    let made = match config(&rooms, &fields) {
        Ok(config) => {
            let input = SourceInput {
                name: fields.text("name").to_owned(),
                uid: fields.some("uid"),
                source_type: fields.text("type").to_owned(),
                config,
                ..SourceInput::default()
            };
            rooms.app.create_source(&seat.caller, input).await
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(made) => {
            let content = url_of(&rooms, &made.value, "The new source's inbound URL");
            Ok(still(&rooms, &seat, &content))
        }
        Err(error) => {
            let refused = Refused::from(error);
            let content = new_content(&seat, (&fields, Some(&refused)));
            Ok(again(&rooms, &seat, (&refused, &content)))
        }
    }
}

fn new_content(seat: &Seat, sent: Sent<'_>) -> Content {
    let body = html! {
        (refusal(sent.1))
        form method="post" action=(HERE) {
            (form_token(seat))
            (names(sent))
            (verifying(sent))
            button.primary type="submit" { "Make the source" }
        }
    };
    Content::new("A new source", body).below(trail())
}

async fn edit(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let found = rooms
        .app
        .source_without_token(&seat.caller, seat.named("source"));
    let (view, _) = found.await?;
    let fields = fields(&view);
    let content = edit_content(&seat, &view, (&fields, None));
    Ok(still(&rooms, &seat, &content))
}

/// What the fields have for a source that there is.
fn fields(view: &SourceView) -> Fields {
    let source = &view.source;
    let uid = source.uid.as_ref().map(ToString::to_string);
    Fields::from(vec![
        ("name".to_owned(), source.name.clone()),
        ("uid".to_owned(), uid.unwrap_or_default()),
        ("type".to_owned(), source.source_type.to_string()),
    ])
}

fn edit_content(seat: &Seat, view: &SourceView, sent: Sent<'_>) -> Content {
    let here = address(view);
    let body = html! {
        (refusal(sent.1))
        h2 { "What it is called" }
        form method="post" action={ (here) "/edit" } {
            (form_token(seat))
            (names(sent))
            button.primary type="submit" { "Save" }
        }
        h2 { "How it verifies" }
        p { "All of it is written anew: what is not given here is as its type has it." }
        form method="post" action={ (here) "/config" }
            data-sure="Write anew how it verifies? What is not given is gone." {
            (form_token(seat))
            (verifying(sent))
            button.danger type="submit" { "Write anew" }
        }
    };
    Content::new("Change it", body).below(trail_of(view))
}

async fn rename(State(rooms): State<Shared>, Posted { seat, fields }: Posted) -> Answer {
    let path = seat.named("source");
    let (view, _) = rooms.app.source_without_token(&seat.caller, path).await?;
    let patch = SourcePatch {
        name: Patch::Set(fields.text("name").to_owned()),
        uid: Patch::Set(fields.some("uid")),
        metadata: Patch::Keep,
    };
    let saved = rooms.app.patch_source(&seat.caller, path, patch).await;
    Ok(answer(&rooms, &seat, (&view, &fields, saved.map(drop))))
}

async fn configure(State(rooms): State<Shared>, Posted { seat, fields }: Posted) -> Answer {
    let path = seat.named("source");
    let (view, _) = rooms.app.source_without_token(&seat.caller, path).await?;
    let source = &view.source;
    let saved = match config(&rooms, &fields) {
        Ok(config) => {
            let input = SourceInput {
                name: source.name.clone(),
                uid: source.uid.as_ref().map(ToString::to_string),
                source_type: fields.text("type").to_owned(),
                config,
                metadata: source.metadata.clone(),
            };
            let id = source.id.to_string();
            rooms.app.put_source(&seat.caller, &id, input).await
        }
        Err(error) => Err(error),
    };
    Ok(answer(&rooms, &seat, (&view, &fields, saved.map(drop))))
}

fn answer(
    rooms: &Shared,
    seat: &Seat,
    (view, sent, saved): (&SourceView, &Fields, Result<(), AppError>),
) -> Response {
    match saved {
        Ok(()) => done(&address(view), "saved").into_response(),
        Err(error) => {
            let refused = Refused::from(error);
            let now = fields(view);
            // Each of the two forms sends its own fields: the other's are as they are.
            let both = ["name", "uid", "type", "config"].map(|name| {
                let own = sent.all(name).next().unwrap_or(now.raw(name));
                (name.to_owned(), own.to_owned())
            });
            let both = Fields::from(both.to_vec());
            let content = edit_content(seat, view, (&both, Some(&refused)));
            again(rooms, seat, (&refused, &content))
        }
    }
}

/// A source's configuration, as it was sent: the secret has a field of its own.
fn config(rooms: &Shared, fields: &Fields) -> Result<ConfigInput, AppError> {
    let json = match fields.text("config") {
        "" => "{}",
        json => json,
    };
    let read = (rooms.config.written.read_source_config)(json)?;
    let secret = fields.some("secret").map(Secret::from);
    Ok(ConfigInput {
        secret: secret.or(read.secret),
        ..read
    })
}

fn names((fields, refused): Sent<'_>) -> Markup {
    let name = Field {
        name: "name",
        label: "Name",
        value: fields.text("name"),
        hint: "What people call it.",
        required: true,
    };
    let uid = Field {
        name: "uid",
        label: "Uid",
        value: fields.text("uid"),
        hint: "A name of your own for it, by which the API finds it.",
        required: false,
    };
    html! { (name.line(refused)) (uid.line(refused)) }
}

fn verifying((fields, refused): Sent<'_>) -> Markup {
    let types = types();
    let words: Vec<_> = types.iter().map(|name| (*name, *name)).collect();
    let source_type = Field {
        name: "type",
        label: "Type",
        value: fields.text("type"),
        hint: "Whose requests arrive there.",
        required: false,
    };
    let config = Field {
        name: "config",
        label: "Configuration",
        value: fields.text("config"),
        hint: "JSON, as the API has it in `config`: such as {\"allowAddresses\": \
               [\"192.0.2.0/24\"]}. Empty: as its type has it. sources.md has all that it may hold.",
        required: false,
    };
    html! {
        (source_type.choice(&words, refused))
        div.field {
            label for="secret" { "Secret" }
            input #secret name="secret" type="password" autocomplete="off"
                aria-describedby="secret-hint";
            p.hint #secret-hint {
                "What its sender signs with, as the sender shows it. Not for types that verify with \
                 a public key: that stands in the configuration."
            }
        }
        (config.lines(6, refused))
    }
}
