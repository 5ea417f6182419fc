//! How the requests of a source's type are signed: as its provider does, or as its owner has
//! described it.

use super::{Answer, CRON, CheckError, GENERIC, Refusal, Request};
use model::protection::GenericSignature;
use model::source::SourceConfig;
use webhook::provider::{Genuine, Manners, Provider, ReplayGuard, SourceType, Verifier};
use webhook::{GenericScheme, HmacScheme, Refused, TOLERANCE_SECONDS};

/// A scheme with its secrets, where there are any.
pub(super) struct Scheme {
    manners: Manners,
    tolerance_seconds: u32,
    signs_url: bool,
    token_header: Option<&'static str>,
    verifier: Option<Verifier>,
}

/// What a signature over the request itself says.
pub(super) struct Signed {
    /// The message's id, which it covers.
    pub(super) id: String,
}

impl Scheme {
    /// Of whom nothing is known.
    pub(super) fn none() -> Self {
        Self {
            manners: Manners::PLAIN,
            tolerance_seconds: TOLERANCE_SECONDS,
            signs_url: false,
            token_header: None,
            verifier: None,
        }
    }

    pub(super) fn new(source_type: &str, config: &SourceConfig) -> Result<Self, CheckError> {
        match (source_type, &config.signature) {
            (GENERIC, Some(signature)) => Self::described(signature, config),
            (GENERIC, None) if !config.secrets.is_empty() => Err(CheckError::new(
                "signature",
                "a secret is only of use with a `signature`, which says how it signs",
            )),
            (_, Some(_)) => Err(CheckError::new(
                "signature",
                "only a source of the type generic-webhook has one: others' is known",
            )),
            (GENERIC | CRON, None) => Ok(Self::none()),
            (name, None) => match SourceType::named(name) {
                SourceType::Known(provider) => Self::of(provider, config),
                SourceType::NotBuilt => Err(CheckError::new(
                    "type",
                    format!("how requests of the type `{name}` are signed is not built yet"),
                )),
                SourceType::Unknown => Err(CheckError::new(
                    "type",
                    format!("there are no sources of the type `{name}`"),
                )),
            },
        }
    }

    fn of(provider: Provider, config: &SourceConfig) -> Result<Self, CheckError> {
        let secrets = secrets(config)?;
        let current = secrets.first().copied().unwrap_or_default();
        let provider = provider.for_secret(current);
        let verifier = provider.verifier(&secrets);
        let verifier = verifier.map_err(|error| CheckError::new("secret", error.to_string()))?;
        Ok(Self {
            manners: provider.manners(),
            tolerance_seconds: provider.tolerance_seconds(),
            signs_url: provider.signs_url() && !secrets.is_empty(),
            token_header: token_header(provider),
            verifier: Some(verifier).filter(|_| !secrets.is_empty()),
        })
    }

    fn described(described: &GenericSignature, config: &SourceConfig) -> Result<Self, CheckError> {
        let secrets = secrets(config)?;
        if secrets.is_empty() {
            let text = "a `signature` needs a secret that signs";
            return Err(CheckError::new("secret", text));
        }
        let scheme = HmacScheme::generic(GenericScheme {
            header: &described.header,
            hash: &described.hash,
            encoding: &described.encoding,
            prefix: &described.prefix,
            template: &described.template,
            timestamp_header: described.timestamp_header.as_deref(),
        });
        let scheme = scheme.map_err(|error| CheckError::new("signature", error.to_string()))?;
        let verifier = Verifier::hmac(scheme, &secrets);
        let verifier = verifier.map_err(|error| CheckError::new("secret", error.to_string()))?;
        Ok(Self {
            verifier: Some(verifier),
            ..Self::none()
        })
    }

    /// The header with a token that stands in a signature's place.
    pub(super) fn token_header(&self) -> Option<&'static str> {
        self.token_header
    }

    /// Whether there is anything to verify with.
    pub(super) fn is_configured(&self) -> bool {
        self.verifier.is_some()
    }

    /// `None`: it has nothing to verify with.
    pub(super) fn verify<'r>(
        &self,
        request: &Request<'r>,
        now: i64,
        tolerance_seconds: u32,
    ) -> Result<Option<Genuine<'r>>, Refusal> {
        let verifier = self.verifier.as_ref();
        let genuine = verifier.map(|it| it.verify(request, now, tolerance_seconds));
        genuine.transpose().map_err(Refusal::Signature)
    }

    pub(super) fn tolerance_seconds(&self) -> u32 {
        self.tolerance_seconds
    }

    /// `None`: nothing is verified.
    pub(super) fn guard(&self) -> Option<ReplayGuard> {
        self.verifier.as_ref().map(Verifier::guard)
    }

    pub(super) fn signs_body(&self) -> bool {
        self.verifier.as_ref().is_some_and(Verifier::signs_body)
    }

    pub(super) fn signs_url(&self) -> bool {
        self.signs_url
    }

    pub(super) fn event_type(&self, request: &Request<'_>) -> Option<String> {
        let event_type = self.manners.event_type(request);
        event_type.map(|event_type| event_type.into_owned())
    }

    pub(super) fn accepted(&self, request: &Request<'_>, id: &str, is_repeat: bool) -> Answer {
        self.manners.accepted(request, id, is_repeat)
    }

    pub(super) fn open_handshake(
        &self,
        request: &Request<'_>,
        verify_tokens: &[&str],
    ) -> Option<Result<Answer, Refused>> {
        self.manners.open_handshake(request, verify_tokens)
    }

    pub(super) fn signed_handshake(
        &self,
        request: &Request<'_>,
        genuine: &Genuine<'_>,
    ) -> Option<Result<Answer, Refused>> {
        self.verifier.as_ref()?.handshake(request, genuine)
    }
}

fn token_header(provider: Provider) -> Option<&'static str> {
    let signs_nothing = provider.guard() == ReplayGuard::Nothing;
    provider.headers().signature.filter(|_| signs_nothing)
}

fn secrets(config: &SourceConfig) -> Result<Vec<&str>, CheckError> {
    let texts = config.secrets.iter();
    let texts = texts.map(|secret| std::str::from_utf8(secret.expose()));
    let texts: Result<_, _> = texts.collect();
    texts.map_err(|_| CheckError::new("secret", "a secret is text"))
}
