//! Pages of one application: in the operator's dashboard of any, in the portal of whoever's it is.
//! Each is one handler in two places; what a `Seat` says tells them apart.

mod messages;

use crate::needs::look;
use crate::portal;
use crate::routes::Routes;

/// Below `/dashboard/applications/{app}`.
pub(crate) fn dashboard() -> Routes {
    messages::dashboard()
}

/// Below `/portal`.
pub(crate) fn portal() -> Routes {
    messages::portal().page("/portal", look("endpoint"), portal::home)
}
