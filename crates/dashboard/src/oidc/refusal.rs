//! Why nobody signs in: in words for whoever wanted to, and for the log what they are not told.

/// The longest text of the provider's that is shown.
const TEXT_CHARS_MAX: usize = 200;

/// Why nobody signs in.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NoPerson {
    /// The browser is on no way back, or for too long.
    #[error(
        "Nobody was sent to the identity provider by this browser, or it took longer than ten \
         minutes. Begin again."
    )]
    NoTrip,
    /// What came back is of another way there.
    #[error(
        "What came back does not belong to what this browser began last, perhaps in another tab. \
         Begin again."
    )]
    OtherTrip,
    /// The provider gives no answer that would do. What exactly is for the log.
    #[error(
        "The identity provider can't be asked at the moment. A token is as good as ever here, and \
         what failed is in the log."
    )]
    Away(String),
    /// The provider is not what was configured.
    #[error("The identity provider is not as it is configured here: {0}.")]
    Misfit(String),
    /// The provider sent somebody back with an error.
    #[error("The identity provider has let nobody in: {0}.")]
    Denied(String),
    /// The provider does not take the code.
    #[error(
        "The identity provider does not know what came back from it: it may be too old, or was \
         used before. Begin again."
    )]
    Code,
    /// What the provider's answer says can't be believed. Why is for the log.
    #[error(
        "What came back from the identity provider can't be believed. What is wrong with it is in \
         the log."
    )]
    Untrue(String),
    /// Somebody has no role.
    #[error(
        "The identity provider knows you as {0}, and no rule gives that person a role here. Ask \
         whoever runs this server."
    )]
    NoRole(String),
}

impl NoPerson {
    /// What the provider says went wrong: its words, cut and with nothing in them but text.
    pub(super) fn denied(error: &str, description: Option<&str>) -> Self {
        let text = match description {
            Some(description) => format!("{error} ({description})"),
            None => error.to_owned(),
        };
        Self::Denied(plain(&text))
    }

    /// What is worth a line in the log.
    pub(super) fn for_log(&self) -> Option<&str> {
        match self {
            Self::Away(why) | Self::Misfit(why) | Self::Untrue(why) => Some(why),
            _ => None,
        }
    }

    /// Whether it counts against whoever comes from there: it is no fault of ours or the
    /// provider's, nor what any site can make a browser do by leading it here.
    pub(super) fn is_somebodys(&self) -> bool {
        let not_theirs = matches!(self, Self::Away(_) | Self::Misfit(_));
        !not_theirs && !matches!(self, Self::NoTrip | Self::OtherTrip)
    }

    /// What is reported as a security event: what may be an attack, not what happens to people.
    pub(super) fn for_event(&self) -> Option<String> {
        match self {
            Self::OtherTrip => {
                Some("what came back is of another sign-in than the browser's".into())
            }
            Self::Untrue(why) => Some(format!("its statement can't be believed: {why}")),
            Self::NoRole(name) => Some(format!("no rule gives a role to {name}")),
            _ => None,
        }
    }
}

/// Others' words, for one line.
pub(super) fn plain(text: &str) -> String {
    let kept = text.chars().filter(|one| !one.is_control());
    kept.take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_words_are_one_short_line() {
        let long = "x".repeat(5_000);
        let refused = NoPerson::denied("access_denied", Some("no\r\n\u{7}luck"));
        assert!(refused.to_string().ends_with("access_denied (noluck)."));
        let refused = NoPerson::denied(&long, None).to_string();
        assert!(refused.len() < 400, "{refused}");
    }

    #[test]
    fn what_is_for_the_log_is_not_on_the_page() {
        for refused in [
            NoPerson::Away("sesame".into()),
            NoPerson::Untrue("sesame".into()),
        ] {
            assert!(!refused.to_string().contains("sesame"), "{refused}");
            assert_eq!(refused.for_log(), Some("sesame"));
        }
    }
}
