//! The form in which alerts' settings are kept, before they are sealed: JSON. What a later version
//! has written and this one doesn't know is an error, rather than an alert that silently stays out.

use model::Secret;
use model::alerts::{Alerts, Channel, Destination, NoMailAddress, Pace};
use model::security::{SecurityKind, Severity};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is kept can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoredAlertsError {
    /// It is no such JSON. What is wrong with it is not told: it holds secrets.
    #[error("the settings of alerts are kept in a form that this version doesn't know")]
    Form,
    /// An address that is none.
    #[error("the settings of alerts hold an e-mail address that is none")]
    Address(#[from] NoMailAddress),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    channels: Vec<KeptChannel>,
    dedup: u64,
    digest: u64,
    at_once: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptChannel {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slack: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    email: Vec<String>,
    severity: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kinds: Option<Vec<String>>,
}

/// To be sealed.
pub(super) fn write(alerts: &Alerts) -> Secret {
    let pace = alerts.pace;
    let kept = Kept {
        channels: alerts.channels.iter().map(written).collect(),
        dedup: pace.dedup.as_secs(),
        digest: pace.digest.as_secs(),
        at_once: pace.at_once,
    };
    Secret::new(serde_json::to_vec(&kept).expect("it is JSON"))
}

/// What was sealed.
pub(super) fn read(stored: &Secret) -> Result<Alerts, StoredAlertsError> {
    let kept = serde_json::from_slice(stored.expose());
    let kept: Kept = kept.map_err(|_| StoredAlertsError::Form)?;
    let pace = Pace {
        dedup: Duration::from_secs(kept.dedup),
        digest: Duration::from_secs(kept.digest),
        at_once: kept.at_once,
    };
    let channels = kept.channels.into_iter().map(channel);
    Ok(Alerts {
        channels: channels.collect::<Result<_, _>>()?,
        pace,
    })
}

fn written(channel: &Channel) -> KeptChannel {
    let (slack, email) = match &channel.to {
        Destination::Slack(url) => {
            let url = String::from_utf8_lossy(url.expose()).into_owned();
            (Some(url), Vec::new())
        }
        Destination::Email(to) => (None, to.iter().map(ToString::to_string).collect()),
    };
    let kinds = channel.kinds.as_ref();
    KeptChannel {
        slack,
        email,
        severity: channel.min_severity.as_str().to_owned(),
        kinds: kinds.map(|kinds| kinds.iter().map(|kind| kind.as_str().to_owned()).collect()),
    }
}

fn channel(kept: KeptChannel) -> Result<Channel, StoredAlertsError> {
    let to = match kept.slack {
        Some(url) => Destination::Slack(Secret::from(url)),
        None => {
            let to = kept.email.iter().map(|text| text.parse());
            Destination::Email(to.collect::<Result<_, _>>()?)
        }
    };
    let mut severities = Severity::ALL.into_iter();
    let severity = severities.find(|one| one.as_str() == kept.severity);
    let kind = |text: String| SecurityKind::named(&text).ok_or(StoredAlertsError::Form);
    let kinds = kept.kinds.map(|kinds| kinds.into_iter().map(kind));
    Ok(Channel {
        to,
        min_severity: severity.ok_or(StoredAlertsError::Form)?,
        kinds: kinds.map(Iterator::collect).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_as_it_was() {
        let email = ["ops@example.com", "night@example.com"];
        let email = email.map(|text| text.parse().expect("an address"));
        let url = Secret::from("https://hooks.example/1".to_owned());
        let kinds = [SecurityKind::PinMismatch, SecurityKind::SecretRead];
        let alerts = Alerts {
            channels: vec![
                Channel {
                    to: Destination::Slack(url),
                    min_severity: Severity::Info,
                    kinds: Some(kinds.into()),
                },
                Channel {
                    to: Destination::Email(email.into()),
                    min_severity: Severity::Critical,
                    kinds: None,
                },
            ],
            pace: Pace {
                dedup: Duration::from_secs(11),
                digest: Duration::from_secs(12),
                at_once: 13,
            },
        };
        assert!(read(&write(&alerts)).expect("it is read") == alerts);
        assert!(read(&write(&Alerts::default())).expect("it is read") == Alerts::default());
    }

    #[test]
    fn what_is_not_known_is_refused_without_telling_what_it_is() {
        for stored in [
            r#"{"channels":[{"slack":"https://sesame","severity":"mild"}],"dedup":1,"digest":1,"at_once":1}"#,
            r#"{"channels":[],"dedup":1,"digest":1,"at_once":1,"pager":"sesame"}"#,
            r#"{"channels":[{"email":["sesame"],"severity":"info"}],"dedup":1,"digest":1,"at_once":1}"#,
            "sesame",
        ] {
            let refused = read(&Secret::from(stored.to_owned())).map(|_| ());
            let text = refused.expect_err(stored).to_string();
            assert!(!text.contains("sesame"), "{text}");
        }
    }
}
