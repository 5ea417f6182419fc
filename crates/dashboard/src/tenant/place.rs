//! Where a page of an application is: what its path names, and what stands above it. Besides, what
//! forms of several pages have in common.

use crate::layout::Crumb;
use crate::operator::operational;
use crate::posted::Fields;
use crate::problem::{Answer, Refused};
use crate::seat::Seat;
use crate::{DASHBOARD, Shared};
use app::endpoints::{EndpointView, EndpointsOf};
use app::tokens::sessions::Pages;
use app::{AppError, Tenant, Violation};
use model::operational::APPLICATION_UID;

/// The application that a page is about, for whoever asks.
pub(crate) async fn tenant(rooms: &Shared, seat: &Seat) -> Answer<Tenant> {
    let path = seat.application();
    Ok(rooms.app.application(&seat.caller, &path).await?)
}

/// The same with the endpoint that the path names.
pub(crate) async fn endpoint(rooms: &Shared, seat: &Seat) -> Answer<(Tenant, EndpointView)> {
    let tenant = tenant(rooms, seat).await?;
    let view = rooms.app.endpoint(&tenant, seat.named("endpoint"))?;
    Ok((tenant, view))
}

/// Whose endpoints a page is about, which may be the operator's before there is one.
pub(crate) async fn owner(rooms: &Shared, seat: &Seat) -> Answer<EndpointsOf> {
    match seat.application().as_str() {
        APPLICATION_UID => Ok(rooms.app.operators(&seat.caller).await?),
        _ => Ok(EndpointsOf::Application(tenant(rooms, seat).await?)),
    }
}

/// What is above an application's pages. The portal is one application's, and says nothing of it.
pub(crate) fn above(seat: &Seat, tenant: &Tenant) -> Vec<Crumb> {
    match seat.pages {
        Pages::Portal => Vec::new(),
        Pages::Dashboard if tenant.is_operators() => above_operators(),
        Pages::Dashboard => {
            let name = tenant.application().name.clone();
            let all = format!("{DASHBOARD}/applications");
            vec![(all, "Applications".to_owned()), (seat.within(""), name)]
        }
    }
}

/// What is above the operator's endpoints.
fn above_operators() -> Vec<Crumb> {
    let called = "Operational webhooks".to_owned();
    let mut trail = operational::above();
    trail.push((operational::HERE.to_owned(), called));
    trail
}

/// What is above an endpoint. The operator's have no application that anybody made.
pub(crate) fn above_endpoint(seat: &Seat, tenant: &Tenant) -> Vec<Crumb> {
    let mut trail = above(seat, tenant);
    let list = list_of(seat, tenant);
    if list != operational::HERE {
        trail.push((list, "Endpoints".to_owned()));
    }
    trail
}

/// What is above one that is to be made.
pub(crate) fn above_new(seat: &Seat, of: &EndpointsOf) -> Vec<Crumb> {
    match of {
        EndpointsOf::Application(tenant) => above_endpoint(seat, tenant),
        EndpointsOf::OperatorsToBe => above_operators(),
    }
}

/// The address of the list that an application's endpoints are in.
pub(crate) fn list_of(seat: &Seat, tenant: &Tenant) -> String {
    match seat.pages == Pages::Dashboard && tenant.is_operators() {
        true => operational::HERE.to_owned(),
        false => seat.within("/endpoints"),
    }
}

/// What is above a page of an endpoint.
pub(crate) fn below_endpoint(seat: &Seat, tenant: &Tenant, view: &EndpointView) -> Vec<Crumb> {
    let mut trail = above_endpoint(seat, tenant);
    trail.push((of_endpoint(seat, view, ""), called(view)));
    trail
}

/// The address of an endpoint's page; `rest` begins with a slash, or is empty.
pub(crate) fn of_endpoint(seat: &Seat, view: &EndpointView, rest: &str) -> String {
    seat.within(&format!("/endpoints/{}{rest}", view.endpoint.id))
}

/// What people know an endpoint by, cut where it is long.
pub(crate) fn called(view: &EndpointView) -> String {
    const MOST: usize = 80;
    let endpoint = &view.endpoint;
    let text = match endpoint.description.trim() {
        "" => endpoint.url.as_str(),
        some => some.lines().next().unwrap_or_default(),
    };
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What is wrong with one field, found before any use case was asked.
pub(crate) fn wrong(field: &str, text: impl Into<String>) -> Refused {
    Refused::from(AppError::from(Violation::body(&[field], text)))
}

/// A field that holds attempts per second, or nothing.
pub(crate) fn rate(fields: &Fields) -> Answer<Option<u16>> {
    let parse = |text: String| {
        let rate = text.parse();
        rate.map_err(|_| wrong("rateLimit", "must be a whole number from 1 to 65535"))
    };
    fields.some("rateLimit").map(parse).transpose()
}

/// Whether a form's text says the same as what is kept, which has no other line ends.
pub(crate) fn same(typed: &str, kept: &str) -> bool {
    typed.replace("\r\n", "\n").trim() == kept.trim()
}

/// What is set, where a use case says that nothing is by not finding it.
pub(crate) fn set<T>(found: Result<T, AppError>) -> Answer<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(AppError::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_or_nothing() {
        let fields = |text: &str| Fields::from(vec![("rateLimit".to_owned(), text.to_owned())]);
        assert_eq!(rate(&fields(" ")).expect("nothing is fine"), None);
        assert_eq!(rate(&fields(" 12 ")).expect("a number"), Some(12));
        for text in ["-1", "x", "70000", "1.5"] {
            let refused = rate(&fields(text)).expect_err(text);
            assert_eq!(refused.violations()[0].0, "rateLimit");
        }
    }

    #[test]
    fn line_ends_of_forms_change_nothing() {
        assert!(same("a\r\nb\r\n", "a\nb"));
        assert!(!same("a\r\nc", "a\nb"));
    }
}
