//! Operations, as they are declared beside their handlers. One declaration makes the route, the
//! entry in the OpenAPI document, and what the tests ask of every route, so that none of them can
//! be forgotten, or say something else than the others.
//!
//! What an operation takes and answers is not declared: it is read from its handler's own types
//! (`describe`). Who may call it is checked by the use case that it calls; what is said of it here
//! is what tests hold against that. What a token's own limits must allow for it follows from its
//! method, unless it is declared otherwise; it goes with every request to it, and is checked where
//! callers are told apart (`authentication`), so that no handler can forget it.

use crate::Shared;
use crate::body::BodyLimit;
use crate::describe::{Described, Describer};
use crate::metered::{Declared, OperationMeter};
use crate::openapi::tag;
use app::access::limits::{Capability, ForPortal, Need};
use axum::Router;
use axum::extract::Extension;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use model::api_key::Right;
use model::role::Role;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever reaches the server.
    Public,
    /// The organisation, and every application.
    Anybody,
    /// The organisation, and the application that the path names.
    Application,
    /// The organisation.
    Organisation,
}

/// One operation: what it is called, where it is, and who may call it.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// The method.
    pub method: MethodName,
    /// The path, with what is open in it in braces.
    pub path: &'static str,
    /// Its name, as the contract and client libraries have it.
    pub id: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Whether it answers 501.
    pub built: bool,
    /// What a token's own limits must allow.
    pub need: Need,
    pub(crate) shown: Shown,
    pub(crate) describe: Describe,
}

/// Says what an operation takes and answers.
type Describe = fn(&mut Describer);

/// Where an operation is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// In the document.
    Yes,
    /// In the document, as one that new clients should not use.
    Deprecated,
    /// Nowhere: it stands in for another, whose path it hides.
    No,
}

/// The methods that operations have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MethodName {
    /// Reads.
    Get,
    /// Makes, or does.
    Post,
    /// Replaces, or makes.
    Put,
    /// Changes what is given.
    Patch,
    /// Removes.
    Delete,
}

impl MethodName {
    /// As HTTP has it.
    pub fn http(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// What is declared of an operation beside its method and path.
pub(crate) struct Named {
    id: &'static str,
    access: Access,
    summary: &'static str,
    shown: Shown,
    right: Option<Right>,
    portal: Option<ForPortal>,
}

impl Named {
    fn new(id: &'static str, access: Access, summary: &'static str) -> Self {
        Self {
            id,
            access,
            summary,
            shown: Shown::Yes,
            right: None,
            portal: None,
        }
    }

    /// What changes nothing, although it is asked with a body.
    pub(crate) fn only_looks(self) -> Self {
        Self {
            right: Some(Right::Read),
            ..self
        }
    }

    /// What shows a signing secret: whoever has it can sign as if it were the server, so that a key
    /// which may only read does not see it, and no role but the one that may do everything.
    pub(crate) fn shows_a_secret(self) -> Self {
        Self {
            right: Some(Right::Write),
            ..self.needs(Capability::ViewEndpointSecret)
        }
    }

    /// What tokens of the portal may do that have this capability.
    pub(crate) fn needs(self, capability: Capability) -> Self {
        Self {
            portal: Some(ForPortal::With(capability)),
            ..self
        }
    }

    /// What all tokens of the portal may do.
    pub(crate) fn for_all_of_the_portal(self) -> Self {
        Self {
            portal: Some(ForPortal::All),
            ..self
        }
    }

    /// Unless declared otherwise, what gets only looks, and tokens of the portal may only look; and
    /// viewers may only look, and operators send again besides.
    fn need(&self, method: MethodName) -> Need {
        let right = self.right.unwrap_or(match method {
            MethodName::Get => Right::Read,
            _ => Right::Write,
        });
        let portal = self.portal.unwrap_or(match right {
            Right::Read => ForPortal::With(Capability::ViewBase),
            Right::Write => ForPortal::None,
        });
        let role = match (right, portal) {
            (Right::Read, _) | (_, ForPortal::All) => Role::Viewer,
            (Right::Write, ForPortal::With(Capability::CreateAttempts)) => Role::Operator,
            (Right::Write, _) => Role::Admin,
        };
        Need {
            noun: tag(self.id),
            right,
            portal,
            role,
        }
    }

    /// What only clients of old call.
    pub(crate) fn deprecated(self) -> Self {
        Self {
            shown: Shown::Deprecated,
            ..self
        }
    }

    /// What stands in for another, whose path it hides.
    pub(crate) fn hidden(self) -> Self {
        Self {
            shown: Shown::No,
            ..self
        }
    }
}

/// An operation for whoever reaches the server.
pub(crate) fn public(id: &'static str, summary: &'static str) -> Named {
    Named::new(id, Access::Public, summary)
}

/// An operation for the organisation and every application.
pub(crate) fn anybody(id: &'static str, summary: &'static str) -> Named {
    Named::new(id, Access::Anybody, summary)
}

/// An operation for the organisation and the application that the path names.
pub(crate) fn application(id: &'static str, summary: &'static str) -> Named {
    Named::new(id, Access::Application, summary)
}

/// An operation for the organisation.
pub(crate) fn organisation(id: &'static str, summary: &'static str) -> Named {
    Named::new(id, Access::Organisation, summary)
}

/// Operations with their routes.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) router: Router<Shared>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) meters: Vec<OperationMeter>,
    path: &'static str,
}

impl Routes {
    /// The operations that follow are at this path.
    pub(crate) fn at(path: &'static str) -> Self {
        Self::default().and_at(path)
    }

    /// The same, behind others.
    pub(crate) fn and_at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// All of another's too.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        self.meters.extend(other.meters);
        Self {
            router: self.router.merge(other.router),
            ..self
        }
    }

    pub(crate) fn get<H, T>(self, named: Named, handler: H) -> Self
    where
        H: Handler<T, Shared> + Described<T>,
        T: 'static,
    {
        self.on(MethodName::Get, named, handler)
    }

    pub(crate) fn post<H, T>(self, named: Named, handler: H) -> Self
    where
        H: Handler<T, Shared> + Described<T>,
        T: 'static,
    {
        self.on(MethodName::Post, named, handler)
    }

    pub(crate) fn put<H, T>(self, named: Named, handler: H) -> Self
    where
        H: Handler<T, Shared> + Described<T>,
        T: 'static,
    {
        self.on(MethodName::Put, named, handler)
    }

    pub(crate) fn patch<H, T>(self, named: Named, handler: H) -> Self
    where
        H: Handler<T, Shared> + Described<T>,
        T: 'static,
    {
        self.on(MethodName::Patch, named, handler)
    }

    pub(crate) fn delete<H, T>(self, named: Named, handler: H) -> Self
    where
        H: Handler<T, Shared> + Described<T>,
        T: 'static,
    {
        self.on(MethodName::Delete, named, handler)
    }

    /// The same for one that takes bodies of another size than most.
    pub(crate) fn post_with_limit<H, T>(self, named: Named, limit: BodyLimit, handler: H) -> Self
    where
        H: Handler<T, Shared> + Described<T>,
        T: 'static,
    {
        let route = on(MethodFilter::POST, handler).layer(Extension(limit));
        self.add(MethodName::Post, named, (route, Some(H::describe)))
    }

    /// An operation that is not built: the route says so.
    pub(crate) fn not_built<H, T>(self, method: MethodName, named: Named, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        let route = on(method.filter(), handler);
        self.add(method, named, (route, None))
    }

    fn on<H, T>(self, method: MethodName, named: Named, handler: H) -> Self
    where
        H: Handler<T, Shared> + Described<T>,
        T: 'static,
    {
        let route = on(method.filter(), handler);
        self.add(method, named, (route, Some(H::describe)))
    }

    fn add(
        mut self,
        method: MethodName,
        named: Named,
        (route, describe): (MethodRouter<Shared>, Option<Describe>),
    ) -> Self {
        let need = named.need(method);
        self.operations.push(Operation {
            method,
            path: self.path,
            id: named.id,
            access: named.access,
            summary: named.summary,
            built: describe.is_some(),
            need,
            shown: named.shown,
            describe: describe.unwrap_or(|_| {}),
        });
        let counted = OperationMeter::new(method, self.path);
        let declared = Declared {
            need,
            meter: counted.meter(),
        };
        self.meters.push(counted);
        let route = route.route_layer(declared);
        Self {
            router: self.router.route(self.path, route),
            ..self
        }
    }
}
