//! How an endpoint's connections are verified, and what they show: authorities, pins, client
//! certificate.

use super::super::{Kind, Parameter};
use super::part::{Part, part};

pub(super) const CA: Part = part! {
    name: "ca",
    of: "whom to trust for",
    show: "Show whom its connections trust, if not the system's roots",
    set: "Trust these authorities in place of the system's roots, or ask for TLS 1.3",
    delete: "Trust the system's roots again",
    examples: "Examples:
  postrider endpoint set-ca --app acme first --cert-file ca.pem
  postrider endpoint set-ca --app acme first --cert-file ca.pem --min-tls 1.3",
    parameters: [
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
};

pub(super) const MTLS: Part = part! {
    name: "mtls",
    of: "the client certificate of",
    show: "Show the client certificate of its connections, without the key",
    set: "Show its receiver a client certificate",
    delete: "Show its receiver no client certificate",
    examples: "Examples:
  cat client.pem client.key | postrider endpoint set-mtls --app acme first --identity-file -
  base64 < client.p12 | postrider endpoint set-mtls --app acme first --identity-file - \\
    --password-file password.txt --previous-until 2026-01-09T00:00:00Z",
    parameters: [
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
};

pub(super) const PINS: Part = part! {
    name: "pins",
    of: "the pins of",
    show: "Show its pins, and the certificates that were last verified",
    set: "Send nothing to a receiver whose certificates have none of these pins",
    delete: "Take its pins away",
    examples: "Examples:
  postrider endpoint set-pins --app acme first --mode first-use
  postrider endpoint set-pins --app acme first --mode enforce \\
    --pin sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    parameters: [
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
};
