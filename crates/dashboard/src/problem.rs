//! How pages refuse: the only map from what went wrong to a status and to words for people. A page
//! that refuses says what was wrong and what would be right, and nothing of what is inside.

use crate::Rooms;
use crate::layout;
use crate::oidc::NoPerson;
use app::AppError;
use app::tokens::sessions::Pages;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};
use model::Chain;
use std::sync::Arc;

/// A refusal on its way out. The page around it is made where it is known which pages these are.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    status: StatusCode,
    title: &'static str,
    detail: String,
    /// Rules that were broken, each with the field that broke it.
    violations: Vec<(String, String)>,
}

/// What a handler answers.
pub(crate) type Answer<T = Response> = Result<T, Refused>;

impl Refused {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            violations: Vec::new(),
        }
    }

    /// There is no page there.
    pub(crate) fn no_page() -> Self {
        let detail = "There is no page at this address: it may have been mistyped, or what it \
                      showed may be gone.";
        Self::new(StatusCode::NOT_FOUND, "No such page", detail)
    }

    /// Another site sent it, or a page that is too old.
    pub(crate) fn from_elsewhere() -> Self {
        let detail = "What was sent does not come from a page of this session. Go back, load the \
                      page again, and send it from there.";
        Self::new(StatusCode::FORBIDDEN, "Not sent from here", detail)
    }

    /// It is no form.
    pub(crate) fn bad_form() -> Self {
        let detail = "What was sent can't be read as a form, or is larger than a form may be.";
        Self::new(StatusCode::BAD_REQUEST, "Not a form", detail)
    }

    /// Nobody is signed in.
    pub(crate) fn no_session(pages: Pages) -> Self {
        let detail = match pages {
            Pages::Dashboard => "Nobody is signed in here, or not any more.",
            Pages::Portal => {
                "The session has ended, or there was none. Go back to where you came from, and \
                 open these pages from there again."
            }
        };
        Self::new(StatusCode::UNAUTHORIZED, "Not signed in", detail)
    }

    /// As many pages are kept up to date as may be.
    pub(crate) fn not_live() -> Self {
        let detail = "As many pages as may are kept up to date already. This one stays as it is: \
                      load it again to see what is new.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not live", detail)
    }

    /// The same, if it is one that the form is shown again with; any other is a page of its own.
    pub(crate) fn in_form(self) -> Answer<Self> {
        let of_form = [
            StatusCode::BAD_REQUEST,
            StatusCode::CONFLICT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ];
        match of_form.contains(&self.status) {
            true => Ok(self),
            false => Err(self),
        }
    }

    /// A link that lets nobody in, whatever is wrong with it.
    pub(crate) fn link(error: AppError) -> Self {
        match error {
            AppError::Unauthenticated(_) => {
                let detail = "This link was used before, or is too old. Go back to where you came \
                              from, and ask for another.";
                Self::new(StatusCode::UNAUTHORIZED, "Not good any more", detail)
            }
            other => other.into(),
        }
    }

    /// The rules that were broken, for the form that it is shown in again.
    pub(crate) fn violations(&self) -> &[(String, String)] {
        &self.violations
    }

    /// Its sentence.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The page that says so.
    pub(crate) fn page(&self, rooms: &Rooms, pages: Pages) -> Markup {
        let content = html! {
            h1 { (self.title) }
            p { (self.detail) }
            @if !self.violations.is_empty() {
                ul { @for (field, text) in &self.violations { li { code { (field) } ": " (text) } } }
            }
            p { a href=(crate::seat::base(pages)) { "To the first page" } }
        };
        layout::bare((rooms, pages), self.title, content)
    }
}

impl<E: Into<AppError>> From<E> for Refused {
    fn from(error: E) -> Self {
        let error = error.into();
        let (status, title) = status(&error);
        let violations = match &error {
            AppError::Invalid(violations) => violations
                .iter()
                .map(|one| (field(&one.location), one.message.clone()))
                .collect(),
            _ => Vec::new(),
        };
        let detail = match &error {
            AppError::Internal(cause) => {
                tracing::error!(error = %Chain(&**cause), "a page could not be made");
                "Something failed inside. It is in the log.".to_owned()
            }
            AppError::Unavailable(cause) => {
                tracing::warn!(error = %Chain(cause), "a page could not be made");
                "The database can't be asked, or takes nothing, at the moment. Try again soon."
                    .to_owned()
            }
            AppError::Forbidden => "Your role does not allow this.".to_owned(),
            AppError::Invalid(_) => "Some of what was given is not right.".to_owned(),
            other => other.to_string(),
        };
        Self {
            violations,
            ..Self::new(status, title, detail)
        }
    }
}

/// The part of a violation's place that names a field: without which part of the request it is in,
/// and without the word that the API has for the field itself.
fn field(location: &[String]) -> String {
    let rest = match location {
        [first, rest @ ..] if matches!(first.as_str(), "body" | "query" | "path") => rest,
        all => all,
    };
    let parts = rest.iter().filter(|part| *part != "__all__");
    parts.cloned().collect::<Vec<_>>().join(".")
}

fn status(error: &AppError) -> (StatusCode, &'static str) {
    match error {
        AppError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "Not quite right"),
        AppError::BadRequest { .. } => (StatusCode::BAD_REQUEST, "Not possible"),
        AppError::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "Not signed in"),
        AppError::Forbidden => (StatusCode::FORBIDDEN, "Not allowed"),
        AppError::NotFound(_) => (StatusCode::NOT_FOUND, "Not there"),
        AppError::Conflict { .. } | AppError::Loop(_) => (StatusCode::CONFLICT, "Not as it is now"),
        AppError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "Too large"),
        AppError::TooMany { .. }
        | AppError::TooManySignIns { .. }
        | AppError::TooManyListeners { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too often"),
        AppError::NotBuilt(_) => (StatusCode::NOT_IMPLEMENTED, "Not built"),
        AppError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "Not at the moment"),
        AppError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Something failed"),
    }
}

/// As what it is answered that nobody signs in by the identity provider.
pub(crate) fn status_of(refusal: &NoPerson) -> StatusCode {
    match refusal {
        NoPerson::NoTrip | NoPerson::OtherTrip => StatusCode::BAD_REQUEST,
        NoPerson::Away(_) | NoPerson::Misfit(_) => StatusCode::BAD_GATEWAY,
        NoPerson::Denied(_) | NoPerson::Code => StatusCode::UNAUTHORIZED,
        NoPerson::Untrue(_) | NoPerson::NoRole(_) => StatusCode::FORBIDDEN,
    }
}

/// What `guard` makes the page of.
#[derive(Clone)]
pub(crate) struct Marked(pub(crate) Arc<Refused>);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Marked(Arc::new(self)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_names_the_field_of_the_form() {
        for (location, expected) in [
            (&["body", "url"][..], "url"),
            (&["body", "uid", "__all__"], "uid"),
            (&["body", "rules[0]", "path"], "rules[0].path"),
            (&["query", "limit", "limit"], "limit.limit"),
            (&["body"], ""),
        ] {
            let location: Vec<_> = location.iter().map(|part| (*part).to_owned()).collect();
            assert_eq!(field(&location), expected);
        }
    }
}
