//! The mail server that alerts leave by, checked as far as can be without its password, which may
//! be in a file.

use super::checked::{ConfigError, wrong};
use super::options::Options;
use model::Secret;
use model::alerts::MailAddress;
use transport::{MailServer, MailServerError};

/// Where letters are handed over.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) url: String,
    pub(crate) from: MailAddress,
    pub(crate) insecure: bool,
}

impl Mail {
    /// Checks the options. `has_password`: there is one, somewhere.
    pub(super) fn from_options(
        options: &Options,
        has_password: bool,
    ) -> Result<Option<Self>, ConfigError> {
        let insecure = options.smtp_insecure.unwrap_or(false);
        let (url, from) = match (&options.smtp_url, &options.smtp_from) {
            (None, None) if !insecure && !has_password => return Ok(None),
            (None, _) => {
                let reason = "it names the mail server, and other `smtp_…` options are of no use \
                              without it: smtps://[USER@]HOST[:PORT]";
                return Err(wrong("smtp_url")(reason));
            }
            (Some(_), None) => {
                let reason = "`smtp_url` is of no use without it: name the address that alerts \
                              come from";
                return Err(wrong("smtp_from")(reason));
            }
            (Some(url), Some(from)) => (url.clone(), from.parse().map_err(wrong("smtp_from"))?),
        };
        let mail = Self {
            url,
            from,
            insecure,
        };
        let password = has_password.then(|| Secret::from(String::new()));
        mail.server(password).map_err(wrong("smtp_url"))?;
        Ok(Some(mail))
    }

    /// The server, with the password of its user.
    pub(crate) fn server(&self, password: Option<Secret>) -> Result<MailServer, MailServerError> {
        MailServer::new(&self.url, self.insecure, password, self.from.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_told_whole_or_not_at_all() {
        let check = |text: &str, has_password| {
            let options: Options = toml::from_str(text).unwrap();
            Mail::from_options(&options, has_password)
        };
        assert!(check("", false).unwrap().is_none());
        let whole = "smtp_url = 'smtps://me@mail.example.com'\nsmtp_from = 'a@example.com'";
        assert!(check(whole, true).unwrap().is_some());
        for (text, has_password, expected) in [
            ("", true, "`smtp_url`"),
            ("smtp_from = 'a@example.com'", false, "`smtp_url`"),
            ("smtp_insecure = true", false, "`smtp_url`"),
            (
                "smtp_url = 'smtps://mail.example.com'",
                false,
                "`smtp_from`",
            ),
            (whole, false, "`smtp_password_file`"),
            (
                "smtp_url = 'smtps://mail.example.com'\nsmtp_from = 'us'",
                false,
                "ops@example.com",
            ),
            (
                "smtp_url = 'mail.example.com'\nsmtp_from = 'a@example.com'",
                false,
                "smtps://",
            ),
        ] {
            let error = check(text, has_password).err().unwrap().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
