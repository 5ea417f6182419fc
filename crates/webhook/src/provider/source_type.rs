//! Which provider a source of a gateway has, by the name of its type: there are more names than
//! schemes, since many send by Svix.

use super::{Provider, standard};

/// What a gateway can make of the name of a source's type.
#[derive(Clone, Copy, Debug)]
pub enum SourceType {
    /// Requests are verified as this provider's.
    Known(Provider),
    /// There is such a type, and its scheme is not known here for certain.
    NotBuilt,
    /// There is none of this name.
    Unknown,
}

/// Those whose requests are Svix's.
const BY_SVIX: [&str; 14] = [
    "beehiiv",
    "brex",
    "clerk",
    "guesty",
    "incident-io",
    "lithic",
    "nash",
    "pleo",
    "psi-fi",
    "replicate",
    "resend",
    "safebase",
    "sardine",
    "stych",
];

/// Those whose requests are Standard Webhooks'.
const BY_STANDARD_WEBHOOKS: [&str; 2] = ["open-ai", "render"];

/// Those whose own name is their provider's.
const BY_NAME: [&str; 37] = [
    "adobe-sign",
    "adyen",
    "airwallex",
    "checkbook",
    "discord",
    "docusign",
    "dropbox",
    "easypost",
    "github",
    "gitlab",
    "hubspot",
    "intercom",
    "linear",
    "mailgun",
    "meta",
    "nango",
    "paddle",
    "panda-doc",
    "port-io",
    "rutter",
    "segment",
    "sendgrid",
    "shopify",
    "slack",
    "square",
    "standard-webhooks",
    "stripe",
    "svix",
    "tailscale",
    "telegram",
    "telnyx",
    "twilio",
    "twitch",
    "typeform",
    "veriff",
    "woocommerce",
    "zoom",
];

/// Those that are named, and whose schemes are not built.
const NOT_BUILT: [&str; 4] = ["openclaw", "orum-io", "vapi", "vgs"];

impl SourceType {
    /// The one of this name, in lower case.
    pub fn named(name: &str) -> Self {
        if BY_SVIX.contains(&name) {
            return Self::Known(standard::SVIX);
        }
        if BY_STANDARD_WEBHOOKS.contains(&name) {
            return Self::Known(standard::STANDARD_WEBHOOKS);
        }
        if NOT_BUILT.contains(&name) {
            return Self::NotBuilt;
        }
        let scheme = match name {
            "hubspot" => "hubspot-v3",
            name => name,
        };
        let is_type = BY_NAME.contains(&name);
        let provider = is_type.then(|| Provider::named(scheme)).flatten();
        provider.map_or(Self::Unknown, Self::Known)
    }

    /// The names of all of them, built or not.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let built = BY_NAME.iter().chain(&BY_SVIX).chain(&BY_STANDARD_WEBHOOKS);
        built.chain(&NOT_BUILT).copied()
    }
}

impl Provider {
    /// The way of this provider for which such a secret is, of one that has two and tells them
    /// apart by nothing else: GitLab's signing tokens begin with `whsec_`, and its other tokens are
    /// any text.
    #[must_use]
    pub fn for_secret(self, secret: &str) -> Self {
        let signs = self.name == "gitlab" && secret.starts_with("whsec_");
        let signing = signs.then(|| Self::named("gitlab-signing")).flatten();
        signing.unwrap_or(self)
    }
}
