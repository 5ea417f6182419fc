//! How an endpoint's connections are verified, and what they show: authorities, pins, client
//! certificate.

use super::super::{APP, Kind, Operation, Parameter, Shows, Verb};
use super::ID;

const CA: &[&str] = &["/app/{app}/endpoint/{id}/ca"];
const MTLS: &[&str] = &["/app/{app}/endpoint/{id}/mtls"];
const PINS: &[&str] = &["/app/{app}/endpoint/{id}/pins"];

pub(super) const SHOW_CA: Operation = Operation {
    name: "ca",
    about: "Show whom its connections trust, if not the system's roots",
    examples: "Example:
  postrider endpoint ca --app acme first",
    verb: Verb::Get,
    paths: CA,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const SET_CA: Operation = Operation {
    name: "set-ca",
    about: "Trust these authorities in place of the system's roots, or ask for TLS 1.3",
    examples: "Examples:
  postrider endpoint set-ca --app acme first --cert-file ca.pem
  postrider endpoint set-ca --app acme first --cert-file ca.pem --min-tls 1.3",
    verb: Verb::Put,
    paths: CA,
    parameters: &[
        ID,
        APP,
        Parameter::body(
            "cert-file",
            "cert",
            Kind::SecretFile,
            "File with the authorities' certificates as PEM, or -",
        ),
        Parameter::body(
            "min-tls",
            "minTlsVersion",
            Kind::Choice(&[("1.2", "1.2"), ("1.3", "1.3")]),
            "The oldest TLS; otherwise 1.2",
        ),
    ],
    fixed: &[],
    shows: Shows::Done("set whom to trust for"),
};

pub(super) const DELETE_CA: Operation = Operation {
    name: "delete-ca",
    about: "Trust the system's roots again",
    examples: "Example:
  postrider endpoint delete-ca --app acme first",
    verb: Verb::Delete,
    paths: CA,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Done("deleted whom to trust for"),
};

pub(super) const SHOW_MTLS: Operation = Operation {
    name: "mtls",
    about: "Show the client certificate of its connections, without the key",
    examples: "Example:
  postrider endpoint mtls --app acme first",
    verb: Verb::Get,
    paths: MTLS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const SET_MTLS: Operation = Operation {
    name: "set-mtls",
    about: "Show its receiver a client certificate",
    examples: "Examples:
  cat client.pem client.key | postrider endpoint set-mtls --app acme first --identity-file -
  base64 < client.p12 | postrider endpoint set-mtls --app acme first --identity-file - \\
    --password-file password.txt --previous-until 2026-01-09T00:00:00Z",
    verb: Verb::Put,
    paths: MTLS,
    parameters: &[
        ID,
        APP,
        Parameter::body(
            "identity-file",
            "identity",
            Kind::SecretFile,
            "File with certificates and key as PEM, or PKCS#12 in base64; or -",
        )
        .required(),
        Parameter::body(
            "password-file",
            "password",
            Kind::SecretFile,
            "File with the password of PKCS#12",
        ),
        Parameter::body(
            "previous-until",
            "previousExpiresAt",
            Kind::Time,
            "Until when the one before is shown where this one is refused",
        ),
    ],
    fixed: &[],
    shows: Shows::Done("set the client certificate of"),
};

pub(super) const DELETE_MTLS: Operation = Operation {
    name: "delete-mtls",
    about: "Show its receiver no client certificate",
    examples: "Example:
  postrider endpoint delete-mtls --app acme first",
    verb: Verb::Delete,
    paths: MTLS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Done("deleted the client certificate of"),
};

pub(super) const SHOW_PINS: Operation = Operation {
    name: "pins",
    about: "Show its pins, and the certificates that were last verified",
    examples: "Example:
  postrider endpoint pins --app acme first",
    verb: Verb::Get,
    paths: PINS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Fields,
};

pub(super) const SET_PINS: Operation = Operation {
    name: "set-pins",
    about: "Send nothing to a receiver whose certificates have none of these pins",
    examples: "Examples:
  postrider endpoint set-pins --app acme first --mode first-use
  postrider endpoint set-pins --app acme first --mode enforce \\
    --pin sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    verb: Verb::Put,
    paths: PINS,
    parameters: &[
        ID,
        APP,
        Parameter::body(
            "mode",
            "mode",
            Kind::Choice(&[
                ("enforce", "enforce"),
                ("report", "report"),
                ("first-use", "firstUse"),
            ]),
            "Whether others get nothing, or are reported; or the first one's pin is taken",
        )
        .required(),
        Parameter::body(
            "pin",
            "pins",
            Kind::Words,
            "A pin, as `postrider pin URL` prints it (repeatable)",
        ),
    ],
    fixed: &[],
    shows: Shows::Done("set the pins of"),
};

pub(super) const DELETE_PINS: Operation = Operation {
    name: "delete-pins",
    about: "Take its pins away",
    examples: "Example:
  postrider endpoint delete-pins --app acme first",
    verb: Verb::Delete,
    paths: PINS,
    parameters: &[ID, APP],
    fixed: &[],
    shows: Shows::Done("deleted the pins of"),
};
