//! Pages of one application: in the operator's dashboard of any, in the portal of whoever's it is.
//! Each is one handler in two places; what a `Seat` says tells them apart.

/// Declares pages of an application in both places: what a page is declared as, where below the
/// application's own address, what is needed, and what answers.
macro_rules! in_both {
    ($($kind:ident $path:literal, $need:expr, $handler:expr;)+) => {
        pub(crate) fn dashboard() -> crate::routes::Routes {
            crate::routes::Routes::default()
                $(.$kind(concat!("/dashboard/applications/{app}", $path), $need, $handler))+
        }

        pub(crate) fn portal() -> crate::routes::Routes {
            crate::routes::Routes::default()
                $(.$kind(concat!("/portal", $path), $need, $handler))+
        }
    };
}

mod endpoints;
mod messages;
pub(crate) mod place;

pub(crate) use endpoints::{CHANGE as CHANGE_ENDPOINTS, listed as endpoints_listed};

use crate::catalogue;
use crate::needs::look;
use crate::routes::Routes;

/// Below `/dashboard/applications/{app}`.
pub(crate) fn dashboard() -> Routes {
    endpoints::dashboard().merge(messages::dashboard())
}

/// Below `/portal`.
pub(crate) fn portal() -> Routes {
    endpoints::portal()
        .page("/portal", look("endpoint"), endpoints::list)
        .merge(messages::portal())
        .merge(catalogue::portal())
}
