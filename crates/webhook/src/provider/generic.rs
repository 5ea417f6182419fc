//! What many senders do: an HMAC over the body alone, in one header. One that is written down in
//! full is an [`HmacScheme`] by [`HmacScheme::generic`].

use super::{Manners, Provider};
use crate::TOLERANCE_SECONDS;
use crate::freshness::Written;
use crate::scheme::template::{Part, Template};
use crate::scheme::{Encoding, Hash, HmacScheme, Layout, text};

pub(super) static SHA256_HEX: Provider = Provider {
    name: "generic-hmac-sha256-hex",
    scheme: &plain(Hash::Sha256, Encoding::Hex),
    tolerance_seconds: TOLERANCE_SECONDS,
    body_id: None,
    manners: Manners::PLAIN,
};

pub(super) static SHA256_BASE64: Provider = Provider {
    name: "generic-hmac-sha256-base64",
    scheme: &plain(Hash::Sha256, Encoding::Base64),
    ..SHA256_HEX
};

pub(super) static SHA1_HEX: Provider = Provider {
    name: "generic-hmac-sha1-hex",
    scheme: &plain(Hash::Sha1, Encoding::Hex),
    ..SHA256_HEX
};

pub(super) static SHA512_HEX_PREFIXED: Provider = Provider {
    name: "generic-hmac-sha512-hex-prefixed",
    scheme: &HmacScheme {
        signed: BODY,
        time: Written::Seconds,
        hash: Hash::Sha512,
        encoding: Encoding::Hex,
        header: text("X-Webhook-Signature"),
        layout: Layout::Whole {
            prefix: text("sha512="),
        },
        id_header: None,
        timestamp_header: None,
    },
    ..SHA256_HEX
};

const BODY: Template = Template::known(&[Part::Body]);

const fn plain(hash: Hash, encoding: Encoding) -> HmacScheme {
    HmacScheme {
        signed: BODY,
        time: Written::Seconds,
        hash,
        encoding,
        header: text("X-Signature"),
        layout: Layout::Whole { prefix: text("") },
        id_header: None,
        timestamp_header: None,
    }
}
