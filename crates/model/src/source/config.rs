//! How a source verifies what comes to it, and what it makes of that. It does not print: it holds
//! secrets. What the texts in it mean is the room `webhook`'s.

use crate::endpoint::StoredFormError;
use crate::fields::{Fields, Part, WRONG};
use crate::id::ApplicationId;
use crate::protection::{Credential, GenericSignature};
use crate::secret::Secret;
use ipnet::IpNet;

/// A source's configuration. What is not set is as its provider has it.
#[derive(Clone, Default)]
pub struct SourceConfig {
    /// What requests are signed with, or the public keys of it: the current one first, and those
    /// that are still good while they rotate.
    pub secrets: Vec<Secret>,
    /// How they are signed, where their owner describes it.
    pub signature: Option<GenericSignature>,
    /// What they show besides.
    pub auth: Option<AuthDemanded>,
    /// The private JWKs that payloads are encrypted to, as texts: the current one first. Where
    /// there are any, nothing plain is taken.
    pub encryption: Vec<Secret>,
    /// From where they come; none: from anywhere.
    pub allow_addresses: Vec<IpNet>,
    /// How far their signed time may lie from now, either way, in seconds.
    pub tolerance_seconds: Option<u32>,
    /// For how long a replay is told, in seconds; never for less than twice the tolerance.
    pub replay_window_seconds: Option<u32>,
    /// The most requests in a second.
    pub rate_limit: Option<u32>,
    /// The application that gets them; `None`: the source's own.
    pub application: Option<ApplicationId>,
    /// Where their event type stands, where that is elsewhere than their provider puts it.
    pub event_type: Option<EventTypeAt>,
    /// What a provider shows that asks by GET whether its requests are wanted.
    pub verify_token: Option<Secret>,
    /// Nothing is verified: only where somebody said so.
    pub unverified: bool,
    /// Whether what is refused is kept, for people to look at.
    pub keeps_refused: bool,
    /// When it makes messages by itself.
    pub cron: Option<Cron>,
}

/// What requests show besides a signature.
#[derive(Clone)]
pub enum AuthDemanded {
    /// A user name and a password, a token, or a signature after RFC 9421.
    Credential(Credential),
    /// A client certificate.
    Certificate {
        /// The authorities that it is verified by, as PEM.
        authorities: String,
        /// The names that are good, of its subject's common name or its alternative names; none:
        /// whatever an authority has signed.
        subjects: Vec<String>,
    },
}

/// Where an event type stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTypeAt {
    /// In a header of this name.
    Header(String),
    /// In the body's JSON, at this JSON Pointer.
    Pointer(String),
    /// Nowhere: it is always this one.
    Always(String),
}

/// A schedule that makes messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// When, in five fields, by UTC.
    pub schedule: String,
    /// What.
    pub payload: String,
    /// What that is; `None`: JSON.
    pub content_type: Option<String>,
}

/// What of a source is sealed. It does not print.
#[derive(Clone)]
pub struct SourceSecrets {
    /// The token in its inbound URL.
    pub token: Secret,
    /// How it verifies what comes.
    pub config: SourceConfig,
}

impl SourceSecrets {
    /// In the form in which it is sealed.
    pub fn to_stored(&self) -> Secret {
        let mut fields = Fields::default();
        fields.put("token", &self.token);
        fields.put_part("config", Some(&self.config));
        fields.to_stored()
    }

    /// From that form.
    ///
    /// # Errors
    /// [`StoredFormError`] if it isn't.
    pub fn from_stored(stored: &[u8]) -> Result<Self, StoredFormError> {
        let mut fields = Fields::from_stored(stored)?;
        let token = fields.secret("token")?;
        let config = fields.part("config")?;
        fields.finish()?;
        Ok(Self { token, config })
    }
}

/// What is set to true.
const YES: &str = "yes";

impl Part for SourceConfig {
    fn write(&self, fields: &mut Fields) {
        let put_all = |fields: &mut Fields, name: &str, values: &[Secret]| {
            for value in values {
                fields.put(name, value);
            }
        };
        put_all(fields, "secret", &self.secrets);
        fields.put_part("signature", self.signature.as_ref());
        fields.put_part("auth", self.auth.as_ref());
        put_all(fields, "private-jwk", &self.encryption);
        for network in &self.allow_addresses {
            fields.put_text("allow-address", &network.to_string());
        }
        let number = |fields: &mut Fields, name: &str, value: Option<u32>| {
            fields.put_optional(name, value.map(|value| value.to_string()).as_deref());
        };
        number(fields, "tolerance", self.tolerance_seconds);
        number(fields, "replay-window", self.replay_window_seconds);
        number(fields, "rate-limit", self.rate_limit);
        let application = self.application.map(|id| id.to_string());
        fields.put_optional("application", application.as_deref());
        fields.put_part("event-type", self.event_type.as_ref());
        if let Some(token) = &self.verify_token {
            fields.put("verify-token", token);
        }
        fields.put_optional("unverified", self.unverified.then_some(YES));
        fields.put_optional("keeps-refused", self.keeps_refused.then_some(YES));
        fields.put_part("cron", self.cron.as_ref());
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        let mut all = |name: &str| std::iter::from_fn(|| fields.take(name)).collect();
        let (secrets, encryption) = (all("secret"), all("private-jwk"));
        let networks = fields.texts("allow-address")?.into_iter();
        let networks = networks.map(|text| text.parse().map_err(|_| WRONG));
        let application = fields.optional_text("application")?;
        let application = application.map(|id| id.parse().map_err(|_| WRONG));
        Ok(Self {
            secrets,
            encryption,
            allow_addresses: networks.collect::<Result<_, _>>()?,
            application: application.transpose()?,
            signature: fields.take_part("signature")?,
            auth: fields.take_part("auth")?,
            tolerance_seconds: fields.optional_number("tolerance")?,
            replay_window_seconds: fields.optional_number("replay-window")?,
            rate_limit: fields.optional_number("rate-limit")?,
            event_type: fields.take_part("event-type")?,
            verify_token: fields.take("verify-token"),
            unverified: fields.take("unverified").is_some(),
            keeps_refused: fields.take("keeps-refused").is_some(),
            cron: fields.take_part("cron")?,
        })
    }
}

impl Part for AuthDemanded {
    fn write(&self, fields: &mut Fields) {
        match self {
            Self::Credential(credential) => fields.put_part("credential", Some(credential)),
            Self::Certificate {
                authorities,
                subjects,
            } => {
                fields.put_text("authorities", authorities);
                for subject in subjects {
                    fields.put_text("subject", subject);
                }
            }
        }
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        if let Some(credential) = fields.take_part("credential")? {
            return Ok(Self::Credential(credential));
        }
        Ok(Self::Certificate {
            authorities: fields.text("authorities")?,
            subjects: fields.texts("subject")?,
        })
    }
}

impl Part for EventTypeAt {
    fn write(&self, fields: &mut Fields) {
        match self {
            Self::Header(name) => fields.put_text("header", name),
            Self::Pointer(pointer) => fields.put_text("pointer", pointer),
            Self::Always(name) => fields.put_text("always", name),
        }
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        if let Some(name) = fields.optional_text("header")? {
            return Ok(Self::Header(name));
        }
        if let Some(pointer) = fields.optional_text("pointer")? {
            return Ok(Self::Pointer(pointer));
        }
        fields.text("always").map(Self::Always)
    }
}

impl Part for Cron {
    fn write(&self, fields: &mut Fields) {
        fields.put_text("schedule", &self.schedule);
        fields.put_text("payload", &self.payload);
        fields.put_optional("content-type", self.content_type.as_deref());
    }

    fn read(fields: &mut Fields) -> Result<Self, StoredFormError> {
        Ok(Self {
            schedule: fields.text("schedule")?,
            payload: fields.text("payload")?,
            content_type: fields.optional_text("content-type")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Key;
    use crate::protection::KeyPlace;

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn full() -> SourceConfig {
        SourceConfig {
            secrets: vec![secret("one"), secret("two")],
            signature: Some(GenericSignature {
                header: "x-signature".to_owned(),
                hash: "sha256".to_owned(),
                encoding: "hex".to_owned(),
                prefix: String::new(),
                template: "{timestamp}.{body}".to_owned(),
                timestamp_header: Some("x-time".to_owned()),
            }),
            auth: Some(AuthDemanded::Credential(Credential::ApiKey {
                place: KeyPlace::Header,
                name: "x-key".to_owned(),
                value: secret("key"),
            })),
            encryption: vec![secret("{}")],
            allow_addresses: vec!["10.0.0.0/8".parse().expect("a network")],
            tolerance_seconds: Some(60),
            replay_window_seconds: Some(0),
            rate_limit: Some(10),
            application: Some(ApplicationId::new(Key::from_integer(7), [1; 12])),
            event_type: Some(EventTypeAt::Pointer("/kind".to_owned())),
            verify_token: Some(secret("token")),
            unverified: true,
            keeps_refused: true,
            cron: Some(Cron {
                schedule: "* * * * *".to_owned(),
                payload: "{}".to_owned(),
                content_type: None,
            }),
        }
    }

    #[test]
    fn a_configuration_is_read_as_it_was_written() {
        let certificate = SourceConfig {
            auth: Some(AuthDemanded::Certificate {
                authorities: "PEM".to_owned(),
                subjects: vec!["a".to_owned(), "b".to_owned()],
            }),
            event_type: Some(EventTypeAt::Header("x-type".to_owned())),
            ..SourceConfig::default()
        };
        for config in [full(), certificate, SourceConfig::default()] {
            let token = secret("token");
            let stored = SourceSecrets { token, config }.to_stored();
            let read = SourceSecrets::from_stored(stored.expose()).expect("readable");
            assert!(read.to_stored().expose() == stored.expose());
        }
    }

    #[test]
    fn what_it_has_no_name_for_is_refused() {
        let mut fields = Fields::default();
        fields.put_text("token", "token");
        fields.put_text("config", "");
        assert!(SourceSecrets::from_stored(fields.to_stored().expose()).is_ok());
        fields.put_text("config.colour", "red");
        assert!(SourceSecrets::from_stored(fields.to_stored().expose()).is_err());
        assert!(SourceSecrets::from_stored(b"").is_err());
    }
}
