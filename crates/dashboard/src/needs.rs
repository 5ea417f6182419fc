//! What pages need of whoever asks for them, in the API's terms: `app` asks, before a handler does
//! anything. A page and the operation that does the same need the same.

use app::access::limits::{Capability, ForPortal, Need};
use model::api_key::Right;
use model::role::Role;

/// Looking, which people of the portal may, too.
pub(crate) const fn look(noun: &'static str) -> Need {
    Need {
        noun,
        right: Right::Read,
        portal: ForPortal::With(Capability::ViewBase),
        role: Role::Viewer,
    }
}

/// Looking, for the organisation's own people.
pub(crate) const fn look_within(noun: &'static str) -> Need {
    Need {
        portal: ForPortal::None,
        ..look(noun)
    }
}

/// Sending again what was sent.
pub(crate) const fn send_again(noun: &'static str) -> Need {
    Need {
        noun,
        right: Right::Write,
        portal: ForPortal::With(Capability::CreateAttempts),
        role: Role::Operator,
    }
}

/// Changing, which people of the portal may who have this capability; or seeing a secret.
pub(crate) const fn manage(noun: &'static str, capability: Capability) -> Need {
    Need {
        noun,
        right: Right::Write,
        portal: ForPortal::With(capability),
        role: Role::Admin,
    }
}

/// Changing, for the organisation's own people.
pub(crate) const fn administer(noun: &'static str) -> Need {
    Need {
        noun,
        right: Right::Write,
        portal: ForPortal::None,
        role: Role::Admin,
    }
}

/// What whoever is signed in may.
pub(crate) const ANYBODY: Need = Need {
    noun: "authentication",
    right: Right::Read,
    portal: ForPortal::All,
    role: Role::Viewer,
};
