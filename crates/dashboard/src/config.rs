//! What pages are told from outside: by the configuration, and by those who count.

use crate::oidc::Identity;
use app::AppError;
use app::sources::{ConfigInput, ConfigView};
use model::Timestamp;
use model::id::SourceId;
use model::meter::{CameLately, Durations};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// What pages are configured with.
#[derive(Clone)]
pub struct PagesConfig {
    /// Where links point to, without a slash at its end.
    pub public_url: String,
    /// Where the gateway is reached, by which sources' URLs begin: without a slash at its end.
    pub gateway_url: String,
    /// What the portal looks like.
    pub brand: Brand,
    /// Origins whose pages may have the portal in a frame. The operator's pages are in none.
    pub frame_ancestors: Vec<String>,
    /// What the settings page shows: the configuration as `postrider config` prints it, without
    /// secrets.
    pub settings: String,
    /// The identity provider that people may sign in by.
    pub identity: Option<Identity>,
    /// Who is asked for what was counted.
    pub figures: Arc<dyn Figures>,
    /// Who is asked for what detection has blocked.
    pub blocked: Arc<dyn Blocked>,
    /// The rules of detection, as they are set.
    pub rules: Vec<RuleExplained>,
    /// How the API writes what pages have as text.
    pub written: Written,
}

/// A rule of detection, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleExplained {
    /// Its name.
    pub name: &'static str,
    /// What it finds.
    pub finds: &'static str,
    /// What to do about that.
    pub advice: &'static str,
    /// Whether it is on.
    pub enabled: bool,
    /// Its thresholds, in their order.
    pub thresholds: Vec<Threshold>,
    /// What is done by itself about what it finds, in the configuration's words.
    pub responses: Vec<&'static str>,
}

/// A threshold of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What it is set to.
    pub value: u64,
}

/// How the API writes what pages have as text, so that one word means the same in both.
#[derive(Clone, Copy)]
pub struct Written {
    /// The nouns that a scope of an API key can name.
    pub nouns: &'static [&'static str],
    /// Reads a source's configuration.
    pub read_source_config: fn(&str) -> Result<ConfigInput, AppError>,
    /// Writes one, without its secrets.
    pub show_source_config: fn(ConfigView) -> Result<String, AppError>,
}

/// What the portal looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The name that its pages bear.
    pub name: String,
    /// The colour of links and buttons, as `#rrggbb`, in the light and in the dark.
    pub colours: Option<(String, String)>,
    /// An image, with its media type.
    pub logo: Option<(String, bytes::Bytes)>,
}

/// What is behind links and buttons, in the light and in the dark: `--sheet` of the style.
pub const SHEETS: [&str; 2] = ["#ffffff", "#181c23"];

impl Default for Brand {
    fn default() -> Self {
        Self {
            name: "Webhooks".to_owned(),
            colours: None,
            logo: None,
        }
    }
}

/// Who knows from where requests are refused. The binary answers from its parts' memory.
pub trait Blocked: Send + Sync {
    /// Addresses from which this node answers nothing, by what detection found, until then: of
    /// IPv6, those of the /64.
    fn blocked(&self) -> Vec<(IpAddr, Timestamp)>;
}

/// Who counts. The binary answers from its parts' memory.
pub trait Figures: Send + Sync {
    /// What was counted so far, on this node.
    fn read(&self) -> Pin<Box<dyn Future<Output = Reading> + Send + '_>>;

    /// What came to a source within the last day, since this node began at the most; `None`:
    /// nothing comes in at this node.
    fn came(&self, source: SourceId) -> Option<CameLately>;
}

/// What a node has counted since it began, and what waits now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What it has counted by now.
    pub counted: Counted,
    /// Since when.
    pub since: Timestamp,
    /// What it had counted before.
    pub recent: Recent,
    /// Open deliveries of the whole installation, as they were counted a moment ago; `None` where
    /// that can't be read.
    pub open: Option<u64>,
    /// When the earliest of them is due, or was.
    pub first_due: Option<Timestamp>,
    /// Attempts under way.
    pub in_flight: u64,
}

/// What was counted up to a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counted {
    /// When this was read.
    pub at: Timestamp,
    /// Messages accepted.
    pub accepted: u64,
    /// Attempts that succeeded.
    pub succeeded: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// How long those took that succeeded.
    pub succeeded_took: Durations,
    /// How long those took that failed.
    pub failed_took: Durations,
    /// How long it took from when messages were due until their deliveries succeeded.
    pub delivered: Durations,
    /// How long commits took.
    pub commits: Durations,
}

/// What was counted up to moments that are not long ago.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recent {
    /// Some seconds ago: what is counted since makes the rates of now.
    pub before: Option<Counted>,
    /// At each minute of the last hour, the oldest first.
    pub minutes: Vec<Counted>,
}
