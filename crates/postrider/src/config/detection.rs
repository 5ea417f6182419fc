//! What is set of detection: `[detection]` in the configuration file, with a table for each rule.
//! There are no flags for it: it is more than a line holds.

use super::file::{nearest, wrong_type};
use super::options::Written;
use dashboard::{RuleExplained, Threshold};
use model::duration;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;
use toml::{Table, Value};
use watch::detect::config::{RULES, RuleInfo, SWITCH, rule_info};

/// The key of the file under which it is.
pub(super) const KEY: &str = "detection";
/// How long an address is blocked, beside the rules' names.
const BLOCK_FOR: &str = "block_for";
/// What is done about what a rule finds, beside its thresholds.
const RESPOND: &str = "respond";
const BLOCK_FOR_DEFAULT: Duration = Duration::from_secs(900);
const BLOCK_FOR_MAX: Duration = Duration::from_secs(7 * 86_400);

/// What is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detection {
    pub(crate) rules: watch::detect::Config,
    /// What is done about what a rule finds; nothing about that of others.
    pub(crate) responses: BTreeMap<&'static str, Vec<Response>>,
    pub(crate) block_for: Duration,
}

/// What can be done by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response {
    BlockAddress,
    PauseEndpoint,
    DisableKey,
}

impl Response {
    const ALL: [Self; 3] = [Self::BlockAddress, Self::PauseEndpoint, Self::DisableKey];

    fn word(self) -> &'static str {
        match self {
            Self::BlockAddress => "block-address",
            Self::PauseEndpoint => "pause-endpoint",
            Self::DisableKey => "disable-key",
        }
    }
}

impl Default for Detection {
    fn default() -> Self {
        Self {
            rules: watch::detect::Config::default(),
            responses: BTreeMap::new(),
            block_for: BLOCK_FOR_DEFAULT,
        }
    }
}

impl Detection {
    /// Whether any rule is on.
    pub(crate) fn is_on(&self) -> bool {
        let shown = RULES.iter().filter_map(|rule| self.rules.shown(rule.name));
        shown.into_iter().any(|(enabled, _)| enabled)
    }

    /// All rules, for people.
    pub(crate) fn explained(&self) -> Vec<RuleExplained> {
        let explain = |rule: &'static RuleInfo| {
            let (enabled, set) = self.rules.shown(rule.name).unwrap_or_default();
            let thresholds = rule.settings.iter().zip(set);
            let thresholds = thresholds.map(|(setting, (_, value))| Threshold {
                name: setting.name,
                meaning: setting.meaning.trim(),
                value,
            });
            let responses = self.responses.get(rule.name).into_iter().flatten();
            RuleExplained {
                name: rule.name,
                finds: rule.summary.trim(),
                advice: rule.advice,
                enabled,
                thresholds: thresholds.collect(),
                responses: responses.map(|response| response.word()).collect(),
            }
        };
        RULES.iter().map(explain).collect()
    }

    /// As the file has it.
    pub(super) fn shown(&self) -> Map<String, Json> {
        let block_for = (BLOCK_FOR.to_owned(), json!(duration::write(self.block_for)));
        let rules = RULES.iter().map(|rule| {
            let (enabled, thresholds) = self.rules.shown(rule.name).unwrap_or_default();
            let mut shown = Map::from_iter([(SWITCH.to_owned(), json!(enabled))]);
            let thresholds = thresholds.into_iter();
            shown.extend(thresholds.map(|(name, value)| (name.to_owned(), json!(value))));
            let responses = self.responses.get(rule.name).into_iter().flatten();
            let words: Vec<_> = responses.map(|response| response.word()).collect();
            shown.insert(RESPOND.to_owned(), json!(words));
            (rule.name.to_owned(), Json::Object(shown))
        });
        std::iter::once(block_for).chain(rules).collect()
    }
}

/// Reads `[detection]`.
pub(super) fn read(value: Value) -> Result<Detection, String> {
    let mut detection = Detection::default();
    for (name, value) in table(KEY, value)? {
        if name == BLOCK_FOR {
            detection.block_for = block_for(&value)?;
            continue;
        }
        let Some(rule) = rule_info(&name) else {
            let names = RULES.iter().map(|rule| rule.name).chain([BLOCK_FOR]);
            let names: Vec<_> = names.collect();
            let nearest = nearest(&name, names.iter());
            let name = name.escape_debug();
            return Err(format!(
                "`{KEY}` has no rule `{name}`; did you mean `{nearest}`?"
            ));
        };
        let key = format!("{KEY}.{name}");
        for (setting, value) in table(&key, value)? {
            set(&mut detection, rule, (&setting, &value))?;
        }
    }
    Ok(detection)
}

/// Sets something of a rule.
fn set(
    detection: &mut Detection,
    rule: &'static RuleInfo,
    (setting, value): (&str, &Value),
) -> Result<(), String> {
    let wrong =
        |written_as| wrong_type(&format!("{KEY}.{}.{setting}", rule.name), value, written_as);
    match setting {
        SWITCH => {
            let on = value.as_bool().ok_or_else(|| wrong(bool::WRITTEN_AS))?;
            let switched = detection.rules.switch(rule.name, on);
            switched.map_err(|error| error.to_string())
        }
        RESPOND => {
            let written_as = "an array of words, such as [\"block-address\"]";
            let words = value.as_array().ok_or_else(|| wrong(written_as))?;
            let responses = words.iter().map(|word| {
                let word = word.as_str().ok_or_else(|| wrong(written_as))?;
                response(word)
            });
            let responses: Result<_, String> = responses.collect();
            let responses: Vec<_> = responses?;
            if !responses.is_empty() {
                detection.responses.insert(rule.name, responses);
            }
            Ok(())
        }
        _ if rule.settings.iter().any(|known| known.name == setting) => {
            let number = value.as_integer().and_then(|number| number.try_into().ok());
            let number = number.ok_or_else(|| wrong(usize::WRITTEN_AS))?;
            let set = detection.rules.set(rule.name, setting, number);
            set.map_err(|error| error.to_string())
        }
        _ => {
            let known = rule.settings.iter().map(|known| known.name);
            let known: Vec<_> = known.chain([SWITCH, RESPOND]).collect();
            let nearest = nearest(setting, known.iter());
            let (name, setting) = (rule.name, setting.escape_debug());
            Err(format!(
                "`{KEY}.{name}` has no `{setting}`; did you mean `{nearest}`?"
            ))
        }
    }
}

fn response(word: &str) -> Result<Response, String> {
    let found = Response::ALL.into_iter().find(|one| one.word() == word);
    found.ok_or_else(|| {
        let words = Response::ALL.map(Response::word);
        let nearest = nearest(word, words.iter());
        let word = word.escape_debug();
        format!("`{word}` is nothing that can be done by itself; did you mean `{nearest}`?")
    })
}

fn block_for(value: &Value) -> Result<Duration, String> {
    let key = format!("{KEY}.{BLOCK_FOR}");
    let text = value.as_str();
    let text = text.ok_or_else(|| wrong_type(&key, value, String::WRITTEN_AS))?;
    let length = duration::parse(text).map_err(|error| format!("`{key}`: {error}"))?;
    match length.is_zero() || length > BLOCK_FOR_MAX {
        true => Err(format!("`{key}` must be from 1s to 7d")),
        false => Ok(length),
    }
}

fn table(key: &str, value: Value) -> Result<Table, String> {
    match value {
        Value::Table(table) => Ok(table),
        value => Err(wrong_type(key, &value, "a table, such as [detection]")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Detection, String> {
        let mut table: Table = text.parse().unwrap();
        read(table.remove(KEY).unwrap())
    }

    #[test]
    fn every_rule_is_explained_as_it_is_set() {
        let text = "[detection.silence]\nenabled = false\nexpected = 30";
        let detection = read_text(text).unwrap();
        let explained = detection.explained();
        assert_eq!(explained.len(), RULES.len());
        let silence = explained
            .iter()
            .find(|rule| rule.name == "silence")
            .unwrap();
        let expected = silence.thresholds.iter().find(|one| one.name == "expected");
        assert_eq!((silence.enabled, expected.unwrap().value), (false, 30));
        assert!(explained.iter().all(|rule| !rule.advice.is_empty()));
    }

    #[test]
    fn what_is_set_of_a_rule_is_read_and_the_rest_stays() {
        let text = "[detection]\nblock_for = '5m'\n\
                    [detection.brute-force-by-address]\nfailures = 7\n\
                    respond = ['block-address', 'disable-key']\n\
                    [detection.silence]\nenabled = false";
        let detection = read_text(text).unwrap();
        let mut rules = watch::detect::Config::default();
        rules.set("brute-force-by-address", "failures", 7).unwrap();
        rules.switch("silence", false).unwrap();
        assert_eq!(detection.rules, rules);
        let responses = vec![Response::BlockAddress, Response::DisableKey];
        let responses = BTreeMap::from([("brute-force-by-address", responses)]);
        assert_eq!(detection.responses, responses);
        assert_eq!(detection.block_for, Duration::from_secs(300));
        assert!(detection.is_on());
    }

    #[test]
    fn nothing_is_done_by_itself_unless_somebody_says_so() {
        assert!(Detection::default().responses.is_empty());
        assert!(Detection::default().is_on());
        let mut off = Detection::default();
        for rule in RULES {
            off.rules.switch(rule.name, false).unwrap();
        }
        assert!(!off.is_on());
    }

    #[test]
    fn what_is_shown_is_read_back_as_it_was() {
        let text = "[detection]\nblock_for = '5m'\n[detection.silence]\npercent = 7\n\
                    respond = ['pause-endpoint']";
        let detection = read_text(text).unwrap();
        let shown = json!({ KEY: detection.shown() });
        let shown = toml::to_string(&shown).unwrap();
        assert_eq!(read_text(&shown), Ok(detection));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        for (text, expected) in [
            (
                "detection = 1",
                "`detection` is an integer, and must be a table",
            ),
            ("[detection]\nblock = 1", "did you mean `block_for`?"),
            ("[detection]\nblock_for = '8d'", "must be from 1s to 7d"),
            (
                "[detection.brute-force-by-adress]\nx = 1",
                "has no rule `brute-force-by-adress`; did you mean `brute-force-by-address`?",
            ),
            (
                "[detection]\nsilence = true",
                "`detection.silence` is a boolean, and must be a table",
            ),
            (
                "[detection.silence]\nenable = true",
                "`detection.silence` has no `enable`; did you mean `enabled`?",
            ),
            (
                "[detection.silence]\nenabled = 'yes'",
                "`detection.silence.enabled` is a string, and must be true or false",
            ),
            (
                "[detection.silence]\npercent = 'x'",
                "`detection.silence.percent` is a string, and must be a whole number",
            ),
            (
                "[detection.silence]\npercent = 101",
                "percent of the rule silence is 101: it must be from",
            ),
            (
                "[detection.silence]\nrespond = ['block-adress']",
                "did you mean `block-address`?",
            ),
            (
                "[detection.silence]\nrespond = 'block-address'",
                "`detection.silence.respond` is a string, and must be an array",
            ),
        ] {
            let error = read_text(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
