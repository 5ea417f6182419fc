//! Every page and every action that is declared, asked for by everybody: let in is exactly who its
//! need names.

use crate::visitor::{Page, Visitor};
use crate::world::World;
use app::access::limits::{CAPABILITIES, Capability, ForPortal};
use dashboard::Declared;
use http::Method;
use model::role::Role;

/// What whoever is not let in is told.
const NOT_ALLOWED: &str = "Your role does not allow this.";
/// What whoever is let in, and sends what no page of the session made, is told.
const FROM_ELSEWHERE: &str = "does not come from a page of this session";

/// All that is declared of the operator's pages, or of the portal's.
fn declared(of_portal: bool) -> impl Iterator<Item = Declared> {
    let all = dashboard::declared().into_iter();
    all.filter(move |one| one.path.starts_with(dashboard::PORTAL) == of_portal)
}

/// The address with everything filled in that is open: nothing of it is there but the application.
fn address(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{app}" => "acme",
        part if part.starts_with('{') => "none",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn ask(visitor: &Visitor<'_>, one: &Declared) -> Page {
    let address = address(one.path);
    match one.method {
        Method::POST => visitor.post_bare(address, &[]).await,
        _ => visitor.get(address).await,
    }
}

#[tokio::test]
async fn each_page_is_declared_once() {
    let mut all: Vec<_> = dashboard::declared()
        .into_iter()
        .map(|one| (one.path, one.method.to_string()))
        .collect();
    all.sort();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[tokio::test]
async fn without_a_session_there_are_no_pages_but_those_that_lead_in() {
    let world = World::new();
    world.application("acme").await;
    let stranger = world.stranger();
    for one in dashboard::declared() {
        let shown = ask(&stranger, &one).await;
        let of_portal = one.path.starts_with(dashboard::PORTAL);
        match &one.need {
            // There may be nothing, but nobody is sent away.
            None => assert!(!matches!(shown.status, 303 | 403 | 500), "{one:?}"),
            Some(_) if of_portal => assert_eq!(shown.status, 401, "{one:?}"),
            Some(_) => assert!(
                shown.leads_to().starts_with("/dashboard/sign-in"),
                "{one:?}"
            ),
        }
    }
}

#[tokio::test]
async fn each_role_may_do_exactly_what_is_declared_for_it() {
    let world = World::new();
    world.application("acme").await;
    for role in Role::ALL {
        let visitor = world.signed_in(role).await;
        for one in declared(false) {
            let Some(need) = one.need else { continue };
            let shown = ask(&visitor, &one).await;
            let is_refused = shown.status == 403 && shown.text().contains(NOT_ALLOWED);
            assert_eq!(is_refused, role < need.role, "{role} {one:?}");
            assert!(!matches!(shown.status, 303 | 401 | 500), "{role} {one:?}");
        }
    }
}

#[tokio::test]
async fn an_applications_people_may_do_exactly_what_they_have_capabilities_for() {
    let world = World::new();
    world.application("acme").await;
    // Whoever may do anything may look.
    let sets = CAPABILITIES.map(|one| vec![Capability::ViewBase, one]);
    for capabilities in sets.iter().chain([&CAPABILITIES.to_vec()]) {
        let visitor = world.in_portal("acme", Some(capabilities)).await;
        for one in declared(true) {
            let Some(need) = one.need else { continue };
            let may = match need.portal {
                ForPortal::All => true,
                ForPortal::With(capability) => capabilities.contains(&capability),
                ForPortal::None => panic!("nobody can be let in: {one:?}"),
            };
            let shown = ask(&visitor, &one).await;
            let is_refused = shown.status == 403 && shown.text().contains(NOT_ALLOWED);
            assert_eq!(is_refused, !may, "{capabilities:?} {one:?}");
            assert!(!matches!(shown.status, 303 | 401 | 500), "{one:?}");
        }
    }
}

#[tokio::test]
async fn what_no_page_of_the_session_made_does_nothing() {
    let world = World::new();
    world.application("acme").await;
    let admin = world.signed_in(Role::Admin).await;
    let tenant = world.in_portal("acme", None).await;
    let other = world.signed_in(Role::Admin).await;
    for one in dashboard::declared() {
        if one.method != Method::POST || one.need.is_none() {
            continue;
        }
        let of_portal = one.path.starts_with(dashboard::PORTAL);
        let visitor = if of_portal { &tenant } else { &admin };
        let address = address(one.path);
        for token in ["", "00", other.form_token().as_str()] {
            let sent = visitor.post_bare(&address, &[("form-token", token)]).await;
            sent.is(403).shows(FROM_ELSEWHERE);
        }
    }
    admin.get("/dashboard").await.is(200);
}

#[tokio::test]
async fn a_session_is_good_on_the_pages_that_it_was_opened_for_alone() {
    let world = World::new();
    world.application("acme").await;
    let admin = world.signed_in(Role::Admin).await;
    let tenant = world.in_portal("acme", None).await;
    for one in dashboard::declared() {
        if one.need.is_none() {
            continue;
        }
        let of_portal = one.path.starts_with(dashboard::PORTAL);
        let (visitor, status) = if of_portal {
            (&admin, 401)
        } else {
            (&tenant, 303)
        };
        let shown = ask(visitor, &one).await;
        assert_eq!(shown.status, status, "{one:?}");
        // Nor is one under the other's name.
        let name = if of_portal {
            "__Host-postrider-portal"
        } else {
            "__Host-postrider"
        };
        let cookie = visitor.cookie();
        let session = cookie.split_once('=').expect("a cookie").1;
        let request = http::Request::builder()
            .method(one.method.clone())
            .uri(address(one.path))
            .header("cookie", format!("{name}={session}"));
        let request = request.body(axum::body::Body::empty());
        let answer = visitor.answer(request.expect("it is a request")).await;
        assert_eq!(answer.status().as_u16(), status, "{one:?}");
    }
}
