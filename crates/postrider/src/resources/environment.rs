//! The environment: what a whole installation is set to, what it demands of endpoints, and carrying
//! settings with the event types to another.

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
