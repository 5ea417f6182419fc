//! What an endpoint has once: it is shown, set as a whole, and deleted, by three commands that
//! differ from those of another part in their words alone.

use super::super::Operation;

/// The three commands.
pub(super) struct Part {
    pub(super) show: Operation,
    pub(super) set: Operation,
    pub(super) delete: Operation,
}

/// The commands of the part that has this name, in the path as well; `of` goes behind what was
/// done, and before the endpoint. Setting takes parameters beside the endpoint, and shows how.
macro_rules! part {
    (
        name: $name:literal,
        of: $of:literal,
        show: $show:literal,
        set: $set:literal,
        delete: $delete:literal,
        examples: $examples:literal,
        parameters: [$($parameter:expr),* $(,)?],
    ) => {
        $crate::resources::endpoint::part::Part {
            show: $crate::resources::Operation {
                name: $name,
                about: $show,
                examples: concat!("Example:\n  postrider endpoint ", $name, " --app acme first"),
                verb: $crate::resources::Verb::Get,
                paths: &[concat!("/app/{app}/endpoint/{id}/", $name)],
                parameters: &[$crate::resources::endpoint::ID, $crate::resources::APP],
                fixed: &[],
                shows: $crate::resources::Shows::Fields,
            },
            set: $crate::resources::Operation {
                name: concat!("set-", $name),
                about: $set,
                examples: $examples,
                verb: $crate::resources::Verb::Put,
                paths: &[concat!("/app/{app}/endpoint/{id}/", $name)],
                parameters: &[
                    $crate::resources::endpoint::ID,
                    $crate::resources::APP,
                    $($parameter),*
                ],
                fixed: &[],
                shows: $crate::resources::Shows::Done(concat!("set ", $of)),
            },
            delete: $crate::resources::Operation {
                name: concat!("delete-", $name),
                about: $delete,
                examples: concat!(
                    "Example:\n  postrider endpoint delete-", $name, " --app acme first"
                ),
                verb: $crate::resources::Verb::Delete,
                paths: &[concat!("/app/{app}/endpoint/{id}/", $name)],
                parameters: &[$crate::resources::endpoint::ID, $crate::resources::APP],
                fixed: &[],
                shows: $crate::resources::Shows::Done(concat!("deleted ", $of)),
            },
        }
    };
}

pub(super) use part;
