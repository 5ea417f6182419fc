//! To what or whom something happened, with a way to its page where there is one.

use crate::DASHBOARD;
use crate::parts;
use maud::{Markup, html};
use model::name::Name;
use model::security::{Subject, SubjectKind};

/// What a subject is, and its id. `application` is the one that it belongs to, where that is known.
pub(super) fn subject(subject: &Subject, application: Option<&str>) -> Markup {
    html! {
        span.quiet { (word(subject.kind)) } " "
        @match address(subject, application) {
            Some(to) => a href=(to) { (parts::short(&subject.id)) },
            None => (parts::short(&subject.id)),
        }
    }
}

/// The page of an application.
pub(super) fn application(id: &str) -> Markup {
    let to = format!("{DASHBOARD}/applications/{id}");
    html! { a href=(to) { (id) } }
}

fn word(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Organisation => "organisation",
        SubjectKind::Application => "application",
        SubjectKind::Endpoint => "endpoint",
        SubjectKind::EventType => "event type",
        SubjectKind::Message => "message",
        SubjectKind::ApiKey => "API key",
        SubjectKind::Source => "source",
        SubjectKind::Node => "node",
        SubjectKind::Listener => "listener",
        SubjectKind::Others => "others",
    }
}

/// Where a subject's page is. What is no word, such as `*`, names nothing that has one.
fn address(subject: &Subject, application: Option<&str>) -> Option<String> {
    let id: Name = subject.id.parse().ok()?;
    let within = |noun| application.map(|app| format!("/applications/{app}/{noun}/{id}"));
    let path = match subject.kind {
        SubjectKind::Application => format!("/applications/{id}"),
        SubjectKind::Endpoint => within("endpoints")?,
        SubjectKind::Message => within("messages")?,
        SubjectKind::EventType => format!("/event-types/{id}"),
        SubjectKind::ApiKey => format!("/keys/{id}"),
        SubjectKind::Source => format!("/sources/{id}"),
        SubjectKind::Organisation
        | SubjectKind::Node
        | SubjectKind::Listener
        | SubjectKind::Others => return None,
    };
    Some(format!("{DASHBOARD}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_leads_to_its_page_where_there_is_one() {
        for (kind, id, app, expected) in [
            (
                SubjectKind::Application,
                "app_1",
                None,
                Some("/dashboard/applications/app_1"),
            ),
            (SubjectKind::Endpoint, "ep_1", None, None),
            (
                SubjectKind::Endpoint,
                "ep_1",
                Some("app_1"),
                Some("/dashboard/applications/app_1/endpoints/ep_1"),
            ),
            (
                SubjectKind::Source,
                "src_1",
                None,
                Some("/dashboard/sources/src_1"),
            ),
            (SubjectKind::Source, "*", None, None),
            (SubjectKind::Source, "../x", None, None),
            (SubjectKind::Node, "a", None, None),
        ] {
            let found = address(&Subject::new(kind, id), app);
            assert_eq!(found.as_deref(), expected, "{kind:?} {id}");
        }
    }
}
