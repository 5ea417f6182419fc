//! Messages and deliveries of all applications, the newest first, and the way to one of them.

use crate::layout::Content;
use crate::live::View;
use crate::needs::look_within;
use crate::parts::{self, pager, short, table, time, time_or};
use crate::posted::Fields;
use crate::problem::Answer;
use crate::routes::Routes;
use crate::seat::Seat;
use crate::words::{self, name_or_none, names, of_application};
use crate::{Shared, search};
use app::AppError;
use app::deliveries::{DeliveriesInput, DeliveryState, DeliveryView};
use app::filter::Filter;
use app::messages::{MessagesInput, SentMessage};
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect};
use maud::{Markup, html};

const MESSAGES: &str = "/dashboard/messages";
const DELIVERIES: &str = "/dashboard/messages/deliveries";

const STATES: [(&str, &str); 4] = [
    ("pending", "Pending"),
    ("delivered", "Delivered"),
    ("exhausted", "Exhausted"),
    ("cancelled", "Cancelled"),
];

pub(crate) fn routes() -> Routes {
    Routes::default()
        .page(MESSAGES, look_within("message"), messages)
        .page(DELIVERIES, look_within("delivery"), deliveries)
}

async fn messages(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    if view == View::Once
        && let Some(named) = search::asked(&seat).some("id")
    {
        return lead_to(&rooms, &seat, &named).await;
    }
    view.show(&rooms, seat, message_list).await
}

/// Leads to the one message that is called so.
async fn lead_to(rooms: &Shared, seat: &Seat, named: &str) -> Answer {
    let asked = search::asked(seat);
    let found = match asked.some("app") {
        Some(application) => {
            let at = (application.as_str(), named);
            let found = rooms.app.message(&seat.caller, at, false).await;
            found.map(|view| (application, view.message.id))
        }
        None => {
            let found = rooms.app.message_anywhere(&seat.caller, named).await;
            found.map(|found| (found.application.id.to_string(), found.message.id))
        }
    };
    match found {
        Ok((application, message)) => {
            let tenant = rooms.app.application(&seat.caller, &application).await?;
            let rest = format!("/messages/{message}");
            let to = of_application(tenant.application().id, &rest);
            Ok(Redirect::to(&to).into_response())
        }
        Err(AppError::NotFound(_)) => Err(search::wrong(
            "id",
            "no message is called so: it may be gone, or it is an event id, which is its \
             application's alone, so that the application has to be given as well",
        )),
        Err(other) => Err(other.into()),
    }
}

async fn message_list(rooms: Shared, seat: Seat) -> Answer<Content> {
    let asked = search::asked(&seat);
    let (list, filter) = (search::list(&asked)?, search::filter(&asked)?);
    let page = match asked.some("app") {
        Some(path) => of_one(&rooms, &seat, (&path, list, filter)).await?,
        None => {
            let app = &rooms.app;
            app.messages_everywhere(&seat.caller, &list, &filter)
                .await?
        }
    };
    let mut fields = vec![
        search::text("id", "Message id, or event id"),
        search::text("app", "Application"),
    ];
    fields.extend(search::OF_MESSAGES);
    let rows = page.data.iter().map(message_row).collect();
    let heads = [
        "Accepted",
        "Event type",
        "Message",
        "Event id",
        "Application",
        "Channels",
        "Tags",
    ];
    let body = html! {
        (tabs(MESSAGES))
        (search::form(&seat, &asked, &fields))
        (table("Messages, the newest first", &heads, rows, "No message is like this."))
        (pager(&seat, &page))
    };
    Ok(Content::new("Messages", body))
}

async fn of_one(
    rooms: &Shared,
    seat: &Seat,
    (path, list, filter): (&str, app::ListInput, Filter),
) -> Answer<app::Page<SentMessage>> {
    let tenant = rooms.app.application(&seat.caller, path).await?;
    let input = MessagesInput {
        list,
        filter,
        with_content: false,
    };
    let page = rooms.app.messages(&seat.caller, path, &input).await?;
    Ok(page.map(|view| SentMessage {
        application: tenant.application().clone(),
        message: view.message,
    }))
}

fn message_row(sent: &SentMessage) -> Vec<Markup> {
    let SentMessage {
        application,
        message,
    } = sent;
    let to = of_application(application.id, &format!("/messages/{}", message.id));
    vec![
        time(message.id.key().time()),
        short(message.event_type.as_str()),
        html! { a href=(to) { code { (message.id) } } },
        name_or_none(message.event_id.as_ref()),
        html! { a href=(of_application(application.id, "")) { (short(&application.name)) } },
        names(&message.channels),
        names(&message.tags),
    ]
}

async fn deliveries(State(rooms): State<Shared>, seat: Seat, view: View) -> Answer {
    view.show(&rooms, seat, delivery_list).await
}

async fn delivery_list(rooms: Shared, seat: Seat) -> Answer<Content> {
    let asked = search::asked(&seat);
    let input = DeliveriesInput {
        list: search::list(&asked)?,
        state: state(&asked)?,
        application: search::name(&asked, "app")?,
        endpoint: search::name(&asked, "endpoint")?,
        event_type: search::name(&asked, "type")?,
        status_code_class: search::class(&asked)?,
    };
    let page = rooms.app.deliveries(&seat.caller, &input).await?;
    let fields = [
        search::one_of("state", "State", &STATES),
        search::class_field("Last status code"),
        search::text("app", "Application"),
        search::text("endpoint", "Endpoint"),
        search::text("type", "Event type"),
        search::at("after", "After (UTC)"),
        search::at("before", "Before (UTC)"),
    ];
    let rows = page.data.iter().map(delivery_row).collect();
    let heads = [
        "Accepted",
        "Event type",
        "Message",
        "Application",
        "Endpoint",
        "State",
        "Attempts",
        "Last status code",
        "Next attempt, or end",
    ];
    let body = html! {
        (tabs(DELIVERIES))
        (search::form(&seat, &asked, &fields))
        (table("Deliveries, the newest messages' first", &heads, rows, "No delivery is like this."))
        (pager(&seat, &page))
    };
    Ok(Content::new("Deliveries", body))
}

fn delivery_row(delivery: &DeliveryView) -> Vec<Markup> {
    let (message, (application, uid)) = (&delivery.message, &delivery.application);
    let (endpoint, endpoint_uid) = &delivery.endpoint;
    let to = |rest: String| of_application(application, &rest);
    let called = |uid: &Option<model::name::Name>, id: String| match uid {
        Some(uid) => short(uid.as_str()),
        None => html! { code { (id) } },
    };
    vec![
        time(message.id.key().time()),
        short(message.event_type.as_str()),
        html! { a href=(to(format!("/messages/{}", message.id))) { code { (message.id) } } },
        html! { a href=(to(String::new())) { (called(uid, application.to_string())) } },
        html! {
            a href=(to(format!("/endpoints/{endpoint}"))) {
                (called(endpoint_uid, endpoint.to_string()))
            }
        },
        words::state(delivery.state),
        html! { (parts::count(delivery.attempts.into())) },
        match delivery.last {
            Some(last) => words::code(last.status_code),
            None => html! { span.quiet { "none yet" } },
        },
        time_or(delivery.next_attempt.or(delivery.ended_at()), "none"),
    ]
}

fn state(asked: &Fields) -> Answer<Option<DeliveryState>> {
    Ok(match asked.text("state") {
        "" => None,
        "pending" => Some(DeliveryState::Pending),
        "delivered" => Some(DeliveryState::Delivered),
        "exhausted" => Some(DeliveryState::Exhausted),
        "cancelled" => Some(DeliveryState::Cancelled),
        _ => {
            let text = "must be `pending`, `delivered`, `exhausted` or `cancelled`";
            return Err(search::wrong("state", text));
        }
    })
}

fn tabs(here: &str) -> Markup {
    html! {
        nav.tabs aria-label="What is listed" {
            ul {
                @for (to, called) in [(MESSAGES, "Messages"), (DELIVERIES, "Deliveries")] {
                    li { a href=(to) aria-current=[(to == here).then_some("page")] { (called) } }
                }
            }
        }
    }
}
