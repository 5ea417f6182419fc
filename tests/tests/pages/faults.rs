//! A fault in a page is found: pages with faults, served from here, each seen as the real ones are.

use e2e::browser::Finding;
use e2e::hostile::HOSTILE;
use e2e::{Answer, Page, Received, Receiver, Story, Visit};
use serde_json::json;

/// What may be in a page by the pages' own rules.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'";

/// A page, and what must be found there: kind, and a part of the sentence.
struct Fault {
    name: &'static str,
    policy: &'static str,
    body: &'static str,
    style: &'static str,
    script: &'static str,
    found: &'static [(&'static str, &'static str)],
}

/// Nothing is wrong with it.
const GOOD: Fault = Fault {
    name: "good",
    policy: POLICY,
    body: r#"<p>Fine. <a href="/good">Here</a> <button>Press</button>
        <label>Name <input name="name"></label></p>
        <p><bdi>&#x202e;turned</bdi> beside</p>
        <p>&lt;x-xss&gt;</p><div id="code" tabindex="0">wide</div>"#,
    style: "#code { overflow-x: auto; } ",
    script: "document.body.dataset.seen = 'yes';",
    found: &[],
};

const FAULTS: [Fault; 8] = [
    GOOD,
    Fault {
        name: "markup",
        body: r#"<p style="color: red">Inline</p> <img src="/picture.svg">
            <h3>Not in its place</h3> <a href="javascript:__xss='link'">a link</a>
            <p><span>&#x202e;turned</span> beside</p> <x-xss>an element</x-xss>
            <p onclick="__xss=1">62615533</p>"#,
        found: &[
            ("policy", "style"),
            ("accessibility", "image-alt"),
            ("accessibility", "heading-order"),
            ("injection", "href is javascript:"),
            ("injection", "turns what is beside it"),
            ("injection", "became markup"),
            ("injection", "a handler in the markup"),
            ("injection", "a template"),
        ],
        ..GOOD
    },
    Fault {
        name: "foreign",
        policy: "default-src 'self' https://elsewhere.example",
        body: r#"<img alt="x" src="https://elsewhere.example/x.png"><img alt="y" src="/missing">
            <img alt="z" src="/xss-image">"#,
        found: &[
            ("host", "https://elsewhere.example/x.png"),
            ("request", "/missing was answered 404"),
            ("injection", "/xss-image was asked for"),
        ],
        ..GOOD
    },
    Fault {
        name: "running",
        policy: "default-src 'self'; script-src 'self' 'unsafe-inline'",
        body: "<script>__xss = 'inline'; alert('hello')</script>",
        script: "console.warn('careful'); undefined_function()",
        found: &[
            ("policy", "no strict Content-Security-Policy"),
            ("injection", "a foreign script ran: inline"),
            ("injection", "a dialog opened: hello"),
            ("console", "careful"),
            ("error", "undefined_function"),
        ],
        ..GOOD
    },
    Fault {
        name: "open",
        policy: "",
        found: &[("policy", "no strict Content-Security-Policy: none")],
        ..GOOD
    },
    Fault {
        name: "wide",
        style: "main { width: 365px; } body { margin: 0; }
            @media (prefers-color-scheme: dark) { p { color: #ddd; } }",
        found: &[
            ("360 px", "px wide; over the edge:\n"),
            ("accessibility", "color-contrast"),
        ],
        ..GOOD
    },
    Fault {
        name: "scripted",
        script: "addEventListener('load', () => document.querySelector('main')
            .insertAdjacentHTML('beforeend', '<h2>Late</h2>'))",
        style: "a:focus { outline: none; }",
        found: &[
            ("no scripts", "only with scripts: h2 Late"),
            ("keyboard", "no visible focus: <a href"),
        ],
        ..GOOD
    },
    Fault {
        name: "trap",
        script: "addEventListener('keydown', (event) => event.preventDefault())",
        found: &[("keyboard", "Tab doesn't reach <button")],
        ..GOOD
    },
];

#[tokio::test]
async fn what_is_wrong_with_a_page_is_found() {
    let server = Receiver::start(answer).await;
    let pages = FAULTS
        .iter()
        .map(|one| Page::new(one.name, format!("/{}", one.name)));
    let others = [
        Page::new("status", "/missing"),
        Page::new("expected", "/missing")
            .status(404)
            .shows("Nothing here"),
        Page::new("text", "/good").shows("what isn't there"),
        Page::new("signed in", "/inside")
            .of("somebody")
            .shows("by Ada"),
        Page::new("signed out", "/inside").shows("by nobody"),
    ];
    let visit = Visit::to(server.url(""))
        .apart("faults")
        .pages(pages)
        .pages(others);
    let visit = visit.signing_in("somebody", "/sign-in", json!({"name": "Ada"}));
    let stories = visit
        .story(Story::new("fault"))
        .story(Story::new("refusals"))
        .story(Story::new("hostile"));
    let found = stories.found().await;
    for fault in FAULTS {
        let expected = fault
            .found
            .iter()
            .map(|(kind, part)| (fault.name, *kind, *part));
        expected.for_each(|expected| holds(&found, expected));
    }
    holds(
        &found,
        ("status", "answer", "/missing was answered 404, not 200"),
    );
    holds(&found, ("text", "text", "\"what isn't there\" isn't there"));
    holds(&found, ("story fault", "story", "the field stays empty"));
    let harmless = found
        .iter()
        .find(|one| one.page == "story hostile" && one.kind == "story");
    assert!(harmless.is_none(), "{harmless:#?}");
    for good in [
        "good",
        "expected",
        "signed in",
        "signed out",
        "story refusals",
    ] {
        let wrong: Vec<_> = found.iter().filter(|one| one.page == good).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[track_caller]
fn holds(found: &[Finding], (page, kind, part): (&str, &str, &str)) {
    let here: Vec<_> = found.iter().filter(|one| one.page == page).collect();
    let is = |one: &&&Finding| one.kind == kind && one.text.contains(part);
    assert!(
        here.iter().any(|one| is(&one)),
        "{page}: no {kind} with {part:?} among {here:#?}"
    );
}

fn answer(request: &Received) -> Answer {
    let path = request.path.as_str();
    if let Some(answer) = signing_in(request) {
        return answer.header("content-security-policy", POLICY);
    }
    let (name, kind) = path[1..].split_once('.').unwrap_or((&path[1..], ""));
    let fault = FAULTS.iter().find(|one| one.name == name);
    match (fault, kind) {
        (Some(fault), "css") => typed("text/css", fault.style.to_owned()),
        (Some(fault), "js") => typed("text/javascript", fault.script.to_owned()),
        (Some(fault), _) => {
            let page = typed("text/html; charset=utf-8", page(name, fault.body));
            match fault.policy {
                "" => page,
                policy => page.header("content-security-policy", policy),
            }
        }
        (None, "svg") => typed(
            "image/svg+xml",
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>"#.to_owned(),
        ),
        (None, "html") => typed(
            "text/html; charset=utf-8",
            page("good", &taken_for_more(name)),
        )
        .header("content-security-policy", POLICY),
        (None, _) => Answer::status(404)
            .header("content-type", "text/html")
            .header("content-security-policy", POLICY)
            .body(page("good", "<p>Nothing here</p>")),
    }
}

/// A form that signs in whoever gives a name, and a page that knows it.
fn signing_in(request: &Received) -> Option<Answer> {
    let form = r#"<form method="post"><label>Name <input name="name"></label></form>"#;
    let html = |body: &str| typed("text/html; charset=utf-8", page("good", body));
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/sign-in") => Some(html(form)),
        ("POST", "/sign-in") => {
            let name = str::from_utf8(&request.body).ok()?.strip_prefix("name=")?;
            let cookie = format!("name={name}; HttpOnly; SameSite=Strict");
            let inside = Answer::status(303).header("location", "/inside");
            Some(inside.header("set-cookie", cookie))
        }
        ("GET", "/inside") => {
            let cookie = request
                .headers
                .get("cookie")
                .and_then(|text| text.to_str().ok());
            let name = cookie.and_then(|text| text.strip_prefix("name="));
            Some(html(&format!(
                "<p>Seen by {}</p>",
                name.unwrap_or("nobody")
            )))
        }
        _ => None,
    }
}

/// A page that takes a hostile text for more than text, in every way there is. None is left after
/// the last.
fn taken_for_more(name: &str) -> String {
    let number = name
        .strip_prefix("hostile-")
        .and_then(|number| number.parse().ok());
    let Some((_, text)) = number.and_then(|number: usize| HOSTILE.get(number)) else {
        return r#"<p id="end">No more</p>"#.to_owned();
    };
    let text = text.replace("7919*7907", "62615533");
    let decoded = text.replace("&lt;", "<").replace("&gt;", ">");
    format!(
        r#"<p>Beside <b>{text}</b></p><div>{decoded}</div> <p title="{text}">1</p> <p title='{text}'>2</p>
        <p title={text}>3</p> <a href="{text}">4</a> <textarea aria-label="5">{text}</textarea>"#
    )
}

fn typed(content_type: &str, body: String) -> Answer {
    Answer::status(200)
        .header("content-type", content_type)
        .body(body)
}

fn page(name: &str, body: &str) -> String {
    format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>{name}</title><link rel="stylesheet" href="/{name}.css">
        <script src="/{name}.js" defer></script></head>
        <body><main><h1>{name}</h1>{body}</main></body></html>"#
    )
}
