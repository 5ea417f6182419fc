//! What was suspicious, or worth knowing.

use super::{AFTER, BEFORE, Kind, Noun, Operation, Parameter, Shows, Verb};
use crate::command::Column;

pub(super) const SECURITY: Noun = Noun {
    name: "security",
    about: "Security events: what was suspicious, or worth knowing",
    operations: &[Operation {
        name: "list",
        about: "List security events, the newest first",
        examples: "Examples:
  postrider security list --after 1d
  postrider security list --severity critical
  postrider security list --kind delivery.pin_mismatch --app acme --all --json",
        verb: Verb::List,
        paths: &["/security/event"],
        parameters: &[
            Parameter::query(
                "kind",
                "kind",
                Kind::Text,
                "Only of this kind, such as api.authentication_failed",
            ),
            Parameter::query(
                "severity",
                "severity",
                Kind::Choice(&[
                    ("info", "info"),
                    ("warning", "warning"),
                    ("critical", "critical"),
                ]),
                "Only those that are so bad",
            ),
            Parameter::query(
                "app",
                "app_id",
                Kind::Text,
                "That concern this application, by id or uid",
            ),
            AFTER,
            BEFORE,
        ],
        fixed: &[],
        shows: Shows::Rows {
            columns: &[
                Column::of("id", "id"),
                Column::of("last seen", "lastSeen"),
                Column::of("severity", "severity"),
                Column::of("kind", "kind"),
                Column::of("subject", "subject.id"),
                Column::of("from", "remoteAddress"),
                Column::number("count", "count"),
                Column::of("description", "description"),
            ],
            lean: false,
        },
    }],
};
