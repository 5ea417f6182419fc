//! Somebody at a browser: what they ask for, what they send, and what they are shown.

use crate::world::World;
use app::tokens::sessions::Pages as Kind;
use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use std::str;
use tower::ServiceExt as _;
use url::form_urlencoded;

/// Somebody.
pub(crate) struct Visitor<'w> {
    world: &'w World,
    kind: Kind,
    /// The cookie's text; empty without a session.
    session: String,
}

impl<'w> Visitor<'w> {
    pub(crate) fn new(world: &'w World, kind: Kind, session: &str) -> Self {
        Self {
            world,
            kind,
            session: session.to_owned(),
        }
    }

    /// The cookie that the browser sends.
    pub(crate) fn cookie(&self) -> String {
        let name = match self.kind {
            Kind::Dashboard => "__Host-postrider",
            Kind::Portal => "__Host-postrider-portal",
        };
        format!("{name}={}", self.session)
    }

    /// What every form carries that is made for them.
    pub(crate) fn form_token(&self) -> String {
        let app = &self.world.app;
        let caller = app.session(self.kind, &self.session, None);
        app.form_token(&caller.expect("the session is good"))
    }

    /// Looks at a page.
    pub(crate) async fn get(&self, path: impl AsRef<str>) -> Page {
        let request = self.request(Method::GET, path.as_ref());
        self.send(request.body(Body::empty()).expect("it is a request"))
            .await
    }

    /// Sends a form of these pages.
    pub(crate) async fn post(&self, path: impl AsRef<str>, fields: &[(&str, &str)]) -> Page {
        let token = self.form_token();
        let mut all = vec![("form-token", token.as_str())];
        all.extend(fields);
        self.post_bare(path, &all).await
    }

    /// Sends these fields alone.
    pub(crate) async fn post_bare(&self, path: impl AsRef<str>, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .request(Method::POST, path.as_ref())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).expect("it is a request"))
            .await
    }

    /// Looks at a page that is kept up to date.
    pub(crate) async fn follow(&self, path: &str) -> Events {
        let request = self.request(Method::GET, path);
        let request = request.header(ACCEPT, "text/event-stream");
        let request = request.body(Body::empty()).expect("it is a request");
        let answer = self.answer(request).await;
        assert_eq!(answer.status(), 200, "{path}");
        Events::of(answer)
    }

    /// The answer before it is read.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        let router = self.world.router(request.uri().path());
        router.oneshot(request).await.expect("pages always answer")
    }

    /// A request as their browser makes it.
    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(path);
        match self.session.is_empty() {
            true => request,
            false => request.header(COOKIE, self.cookie()),
        }
    }

    async fn send(&self, request: Request<Body>) -> Page {
        let to = format!("{} {}", request.method(), request.uri());
        let (head, body) = self.answer(request).await.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Page {
            to,
            status: head.status.as_u16(),
            headers: head.headers,
            bytes: body.to_vec(),
        }
    }
}

/// What becomes of a page while they look.
pub(crate) struct Events(Body);

impl Events {
    /// What this answer brings.
    pub(crate) fn of(answer: Response) -> Self {
        Self(answer.into_body())
    }

    /// The page as it is by now, when it has changed.
    pub(crate) async fn next(&mut self) -> String {
        self.until_end().await.expect("there is more")
    }

    /// The same; `None`: the page is kept up to date no more.
    pub(crate) async fn until_end(&mut self) -> Option<String> {
        loop {
            let frame = self.0.frame().await?.expect("it is sent");
            let bytes = frame.into_data().expect("it is an event");
            let text = String::from_utf8(bytes.to_vec()).expect("it is text");
            // What begins so only says that there is nothing.
            if !text.starts_with(':') {
                return Some(text);
            }
        }
    }
}

/// What they are shown.
pub(crate) struct Page {
    to: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Page {
    /// Its markup.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.bytes).unwrap_or_else(|error| panic!("{}: {error}", self.to))
    }

    /// It has this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}: {}", self.to, self.text());
        self
    }

    /// This stands in its markup.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        let all = self.text();
        assert!(all.contains(text), "{}: no {text:?} in {all}", self.to);
        self
    }

    /// This does not.
    #[track_caller]
    pub(crate) fn hides(&self, text: &str) -> &Self {
        let all = self.text();
        assert!(!all.contains(text), "{}: {text:?} in {all}", self.to);
        self
    }

    /// Where it leads on to, after something was done.
    #[track_caller]
    pub(crate) fn leads_to(&self) -> &str {
        self.is(303);
        self.header(LOCATION.as_str())
    }

    /// A header's text; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("it is text"))
    }
}
