//! The environment: what a whole installation is set to, what it demands of endpoints, whom it
//! tells of security events, and carrying settings with the event types to another.

use super::{Kind, Noun, Operation, Parameter, Shows, Verb};

const SETTINGS: &[Parameter] = &[
    Parameter::body(
        "enforce-event-type-schemas",
        "enforceEventTypeSchemas",
        Kind::Bool,
        "Refuse messages whose payload does not match their event type's newest schema",
    ),
    Parameter::body(
        "scan-payloads",
        "scanPayloads",
        Kind::Text,
        "What to do about card numbers, keys and the like in payloads: off, report or refuse",
    ),
    Parameter::body(
        "display-name",
        "displayName",
        Kind::Text,
        "What consumers' pages call the installation",
    ),
    Parameter::body(
        "enable-channels",
        "enableChannels",
        Kind::Bool,
        "Consumers' pages offer channels",
    ),
    Parameter::body(
        "enable-message-tags",
        "enableMessageTags",
        Kind::Bool,
        "Consumers' pages offer tags",
    ),
    Parameter::body("logo-url", "logoUrl", Kind::Text, "A picture for them"),
    Parameter::body(
        "custom-logo-url",
        "customLogoUrl",
        Kind::Text,
        "A picture for them instead of that",
    ),
    Parameter::body("custom-color", "customColor", Kind::Text, "Their colour"),
    Parameter::body(
        "custom-font-family",
        "customFontFamily",
        Kind::Text,
        "Their font",
    ),
    Parameter::body(
        "custom-font-family-url",
        "customFontFamilyUrl",
        Kind::Text,
        "Where their font is",
    ),
    Parameter::body(
        "color-palette-light",
        "colorPaletteLight",
        Kind::Json,
        "Their colours by day: JSON, @FILE or -",
    ),
    Parameter::body(
        "color-palette-dark",
        "colorPaletteDark",
        Kind::Json,
        "Their colours by night: JSON, @FILE or -",
    ),
    Parameter::body(
        "custom-strings-override",
        "customStringsOverride",
        Kind::Json,
        "Their words: JSON, @FILE or -",
    ),
    Parameter::body(
        "custom-theme-override",
        "customThemeOverride",
        Kind::Json,
        "Their look: JSON, @FILE or -",
    ),
    Parameter::body(
        "show-feature-tooltips",
        "showFeatureTooltips",
        Kind::Bool,
        "They explain themselves",
    ),
    Parameter::body(
        "show-svix-brand-footer",
        "showSvixBrandFooter",
        Kind::Bool,
        "They name whose API it is",
    ),
    Parameter::body(
        "show-use-svix-play",
        "showUseSvixPlay",
        Kind::Bool,
        "They offer a receiver to try things with",
    ),
];

const POLICY: &[Parameter] = &[
    Parameter::body(
        "require",
        "require",
        Kind::Words,
        "Of all endpoints: encryption, auth, pins, verification, redaction",
    ),
    Parameter::body(
        "event-types",
        "eventTypes",
        Kind::Json,
        "For messages of some event types, besides: JSON, @FILE or -",
    ),
];

const ALERTS: &[Parameter] = &[
    Parameter::body(
        "channels",
        "channels",
        Kind::Json,
        "Whom security events are told to: JSON, @FILE or -",
    ),
    Parameter::body(
        "dedup-seconds",
        "dedupSeconds",
        Kind::Number,
        "How long the same is counted rather than told of again",
    ),
    Parameter::body(
        "digest-seconds",
        "digestSeconds",
        Kind::Number,
        "How much time lies between two digests of what was not told at once",
    ),
    Parameter::body(
        "at-once",
        "atOnce",
        Kind::Number,
        "How many alerts go out at once in that time",
    ),
];

pub(super) const ENVIRONMENT: Noun = Noun {
    name: "environment",
    about: "The environment: settings of the whole installation, and carrying them to another",
    operations: &[
        Operation {
            name: "get",
            about: "Show the settings",
            examples: "Example:
  postrider environment get",
            verb: Verb::Get,
            paths: &["/environment/settings"],
            parameters: &[],
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "update",
            about: "Change settings: what is not mentioned stays",
            examples: "Examples:
  postrider environment update --enforce-event-type-schemas
  postrider environment update --display-name Acme --unset customColor",
            verb: Verb::Patch,
            paths: &["/environment/settings"],
            parameters: SETTINGS,
            fixed: &[],
            shows: Shows::Fields,
        },
        Operation {
            name: "policy",
            about: "Show what is demanded of endpoints",
            examples: "Example:
  postrider environment policy",
            verb: Verb::Get,
            paths: &["/environment/policy"],
            parameters: &[],
            fixed: &[],
            shows: Shows::Json,
        },
        Operation {
            name: "set-policy",
            about: "Demand something of endpoints: those that lack it get nothing",
            examples: "Examples:
  postrider environment set-policy --require encryption,pins
  postrider environment set-policy --event-types '{\"order.paid\":[\"encryption\"]}'
  postrider environment set-policy",
            verb: Verb::Put,
            paths: &["/environment/policy"],
            parameters: POLICY,
            fixed: &[],
            shows: Shows::Done("set"),
        },
        Operation {
            name: "alerts",
            about: "Show whom security events are told to",
            examples: "Example:
  postrider environment alerts",
            verb: Verb::Get,
            paths: &["/environment/alerts"],
            parameters: &[],
            fixed: &[],
            shows: Shows::Json,
        },
        Operation {
            name: "set-alerts",
            about: "Tell people of security events: what is not mentioned is taken away",
            examples: "Examples:
  postrider environment set-alerts --channels @channels.json
  postrider environment set-alerts --channels '[{\"type\":\"email\",\"to\":[\"ops@example.com\"]}]'
  postrider environment set-alerts",
            verb: Verb::Put,
            paths: &["/environment/alerts"],
            parameters: ALERTS,
            fixed: &[],
            shows: Shows::Done("set"),
        },
        Operation {
            name: "test-alerts",
            about: "Send each channel a test alert now, and show how it went",
            examples: "Example:
  postrider environment test-alerts",
            verb: Verb::Post,
            paths: &["/environment/alerts/test"],
            parameters: &[],
            fixed: &[],
            shows: Shows::Json,
        },
        Operation {
            name: "export",
            about: "Print all settings and event types as JSON, for an import elsewhere",
            examples: "Example:
  postrider environment export > environment.json",
            verb: Verb::Post,
            paths: &["/environment/export"],
            parameters: &[],
            fixed: &[],
            shows: Shows::Json,
        },
        Operation {
            name: "import",
            about: "Write settings and event types, all of them or none; nothing is deleted",
            examples: "Examples:
  postrider environment import environment.json
  postrider environment export --profile live | postrider environment import - --profile lab",
            verb: Verb::Post,
            paths: &["/environment/import"],
            parameters: &[Parameter::whole("file", "What `export` printed, or -")],
            fixed: &[],
            shows: Shows::Done("imported"),
        },
    ],
};
