//! The table of pages: each that is declared, as whoever may see it sees it; what is refused; and
//! what shows texts that somebody outside has left.

use crate::place::{HOSTILES, Ids, OPERATOR, SHOPS, VIEWER};
use dashboard::Declared;
use e2e::hostile::HOSTILE;
use e2e::{Filled, Page};
use http::Method;

/// An application's pages among the operator's.
const SHOP: &str = "/dashboard/applications/shop";
/// That of whoever is told what happens, below the operator's pages.
const OPERATIONAL: &str = "/applications/operational-webhooks";
/// That of all texts that do harm.
const HARM: &str = "/dashboard/applications/hostile";

/// What is declared and is no page: styles and the like, files, and ways to other pages.
const NO_PAGES: [&str; 13] = [
    "/dashboard/assets/style.css",
    "/dashboard/assets/page.js",
    "/dashboard/assets/icon.svg",
    "/dashboard/applications/{app}/messages/{message}/payload",
    "/dashboard/applications/{app}/messages/{message}/attempts/{attempt}/response",
    "/dashboard/audit/checkpoint",
    "/portal/assets/style.css",
    "/portal/assets/page.js",
    "/portal/assets/icon.svg",
    "/portal/messages/{message}/payload",
    "/portal/messages/{message}/attempts/{attempt}/response",
    "/portal/theme.css",
    "/portal/logo",
];

/// The parts of an endpoint's protection that have a form.
const PARTS: [&str; 10] = [
    "signature",
    "auth",
    "oauth",
    "headers",
    "mtls",
    "server-ca",
    "pins",
    "encryption",
    "redaction",
    "payload",
];

/// For nobody in particular, where there is an identity provider, and it is away.
pub(crate) fn open(link: &str) -> Vec<Page> {
    vec![
        Page::new("docs", "/docs").shows("Postrider's API"),
        Page::new("sign-in", "/dashboard/sign-in")
            .shows("Admin token or API key")
            .shows("Sign in with the identity provider"),
        Page::new("sign-in-away", "/dashboard/sign-in/oidc")
            .shows("can't be asked at the moment")
            .status(502),
        Page::new("sign-in-lost", "/dashboard/sign-in/oidc/callback?state=x")
            .shows("Nobody was sent to the identity provider by this browser")
            .status(400),
        Page::new("portal-link", link).shows("This link is good once"),
        Page::new("portal-nobody", "/portal")
            .shows("Not signed in")
            .status(401),
        Page::new("portal-nowhere", "/portal/nowhere")
            .shows("No such page")
            .status(404),
        Page::new("nowhere", "/dashboard/nowhere")
            .shows("No such page")
            .status(404),
    ]
}

/// The operator's own.
pub(crate) fn operators(filled: &Filled, ids: &Ids) -> Vec<Page> {
    let at = |name: &str, rest: String| Page::new(name, format!("/dashboard{rest}"));
    let of = |name: &str, rest: &str| at(name, rest.to_owned());
    let pages = vec![
        of("overview", "")
            .shows("messages accepted a second")
            .picture(),
        of("messages", "/messages").shows("order.paid"),
        of("deliveries", "/messages/deliveries").shows("exhausted"),
        of("applications", "/applications").shows("The Shop"),
        of("application-new", "/applications/new").shows("What people call it."),
        of("application", "/applications/shop").shows("Make a link into the portal"),
        of("application-edit", "/applications/shop/edit").shows("The Shop"),
        of("application-missing", "/applications/nobody")
            .shows("Not there")
            .status(404),
        of("event-types", "/event-types").shows("An order was paid"),
        of("event-types-archived", "/event-types?archived=1").shows("As it was before"),
        of("event-type", "/event-types/order.paid").shows("o-1"),
        of("event-type-edit", "/event-types/order.paid/edit").shows("An order was paid"),
        of("event-type-redaction", "/event-types/order.paid/redaction").shows("keepLast"),
        of(
            "event-type-retries",
            "/event-types/order.paid/retry-schedule",
        )
        .shows("one attempt is all"),
        of("event-type-new", "/new-event-type").shows("Name"),
        of("security", "/security").shows("ingest.signature_invalid"),
        of("security-blocked", "/security/blocked").shows("this node"),
        of("security-explained", "/security/explained").shows("api.authentication_failed"),
        at(
            "security-event",
            format!("/security/{}", ids.security_event),
        )
        .shows("ingest.signature_invalid"),
        of("audit", "/audit").shows("127.0.0.1"),
        at("audit-entry", format!("/audit/{}", ids.audit_entry)).shows(&ids.audit_entry),
        of("keys", "/keys").shows("Billing"),
        of("key-new", "/keys/new").shows("Name"),
        of("key-revoke", "/keys/revoke").shows("jti"),
        at("key", format!("/keys/{}", ids.key)).shows(&ids.key),
        of("sources", "/sources").shows("Warehouse"),
        of("source-new", "/sources/new").shows("Name"),
        of("source", "/sources/payments").shows("Payments"),
        of("source-clock", "/sources/night").shows("0 3 * * *"),
        of("source-edit", "/sources/payments/edit").shows("Payments"),
        of("source-refused", "/sources/payments/refused").shows("evt_1"),
        of("settings", "/settings").shows("retry_schedule"),
        of("settings-other", "/settings/other").shows("customColor"),
        of("operational", "/settings/operational-webhooks").shows("What is told"),
        at("operational-new", format!("{OPERATIONAL}/endpoints/new")).shows("endpoint.disabled"),
    ];
    let shops = of_one(SHOP, "", (filled, ids)).into_iter();
    let shops = shops.map(|page| {
        let in_documents = [&*filled.delivered, "endpoints/willing"];
        let is_in = in_documents.iter().any(|end| page.path().ends_with(end));
        if is_in { page.picture() } else { page }
    });
    let all = pages.into_iter().chain(shops).chain([Page::new(
        "message-new",
        format!("{SHOP}/messages/new"),
    )
    .shows("A JSON object.")]);
    all.map(|page| page.of(OPERATOR)).collect()
}

/// Those of the portal.
pub(crate) fn portals(filled: &Filled, ids: &Ids) -> Vec<Page> {
    let mut pages = of_one("/portal", "portal-", (filled, ids));
    pages.extend([
        Page::new("portal", "/portal")
            .shows("Takes everything")
            .picture(),
        Page::new("portal-event-types", "/portal/event-types").shows("An order was paid"),
        Page::new("portal-event-type", "/portal/event-types/order.paid").shows("o-1"),
        Page::new("portal-message-missing", "/portal/messages/none")
            .shows("Not there")
            .status(404),
    ]);
    pages.into_iter().map(|page| page.of(SHOPS)).collect()
}

/// The pages of one application, which are in both.
fn of_one(base: &str, prefix: &str, (filled, ids): (&Filled, &Ids)) -> Vec<Page> {
    let at =
        |name: &str, rest: String| Page::new(&format!("{prefix}{name}"), base.to_owned() + &rest);
    let message = |id: &str| format!("/messages/{id}");
    let attempt = format!("{}/attempts/{}", message(&filled.exhausted), ids.attempt);
    let endpoint = |name: &str, uid: &str, rest: &str| at(name, format!("/endpoints/{uid}{rest}"));
    let mut pages = vec![
        at("messages-of-one", "/messages".to_owned()).shows("order.paid"),
        at("message-delivered", message(&filled.delivered)).shows("tried again"),
        at("message-exhausted", message(&filled.exhausted)).shows("failed"),
        at("message-waiting", message(&filled.waiting)).shows("o-later"),
        at("attempt", attempt)
            .shows("down for an hour")
            .shows("x-answer")
            .shows("How its time was spent")
            .shows("TLS handshake")
            .shows("An authority of the shop's"),
        at("endpoints", "/endpoints".to_owned()).shows("Takes everything"),
        endpoint("endpoint-new", "new", "").shows("Where requests go"),
        endpoint("endpoint-willing", "willing", "").shows("Takes everything"),
        endpoint("endpoint-failing", "failing", "").shows("Show secret"),
        endpoint("endpoint-gone", "gone", "").shows("Enable"),
        endpoint("endpoint-paused", "paused", "").shows("Enable"),
        endpoint("endpoint-slow", "slow", "").shows("Protection"),
        endpoint("endpoint-edit", "willing", "/edit").shows("Takes everything"),
        endpoint("endpoint-test", "willing", "/test").shows("order.paid"),
        endpoint("endpoint-replay", "failing", "/replay").shows("What it never got"),
        endpoint("endpoint-messages", "failing", "/messages").shows("order.paid"),
        endpoint("attempts", "failing", "/attempts").shows("503"),
        endpoint("task", "slow", &format!("/tasks/{}", ids.task)).shows("finished"),
    ];
    // The same forms in both.
    let parts = if prefix.is_empty() {
        &PARTS[..]
    } else {
        &PARTS[..2]
    };
    pages.extend(parts.iter().map(|part| {
        let name = format!("protection-{part}");
        endpoint(&name, "slow", &format!("/protection/{part}"))
    }));
    pages
}

/// What somebody who may only look sees, and doesn't.
pub(crate) fn viewers() -> Vec<Page> {
    let pages = [
        Page::new("viewer-endpoint", format!("{SHOP}/endpoints/willing")).shows("Not for you"),
        Page::new("viewer-refused", "/dashboard/applications/new")
            .shows("Your role does not allow this.")
            .status(403),
    ];
    pages.into_iter().map(|page| page.of(VIEWER)).collect()
}

/// Texts that do harm, wherever the operator sees them.
pub(crate) fn hostile_to_operators(filled: &Filled, ids: &Ids) -> Vec<Page> {
    let at = |name: &str, rest: &str| Page::new(name, format!("{HARM}{rest}"));
    let mut pages = vec![
        at("hostile-application", ""),
        at("hostile-edit", "/edit"),
        at("hostile-endpoints", "/endpoints"),
        at("hostile-messages", "/messages"),
        Page::new(
            "hostile-types",
            format!("/dashboard/event-types/{}", e2e::hostile::long_name()),
        ),
    ];
    pages.extend(each(HARM, "", (filled, ids)));
    pages.extend(
        ids.hostile_sources
            .iter()
            .enumerate()
            .flat_map(|(number, id)| {
                let at = |rest| format!("/dashboard/sources/{id}{rest}");
                [
                    Page::new(&format!("hostile-source-{number}"), at("")).glance(),
                    Page::new(&format!("hostile-refused-{number}"), at("/refused")).glance(),
                ]
            }),
    );
    pages.into_iter().map(|page| page.of(OPERATOR)).collect()
}

/// Texts that do harm, wherever an application's own people see them.
pub(crate) fn hostile_to_consumers(filled: &Filled, ids: &Ids) -> Vec<Page> {
    let mut pages = vec![
        Page::new("hostile-portal", "/portal"),
        Page::new("hostile-portal-messages", "/portal/messages"),
    ];
    pages.extend(each("/portal", "portal-", (filled, ids)));
    pages.into_iter().map(|page| page.of(HOSTILES)).collect()
}

/// A glance at what each text is in: an endpoint, its form, a message, an attempt.
fn each(base: &str, prefix: &str, (filled, ids): (&Filled, &Ids)) -> Vec<Page> {
    let all = HOSTILE
        .iter()
        .zip(&filled.hostile)
        .zip(&ids.hostile_attempts);
    let each = all
        .enumerate()
        .flat_map(|(number, (((_, text), message), attempt))| {
            let page = |what: &str, rest: String| {
                let name = format!("hostile-{prefix}{what}-{number}");
                Page::new(&name, format!("{base}{rest}")).glance()
            };
            let endpoint = |rest| format!("/endpoints/hostile-{number}{rest}");
            [
                page("endpoint", endpoint("")).shows(*text),
                page("edit", endpoint("/edit")).shows(*text),
                page("message", format!("/messages/{message}")),
                page("attempt", format!("/messages/{message}/attempts/{attempt}"))
                    .shows(as_bytes_are_shown(text)),
            ]
        });
    each.collect()
}

/// Others' bytes are shown with a mark for each character that turns the direction of writing.
fn as_bytes_are_shown(text: &str) -> String {
    let turns = |one: char| matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = text
        .chars()
        .map(|one| if turns(one) { '\u{fffd}' } else { one });
    shown.collect()
}

/// The pages that are declared and that none of these is of.
pub(crate) fn missing(pages: &[Page]) -> Vec<&'static str> {
    let declared = dashboard::declared().into_iter();
    let declared: Vec<Declared> = declared.filter(|one| one.method == Method::GET).collect();
    let paths: Vec<&'static str> = declared.iter().map(|one| one.path).collect();
    for path in NO_PAGES {
        assert!(paths.contains(&path), "{path} isn't declared any more");
    }
    let seen: Vec<_> = pages.iter().filter_map(|page| of(page, &paths)).collect();
    let wanted = paths.into_iter().filter(|path| !NO_PAGES.contains(path));
    wanted.filter(|path| !seen.contains(path)).collect()
}

/// The declaration that a page is of: the one with the least that is open.
fn of(page: &Page, paths: &[&'static str]) -> Option<&'static str> {
    let path = page.path().split('?').next().unwrap_or_default();
    let fits = |declared: &&&str| {
        let (own, declared): (Vec<_>, Vec<_>) =
            (path.split('/').collect(), declared.split('/').collect());
        own.len() == declared.len()
            && own
                .iter()
                .zip(declared)
                .all(|(own, part)| part.starts_with('{') || *own == part)
    };
    let fitting = paths.iter().filter(fits);
    fitting
        .min_by_key(|path| path.matches('{').count())
        .copied()
}
