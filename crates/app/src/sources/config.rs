//! How a source is to verify what comes to it, as it was asked for, and the rules that this must
//! keep. What its texts mean (secrets, keys, schemes) is judged where they are used: `checks`.

use super::auth::AuthDemandedInput;
use super::nature::Nature;
use super::schedule::wrong_payload;
use crate::AppError;
use crate::rules::Judge;
use model::Secret;
use model::challenge::is_challenge;
use model::id::ApplicationId;
use model::name::Name;
use model::protection::GenericSignature;
use model::source::{Cron, EventTypeAt, SourceConfig};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// The most secrets of a source, and the most keys that payloads are encrypted to: they rotate one
/// at a time.
pub const KEYS_MAX: usize = 10;
/// The longest secret or public key, in bytes.
pub const SECRET_BYTES_MAX: usize = 4_096;
/// The longest private JWK, in bytes: an RSA key of 8192 bits has some 7 KiB.
pub const JWK_BYTES_MAX: usize = 16 * 1_024;
/// The most networks that requests may come from.
pub const NETWORKS_MAX: usize = 100;
/// The farthest that a signed time may lie from now, in seconds.
pub const TOLERANCE_SECONDS_MAX: u32 = 86_400;
/// The longest that a replay is told, in seconds.
pub const REPLAY_WINDOW_SECONDS_MAX: u32 = 90 * 86_400;
/// How many requests in a second a limit can allow.
pub const RATE_LIMITS: RangeInclusive<u32> = 1..=100_000;
/// The longest name of a header, or pointer into a body, that an event type stands at, in bytes.
pub const PLACE_BYTES_MAX: usize = 256;
/// The longest schedule, in bytes.
pub const SCHEDULE_BYTES_MAX: usize = 256;

/// A configuration as it was asked for, parsed and not yet judged. What is not given is as the
/// source's type has it.
#[derive(Clone, Default)]
pub struct ConfigInput {
    /// What requests are signed with: the first of `secrets`.
    pub secret: Option<Secret>,
    /// The same, with those that are still good while they rotate.
    pub secrets: Vec<Secret>,
    /// What they are verified with, of senders that sign with a key pair.
    pub public_key: Option<Secret>,
    /// Whom they name, of a sender that shows no more than that.
    pub client_id: Option<Secret>,
    /// How they are signed, of a sender that is described.
    pub signature: Option<SignatureInput>,
    /// What they show besides.
    pub auth: Option<AuthDemandedInput>,
    /// The private JWKs that payloads are encrypted to.
    pub encryption: Option<EncryptionInput>,
    /// The networks that they come from.
    pub allow_addresses: Vec<String>,
    /// How far their signed time may lie from now, in seconds.
    pub tolerance_seconds: Option<u32>,
    /// The same in the words of one type.
    pub timestamp_grace_seconds: Option<u32>,
    /// For how long a replay is told, in seconds.
    pub replay_window_seconds: Option<u32>,
    /// The most requests in a second.
    pub rate_limit: Option<u32>,
    /// The application that gets them, by id or uid.
    pub application: Option<String>,
    /// Where their event type stands.
    pub event_type: Option<EventTypeAt>,
    /// What a provider shows that asks whether its requests are wanted.
    pub verify_token: Option<Secret>,
    /// Nothing is verified.
    pub unverified: bool,
    /// What is refused is kept.
    pub keeps_refused: bool,
    /// When messages are made.
    pub schedule: Option<String>,
    /// What they are.
    pub payload: Option<String>,
    /// What that is.
    pub content_type: Option<String>,
}

/// How requests are signed whose sender is described, with the secret.
#[derive(Clone)]
pub struct SignatureInput {
    /// The scheme.
    pub scheme: GenericSignature,
    /// The first of the configuration's `secrets`.
    pub secret: Option<Secret>,
}

/// The private JWKs that payloads are encrypted to, as texts.
#[derive(Clone, Default)]
pub struct EncryptionInput {
    /// The first of the others.
    pub private_jwk: Option<Secret>,
    /// The same, with those that are still good while they rotate.
    pub private_jwks: Vec<Secret>,
}

impl ConfigInput {
    /// The configuration, if it keeps all rules that are not its checks'. `application` is the one
    /// that it names, found.
    pub(super) fn judge(
        mut self,
        nature: Nature,
        (application, payload_bytes_max): (Option<ApplicationId>, usize),
    ) -> Result<SourceConfig, AppError> {
        let mut judge = Judge::new(&["config"]);
        self.judge_fit(&mut judge, nature);
        let secrets = self.take_secrets(&mut judge);
        let encryption = self.take_keys();
        let config = SourceConfig {
            secrets,
            encryption: encryption?,
            allow_addresses: networks(&mut judge, &self.allow_addresses),
            tolerance_seconds: self.tolerance(&mut judge),
            replay_window_seconds: self.replay_window_seconds,
            rate_limit: self.rate_limit,
            application,
            cron: self.take_cron(&mut judge, nature),
            signature: self.signature.map(|signature| signature.scheme),
            auth: self.auth.map(AuthDemandedInput::judge).transpose()?,
            event_type: self.event_type,
            verify_token: self.verify_token,
            unverified: self.unverified,
            keeps_refused: self.keeps_refused,
        };
        judge_bounds(&mut judge, &config);
        judge_cron(&mut judge, &config, payload_bytes_max);
        judge_unverified(&mut judge, &config);
        judge.finish()?;
        Ok(config)
    }

    /// What is given must mean something for the type.
    fn judge_fit(&self, judge: &mut Judge<'_>, nature: Nature) {
        let mut only = |field: &str, is_given: bool, fits: bool| {
            if is_given && !fits {
                judge.note(field, "means nothing for this type of source: leave it out");
            }
        };
        let is_cron = nature == Nature::Cron;
        only("schedule", self.schedule.is_some(), is_cron);
        only("payload", self.payload.is_some(), is_cron);
        only("contentType", self.content_type.is_some(), is_cron);
        let arrives = !is_cron;
        let has_secrets = self.secret.is_some() || !self.secrets.is_empty();
        only("secrets", has_secrets, arrives);
        only("auth", self.auth.is_some(), arrives);
        only("encryption", self.encryption.is_some(), arrives);
        only("allowAddresses", !self.allow_addresses.is_empty(), arrives);
        let has_tolerance = self.tolerance_seconds.is_some();
        only("toleranceSeconds", has_tolerance, arrives);
        let has_window = self.replay_window_seconds.is_some();
        only("replayWindowSeconds", has_window, arrives);
        only("rateLimit", self.rate_limit.is_some(), arrives);
        only("unverified", self.unverified, arrives);
        only("keepRefused", self.keeps_refused, arrives);
        let is_described = nature == Nature::Described;
        only("signature", self.signature.is_some(), is_described);
        let grace = self.timestamp_grace_seconds.is_some();
        only("timestampGraceSeconds", grace, nature.has_grace());
        only("clientId", self.client_id.is_some(), nature.has_client());
        only(
            "publicKey",
            self.public_key.is_some(),
            nature.has_key_pair(),
        );
        only(
            "verifyToken",
            self.verify_token.is_some(),
            nature.is_asked(),
        );
        if nature.is_asked() && self.verify_token.is_none() {
            let text = "give the token that you enter at the provider beside the URL";
            judge.note("verifyToken", text);
        }
    }

    /// All secrets, the current one first, however they were given.
    fn take_secrets(&mut self, judge: &mut Judge<'_>) -> Vec<Secret> {
        let of_signature = self.signature.as_mut().and_then(|one| one.secret.take());
        let mut secrets = std::mem::take(&mut self.secrets);
        let given = [
            ("secret", self.secret.take()),
            ("publicKey", self.public_key.take()),
            ("clientId", self.client_id.take()),
            ("signature", of_signature),
        ];
        for (field, first) in given {
            let Some(first) = first else { continue };
            if !takes_first(&mut secrets, first) {
                let text =
                    "is not the first of the secrets that are given besides: give one of them";
                judge.note(field, text);
            }
        }
        let length = 1..=SECRET_BYTES_MAX;
        let is_wrong = |secret: &Secret| !length.contains(&secret.expose().len());
        if secrets.len() > KEYS_MAX || secrets.iter().any(is_wrong) {
            let text =
                format!("must hold at most {KEYS_MAX} secrets of 1 to {SECRET_BYTES_MAX} bytes");
            judge.note("secrets", text);
        }
        secrets
    }

    /// All keys, the current one first.
    fn take_keys(&mut self) -> Result<Vec<Secret>, AppError> {
        let Some(input) = self.encryption.take() else {
            return Ok(Vec::new());
        };
        let mut judge = Judge::new(&["config", "encryption"]);
        let mut keys = input.private_jwks;
        if let Some(first) = input.private_jwk
            && !takes_first(&mut keys, first)
        {
            let text = "is not the first of `privateJwks`: give one of them";
            judge.note("privateJwk", text);
        }
        let is_long = |key: &Secret| key.expose().len() > JWK_BYTES_MAX;
        if !(1..=KEYS_MAX).contains(&keys.len()) || keys.iter().any(is_long) {
            let text = format!("must hold 1 to {KEYS_MAX} keys of at most {JWK_BYTES_MAX} bytes");
            judge.note("privateJwks", text);
        }
        judge.finish()?;
        Ok(keys)
    }

    /// It has two names.
    fn tolerance(&self, judge: &mut Judge<'_>) -> Option<u32> {
        let (usual, grace) = (self.tolerance_seconds, self.timestamp_grace_seconds);
        if let (Some(usual), Some(grace)) = (usual, grace)
            && usual != grace
        {
            let text =
                "is not what `toleranceSeconds` says, which means the same: give one of them";
            judge.note("timestampGraceSeconds", text);
        }
        usual.or(grace)
    }

    fn take_cron(&mut self, judge: &mut Judge<'_>, nature: Nature) -> Option<Cron> {
        if nature != Nature::Cron {
            return None;
        }
        let schedule = self.schedule.take().unwrap_or_default();
        if schedule.len() > SCHEDULE_BYTES_MAX {
            judge.note(
                "schedule",
                format!("must have at most {SCHEDULE_BYTES_MAX} bytes"),
            );
        } else if let Err(wrong) = schedule.parse::<model::schedule::Schedule>() {
            judge.note("schedule", wrong.to_string());
        }
        let payload = self.payload.take();
        Some(Cron {
            schedule,
            payload: payload.unwrap_or_default(),
            content_type: self.content_type.take(),
        })
    }
}

/// Whether `first` is, or has become, the first of these.
fn takes_first(secrets: &mut Vec<Secret>, first: Secret) -> bool {
    match secrets.first() {
        Some(other) => other.expose() == first.expose(),
        None => {
            secrets.push(first);
            true
        }
    }
}

/// Networks, or single addresses.
fn networks<N>(judge: &mut Judge<'_>, texts: &[String]) -> Vec<N>
where
    N: std::str::FromStr + From<IpAddr>,
{
    if texts.len() > NETWORKS_MAX {
        judge.note(
            "allowAddresses",
            format!("must hold at most {NETWORKS_MAX}"),
        );
        return Vec::new();
    }
    let mut networks = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let address = text.parse::<IpAddr>().map(N::from);
        match text.parse().ok().or(address.ok()) {
            Some(network) => networks.push(network),
            None => judge.note(
                &format!("allowAddresses[{index}]"),
                "must be a network such as `192.0.2.0/24`, or an address",
            ),
        }
    }
    networks
}

/// What a schedule makes.
fn judge_cron(judge: &mut Judge<'_>, config: &SourceConfig, bytes_max: usize) {
    let Some(cron) = &config.cron else {
        return;
    };
    if let Some((field, wrong)) = wrong_payload(cron, bytes_max) {
        judge.note(field, wrong);
    }
    if !matches!(config.event_type, None | Some(EventTypeAt::Always(_))) {
        judge.note("eventType", "of a schedule, only `always` can be given");
    }
}

fn judge_bounds(judge: &mut Judge<'_>, config: &SourceConfig) {
    let mut most = |field: &str, value: Option<u32>, range: RangeInclusive<u32>| {
        if value.is_some_and(|value| !range.contains(&value)) {
            let (least, most) = range.into_inner();
            judge.note(field, format!("must be from {least} to {most}"));
        }
    };
    let tolerance = 0..=TOLERANCE_SECONDS_MAX;
    most("toleranceSeconds", config.tolerance_seconds, tolerance);
    let window = 0..=REPLAY_WINDOW_SECONDS_MAX;
    most("replayWindowSeconds", config.replay_window_seconds, window);
    most("rateLimit", config.rate_limit, RATE_LIMITS);
    if let Some(token) = &config.verify_token
        && !(1..=SECRET_BYTES_MAX).contains(&token.expose().len())
    {
        let text = format!("must have 1 to {SECRET_BYTES_MAX} bytes");
        judge.note("verifyToken", text);
    }
    if let Some(wrong) = config.event_type.as_ref().and_then(wrong_place) {
        judge.note("eventType", wrong);
    }
}

/// What is wrong with the place of an event type, if anything.
fn wrong_place(place: &EventTypeAt) -> Option<&'static str> {
    match place {
        EventTypeAt::Header(name) => {
            let is_token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let is_one = (1..=PLACE_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_token);
            (!is_one).then_some("`header` must be the name of a header, of at most 256 bytes")
        }
        EventTypeAt::Pointer(pointer) => {
            let is_one = pointer.starts_with('/') && pointer.len() <= PLACE_BYTES_MAX;
            (!is_one).then_some("`pointer` must begin with `/`, and have at most 256 bytes")
        }
        EventTypeAt::Always(name) => {
            let is_one = name.parse::<Name>().is_ok_and(|name| !is_challenge(&name));
            (!is_one).then_some("`always` must be an event type's name, of a-z, A-Z, 0-9, -, _, .")
        }
    }
}

/// Either way, it must be clear what holds. That something is verified at all, the checks see to.
fn judge_unverified(judge: &mut Judge<'_>, config: &SourceConfig) {
    let is_verified = !config.secrets.is_empty() || config.auth.is_some();
    if config.unverified && is_verified {
        judge.note(
            "unverified",
            "says that nothing is verified, and a secret or `auth` is given: leave one out",
        );
    }
}
