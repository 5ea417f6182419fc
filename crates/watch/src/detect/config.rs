//! What can be set of the rules: each has a switch and thresholds, which are whole numbers with
//! their unit in the name. It reads no file: whoever does sets by name, and is told what is wrong.

use std::ops::RangeInclusive;

/// The name of each rule's switch, beside its thresholds.
pub const SWITCH: &str = "enabled";

/// A rule, for whoever documents or configures it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its name.
    pub name: &'static str,
    /// What it finds.
    pub summary: &'static str,
    /// What to do about what it finds.
    pub advice: &'static str,
    /// Its thresholds.
    pub settings: &'static [SettingInfo],
}

/// A threshold of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingInfo {
    /// Its name.
    pub name: &'static str,
    /// Where nothing is set.
    pub default: u64,
    /// The least and the most that it may be.
    pub least: u64,
    /// See `least`.
    pub most: u64,
    /// What it means.
    pub meaning: &'static str,
}

/// Why something can't be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no such rule.
    #[error("there is no rule {rule:?}: the rules are {}", names(RULES.iter().map(|r| r.name)))]
    Rule {
        /// What was asked for.
        rule: String,
    },
    /// The rule has no such threshold.
    #[error(
        "the rule {rule} has no threshold {setting:?}: it has {SWITCH}, {}",
        names(rule_info(rule).into_iter().flat_map(|r| r.settings).map(|s| s.name))
    )]
    Setting {
        /// The rule.
        rule: &'static str,
        /// What was asked for.
        setting: String,
    },
    /// The value is too small or too large.
    #[error("{setting} of the rule {rule} is {value}: it must be from {least} to {most}")]
    Value {
        /// The rule.
        rule: &'static str,
        /// The threshold.
        setting: &'static str,
        /// What was given.
        value: u64,
        /// The least that may be given.
        least: u64,
        /// The most.
        most: u64,
    },
}

/// A rule by its name.
pub fn rule_info(name: &str) -> Option<&'static RuleInfo> {
    RULES.iter().find(|rule| rule.name == name)
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

const SECONDS: RangeInclusive<u64> = 60..=7 * 86_400;
const COUNT: RangeInclusive<u64> = 1..=1_000_000_000;
const TIMES: RangeInclusive<u64> = 1..=1_000;
const PERCENT: RangeInclusive<u64> = 1..=100;
const PERCENT_OF: RangeInclusive<u64> = 100..=100_000;
const DAYS: RangeInclusive<u64> = 1..=90;

macro_rules! rules {
    ($(
        $(#[doc = $summary:literal])+
        $rule:ident: $type:ident = $name:literal advises $advice:literal {
            $($(#[doc = $meaning:literal])+ $setting:ident: $default:literal in $range:ident,)*
        }
    )*) => {
        /// Switches and thresholds of all rules.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Config { $($(#[doc = $summary])+ pub $rule: $type,)* }

        $(
            $(#[doc = $summary])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $type {
                /// Whether it is on.
                pub enabled: bool,
                $($(#[doc = $meaning])+ pub $setting: u64,)*
                /// What it has found of somebody it does not tell again before it was
                /// over for so long, or had gone on for a day.
                pub cool_down_seconds: u64,
            }

            impl Default for $type {
                fn default() -> Self {
                    Self {
                        enabled: true,
                        $($setting: $default,)*
                        cool_down_seconds: COOL_DOWN.default,
                    }
                }
            }
        )*

        /// All rules.
        pub const RULES: &[RuleInfo] = &[$(RuleInfo {
            name: $name,
            summary: concat!($($summary),+),
            advice: $advice,
            settings: &[
                $(SettingInfo {
                    name: stringify!($setting),
                    default: $default,
                    least: *$range.start(),
                    most: *$range.end(),
                    meaning: concat!($($meaning),+),
                },)*
                COOL_DOWN,
            ],
        }),*];

        impl Config {
            /// Switches a rule.
            pub fn switch(&mut self, rule: &str, on: bool) -> Result<(), ConfigError> {
                match rule {
                    $($name => self.$rule.enabled = on,)*
                    _ => return Err(ConfigError::Rule { rule: rule.to_owned() }),
                }
                Ok(())
            }

            /// Sets a threshold.
            pub fn set(
                &mut self,
                rule: &str,
                setting: &str,
                value: u64,
            ) -> Result<(), ConfigError> {
                *self.place(rule, setting, value)? = value;
                Ok(())
            }

            /// Whether a rule is on, and what its thresholds are, in their order.
            pub fn shown(&self, rule: &str) -> Option<(bool, Vec<(&'static str, u64)>)> {
                match rule {
                    $($name => Some((self.$rule.enabled, vec![
                        $((stringify!($setting), self.$rule.$setting),)*
                        (COOL_DOWN.name, self.$rule.cool_down_seconds),
                    ])),)*
                    _ => None,
                }
            }

            fn field(&mut self, rule: &str, setting: &str) -> Option<&mut u64> {
                match (rule, setting) {
                    $($(($name, stringify!($setting)) => Some(&mut self.$rule.$setting),)*)*
                    $(($name, "cool_down_seconds") => Some(&mut self.$rule.cool_down_seconds),)*
                    _ => None,
                }
            }
        }
    };
}

const COOL_DOWN: SettingInfo = SettingInfo {
    name: "cool_down_seconds",
    default: 21_600,
    least: *SECONDS.start(),
    most: *SECONDS.end(),
    meaning: " What it has found of somebody it does not tell again before it was over for so \
              long, or had gone on for a day.",
};

impl Config {
    /// Where a value goes that may be there.
    fn place(&mut self, rule: &str, setting: &str, value: u64) -> Result<&mut u64, ConfigError> {
        let Some(info) = rule_info(rule) else {
            let rule = rule.to_owned();
            return Err(ConfigError::Rule { rule });
        };
        let of_name = |one: &&SettingInfo| one.name == setting;
        let (Some(one), Some(place)) = (
            info.settings.iter().find(of_name),
            self.field(rule, setting),
        ) else {
            let (rule, setting) = (info.name, setting.to_owned());
            return Err(ConfigError::Setting { rule, setting });
        };
        let SettingInfo { least, most, .. } = *one;
        if !(least..=most).contains(&value) {
            let (rule, setting) = (info.name, one.name);
            #[rustfmt::skip]
            return Err(ConfigError::Value { rule, setting, value, least, most });
        }
        Ok(place)
    }
}

rules! {
    /// One address tries tokens at the API, or signatures and credentials at sources.
    brute_force_by_address: BruteForceByAddress = "brute-force-by-address" advises
        "Is it a customer's or your own address? Then a program goes on with an old token or \
         secret: tell them. Otherwise block it at your firewall. It has guessed nothing as long as \
         there are only failures; look whether secret.read, exports or accepted requests from the \
         same address follow."
    {
        /// So many failures of an address are too many, whatever is usual.
        failures: 50 in COUNT,
        /// The time in which they are counted.
        within_seconds: 900 in SECONDS,
        /// And more than so many times what that address had at most on any day of the last four
        /// weeks but the worst.
        times_usual: 3 in TIMES,
    }
    /// Many addresses try tokens at the API, or signatures and credentials at one source.
    brute_force_by_source: BruteForceBySource = "brute-force-by-source" advises
        "At a source: ask its provider whether it changed its secret; its own addresses, and all \
         requests refused, say so. Otherwise let the source take requests only from its provider's \
         networks (allowAddresses), or give it a new URL. At the API: let only networks in that \
         need it."
    {
        /// So many addresses that fail at one place are too many, whatever is usual.
        addresses: 10 in COUNT,
        /// The time in which they are counted.
        within_seconds: 3600 in SECONDS,
        /// And more than so many times what that place had at most on any day of the last four
        /// weeks but the worst.
        times_usual: 2 in TIMES,
    }
    /// What came to a source before is sent to it again, or what was signed long ago.
    replay_burst: ReplayBurst = "replay-burst" advises
        "None of it was taken. From a provider's own addresses, it is a backlog that comes late, \
         or a clock that is wrong. From elsewhere, somebody has recorded requests: find out where \
         (a proxy, a log), and change the source's secret."
    {
        /// So many replays at a source are too many, whatever is usual.
        replays: 25 in COUNT,
        /// The time in which they are counted.
        within_seconds: 3600 in SECONDS,
        /// And more than so many times what that source had at most on any day of the last four
        /// weeks but the worst.
        times_usual: 2 in TIMES,
    }
    /// Much more comes to a source, or is sent for an application, than is usual at this hour of
    /// the week.
    volume_spike: VolumeSpike = "volume-spike" advises
        "See which event types it is: a loop sends one and the same. A campaign or a migration \
         needs nothing, and is usual when it comes every week. To hold an application back, give \
         it or its endpoints a rate limit; to hold a source back, set its rateLimit."
    {
        /// So much more than is usual must it be in an hour, whatever is usual.
        more_than_usual: 50 in COUNT,
        /// And so many percent of the most that is usual.
        percent_of_most: 130 in PERCENT_OF,
    }
    /// Nothing, or nearly nothing, comes to a source, or is sent for an application, that is
    /// usually busy at this hour of the week.
    silence: Silence = "silence" advises
        "Look at the provider's side first: has it disabled the webhook, is there an outage, has \
         its URL changed? postrider source log shows whether requests come and are refused. Of an \
         application: does its sender still run? What was deliberately ended is told once."
    {
        /// So much at least must be usual in the time that is looked at (1, 3, 8 or 24 hours).
        expected: 20 in COUNT,
        /// So much of the least that is usual is still nearly nothing.
        percent: 10 in PERCENT,
    }
    /// Much more of a source's requests or of an application's attempts fail than usual.
    failure_rate: FailureRate = "failure-rate" advises
        "postrider attempt list for the application shows with what answers or errors they fail: \
         401 or 403 mean that credentials changed, connection errors that a receiver is away. Of a \
         source, see its log: one reason for all is a change at the provider."
    {
        /// So many must have failed in an hour, whatever is usual.
        failures: 20 in COUNT,
        /// And so many percent of all more than is usual at most.
        percent_more: 20 in PERCENT,
        /// And so many times what is usual at most.
        times_usual: 2 in TIMES,
    }
    /// A type that never came to a source before, which has long had the same ones.
    new_event_type: NewEventType = "new-event-type" advises
        "Ask whether the provider has something new. Whoever has the source's secret can send any \
         type: if nobody knows of it, change the secret, and look at what its receivers did. A \
         source that had more than 128 types is not judged."
    {
        /// So long a source is only learnt of; and nothing new may have come to it for so long.
        learning_days: 7 in DAYS,
    }
    /// A request that was taken came to a source from a network that none came from before, while
    /// it has long had the same ones.
    new_network: NewNetwork = "new-network" advises
        "Compare with the networks that the provider publishes. If it is none of them, somebody \
         else has the secret: change it, and set allowAddresses."
    {
        /// So long a source is only learnt of; and nothing new may have come to it for so long.
        learning_days: 7 in DAYS,
    }
    /// An endpoint's URL was changed, and then secrets of the same application were read.
    url_change_then_secrets: UrlChangeThenSecrets = "url-change-then-secrets" advises
        "Ask the customer. Whoever moves all endpoints to another system does this once. If nobody \
         did: revoke the token, set the URL back, rotate all of the application's secrets, and \
         resend what went to the other URL. Changes are remembered over a restart; which secrets \
         were read is counted from none again after one."
    {
        /// Of so many endpoints must secrets be read by one caller.
        secrets: 2 in COUNT,
        /// How long after the change.
        within_seconds: 3600 in SECONDS,
    }
    /// Many applications got endpoints at the same host that few had before.
    shared_host: SharedHost = "shared-host" advises
        "A new tool that customers like looks so. A host that nobody knows means that somebody has \
         got into many applications, or has a token for all: see the audit log for who made the \
         endpoints, and disable them."
    {
        /// So many applications are many, whatever is usual.
        applications: 5 in COUNT,
        /// The time in which they are counted.
        within_seconds: 86400 in SECONDS,
        /// And more than so many times what that host had at most on any day of the last four
        /// weeks.
        times_usual: 3 in TIMES,
    }
    /// One caller reads or exports very much.
    mass_export: MassExport = "mass-export" advises
        "Is the caller a report or a migration that somebody started? If not, revoke its key, and \
         see in the audit log what it read."
    {
        /// So much is too much, whatever is usual.
        count: 10000 in COUNT,
        /// The time in which it is counted.
        within_seconds: 3600 in SECONDS,
        /// And more than so many times what that caller had at most on any day of the last four
        /// weeks.
        times_usual: 3 in TIMES,
    }
    /// One caller has very much sent again.
    mass_replay: MassReplay = "mass-replay" advises
        "After an outage it is what it should be. Otherwise ask whoever holds the key, and disable \
         the endpoints until it is clear: receivers that don't tell repeats apart do everything \
         twice."
    {
        /// So much is too much, whatever is usual.
        count: 5000 in COUNT,
        /// The time in which it is counted.
        within_seconds: 3600 in SECONDS,
        /// And more than so many times what that caller had at most on any day of the last four
        /// weeks.
        times_usual: 3 in TIMES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_is_set_by_its_name_and_shown_so() {
        let mut config = Config::default();
        for rule in RULES {
            config.switch(rule.name, false).unwrap();
            for setting in rule.settings {
                config.set(rule.name, setting.name, setting.most).unwrap();
            }
            let (enabled, shown) = config.shown(rule.name).unwrap();
            let expected = rule.settings.iter().map(|one| (one.name, one.most));
            assert_eq!((enabled, shown), (false, expected.collect()));
        }
    }

    #[test]
    fn every_default_is_one_that_could_be_set() {
        let mut config = Config::default();
        for rule in RULES {
            let (_, shown) = config.shown(rule.name).unwrap();
            for ((name, value), setting) in shown.into_iter().zip(rule.settings) {
                assert_eq!((name, value), (setting.name, setting.default));
                config.set(rule.name, name, value).unwrap();
            }
        }
        assert_eq!(config, Config::default());
    }

    #[test]
    fn every_rule_is_documented_with_its_thresholds_and_their_defaults() {
        let document = include_str!("../../../../docs/monitoring.md");
        for rule in RULES {
            let section = document.split_once(&format!("### `{}`\n", rule.name));
            let (_, section) = section.expect("each rule has a section");
            let section = section
                .split("\n### ")
                .next()
                .expect("a text has a beginning");
            let section = section
                .split("\n## ")
                .next()
                .expect("a text has a beginning");
            let own = rule
                .settings
                .iter()
                .filter(|one| one.name != COOL_DOWN.name);
            for one in own {
                let row = format!("| `{}` | {} |", one.name, one.default);
                assert!(section.contains(&row), "{}: {row}", rule.name);
            }
            let (_, advice) = section
                .split_once("*What to do.*")
                .expect("each has advice");
            assert_eq!(rule.advice, plain(advice), "{}", rule.name);
        }
        let default = format!("`{}` ({}", COOL_DOWN.name, COOL_DOWN.default);
        assert!(document.contains(&default), "{default}");
    }

    /// A document's text without its marks.
    fn plain(text: &str) -> String {
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, link)) = rest.split_once('[') {
            let (words, behind) = link.split_once("](").expect("brackets are links");
            plain.extend([before, words]);
            rest = behind.split_once(')').expect("links end").1;
        }
        plain.push_str(rest);
        let words: Vec<_> = plain.split_whitespace().collect();
        words.join(" ").replace('`', "")
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let mut config = Config::default();
        for (rule, setting, value, expected) in [
            (
                "brute-force",
                "failures",
                1,
                "there is no rule \"brute-force\": the rules are brute-",
            ),
            (
                "silence",
                "secs",
                1,
                "the rule silence has no threshold \"secs\": it has enabled, exp",
            ),
            (
                "silence",
                "percent",
                101,
                "percent of the rule silence is 101: it must be from 1 to 100",
            ),
        ] {
            let text = config.set(rule, setting, value).unwrap_err().to_string();
            assert!(text.starts_with(expected), "{text}");
        }
        assert!(config.switch("", true).is_err());
        assert_eq!(config, Config::default());
    }
}
