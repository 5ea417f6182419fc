//! API keys: who has which, and what each may do; making, changing and ending them, and revoking a
//! signed token by its id. What a scope can name is the API's to say.

mod form;

use super::asked::{Asked, shown};
use crate::layout::{Content, Crumb};
use crate::live::{View, again, still};
use crate::needs::{administer, look_within};
use crate::parts::{
    self, Field, Tone, badge, done, facts, form_token, pager, refusal, table, time, time_or,
};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::Seat;
use crate::{Shared, search};
use app::AppError;
use app::access::limits::Need;
use app::access::{EXPIRY_WAIT_MAX, revocation};
use app::api_keys::{ApiKeyPatch, NewApiKey};
use app::{Patch, Violation};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use model::Timestamp;
use model::api_key::{ApiKey, Scope};

const LOOK: Need = look_within("management");
const CHANGE: Need = administer("management");
/// What ending tokens needs.
const REVOKE: Need = administer("authentication");
/// Where they are.
const HERE: &str = "/dashboard/keys";

pub(super) fn routes() -> Routes {
    Routes::default()
        .page(HERE, LOOK, list)
        .action(HERE, CHANGE, create)
        .page("/dashboard/keys/new", CHANGE, new)
        .page("/dashboard/keys/revoke", REVOKE, ask_for_token)
        .action("/dashboard/keys/revoke", REVOKE, revoke)
        .page("/dashboard/keys/{key}", LOOK, one)
        .action("/dashboard/keys/{key}", CHANGE, change)
        .action("/dashboard/keys/{key}/end", CHANGE, end)
}

fn trail() -> [Crumb; 1] {
    [(HERE.to_owned(), "API keys".to_owned())]
}

async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, list_content).await
}

async fn list_content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let organisation = rooms.app.tokens.organisation();
    let asked = Asked::of(&seat).list();
    let page = rooms.app.api_keys(&seat.caller, organisation, &asked).await;
    let now = rooms.app.clock.now();
    let keys = shown(page, |page| {
        let rows = page.data.iter().map(|key| row(key, now)).collect();
        html! {
            (table("API keys, the oldest first", &HEADS, rows, "There are none."))
            (pager(&seat, page))
        }
    })?;
    let body = html! {
        div.actions {
            @if seat.may(CHANGE) { a.button.primary href="/dashboard/keys/new" { "Make a key" } }
            @if seat.may(REVOKE) { a.button href="/dashboard/keys/revoke" { "Revoke a token" } }
        }
        (keys)
    };
    Ok(Content::new("API keys", body))
}

const HEADS: [&str; 7] = [
    "Name",
    "State",
    "Token",
    "May do",
    "Made",
    "Last used",
    "Ends",
];

fn row(key: &ApiKey, now: Timestamp) -> Vec<Markup> {
    let name = match key.name.as_str() {
        "" => html! { (key.id) },
        name => parts::short(name),
    };
    vec![
        html! { a href={ (HERE) "/" (key.id) } { (name) } },
        state(key, now),
        html! { code { (key.shown) } },
        parts::short(&scopes(key)),
        time(key.created_at),
        time_or(key.used_at, "never"),
        time_or(key.expires_at, "never"),
    ]
}

fn state(key: &ApiKey, now: Timestamp) -> Markup {
    match key.expires_at {
        None => badge(Tone::Good, "good"),
        Some(end) if end <= now => badge(Tone::Bad, "ended"),
        Some(_) => badge(Tone::Waiting, "ends"),
    }
}

fn scopes(key: &ApiKey) -> String {
    match &key.scopes {
        None => "everything".to_owned(),
        Some(scopes) => {
            let scopes: Vec<_> = scopes.iter().map(Scope::to_string).collect();
            scopes.join(", ")
        }
    }
}

async fn new(State(rooms): State<Shared>, seat: Seat) -> Response {
    let content = form::new(&seat, (&rooms, &Fields::default()), None);
    still(&rooms, &seat, &content)
}

async fn create(State(rooms): State<Shared>, Posted { seat, fields }: Posted) -> Answer {
    let path = (rooms.app.tokens.organisation(), rooms.config.written.nouns);
    let input = form::input(&fields);
    match rooms.app.create_api_key(&seat.caller, path, input).await {
        Ok(made) => Ok(still(&rooms, &seat, &made_content(&made))),
        Err(error) => {
            let refused = Refused::from(error);
            let content = form::new(&seat, (&rooms, &fields), Some(&refused));
            Ok(again(&rooms, &seat, (&refused, &content)))
        }
    }
}

fn made_content(made: &NewApiKey) -> Content {
    let token = String::from_utf8_lossy(made.token.expose()).into_owned();
    let body = html! {
        p.notice.waiting role="status" {
            "This is shown now, and never again: keep it where secrets are kept."
        }
        pre.excerpt tabindex="0" aria-label="The key's token" { code { (token) } }
        (facts(vec![
            ("Name", html! { (made.key.name) }),
            ("May do", html! { (scopes(&made.key)) }),
            ("Id", parts::id(made.key.id)),
        ]))
        p { a href=(HERE) { "To all keys" } }
    };
    Content::new("The new key", body).below(trail())
}

async fn one(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let key = find(&rooms, &seat).await?;
    let fields = form::fields(&key, "");
    let content = one_content(&rooms, &seat, (&key, &fields, None));
    Ok(still(&rooms, &seat, &content))
}

async fn find(rooms: &Shared, seat: &Seat) -> Answer<ApiKey> {
    let path = (rooms.app.tokens.organisation(), seat.named("key"));
    Ok(rooms.app.api_key(&seat.caller, path).await?)
}

fn one_content(
    rooms: &Shared,
    seat: &Seat,
    (key, fields, refused): (&ApiKey, &Fields, Option<&Refused>),
) -> Content {
    let here = format!("{HERE}/{}", key.id);
    let known = vec![
        ("State", state(key, rooms.app.clock.now())),
        ("Token", html! { code { (key.shown) } }),
        ("May do", html! { (scopes(key)) }),
        ("Made", time(key.created_at)),
        ("Last used", time_or(key.used_at, "never")),
        ("Ends", time_or(key.expires_at, "never")),
        ("Id", parts::id(key.id)),
    ];
    let body = html! {
        (facts(known))
        @if seat.may(look_within("security")) {
            p {
                a href=(parts::with("/dashboard/security", "subject",
                    Some(&format!("apiKey:{}", key.id)))) { "Security events about this key" }
            }
        }
        @if seat.may(CHANGE) {
            h2 { "Change it" }
            (refusal(refused))
            form method="post" action=(here) {
                (form_token(seat))
                (form::of(rooms, fields, refused))
                button.primary type="submit" { "Save" }
            }
            (ending(seat, (&here, fields, refused)))
        }
    };
    let title = match key.name.as_str() {
        "" => key.id.to_string(),
        name => name.to_owned(),
    };
    Content::new(title, body).below(trail())
}

fn ending(seat: &Seat, (here, fields, refused): (&str, &Fields, Option<&Refused>)) -> Markup {
    let field = Field {
        name: "expiry",
        label: "When, by UTC",
        value: fields.text("expiry"),
        hint: "As 2026-01-02T03:04, at most three days from now. Empty: now.",
        required: false,
    };
    html! {
        h2 { "End it" }
        form method="post" action={ (here) "/end" } data-sure="End this key for good?" {
            (form_token(seat))
            (field.line(refused))
            button.danger type="submit" { "End the key" }
        }
    }
}

async fn change(State(rooms): State<Shared>, Posted { seat, fields }: Posted) -> Answer {
    let key = find(&rooms, &seat).await?;
    let input = form::input(&fields);
    let patch = ApiKeyPatch {
        name: Patch::Set(input.name),
        scopes: Patch::Set(input.scopes),
    };
    let id = key.id.to_string();
    let path = (
        rooms.app.tokens.organisation(),
        id.as_str(),
        rooms.config.written.nouns,
    );
    match rooms.app.patch_api_key(&seat.caller, path, patch).await {
        Ok(_) => Ok(done(&format!("{HERE}/{id}"), "saved").into_response()),
        Err(error) => Ok(refuse(&rooms, &seat, (&key, &fields, error))),
    }
}

async fn end(State(rooms): State<Shared>, Posted { seat, fields }: Posted) -> Answer {
    let key = find(&rooms, &seat).await?;
    let id = key.id.to_string();
    let path = (rooms.app.tokens.organisation(), id.as_str());
    let ended = match seconds(fields.text("expiry"), rooms.app.clock.now()) {
        Ok(seconds) => {
            let ended = rooms.app.expire_api_key(&seat.caller, path, seconds);
            ended.await.map(|()| seconds)
        }
        Err(violation) => Err(violation.into()),
    };
    match ended {
        Ok(seconds) => {
            let word = if seconds == 0 { "ended" } else { "saved" };
            Ok(done(&format!("{HERE}/{id}"), word).into_response())
        }
        Err(error) => {
            let shown = form::fields(&key, fields.text("expiry"));
            Ok(refuse(&rooms, &seat, (&key, &shown, error)))
        }
    }
}

fn refuse(
    rooms: &Shared,
    seat: &Seat,
    (key, fields, error): (&ApiKey, &Fields, AppError),
) -> Response {
    let refused = Refused::from(error);
    let content = one_content(rooms, seat, (key, fields, Some(&refused)));
    again(rooms, seat, (&refused, &content))
}

/// In how many seconds a key is to end.
fn seconds(text: &str, now: Timestamp) -> Result<i64, Violation> {
    if text.is_empty() {
        return Ok(0);
    }
    let wrong = |text: String| Violation::body(&["expiry"], text);
    let at = search::moment(text);
    let at = at.ok_or_else(|| wrong("is no time: write 2026-01-02T03:04, by UTC".to_owned()))?;
    let seconds = at.seconds() - now.seconds();
    match (0..=EXPIRY_WAIT_MAX).contains(&seconds) {
        true => Ok(seconds),
        false => Err(wrong(
            "must be between now and three days from now".to_owned(),
        )),
    }
}

async fn ask_for_token(State(rooms): State<Shared>, seat: Seat) -> Response {
    still(&rooms, &seat, &revoking(&seat, "", None))
}

async fn revoke(State(rooms): State<Shared>, Posted { seat, fields }: Posted) -> Answer {
    let id = fields.text("jti");
    let revoked = match id {
        "" => Err(Violation::body(&["jti"], "must be the `jti` of a token").into()),
        id => {
            let token = revocation(id.to_owned());
            rooms.app.revoke_token(&seat.caller, token).await
        }
    };
    match revoked {
        Ok(()) => Ok(done(HERE, "ended").into_response()),
        Err(error) => {
            let refused = Refused::from(error);
            let content = revoking(&seat, id, Some(&refused));
            Ok(again(&rooms, &seat, (&refused, &content)))
        }
    }
}

fn revoking(seat: &Seat, id: &str, refused: Option<&Refused>) -> Content {
    let field = Field {
        name: "jti",
        label: "The token's id",
        value: id,
        hint: "The `jti` among its claims, which the audit log shows of what was done with it.",
        required: true,
    };
    let body = html! {
        p { "A signed token, or a session, that is revoked is not good any more, wherever it is used." }
        (refusal(refused))
        form method="post" action="/dashboard/keys/revoke" data-sure="Revoke this token for good?" {
            (form_token(seat))
            (field.line(refused))
            button.danger type="submit" { "Revoke it" }
        }
    };
    Content::new("Revoke a token", body).below(trail())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_now_or_within_three_days() {
        let now = Timestamp::from_seconds(1_767_323_040);
        assert_eq!(seconds("", now), Ok(0));
        assert_eq!(seconds("2026-01-02T03:05", now), Ok(60));
        for wrong in ["soon", "2026-01-02T03:03", "2026-01-06T03:04"] {
            let told = seconds(wrong, now).expect_err(wrong);
            assert_eq!(told.location, ["body", "expiry"]);
        }
    }
}
