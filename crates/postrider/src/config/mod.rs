//! The configuration: options from flag, environment and file, in that order of precedence, then
//! defaults; checked once, at the door, into [`Checked`], from which every room gets its own small
//! part.

mod audit;
mod checked;
mod database;
mod detection;
mod file;
mod key_choice;
mod mail;
mod oidc;
mod options;
mod otlp;
mod portal;
mod print;
mod profile;
mod typed;

pub(crate) use audit::AuditConfig;
pub(crate) use checked::{Checked, ConfigError, LogFormat, TlsFiles};
pub(crate) use database::{Database, DatabaseUrl};
pub(crate) use detection::{Detection, Response};
pub(crate) use file::profile;
pub(crate) use key_choice::{Given, KeyChoice};
pub(crate) use oidc::Oidc;
pub(crate) use options::Options;
pub(crate) use otlp::Otlp;
pub(crate) use print::print;
pub(crate) use profile::Profile;

use checked::has_credentials;
use clap::Args;
use key_choice::{Layer, SecretTexts};
use std::path::PathBuf;
use typed::Typed;

/// The options with the file that more of them come from: what every command that needs the
/// configuration takes.
#[derive(Args, Clone, Default)]
pub(crate) struct ConfigArgs {
    // Before the options, which are taken out of what it looks at.
    #[command(flatten)]
    typed: Typed,

    /// Configuration file (TOML); every option is a key in it, with _ for -
    #[arg(
        long,
        env = "POSTRIDER_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) options: Options,
}

impl ConfigArgs {
    /// The configuration, for a command that has no log: what is hardly meant is said on standard
    /// error.
    pub(crate) fn load(self) -> Result<Checked, ConfigError> {
        let checked = self.read()?;
        for warning in &checked.warnings {
            eprintln!("postrider: warning: {warning}");
        }
        Ok(checked)
    }

    /// These, or those of another place in the same command line, whichever names any; `None`: both
    /// do. What is set in the environment is in both.
    pub(crate) fn or(self, other: Self) -> Option<Self> {
        match (self.typed.is_empty(), other.typed.is_empty()) {
            (false, false) => None,
            (false, true) => Some(self),
            (true, _) => Some(other),
        }
    }

    /// Reads the file, puts the layers on each other, and checks the result, with its warnings.
    pub(crate) fn read(self) -> Result<Checked, ConfigError> {
        let (file, texts) = match &self.config {
            Some(path) => file::read(path)?,
            None => (Options::default(), SecretTexts::default()),
        };
        let (none, given) = (SecretTexts::default(), &self.options);
        let in_environment = SecretTexts::from_environment();
        let keys = KeyChoice::first_of([
            Layer::new("the command line", none, given, |name| {
                self.typed.holds(name)
            }),
            Layer::new("the environment", in_environment, given, |name| {
                !self.typed.holds(name)
            }),
            Layer::new("the configuration file", texts, &file, |_| true),
        ])?;
        let mut checked = Checked::new(self.options.or(file), keys)?;
        if let Some(path) = &self.config {
            checked.detection = file::detection(path)?;
        }
        let roles = self.config.as_deref().map(file::roles).transpose()?;
        checked.oidc = Oidc::ruled(checked.oidc, roles.unwrap_or_default())?;
        let exposed = secrets_in_urls(&checked);
        let exposed = exposed.into_iter().filter(|name| self.typed.holds(name));
        let warnings = exposed.map(|name| {
            let (flag, variable) = (name.replace('_', "-"), name.to_uppercase());
            format!(
                "every user of this machine can read the credentials in --{flag}: give it as \
                 POSTRIDER_{variable}, or in the configuration file"
            )
        });
        checked.warnings.extend(warnings.collect::<Vec<_>>());
        checked.warnings.extend(file::unknown_variables());
        Ok(checked)
    }
}

/// The options whose URL holds credentials.
fn secrets_in_urls(config: &Checked) -> Vec<&'static str> {
    let proxy = config.egress_proxy.as_ref().map(|(_, url)| url);
    let url = config.database.as_ref().map(|database| &database.url);
    let direct_url = config.database.as_ref().and_then(|d| d.direct_url.as_ref());
    let all = [
        ("egress_proxy", proxy.is_some_and(has_credentials)),
        ("database_url", url.is_some_and(DatabaseUrl::has_password)),
        (
            "database_direct_url",
            direct_url.is_some_and(DatabaseUrl::has_password),
        ),
    ];
    let holding = all.into_iter().filter(|(_, holds)| *holds);
    holding.map(|(name, _)| name).collect()
}
