//! Whom security events are told to: set by the organisation, kept sealed, tried on demand. What is
//! sent when is `watch`'s, which reads what is set here before it sends anything: so a change holds
//! for the next event, on every node.

pub mod sender;
mod stored;

use crate::change::unexpected;
use crate::rules::Judge;
use crate::{App, AppError, Caller, Violation};
use model::Secret;
use model::alerts::{
    AT_ONCE, Alerts, CHANNELS_MAX, Channel, DEDUP_SECONDS, DIGEST_SECONDS, Destination,
    MailAddress, Pace, RECIPIENTS_MAX,
};
use model::audit::AuditAction;
use model::security::{SecurityKind, Severity};
use sender::{AlertError, Note};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;
use store::access::ALERTS;
use store::change::{Change, Changed, SettingsChange};
use transport::{FetchUrlError, fetch_target};
use vault::Place;

/// What a shown URL ends with in place of what is secret of it.
const MASK: &str = "/***";

/// What is to be set, parsed and not yet judged.
#[derive(Clone, Default)]
pub struct AlertsInput {
    /// To whom.
    pub channels: Vec<ChannelInput>,
    /// See [`Pace::dedup`], in seconds.
    pub dedup_seconds: Option<u64>,
    /// See [`Pace::digest`], in seconds.
    pub digest_seconds: Option<u64>,
    /// See [`Pace::at_once`].
    pub at_once: Option<u16>,
}

/// A way to people.
#[derive(Clone)]
pub struct ChannelInput {
    /// Where to.
    pub to: DestinationInput,
    /// Of what is at least so bad; a warning where nothing is said.
    pub min_severity: Option<Severity>,
    /// Of these kinds; all where nothing is said.
    pub kinds: Option<Vec<SecurityKind>>,
}

/// Where a channel is to lead.
#[derive(Clone)]
pub enum DestinationInput {
    /// An incoming webhook.
    Slack {
        /// Its URL.
        url: Secret,
    },
    /// E-mail.
    Email {
        /// Addresses.
        to: Vec<String>,
    },
}

/// How a channel was tried.
#[derive(Debug)]
pub struct Tried {
    /// What it is.
    pub channel: &'static str,
    /// Whether it took the alert.
    pub outcome: Result<(), AlertError>,
}

impl App {
    /// Whom events are told to.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn alerts(&self, caller: &Caller) -> Result<Alerts, AppError> {
        caller.require_organisation()?;
        self.alerts_in_force().await
    }

    /// The same, for the process itself.
    ///
    /// # Errors
    /// It can't be read, or not be opened.
    pub async fn alerts_in_force(&self) -> Result<Alerts, AppError> {
        match self.store.setting(ALERTS).await? {
            Some(sealed) => self.open_alerts(&sealed),
            None => Ok(Alerts::default()),
        }
    }

    /// Writes it anew.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`];
    /// [`AppError::Conflict`] where somebody else writes it at the same time.
    pub async fn set_alerts(&self, caller: &Caller, input: AlertsInput) -> Result<(), AppError> {
        caller.require_organisation()?;
        let alerts = self.judge_alerts(input).await?;
        let stored = stored::write(&alerts);
        let after = self.vault.seal_for_installation(PLACE, stored.expose());
        let before = self.store.setting(ALERTS).await?;
        let change = Change::SwapSetting {
            name: ALERTS,
            values: SettingsChange { before, after },
        };
        let entry = self
            .entry_at_installation(caller, AuditAction::EnvironmentAlertsSet)
            .saying(told(&alerts));
        match self.change(entry, None, change, None).await? {
            Changed::Setting => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Sends each channel an alert that says that it is none, and tells how it went, in the order
    /// of the channels.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation.
    pub async fn test_alerts(&self, caller: &Caller) -> Result<Vec<Tried>, AppError> {
        let alerts = self.alerts(caller).await?;
        let action = AuditAction::EnvironmentAlertsTested;
        let entry = self.entry_at_installation(caller, action);
        self.note(entry.saying(told(&alerts))).await?;
        let trials = alerts.channels.into_iter().map(|Channel { to, .. }| {
            let alerting = self.alerting.clone();
            let word = to.word();
            let sent = tokio::spawn(async move { alerting.send(&to, &Note::test()).await });
            (word, sent)
        });
        let mut tried = Vec::new();
        for (channel, sent) in trials.collect::<Vec<_>>() {
            let outcome = sent.await.map_err(AppError::internal)?;
            tried.push(Tried { channel, outcome });
        }
        Ok(tried)
    }

    fn open_alerts(&self, sealed: &[u8]) -> Result<Alerts, AppError> {
        let stored = Secret::new(self.vault.open_for_installation(PLACE, sealed)?);
        stored::read(&stored).map_err(AppError::internal)
    }

    async fn judge_alerts(&self, input: AlertsInput) -> Result<Alerts, AppError> {
        if input.channels.len() > CHANNELS_MAX {
            let text = format!("must hold at most {CHANNELS_MAX}");
            return Err(Violation::body(&["channels"], text).into());
        }
        let mut channels = Vec::new();
        for (index, channel) in input.channels.into_iter().enumerate() {
            let place = format!("channels[{index}]");
            channels.push(self.judge_channel(&place, channel).await?);
        }
        let first = Pace::default();
        let mut judge = Judge::new(&[]);
        let mut seconds = |field, given: Option<u64>, bounds, first: Duration| {
            let given = within(&mut judge, field, given, bounds);
            given.map_or(first, Duration::from_secs)
        };
        let dedup = seconds(
            "dedupSeconds",
            input.dedup_seconds,
            DEDUP_SECONDS,
            first.dedup,
        );
        let digest = seconds(
            "digestSeconds",
            input.digest_seconds,
            DIGEST_SECONDS,
            first.digest,
        );
        let at_once = within(&mut judge, "atOnce", input.at_once, AT_ONCE);
        judge.finish()?;
        let at_once = at_once.unwrap_or(first.at_once);
        let pace = Pace {
            dedup,
            digest,
            at_once,
        };
        Ok(Alerts { channels, pace })
    }

    async fn judge_channel(&self, place: &str, input: ChannelInput) -> Result<Channel, AppError> {
        let within = [place];
        let mut judge = Judge::new(&within);
        let to = match input.to {
            DestinationInput::Slack { url } => self.judge_url(&mut judge, url).await,
            DestinationInput::Email { to } => self.judge_recipients(&mut judge, &to),
        };
        if input.kinds.as_ref().is_some_and(Vec::is_empty) {
            judge.note("kinds", "must hold at least one; null means all");
        }
        judge.finish()?;
        let kinds = input.kinds.map(BTreeSet::from_iter);
        Ok(Channel {
            to,
            min_severity: input.min_severity.unwrap_or(Severity::Warning),
            kinds,
        })
    }

    /// As for what else is fetched: over TLS, without a user name, and where requests may go.
    async fn judge_url(&self, judge: &mut Judge<'_>, url: Secret) -> Destination {
        let text = String::from_utf8_lossy(url.expose()).into_owned();
        if text.ends_with(MASK) {
            judge.note("url", "this is how a URL is shown: give the whole one");
        } else if let Err(error) = fetch_target(&text, self.guard.policy()) {
            judge.note("url", FetchUrlError::for_tenant(&error));
        } else if let Err(refusal) = self.guard.check_new(&text).await {
            judge.note("url", refusal.for_tenant());
        }
        Destination::Slack(url)
    }

    fn judge_recipients(&self, judge: &mut Judge<'_>, to: &[String]) -> Destination {
        if !(1..=RECIPIENTS_MAX).contains(&to.len()) {
            judge.note("to", format!("must hold 1 to {RECIPIENTS_MAX} addresses"));
        }
        if !self.alerting.sends_mail() {
            let text = "no mail server is configured: `smtp_url` and `smtp_from` name one";
            judge.note("type", text);
        }
        let mut addresses: Vec<MailAddress> = Vec::new();
        for (index, text) in to.iter().enumerate() {
            match text.parse() {
                Ok(address) if addresses.contains(&address) => {}
                Ok(address) => addresses.push(address),
                Err(error) => {
                    let error: model::alerts::NoMailAddress = error;
                    judge.note(&format!("to[{index}]"), error.to_string());
                }
            }
        }
        Destination::Email(addresses)
    }
}

const PLACE: Place<'static> = Place {
    table: "setting",
    row: b"alerts",
    column: "value",
};

/// A number, where it is within its bounds.
/// What the audit log has of it: where to, never the address.
fn told(alerts: &Alerts) -> String {
    let words: Vec<&str> = alerts.channels.iter().map(|one| one.to.word()).collect();
    match words.is_empty() {
        true => "no channel".to_owned(),
        false => words.join(", "),
    }
}

fn within<T: PartialOrd + Display>(
    judge: &mut Judge<'_>,
    field: &str,
    given: Option<T>,
    bounds: RangeInclusive<T>,
) -> Option<T> {
    let given = given?;
    if bounds.contains(&given) {
        return Some(given);
    }
    let (least, most) = bounds.into_inner();
    judge.note(field, format!("must be from {least} to {most}"));
    None
}

/// A URL as it is shown: where it leads, and nothing of what lets one write there.
pub fn masked_url(url: &Secret) -> String {
    let text = String::from_utf8_lossy(url.expose());
    match url::Url::parse(&text) {
        Ok(url) => format!("{}{MASK}", url.origin().ascii_serialization()),
        Err(_) => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_lets_one_write_is_shown_of_a_url() {
        let masked = |text: &str| masked_url(&Secret::from(text.to_owned()));
        let slack = "https://hooks.slack.example/services/T0/B0/sesame";
        assert_eq!(masked(slack), "https://hooks.slack.example/***");
        let other = "https://chat.example:8443/hooks?key=sesame";
        assert_eq!(masked(other), "https://chat.example:8443/***");
        assert_eq!(masked("sesame"), "***");
    }
}
