//! How pages are declared: one declaration makes the route and says who may ask for it. Where a
//! handler has no `Seat` of whoever asks, the page is public, and declared so.

use crate::Shared;
use app::access::limits::Need;
use axum::Router;
use axum::extract::Extension;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use http::Method;

/// One page, or one thing that a page does.
#[derive(Debug, Clone)]
pub struct Declared {
    /// `GET` shows, `POST` does.
    pub method: Method,
    /// Where, with what is open in braces.
    pub path: &'static str,
    /// What is needed of whoever asks; `None`: nothing, not even a session.
    pub need: Option<Need>,
}

/// Pages with their routes.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) router: Router<Shared>,
    pub(crate) declared: Vec<Declared>,
}

impl Routes {
    /// A page.
    pub(crate) fn page<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        self.add(Method::GET, path, (Some(need), handler))
    }

    /// What a form does.
    pub(crate) fn action<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        self.add(Method::POST, path, (Some(need), handler))
    }

    /// A page for whoever comes.
    pub(crate) fn open<H, T>(self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        self.add(method, path, (None, handler))
    }

    /// All of another's too.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.declared.extend(other.declared);
        Self {
            router: self.router.merge(other.router),
            ..self
        }
    }

    fn add<H, T>(
        mut self,
        method: Method,
        path: &'static str,
        (need, handler): (Option<Need>, H),
    ) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        let filter = match method {
            Method::POST => MethodFilter::POST,
            _ => MethodFilter::GET,
        };
        let route = on(filter, handler);
        let route = match need {
            Some(need) => route.layer(Extension(need)),
            None => route,
        };
        self.declared.push(Declared { method, path, need });
        Self {
            router: self.router.route(path, route),
            ..self
        }
    }
}
