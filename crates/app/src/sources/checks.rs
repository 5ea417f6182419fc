//! What a source's requests are verified by, made once of its configuration. Every check that is
//! configured must pass, in this order: the address, the signature with its age, the credentials,
//! the client's certificate, and, at the end, the decryption of what was found to be genuine.
//!
//! Pure: the request, the time and all else are arguments. Whether something came before is not
//! asked here; by what that is told is in [`Came`].
//!
//! Map: `scheme` (of a source's type) · `credentials`, `certificate` (what is shown besides) ·
//! `payload` (decryption) · `refusal` (how it is refused) · `arrived` (what goes in and comes out).

mod arrived;
mod certificate;
mod credentials;
mod payload;
mod refusal;
mod scheme;
#[cfg(test)]
mod tests;

pub use arrived::{Arrived, Came, Verified};
pub use refusal::{Refusal, UNSIGNED};
pub use webhook::provider::{Answer, ReplayKey, Request};

use certificate::CertificateCheck;
use credentials::CredentialCheck;
use ipnet::IpNet;
use model::Secret;
use model::source::{AuthDemanded, SourceConfig};
use scheme::{Scheme, Signed};
use std::net::IpAddr;
use webhook::REPLAY_WINDOW_SECONDS;
use webhook::jwe::PrivateJwk;
use webhook::provider::{Genuine, ReplayGuard};

/// The type of sources that make messages by themselves, and receive none.
pub const CRON: &str = "cron";
/// The type of sources whose owner describes how their requests are verified.
pub const GENERIC: &str = "generic-webhook";

/// What one node remembers ends by the clock of another, which may be ahead by so much; and ages
/// are told in whole seconds.
const CLOCKS_APART_SECONDS: u64 = 60;

/// See the file's head. It does not print, and can't be asked for its secrets.
pub struct Checks {
    receives: bool,
    allow_addresses: Vec<IpNet>,
    scheme: Scheme,
    credentials: Option<CredentialCheck>,
    certificate: Option<CertificateCheck>,
    keys: Vec<PrivateJwk>,
    tolerance_seconds: u32,
    window_seconds: u32,
    verify_token: Option<Secret>,
}

/// What of a configuration is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckError {
    /// Which member of it, as the API calls it.
    pub field: &'static str,
    /// A sentence that says what would be right. It repeats no secret.
    pub message: String,
}

/// By what replays of a source's requests are kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayProtection {
    /// By nothing: nothing is signed that tells one from what came before, or it isn't remembered.
    None,
    /// What is too old is refused, and what is not is remembered for as long as it is fresh.
    Age,
    /// No time is signed: what came is remembered for the replay window.
    Memory,
}

impl ReplayProtection {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Age => "age",
            Self::Memory => "memory",
        }
    }
}

impl Checks {
    /// Those of a source of this type. `has_public_url`: whether it is known under which URL the
    /// source is reached, which some schemes sign.
    ///
    /// # Errors
    /// All that is wrong with the configuration.
    pub fn new(
        source_type: &str,
        config: &SourceConfig,
        has_public_url: bool,
    ) -> Result<Self, Vec<CheckError>> {
        let mut wrong = Vec::new();
        let scheme = Scheme::new(source_type, config).unwrap_or_else(|error| {
            wrong.push(error);
            Scheme::none()
        });
        let (credentials, certificate) = auth(config.auth.as_ref(), &mut wrong);
        let keys = keys(&config.encryption, &mut wrong);
        let signs_url = scheme.signs_url() || credentials.as_ref().is_some_and(|it| it.is_signed());
        if signs_url && !has_public_url {
            wrong.push(CheckError::new(
                "type",
                "its requests' signature covers the URL that they are sent to: set --public-url \
                 to the one under which this server is reached",
            ));
        }
        let checks = Self {
            receives: source_type != CRON,
            allow_addresses: config.allow_addresses.clone(),
            tolerance_seconds: config
                .tolerance_seconds
                .unwrap_or_else(|| scheme.tolerance_seconds()),
            window_seconds: config.replay_window_seconds.unwrap_or_default(),
            verify_token: config.verify_token.clone(),
            scheme,
            credentials,
            certificate,
            keys,
        };
        let window = config.replay_window_seconds;
        let window_seconds = window.unwrap_or_else(|| checks.default_window_seconds());
        let checks = Self {
            window_seconds,
            ..checks
        };
        checks.judge(config, &mut wrong);
        match wrong.is_empty() {
            true => Ok(checks),
            false => Err(wrong),
        }
    }

    /// What can only be judged of all of it.
    fn judge(&self, config: &SourceConfig, wrong: &mut Vec<CheckError>) {
        // One that is wrong itself was noted before.
        if !wrong.is_empty() {
            return;
        }
        if !self.keys.is_empty() && !self.signs_body() {
            wrong.push(CheckError::new(
                "encryption",
                "nothing would tell who has encrypted a payload, as no signature covers the body: \
                 set a secret of a scheme that signs it, or an `auth` of the type httpSignature",
            ));
        }
        let verifies = self.knows_senders() || !self.allow_addresses.is_empty();
        if self.receives && !verifies && !config.unverified {
            wrong.push(CheckError::new(
                "unverified",
                "nothing would be verified of what comes: set a secret, an `auth` or \
                 `allowAddresses`, or say `\"unverified\": true`",
            ));
        }
    }

    /// Whether what passes the checks comes from somebody who has proved to have something that
    /// others have not.
    pub fn knows_senders(&self) -> bool {
        self.scheme.is_configured() || self.credentials.is_some() || self.certificate.is_some()
    }

    /// Whether the source receives requests at all.
    pub fn receives(&self) -> bool {
        self.receives
    }

    /// The answer to a request that asks, unsigned, whether requests are welcome; `None`: it isn't
    /// one. It is asked for before anything is verified but the address, and makes no message.
    ///
    /// # Errors
    /// How it is refused.
    pub fn open_handshake(&self, arrived: &Arrived<'_>) -> Option<Result<Answer, Refusal>> {
        let token = self.verify_token.as_ref();
        let token = token.and_then(|token| std::str::from_utf8(token.expose()).ok());
        let tokens: Vec<_> = token.into_iter().collect();
        let answered = self.scheme.open_handshake(&arrived.request, &tokens)?;
        let answered = answered.map_err(Refusal::Handshake);
        Some(self.check_address(arrived).and(answered))
    }

    /// Verifies a request. `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    /// How it is refused: by the first check that it does not pass.
    pub fn verify(&self, arrived: &Arrived<'_>, now: i64) -> Result<Verified, Refusal> {
        self.check_address(arrived)?;
        let request = &arrived.request;
        let genuine = self.scheme.verify(request, now, self.tolerance_seconds)?;
        let mut signed = None;
        if let Some(credentials) = &self.credentials {
            signed = credentials.check(request, now, self.tolerance_seconds)?;
        }
        if let Some(certificate) = &self.certificate {
            certificate.check(arrived.certificates, now)?;
        }
        if let Some(genuine) = &genuine
            && let Some(answered) = self.scheme.signed_handshake(request, genuine)
        {
            let answer = answered.map_err(Refusal::Handshake)?;
            return Ok(Verified::Handshake(answer));
        }
        let event_type = self.scheme.event_type(request);
        let came = match (genuine, signed) {
            (genuine, signed) if !self.keys.is_empty() => {
                let bound = payload::bound(genuine.as_ref(), signed.as_ref());
                vec![self.opened(request, bound, now)?]
            }
            (Some(genuine), _) => self.genuine(genuine, event_type),
            (None, signed) => vec![self.shown(signed, event_type)],
        };
        Ok(Verified::Came(came))
    }

    /// How an accepted request is answered, as its provider wants it.
    pub fn accepted(&self, request: &Request<'_>, id: &str, is_repeat: bool) -> Answer {
        self.scheme.accepted(request, id, is_repeat)
    }

    /// The public halves of the keys that it decrypts with, each as the JSON of a JWK.
    pub fn public_keys(&self) -> Vec<String> {
        self.keys.iter().map(PrivateJwk::public_json).collect()
    }

    /// Whether a header of this name holds what its sender is known by, rather than a signature.
    pub(super) fn is_token(&self, header: &str) -> bool {
        let of_scheme = self.scheme.token_header();
        let of_credentials = self.credentials.as_ref().and_then(CredentialCheck::header);
        let mut names = of_scheme.into_iter().chain(of_credentials);
        names.any(|name| name.eq_ignore_ascii_case(header))
    }

    /// By what replays are kept out.
    pub fn replay_protection(&self) -> ReplayProtection {
        let signed = self.credentials.as_ref().is_some_and(|it| it.is_signed());
        match self.scheme.guard() {
            // An encrypted payload's header has a time, and is signed with the body.
            Some(ReplayGuard::ByAge) => ReplayProtection::Age,
            _ if signed || !self.keys.is_empty() => ReplayProtection::Age,
            Some(ReplayGuard::ByMemory) if self.window_seconds > 0 => ReplayProtection::Memory,
            _ => ReplayProtection::None,
        }
    }

    /// For how long what came is remembered, in seconds: for longer than it is fresh, by whatever
    /// node's clock.
    pub fn remembered_seconds(&self) -> u64 {
        let fresh = match self.replay_protection() {
            ReplayProtection::Age => 2 * u64::from(self.tolerance_seconds) + CLOCKS_APART_SECONDS,
            ReplayProtection::None | ReplayProtection::Memory => 0,
        };
        fresh.max(self.window_seconds.into())
    }

    /// Without a signature, and without a sender's own id, two bodies that are the same are two
    /// events as well as one.
    fn default_window_seconds(&self) -> u32 {
        match (self.replay_protection(), self.scheme.guard()) {
            (ReplayProtection::Age, _) | (_, None) => 0,
            _ => REPLAY_WINDOW_SECONDS,
        }
    }

    fn signs_body(&self) -> bool {
        let signed = self.credentials.as_ref().is_some_and(|it| it.is_signed());
        signed || self.scheme.signs_body()
    }

    fn check_address(&self, arrived: &Arrived<'_>) -> Result<(), Refusal> {
        let covers = |address: IpAddr| {
            let mut networks = self.allow_addresses.iter();
            networks.any(|network| network.contains(&address.to_canonical()))
        };
        match self.allow_addresses.is_empty() || arrived.address.is_some_and(covers) {
            true => Ok(()),
            false => Err(Refusal::Address),
        }
    }

    /// What a provider's signature was found to be good for.
    fn genuine(&self, genuine: Genuine<'_>, event_type: Option<String>) -> Vec<Came> {
        let remembers = self.remembers();
        if genuine.items.is_empty() {
            return vec![Came::genuine(genuine, event_type, remembers)];
        }
        let items = genuine.items.into_iter();
        items.map(|item| Came::item(item, remembers)).collect()
    }

    /// What has no signature of a provider.
    fn shown(&self, signed: Option<Signed>, event_type: Option<String>) -> Came {
        match signed {
            Some(signed) => Came::signed(signed.id, event_type),
            None => Came::unsigned(event_type),
        }
    }

    fn remembers(&self) -> bool {
        self.remembered_seconds() > 0
    }
}

impl CheckError {
    fn new(field: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { field, message }
    }
}

fn auth(
    auth: Option<&AuthDemanded>,
    wrong: &mut Vec<CheckError>,
) -> (Option<CredentialCheck>, Option<CertificateCheck>) {
    let (made, certificate) = match auth {
        None => return (None, None),
        Some(AuthDemanded::Credential(credential)) => {
            (CredentialCheck::new(credential).map(Some), Ok(None))
        }
        Some(AuthDemanded::Certificate {
            authorities,
            subjects,
        }) => {
            let made = CertificateCheck::new(authorities, subjects.clone());
            (Ok(None), made.map(Some))
        }
    };
    let mut note = |error| wrong.push(CheckError::new("auth", error));
    let credentials = made.unwrap_or_else(|error| {
        note(error);
        None
    });
    let certificate = certificate.unwrap_or_else(|error| {
        note(error);
        None
    });
    (credentials, certificate)
}

fn keys(texts: &[Secret], wrong: &mut Vec<CheckError>) -> Vec<PrivateJwk> {
    let parse = |text: &Secret| {
        let text = std::str::from_utf8(text.expose()).map_err(|_| "a JWK is text".to_owned())?;
        PrivateJwk::parse(text).map_err(|error| error.to_string())
    };
    let mut keys = Vec::with_capacity(texts.len());
    for text in texts {
        match parse(text) {
            Ok(key) => keys.push(key),
            Err(error) => wrong.push(CheckError::new("encryption", error)),
        }
    }
    keys
}
