//! The forms of the parts. What is secret is typed blind, and is empty again in a form that was
//! refused.

use super::{Part, oauth};
use crate::parts::{Field, tick};
use crate::posted::Fields;
use crate::problem::Refused;
use crate::rules;
use maud::{Markup, html};

/// A form's fields with what they are filled with, and what is wrong with them.
pub(super) struct Form<'f> {
    pub(super) fields: &'f Fields,
    pub(super) refused: Option<&'f Refused>,
}

/// What stands in the form.
pub(super) fn inputs(part: Part, fields: &Fields, refused: Option<&Refused>) -> Markup {
    let form = Form { fields, refused };
    match part {
        Part::Auth => form.auth(),
        Part::Oauth => oauth::inputs(&form),
        Part::Mtls => form.mtls(),
        Part::Ca => form.ca(),
        Part::Pins => form.pins(),
        Part::Encryption => form.encryption(),
        Part::Redaction => form.redaction(),
        Part::Payload => form.payload(),
        Part::Signature => form.signature(),
        Part::Headers => form.header(),
    }
}

/// How much of the old one stays.
pub(super) const BEFORE: &str =
    "Go on using the one before for 24 hours, where the new one is refused";

impl<'f> Form<'f> {
    pub(super) fn field(&self, name: &'f str, label: &'f str, hint: &'f str) -> Field<'f> {
        Field {
            name,
            label,
            value: self.fields.text(name),
            hint,
            required: false,
        }
    }

    pub(super) fn line(&self, name: &'f str, label: &'f str, hint: &'f str) -> Markup {
        self.field(name, label, hint).line(self.refused)
    }

    pub(super) fn needed(&self, name: &'f str, label: &'f str, hint: &'f str) -> Field<'f> {
        Field {
            required: true,
            ..self.field(name, label, hint)
        }
    }

    fn auth(&self) -> Markup {
        let kinds = [
            ("basic", "User name and password"),
            ("bearer", "Bearer token"),
            ("apiKey", "Key"),
            ("httpSignature", "Signature over the request"),
        ];
        let kind = match self.fields.text("kind") {
            "" => "basic",
            kind => kind,
        };
        html! {
            ul.kinds {
                @for (word, text) in kinds {
                    li {
                        a href={ "?kind=" (word) } aria-current=[(word == kind).then_some("true")] {
                            (text)
                        }
                    }
                }
            }
            input type="hidden" name="kind" value=(kind);
            @match kind {
                "bearer" => (self.needed("token", "Token", "As RFC 6750 has it.").secret(self.refused)),
                "apiKey" => (self.key()),
                "httpSignature" => (self.http_signature()),
                _ => {
                    (self.needed("username", "User name", "Without a colon.").line(self.refused))
                    (self.needed("password", "Password", "").secret(self.refused))
                }
            }
            (tick("before", BEFORE, self.fields.is_on("before")))
        }
    }

    fn key(&self) -> Markup {
        let places = [("header", "A header"), ("query", "A parameter of the URL")];
        html! {
            (self.field("in", "Where it is put", "").choice(&places, self.refused))
            (self.needed("name", "Name", "The header's, or the parameter's.").line(self.refused))
            (self.needed("value", "Key", "").secret(self.refused))
        }
    }

    fn http_signature(&self) -> Markup {
        let algorithms = [
            ("ed25519", "ed25519, a key pair"),
            ("hmac-sha256", "HMAC-SHA256"),
        ];
        let components = "One a line, such as @method, @authority, or a header's name: what is \
                          covered beyond what always is.";
        html! {
            (self.field("algorithm", "Algorithm", "").choice(&algorithms, self.refused))
            (self.field("key", "Key", "whsk_… or whsec_…; of a key pair, one is made if there is none.")
                .secret(self.refused))
            (self.field("components", "What else is signed", components).lines(4, self.refused))
        }
    }

    fn mtls(&self) -> Markup {
        let hint = "PEM with the certificates and the private key, or PKCS#12 in Base64.";
        let identity = Field {
            value: "",
            ..self.needed("identity", "Certificate and key", hint)
        };
        html! {
            (identity.lines(10, self.refused))
            (self.field("password", "Password", "Of PKCS#12, if it has one.").secret(self.refused))
            (tick("before", BEFORE, self.fields.is_on("before")))
        }
    }

    fn ca(&self) -> Markup {
        let versions = [("1.2", "TLS 1.2"), ("1.3", "TLS 1.3")];
        let hint = "PEM, of those that are trusted in place of the system's. Empty: the system's.";
        html! {
            (self.field("cert", "Certificates of authorities", hint).lines(10, self.refused))
            (self.field("minTls", "The oldest TLS", "").choice(&versions, self.refused))
        }
    }

    fn pins(&self) -> Markup {
        let modes = [
            ("enforce", "Enforce: nothing is sent without one of them"),
            ("report", "Report: it is sent all the same"),
            ("firstUse", "First use: the next connection's is taken"),
        ];
        let hint = "One a line: sha256/ and the Base64 of the key's hash. With a spare one, of a key \
                    that is not in use yet.";
        html! {
            (self.field("pins", "Pins", hint).lines(4, self.refused))
            (self.field("mode", "What they are for", "").choice(&modes, self.refused))
        }
    }

    fn encryption(&self) -> Markup {
        let algorithms = [
            ("", "What fits the key"),
            ("ECDH-ES", "ECDH-ES"),
            ("ECDH-ES+A256KW", "ECDH-ES+A256KW"),
            ("RSA-OAEP-256", "RSA-OAEP-256"),
        ];
        html! {
            (self.field("jwk", "Public key", "A JWK: P-256, X25519 or RSA.").lines(8, self.refused))
            (self.line("jwksUrl", "Or where keys are published", "The URL of a JWKS, over https."))
            (self.line("kid", "Which key of those", "Its kid; empty: the first for encryption."))
            (self.field("alg", "Algorithm", "").choice(&algorithms, self.refused))
        }
    }

    fn redaction(&self) -> Markup {
        let allowed = "Paths, one a line: what it gets although a schema marks it as sensitive. \
                       Only the organisation can add some.";
        html! {
            (self.field("rules", "Rules", rules::HINT).lines(10, self.refused))
            (self.field("allowSensitive", "Allowed", allowed).lines(3, self.refused))
        }
    }

    fn payload(&self) -> Markup {
        let modes = [
            ("full", "The payload"),
            ("thin", "Where the payload is to be had, and nothing of it"),
        ];
        self.field("mode", "Deliveries carry", "")
            .choice(&modes, self.refused)
    }

    fn signature(&self) -> Markup {
        let schemes = [
            ("standard-webhooks", "Standard Webhooks"),
            ("github", "GitHub"),
            ("stripe", "Stripe"),
            ("shopify", "Shopify"),
            ("slack", "Slack"),
            ("generic", "As described below"),
        ];
        let hashes = [
            ("sha256", "SHA-256"),
            ("sha512", "SHA-512"),
            ("sha1", "SHA-1"),
        ];
        let encodings = [("hex", "hex"), ("base64", "Base64")];
        html! {
            (self.field("scheme", "Scheme", "").choice(&schemes, self.refused))
            fieldset {
                legend { "Described" }
                p.hint { "Only for a scheme as described." }
                (self.line("header", "Header", "What carries the signature."))
                (self.field("hash", "Hash", "").choice(&hashes, self.refused))
                (self.field("encoding", "Encoding", "").choice(&encodings, self.refused))
                (self.line("prefix", "Prefix", "What stands before the digest, such as sha256=."))
                (self.line("template", "What is signed", "Of {id}, {timestamp} and {body}; empty: {body}."))
                (self.line("timestampHeader", "Header of the time", "Where it isn't the usual one."))
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            (self.needed("name", "Name", "").line(self.refused))
            (self.needed("headers", "Value", "That of Authorization and the like is not shown again.")
                .secret(self.refused))
        }
    }
}
