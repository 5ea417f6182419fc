//! What is asked to be written of an endpoint, and the rules it must keep. Pure: whether its URL
//! may be called and whether its event types exist is judged elsewhere.

use crate::Violation;
use crate::patch::Patch;
use crate::rules::{Judge, Rate};
use model::Secret;
use model::address::{CheckedUrl, Refusal};
use model::application::Metadata;
use model::endpoint::{CustomHeaders, Endpoint};
use model::id::EndpointKind;
use model::message::ENDPOINT_CHANNELS_MAX;
use model::name::Name;
use std::collections::BTreeSet;
use std::num::NonZeroU16;

/// The most event types that an endpoint may name: who wants more, wants all.
pub const EVENT_TYPES_MAX: usize = 1_000;

/// An endpoint as it was asked for, parsed and not yet judged.
#[derive(Debug, Clone)]
pub struct EndpointInput {
    /// Where requests go.
    pub url: String,
    /// What people say of it.
    pub description: String,
    /// Gets nothing while disabled.
    pub disabled: bool,
    /// The event types that it wants; `None`: all.
    pub event_types: Option<Vec<String>>,
    /// The channels that it listens to; `None`: all messages.
    pub channels: Option<Vec<String>>,
    /// Attempts per second; wins over [`Self::rate_limit`].
    pub throttle_rate: Option<u16>,
    /// Attempts per second.
    pub rate_limit: Option<u16>,
    /// Its user's own name for it.
    pub uid: Option<String>,
    /// Notes.
    pub metadata: Metadata,
    /// An old field: 1 or more.
    pub version: u16,
}

/// What is to be changed of an endpoint, parsed and not yet judged.
#[derive(Debug, Clone, Default)]
pub struct EndpointPatch {
    /// Where requests go.
    pub url: Patch<String>,
    /// What people say of it.
    pub description: Patch<String>,
    /// Gets nothing while disabled.
    pub disabled: Patch<bool>,
    /// The event types that it wants; `None`: all.
    pub event_types: Patch<Option<Vec<String>>>,
    /// The channels that it listens to; `None`: all messages.
    pub channels: Patch<Option<Vec<String>>>,
    /// Attempts per second; wins over [`Self::rate_limit`].
    pub throttle_rate: Patch<Option<u16>>,
    /// Attempts per second.
    pub rate_limit: Patch<Option<u16>>,
    /// Its user's own name for it.
    pub uid: Patch<Option<String>>,
    /// Notes, all of them.
    pub metadata: Patch<Metadata>,
    /// An old field: 1 or more.
    pub version: Patch<u16>,
}

impl From<EndpointInput> for EndpointPatch {
    fn from(input: EndpointInput) -> Self {
        let rate = Rate::whole(input.throttle_rate, input.rate_limit);
        Self {
            url: Patch::Set(input.url),
            description: Patch::Set(input.description),
            disabled: Patch::Set(input.disabled),
            event_types: Patch::Set(input.event_types),
            channels: Patch::Set(input.channels),
            throttle_rate: rate.throttle_rate,
            rate_limit: rate.rate_limit,
            uid: Patch::Set(input.uid),
            metadata: Patch::Set(input.metadata),
            version: Patch::Set(input.version),
        }
    }
}

/// What becomes of the user name and password of an endpoint's URL.
#[derive(Clone, Default)]
pub(super) enum Credentials {
    /// The URL is not written.
    #[default]
    Untouched,
    /// They are masked in the new URL: they stay, if it leads to where they were given for.
    Masked(CheckedUrl),
    /// The new URL has these, or none.
    Given(Option<Secret>),
}

/// What is to be written of an endpoint.
#[derive(Clone)]
pub(super) struct EndpointDraft {
    pub(super) url: Patch<String>,
    checked: Option<CheckedUrl>,
    credentials: Credentials,
    description: Patch<String>,
    disabled: Patch<bool>,
    pub(super) event_types: Patch<Option<BTreeSet<Name>>>,
    channels: Patch<Option<BTreeSet<Name>>>,
    rate: Patch<Option<NonZeroU16>>,
    uid: Patch<Option<Name>>,
    metadata: Patch<Metadata>,
    version: Patch<u16>,
}

impl EndpointPatch {
    /// The draft, which holds only if `judge` found no broken rule.
    pub(super) fn judge(self, judge: &mut Judge<'_>) -> EndpointDraft {
        if let Patch::Set(description) = &self.description {
            judge.text("description", description);
        }
        if let Patch::Set(0) = self.version {
            judge.note("version", "must be at least 1");
        }
        if let Patch::Set(metadata) = &self.metadata {
            judge.metadata("metadata", metadata);
        }
        let event_types = self.event_types;
        let channels = self.channels;
        EndpointDraft {
            url: self.url,
            checked: None,
            credentials: Credentials::Untouched,
            description: self.description,
            disabled: self.disabled,
            event_types: event_types
                .map(|names| judge.names("eventTypes", &names?, EVENT_TYPES_MAX)),
            channels: channels.map(|names| judge.names("channels", &names?, ENDPOINT_CHANNELS_MAX)),
            rate: judge.rate(Rate {
                rate_limit: self.rate_limit,
                throttle_rate: self.throttle_rate,
            }),
            uid: self
                .uid
                .map(|uid| judge.uid::<EndpointKind>("uid", uid.as_deref())),
            metadata: self.metadata,
            version: self.version,
        }
    }
}

impl EndpointDraft {
    /// Takes the URL as the guard let it pass.
    pub(super) fn set_url(&mut self, url: CheckedUrl) {
        let (masked, userinfo) = url.masked();
        self.checked = Some(url.clone());
        self.url = Patch::Set(masked);
        self.credentials = match url.is_masked() {
            true => Credentials::Masked(url),
            false => Credentials::Given(userinfo),
        };
    }

    /// Puts the URL's user name and password beside the headers of the endpoint that was at
    /// `before`, or of a new one. Tells whether they changed.
    pub(super) fn set_credentials(
        &self,
        headers: &mut CustomHeaders,
        before: Option<&str>,
    ) -> Result<bool, Violation> {
        match &self.credentials {
            Credentials::Untouched => {}
            Credentials::Given(given) => {
                let before = std::mem::replace(&mut headers.url_credentials, given.clone());
                return Ok(match (&before, given) {
                    (Some(before), Some(given)) => before.expose() != given.expose(),
                    (before, given) => before.is_some() != given.is_some(),
                });
            }
            Credentials::Masked(url) => {
                let are_for_it = before.is_some_and(|before| url.has_origin_of(before));
                if !are_for_it || headers.url_credentials.is_none() {
                    let text = "its user name and password are masked: write them out, since \
                                none are known for where it leads";
                    return Err(Violation::body(&["url"], text));
                }
            }
        }
        Ok(false)
    }

    /// Whether [`Self::set_credentials`] has anything to do.
    pub(super) fn writes_url(&self) -> bool {
        !matches!(self.credentials, Credentials::Untouched)
    }

    /// Where the new URL leads.
    pub(super) fn host(&self) -> Option<&str> {
        self.checked.as_ref().map(CheckedUrl::host_text)
    }

    /// Whether there is a new URL, of another origin than this one.
    pub(super) fn leaves_origin_of(&self, before: &str) -> bool {
        let checked = self.checked.as_ref();
        checked.is_some_and(|url| !url.has_origin_of(before))
    }

    /// The endpoint as it will be.
    pub(super) fn applied(&self, before: Endpoint) -> Endpoint {
        let draft = self.clone();
        Endpoint {
            url: draft.url.or(before.url),
            description: draft.description.or(before.description),
            disabled: draft.disabled.or(before.disabled),
            event_types: draft.event_types.or(before.event_types),
            channels: draft.channels.or(before.channels),
            rate_limit: draft.rate.or(before.rate_limit),
            uid: draft.uid.or(before.uid),
            metadata: draft.metadata.or(before.metadata),
            version: draft.version.or(before.version),
            ..before
        }
    }
}

impl Judge<'_> {
    /// A URL that is refused, in the words that a tenant may read.
    pub(super) fn note_url(&mut self, refusal: &Refusal) {
        match refusal {
            Refusal::NotAUrl(_) => self.note_unreadable("url", refusal.for_tenant()),
            _ => self.note("url", refusal.for_tenant()),
        }
    }
}
