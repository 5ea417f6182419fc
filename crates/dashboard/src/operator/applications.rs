//! Applications: the list, one with its endpoints, and what is done with it. What is sent to them
//! has pages of its own.

use crate::Shared;
use crate::layout::{Content, Crumb};
use crate::live::{View, again, still};
use crate::needs::{administer, look_within};
use crate::parts::{self, Field, button, done, id, time};
use crate::posted::{Fields, Posted};
use crate::problem::{Answer, Refused};
use crate::routes::Routes;
use crate::seat::Seat;
use crate::tenant::endpoints_listed;
use crate::tenant::place::{rate, tenant};
use crate::{DASHBOARD, PORTAL, pairs, search};
use app::access::limits::Need;
use app::applications::{ApplicationInput, ApplicationPatch, ApplicationsInput};
use app::messages::RecipientPath;
use app::portal::PortalInput;
use app::{ListInput, Patch, Tenant};
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect};
use maud::{Markup, html};
use model::application::{Application, Metadata};

/// What makes and changes applications.
const CHANGE: Need = administer("application");
/// What opens the portal for one.
const OPEN_PORTAL: Need = administer("authentication");
/// How many endpoints stand on an application's page.
const ENDPOINTS: u64 = 10;

pub(crate) fn routes() -> Routes {
    Routes::default()
        .page("/dashboard/applications", look_within("application"), list)
        .page("/dashboard/applications/new", CHANGE, new)
        .action("/dashboard/applications/new", CHANGE, create)
        .page(
            "/dashboard/applications/{app}",
            look_within("application"),
            show,
        )
        .page("/dashboard/applications/{app}/edit", CHANGE, edit)
        .action("/dashboard/applications/{app}/edit", CHANGE, update)
        .action("/dashboard/applications/{app}/delete", CHANGE, delete)
        .action("/dashboard/applications/{app}/portal", OPEN_PORTAL, portal)
}

fn above() -> Vec<Crumb> {
    vec![(all(), "Applications".to_owned())]
}

fn all() -> String {
    format!("{DASHBOARD}/applications")
}

fn above_one(seat: &Seat, tenant: &Tenant) -> Vec<Crumb> {
    let mut trail = above();
    trail.push((seat.within(""), tenant.application().name.clone()));
    trail
}

/// One that is asked for by its id or uid is led to.
async fn list(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    if let Some(wanted) = search::asked(&seat).some("find") {
        let found = rooms
            .app
            .find_application(&seat.caller, wanted.trim())
            .await?;
        if let Some(found) = found {
            let to = format!("{}/{}", all(), found.application().id);
            return Ok(Redirect::to(&to).into_response());
        }
    }
    view.show(&rooms, seat, listed).await
}

async fn listed(rooms: Shared, seat: Seat) -> Answer<Content> {
    let input = ApplicationsInput {
        list: ListInput {
            iterator: search::asked(&seat).some("iterator"),
            ..ListInput::default()
        },
        ..ApplicationsInput::default()
    };
    let page = rooms.app.applications(&seat.caller, &input).await?;
    let rows = page.data.iter().map(row);
    let heads = ["Name", "Uid", "Id", "Made"];
    let wanted = search::asked(&seat).some("find");
    let body = html! {
        form.filter method="get" action=(all()) {
            div {
                label for="find" { "Id or uid" }
                input #find name="find" value=(wanted.as_deref().unwrap_or_default())
                    autocomplete="off" required;
            }
            button type="submit" { "Open" }
            @if seat.may(CHANGE) {
                a.button.primary href={ (all()) "/new" } { "New application" }
            }
        }
        @if let Some(wanted) = &wanted {
            p.notice.bad role="alert" { "There is no application called " code { (wanted) } "." }
        }
        (parts::table("Applications", &heads, rows.collect(), "There is no application yet."))
        (parts::pager(&seat, &page))
    };
    Ok(Content::new("Applications", body))
}

fn row(one: &Application) -> Vec<Markup> {
    vec![
        html! { a href={ (all()) "/" (one.id) } { (parts::short(&one.name)) } },
        html! { @if let Some(uid) = &one.uid { (id(uid)) } },
        id(one.id),
        time(one.created_at),
    ]
}

async fn show(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, content).await
}

async fn content(rooms: Shared, seat: Seat) -> Answer<Content> {
    let tenant = tenant(&rooms, &seat).await?;
    let first = ListInput {
        limit: Some(ENDPOINTS),
        iterator: search::asked(&seat).some("iterator"),
        ..ListInput::default()
    };
    let body = html! {
        (actions(&seat))
        (facts(tenant.application()))
        h2 { "Endpoints" }
        (endpoints_listed(&rooms, &seat, (&tenant, &first))?)
    };
    Ok(Content::new(tenant.application().name.clone(), body).below(above()))
}

fn actions(seat: &Seat) -> Markup {
    html! {
        div.actions {
            a.button href=(seat.within("/endpoints")) { "Endpoints" }
            a.button href=(seat.within("/messages")) { "Messages" }
            @if seat.may(OPEN_PORTAL) {
                (button(seat, &seat.within("/portal"), ("", "Make a link into the portal")))
            }
            @if seat.may(CHANGE) {
                a.button href=(seat.within("/edit")) { "Edit" }
                form.inline method="post" action=(seat.within("/delete"))
                    data-sure="Delete this application with its endpoints, and all that is on its way to them?" {
                    (parts::form_token(seat))
                    button.danger type="submit" { "Delete" }
                }
            }
        }
    }
}

fn facts(application: &Application) -> Markup {
    let mut facts = vec![("Id", id(application.id))];
    if let Some(uid) = &application.uid {
        facts.push(("Uid", id(uid)));
    }
    let rate = application.rate_limit.map(|rate| rate.to_string());
    facts.push((
        "Attempts per second, at the most",
        html! { (rate.as_deref().unwrap_or("no limit")) },
    ));
    for (name, value) in &application.metadata {
        facts.push((name, html! { (value) }));
    }
    facts.push(("Made", time(application.created_at)));
    facts.push(("Last saved", time(application.updated_at)));
    parts::facts(facts)
}

async fn new(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let form = form(&seat, (&Fields::default(), None), &Metadata::new());
    let content = Content::new("New application", form).below(above());
    Ok(still(&rooms, &seat, &content))
}

async fn create(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let made = async {
        let input = ApplicationInput {
            name: fields.text("name").to_owned(),
            uid: fields.some("uid"),
            rate_limit: rate(fields)?,
            metadata: pairs::read(fields, "metadata", &Metadata::new())?,
            ..ApplicationInput::default()
        };
        let made = rooms.app.create_application(&seat.caller, input, false);
        Ok::<_, Refused>(made.await?)
    };
    match made.await {
        Ok(made) => {
            let to = format!("{}/{}", all(), made.value.id);
            Ok(done(&to, "created").into_response())
        }
        Err(refused) => {
            let refused = refused.in_form()?;
            let form = form(seat, (fields, Some(&refused)), &Metadata::new());
            let content = Content::new("New application", form).below(above());
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

async fn edit(State(rooms): State<Shared>, seat: Seat) -> Answer {
    let tenant = tenant(&rooms, &seat).await?;
    let application = tenant.application();
    let uid = application.uid.as_ref().map(ToString::to_string);
    let rate = application.rate_limit.map(|rate| rate.to_string());
    let fields = Fields::from(vec![
        ("name".to_owned(), application.name.clone()),
        ("uid".to_owned(), uid.unwrap_or_default()),
        ("rateLimit".to_owned(), rate.unwrap_or_default()),
        ("metadata".to_owned(), pairs::written(&application.metadata)),
    ]);
    let form = form(&seat, (&fields, None), &application.metadata);
    let content = Content::new("Edit", form);
    let content = content.below(above_one(&seat, &tenant));
    Ok(still(&rooms, &seat, &content))
}

async fn update(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let Posted { seat, fields } = &posted;
    let tenant = tenant(&rooms, seat).await?;
    let before = &tenant.application().metadata;
    let saved = async {
        let patch = ApplicationPatch {
            name: Patch::Set(fields.text("name").to_owned()),
            uid: Patch::Set(fields.some("uid")),
            rate_limit: Patch::Set(rate(fields)?),
            metadata: Patch::Set(pairs::read(fields, "metadata", before)?),
            ..ApplicationPatch::default()
        };
        let patched = rooms.app.patch_application(&seat.caller, &tenant, patch);
        Ok::<_, Refused>(patched.await?)
    };
    match saved.await {
        Ok(saved) => {
            // The address may have named it by a uid that it has no more.
            let to = format!("{}/{}", all(), saved.id);
            Ok(done(&to, "saved").into_response())
        }
        Err(refused) => {
            let refused = refused.in_form()?;
            let form = form(seat, (fields, Some(&refused)), before);
            let content = Content::new("Edit", form);
            let content = content.below(above_one(seat, &tenant));
            Ok(again(&rooms, seat, (&refused, &content)))
        }
    }
}

async fn delete(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let tenant = tenant(&rooms, &posted.seat).await?;
    let deleted = rooms.app.delete_application(&posted.seat.caller, &tenant);
    deleted.await?;
    Ok(done(&all(), "deleted").into_response())
}

/// A link that is good once, for whoever the operator gives it to. Opening it oneself uses it up.
async fn portal(State(rooms): State<Shared>, posted: Posted) -> Answer {
    let seat = &posted.seat;
    let tenant = tenant(&rooms, seat).await?;
    let path = RecipientPath::parse(&tenant.application().id.to_string())?;
    let recipient = rooms.app.recipient(&seat.caller, path).await?;
    let input = PortalInput::default();
    let access = rooms.app.portal_access(&seat.caller, recipient, input);
    let access = access.await?;
    let token = String::from_utf8_lossy(access.one_time_token.expose());
    let link = format!("{}{PORTAL}/open/{token}", rooms.config.public_url);
    let body = html! {
        p {
            "It is good once, for 15 minutes, and lets whoever has it do what this application's own \
             people may. It is not shown again."
        }
        pre.excerpt tabindex="0" { code { (link) } }
        p { a.button href=(seat.within("")) { "Back to the application" } }
    };
    let content = Content::new("A link into the portal", body);
    let content = content.below(above_one(seat, &tenant));
    Ok(still(&rooms, seat, &content))
}

fn form(seat: &Seat, (fields, refused): (&Fields, Option<&Refused>), before: &Metadata) -> Markup {
    let field = |name, label, hint, required| {
        let value = fields.text(name);
        Field {
            name,
            label,
            value,
            hint,
            required,
        }
    };
    let uid = "Your own name for it: letters, digits, -, _ and .";
    let rate = "Over all its endpoints, at the most. Empty: no limit.";
    html! {
        (parts::refusal(refused))
        form method="post" action=(seat.path()) {
            (parts::form_token(seat))
            (field("name", "Name", "What people call it.", true).line(refused))
            (field("uid", "Uid", uid, false).line(refused))
            (field("rateLimit", "Attempts per second", rate, false).line(refused))
            (pairs::metadata(fields, before, refused))
            div.actions { button.primary type="submit" { "Save" } }
        }
    }
}
