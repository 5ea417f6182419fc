//! What was suspicious, or worth knowing.

use super::{AFTER, BEFORE, Kind, Noun, Operation, Parameter, Shows, Verb};
use crate::command::Column;

const KIND: Parameter = Parameter::query(
    "kind",
    "kind",
    Kind::Text,
    "Only of this kind, such as api.authentication_failed",
);

const SEVERITY: Parameter = Parameter::query(
    "severity",
    "severity",
    Kind::Choice(&[
        ("info", "info"),
        ("warning", "warning"),
        ("critical", "critical"),
    ]),
    "Only those that are so bad",
);

const OF_APP: Parameter = Parameter::query(
    "app",
    "app_id",
    Kind::Text,
    "That concern this application, by id or uid",
);

const FILTERS: &[Parameter] = &[KIND, SEVERITY, OF_APP, AFTER, BEFORE];

const FOLLOWED: &[Parameter] = &[KIND, SEVERITY, OF_APP, AFTER];

pub(super) const SECURITY: Noun = Noun {
    name: "security",
    about: "Security events: what was suspicious, or worth knowing",
    operations: &[
        Operation {
            name: "list",
            about: "List security events, the newest first",
            examples: "Examples:
  postrider security list --after 1d
  postrider security list --severity critical
  postrider security list --kind delivery.pin_mismatch --app acme --all --json",
            verb: Verb::List,
            paths: &["/security/event"],
            parameters: FILTERS,
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
        },
        Operation {
            name: "tail",
            about: "Follow what happens: a line for each new event, until Ctrl-C",
            examples: "Examples:
  postrider security tail
  postrider security tail --after 1h --severity critical
  postrider security tail --kind traffic.anomaly --json | jq -r .description

An event that happens again within ten minutes is counted in its line of the list, and not shown
again.",
            verb: Verb::Follow,
            paths: &["/security/event"],
            parameters: FOLLOWED,
            fixed: &[],
            shows: Shows::Rows {
                columns: &[
                    Column::of("time", "firstSeen"),
                    Column::of("severity", "severity"),
                    Column::of("kind", "kind"),
                    Column::of("subject", "subject.id"),
                    Column::of("from", "remoteAddress"),
                    Column::of("description", "description"),
                ],
                lean: false,
            },
        },
    ],
};
