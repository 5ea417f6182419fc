//! Which messages a list is asked for: by type, by channel, by tag.

use crate::{AppError, Violation};
use model::name::{Name, NameError};
use store::query::MessageFilter;

/// A filter as it was asked for. Nothing given: all messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterInput {
    /// One of these types.
    pub event_types: Option<Vec<String>>,
    /// Among its channels.
    pub channel: Option<String>,
    /// Among its tags.
    pub tag: Option<String>,
}

/// A filter whose every name can be one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(pub(crate) MessageFilter);

impl Filter {
    /// The filter if its names can be names.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with all that can't, the empty one included.
    pub fn parse(input: &FilterInput) -> Result<Self, AppError> {
        let mut broken = Vec::new();
        let mut note = |location: &[&str], wrong: NameError| {
            broken.push(Violation::query(location, wrong.to_string()));
        };
        let event_types = input.event_types.as_ref().map(|list| {
            let names = list.iter().map(|text| text.parse::<Name>());
            names
                .filter_map(|name| name.map_err(|wrong| note(&["__all__"], wrong)).ok())
                .collect()
        });
        let mut one = |field: &str, text: &Option<String>| {
            let name = text.as_ref()?.parse::<Name>();
            name.map_err(|wrong| note(&[field, "__all__"], wrong)).ok()
        };
        let channel = one("channel", &input.channel);
        let tag = one("tag", &input.tag);
        if broken.is_empty() {
            return Ok(Self(MessageFilter {
                event_types,
                channel,
                tag,
            }));
        }
        Err(AppError::Invalid(broken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locations(input: &FilterInput) -> Vec<String> {
        match Filter::parse(input) {
            Ok(_) => Vec::new(),
            Err(AppError::Invalid(broken)) => broken
                .iter()
                .map(|violation| violation.location.join("."))
                .collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn filters_name_what_cannot_be_a_name() {
        let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let text = |text: &str| Some(text.to_owned());
        let none = FilterInput::default();
        let cases = [
            (none.clone(), &[][..]),
            (
                FilterInput {
                    event_types: list(&["a.b", "c"]),
                    ..none.clone()
                },
                &[],
            ),
            (
                FilterInput {
                    event_types: list(&[""]),
                    ..none.clone()
                },
                &["query.__all__"],
            ),
            (
                FilterInput {
                    event_types: list(&["a", "b c"]),
                    ..none.clone()
                },
                &["query.__all__"],
            ),
            (
                FilterInput {
                    channel: text(""),
                    ..none.clone()
                },
                &["query.channel.__all__"],
            ),
            (
                FilterInput {
                    channel: text("eu"),
                    tag: text("é"),
                    ..none
                },
                &["query.tag.__all__"],
            ),
        ];
        for (input, expected) in cases {
            assert_eq!(locations(&input), expected, "{input:?}");
        }
    }
}
