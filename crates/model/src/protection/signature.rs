//! How an endpoint's deliveries are signed: by which scheme, described as plain data. What they are
//! signed with is the endpoint's signing secret, which is kept apart; what a description means is
//! the room `webhook`'s.

use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part};

/// A signature scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// Standard Webhooks: what holds where nothing is set, too.
    StandardWebhooks,
    /// That of a sender whose receivers are there already.
    Of(Sender),
    /// One that its owner describes.
    Generic(GenericSignature),
}

/// A sender whose scheme is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// `X-Hub-Signature-256`
    Github,
    /// `Stripe-Signature`
    Stripe,
    /// `X-Shopify-Hmac-Sha256`
    Shopify,
    /// `X-Slack-Signature`
    Slack,
}

impl Sender {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Github, Self::Stripe, Self::Shopify, Self::Slack];

    /// Its name, for the API and for `webhook`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Stripe => "stripe",
            Self::Shopify => "shopify",
            Self::Slack => "slack",
        }
    }
}

/// An HMAC that is described, in the words that `webhook` has for its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenericSignature {
    /// The header that carries it.
    pub header: String,
    /// `sha256`, `sha512` or `sha1`.
    pub hash: String,
    /// `hex` or `base64`.
    pub encoding: String,
    /// What stands before the digest.
    pub prefix: String,
    /// What is signed: of `{id}`, `{timestamp}` and `{body}`.
    pub template: String,
    /// The header that carries a signed time, where it is not the usual one.
    pub timestamp_header: Option<String>,
}

const STANDARD: &str = "standard-webhooks";
const GENERIC: &str = "generic";

impl Signature {
    /// The scheme's name, as the API has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::StandardWebhooks => STANDARD,
            Self::Of(sender) => sender.as_str(),
            Self::Generic(_) => GENERIC,
        }
    }
}

impl Part for Signature {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("scheme", self.name());
        if let Self::Generic(described) = self {
            described.write(fields);
        }
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        let senders = Sender::ALL.map(Self::Of).into_iter();
        let scheme = fields.text("scheme")?;
        match scheme.as_str() {
            STANDARD => Ok(Self::StandardWebhooks),
            GENERIC => GenericSignature::read(fields).map(Self::Generic),
            name => {
                let mut named = senders.filter(|sender| sender.name() == name);
                named.next().ok_or(crate::fields::WRONG)
            }
        }
    }
}

impl Part for GenericSignature {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("header", &self.header);
        fields.put_text("hash", &self.hash);
        fields.put_text("encoding", &self.encoding);
        fields.put_text("prefix", &self.prefix);
        fields.put_text("template", &self.template);
        fields.put_optional("timestamp-header", self.timestamp_header.as_deref());
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        Ok(Self {
            header: fields.text("header")?,
            hash: fields.text("hash")?,
            encoding: fields.text("encoding")?,
            prefix: fields.text("prefix")?,
            template: fields.text("template")?,
            timestamp_header: fields.optional_text("timestamp-header")?,
        })
    }
}
