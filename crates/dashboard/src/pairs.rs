//! Names with values as lines of a form, `name=value`: metadata, and what else is such a map. What
//! can't be said on a line of that kind is not in the form, and stays as it is when that is saved.

use crate::parts::Field;
use crate::posted::Fields;
use crate::problem::{Answer, Refused};
use crate::tenant::place::wrong;
use maud::Markup;
use model::application::Metadata;
use std::collections::{BTreeMap, BTreeSet};

/// Names with values.
pub(crate) type Pairs = BTreeMap<String, String>;

/// The field for metadata, of something that has these by now.
pub(crate) fn metadata(fields: &Fields, before: &Metadata, refused: Option<&Refused>) -> Markup {
    let mut hint = "Notes beside it, one a line: name=value.".to_owned();
    let others = others(before).map(|(name, _)| name.escape_debug().to_string());
    let others: Vec<_> = others.collect();
    if !others.is_empty() {
        hint.push_str(" Left as it is, since no line can say it: ");
        hint.push_str(&others.join(", "));
        hint.push('.');
    }
    let field = Field {
        name: "metadata",
        label: "Metadata",
        value: fields.text("metadata"),
        hint: &hint,
        required: false,
    };
    field.lines(4, refused)
}

/// As they stand in a field.
pub(crate) fn written(pairs: &Pairs) -> String {
    let fitting = pairs.iter().filter(|(name, value)| fits(name, value));
    let lines: Vec<_> = fitting
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    lines.join("\n")
}

/// What was typed into this field, and what of those before it could not show.
pub(crate) fn read(fields: &Fields, field: &str, before: &Pairs) -> Answer<Pairs> {
    let mut typed = Pairs::new();
    let mut seen = BTreeSet::new();
    let kept = others(before).map(|(name, value)| (name.clone(), value.clone()));
    typed.extend(kept);
    for (index, line) in fields.text(field).lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let refused = |text: &str| wrong(field, format!("line {}: {text}", index + 1));
        let Some((name, value)) = line.split_once('=') else {
            return Err(refused("must be `name=value`"));
        };
        let name = name.trim();
        if name.is_empty() {
            return Err(refused("must have a name before the `=`"));
        }
        if !seen.insert(name) {
            return Err(refused("must not name again what a line above names"));
        }
        typed.insert(name.to_owned(), value.trim().to_owned());
    }
    Ok(typed)
}

/// Those that no line can say.
fn others(pairs: &Pairs) -> impl Iterator<Item = (&String, &String)> {
    pairs.iter().filter(|(name, value)| !fits(name, value))
}

fn fits(name: &str, value: &str) -> bool {
    let is_bare = |text: &str| text.trim() == text && !text.contains(['\n', '\r']);
    !name.is_empty() && !name.contains('=') && is_bare(name) && is_bare(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    fn typed(text: &str) -> Fields {
        Fields::from(vec![("metadata".to_owned(), text.to_owned())])
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        let kept = pairs(&[
            ("plan", "gold"),
            ("a=b", "c"),
            ("", "no name"),
            ("sum", "1+1=2"),
            ("lines", "one\ntwo"),
            ("old lines", "one\rtwo"),
            (" blank", "x"),
            ("tail", "x "),
            ("empty", ""),
        ]);
        let shown = written(&kept);
        assert_eq!(shown, "empty=\nplan=gold\nsum=1+1=2");
        // Browsers have line ends of their own.
        let sent = typed(&shown.replace('\n', "\r\n"));
        let read = read(&sent, "metadata", &kept).expect("they are pairs");
        assert_eq!(read, kept);
    }

    #[test]
    fn a_line_that_is_taken_away_is_gone_and_one_that_is_changed_is_changed() {
        let kept = pairs(&[("plan", "gold"), ("team", "red"), ("a=b", "c"), ("l", "\n")]);
        let sent = typed("\n team = blue \n\nl=one");
        let read = read(&sent, "metadata", &kept).expect("they are pairs");
        assert_eq!(read, pairs(&[("team", "blue"), ("a=b", "c"), ("l", "one")]));
    }

    #[test]
    fn a_line_that_is_no_pair_is_named() {
        for (text, wrong) in [
            ("a=1\n\nb: 2", "line 3: must be `name=value`"),
            ("a=1\n =2", "line 2: must have a name before the `=`"),
            (
                "a=1\na =2",
                "line 2: must not name again what a line above names",
            ),
        ] {
            let refused = read(&typed(text), "metadata", &Pairs::new()).expect_err(text);
            let expected = ("metadata".to_owned(), wrong.to_owned());
            assert_eq!(refused.violations(), [expected]);
        }
    }
}
