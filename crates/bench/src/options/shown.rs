//! What a delivery must show of its endpoint's option. It is not verified, which would take the
//! receiver longer than it takes the server to make it: it is there, and is of that kind.

use crate::options::EndpointOption;
use crate::options::settings::{SIGNATURE_HEADER, authorization};
use crate::serving::Over;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

/// A delivery that arrived.
pub(crate) struct Delivery<'a> {
    /// What it came over.
    pub(crate) over: Over,
    /// Its headers.
    pub(crate) headers: &'a HeaderMap,
    /// Its body.
    pub(crate) body: &'a Bytes,
}

impl Delivery<'_> {
    /// Whether it is as deliveries to endpoints with this option are.
    pub(crate) fn shows(&self, option: EndpointOption) -> bool {
        use EndpointOption as O;
        let own = match option {
            O::Plain | O::Tls | O::Ca | O::Pins => true,
            O::Mtls => self.over.certificate,
            O::Basic | O::Bearer | O::Oauth => {
                let wanted = authorization(option).unwrap_or_default();
                self.header(AUTHORIZATION.as_str()).starts_with(&wanted)
            }
            O::HttpSignatureEd25519 => self.is_signed_by("ed25519"),
            O::HttpSignatureHmac => self.is_signed_by("hmac-sha256"),
            O::EncryptionP256 | O::EncryptionX25519 | O::EncryptionRsa => {
                self.header(CONTENT_TYPE.as_str()) == "application/jose"
            }
            O::Redaction => self.contains(b"\"pad\":\"*****") && self.contains(b"\"hash:"),
            O::Signature => !self.header(SIGNATURE_HEADER).is_empty(),
            O::Ed25519 => self.header("webhook-signature").starts_with("v1a,"),
        };
        own && self.over.tls == option.is_secure() && self.id().is_some()
    }

    /// The id of its message.
    pub(crate) fn id(&self) -> Option<&str> {
        self.headers.get("webhook-id")?.to_str().ok()
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    fn is_signed_by(&self, algorithm: &str) -> bool {
        let algorithm = format!("alg=\"{algorithm}\"");
        self.header("signature-input").contains(&algorithm)
    }

    fn contains(&self, part: &[u8]) -> bool {
        self.body.windows(part.len()).any(|window| window == part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const OVER: Over = Over {
        tls: true,
        certificate: false,
        first: false,
    };

    /// Which options a delivery over TLS shows that has these headers and this body.
    fn shown(over: Over, more: &[(&'static str, &'static str)], body: &'static str) -> String {
        let mut headers = HeaderMap::new();
        let fixed = [("webhook-id", "msg_1"), ("webhook-signature", "v1,x")];
        for (name, value) in fixed.iter().chain(more) {
            let name = HeaderName::from_static(name);
            headers.insert(name, HeaderValue::from_static(value));
        }
        let delivery = Delivery {
            over,
            headers: &headers,
            body: &Bytes::from_static(body.as_bytes()),
        };
        let all = EndpointOption::ALL.into_iter();
        let shown = all.filter(|option| {
            delivery.shows(*option)
                && !matches!(
                    option,
                    EndpointOption::Tls | EndpointOption::Ca | EndpointOption::Pins
                )
        });
        shown
            .map(EndpointOption::name)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_delivery_shows_its_own_option_and_no_other() {
        let signed = |algorithm| [("signature-input", algorithm)];
        for (over, headers, body, expected) in [
            (OVER, &[][..], "{}", ""),
            (Over { tls: false, ..OVER }, &[], "{}", "plain"),
            (
                Over {
                    certificate: true,
                    ..OVER
                },
                &[],
                "{}",
                "mtls",
            ),
            (OVER, &[("authorization", "Basic eA==")], "{}", "basic"),
            (
                OVER,
                &[("authorization", "Bearer open-sesame-0123")],
                "{}",
                "bearer",
            ),
            (
                OVER,
                &[("authorization", "Bearer bench-access-token")],
                "{}",
                "oauth",
            ),
            (
                OVER,
                &signed("a=(\"@method\");alg=\"ed25519\""),
                "{}",
                "http-signature-ed25519",
            ),
            (
                OVER,
                &signed("a=();alg=\"hmac-sha256\""),
                "{}",
                "http-signature-hmac",
            ),
            (OVER, &[("x-bench-signature", "00")], "{}", "signature"),
            (OVER, &[("webhook-signature", "v1a,x")], "{}", "ed25519"),
            (
                OVER,
                &[],
                r#"{"sent":"hash:0","pad":"*****xx"}"#,
                "redaction",
            ),
            (OVER, &[], r#"{"sent":1,"pad":"*****xx"}"#, ""),
        ] {
            assert_eq!(shown(over, headers, body), expected, "{headers:?} {body}");
        }
        let encrypted = shown(OVER, &[("content-type", "application/jose")], "e.e");
        assert_eq!(
            encrypted,
            "encryption-p256 encryption-x25519 encryption-rsa"
        );
    }
}
