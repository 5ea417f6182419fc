//! Where each of the two keys comes from. A key can be given as text or as a file; the first layer
//! that gives it decides alone, whichever of the two forms it uses.

use super::checked::ConfigError;
use model::Secret;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// Keys given as text. Never as a flag, which every user of the machine could read.
#[derive(Default, Clone)]
pub(crate) struct SecretTexts {
    /// The master key, base64.
    pub(crate) master_key: Option<Secret>,
    /// The key that tokens are signed with.
    pub(crate) token_key: Option<Secret>,
}

/// Where one key was given: in one of the forms, or in neither.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) text: Option<Secret>,
    pub(crate) file: Option<PathBuf>,
}

/// The configured places of both keys.
#[derive(Default)]
pub(crate) struct KeyChoice {
    pub(crate) master: Given,
    pub(crate) token: Given,
}

/// What one layer says of both keys, and how it is called in an error.
pub(crate) struct Layer {
    name: &'static str,
    keys: KeyChoice,
}

impl Layer {
    /// The texts and the files (master key, token key) that a layer gives.
    pub(crate) fn new(name: &'static str, texts: SecretTexts, files: [Option<PathBuf>; 2]) -> Self {
        let [master, token] = files;
        let given = |text, file| Given { text, file };
        let keys = KeyChoice {
            master: given(texts.master_key, master),
            token: given(texts.token_key, token),
        };
        Self { name, keys }
    }
}

impl SecretTexts {
    /// What the environment holds.
    #[expect(clippy::disallowed_methods, reason = "configuration is read here")]
    pub(crate) fn from_environment() -> Self {
        let variable = |name: &str| {
            let text = std::env::var_os(name)?;
            Some(Secret::new(text.into_vec()))
        };
        Self {
            master_key: variable("POSTRIDER_MASTER_KEY"),
            token_key: variable("POSTRIDER_TOKEN_KEY"),
        }
    }
}

impl KeyChoice {
    /// Takes each key from the first layer that gives it. A layer that gives one twice is refused,
    /// since nobody could say which of the two was meant.
    pub(crate) fn first_of<const N: usize>(layers: [Layer; N]) -> Result<Self, ConfigError> {
        let mut chosen = Self::default();
        for Layer { name, keys } in layers {
            chosen.master = chosen.master.or("master_key", name, keys.master)?;
            chosen.token = chosen.token.or("token_key", name, keys.token)?;
        }
        Ok(chosen)
    }
}

impl Given {
    fn or(self, key: &'static str, layer: &str, below: Self) -> Result<Self, ConfigError> {
        if below.text.is_some() && below.file.is_some() {
            return Err(ConfigError::Option {
                name: key,
                reason: format!("{layer} gives both `{key}` and `{key}_file`: leave out one"),
            });
        }
        let decided = self.text.is_some() || self.file.is_some();
        Ok(if decided { self } else { below })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer that gives the token's key as text, as a file, or not.
    fn layer(name: &'static str, text: bool, file: bool) -> Layer {
        let texts = SecretTexts {
            token_key: text.then(|| name.to_owned().into()),
            master_key: None,
        };
        Layer::new(name, texts, [None, file.then(|| name.into())])
    }

    #[test]
    fn the_first_layer_that_gives_a_key_decides_in_whichever_form() {
        let both = [(true, false), (false, true)];
        for (above, below) in both.iter().flat_map(|a| both.iter().map(move |b| (*a, *b))) {
            let layers = [
                layer("flags", false, false),
                layer("above", above.0, above.1),
                layer("below", below.0, below.1),
            ];
            let chosen = KeyChoice::first_of(layers).unwrap();
            let text = chosen.token.text.map(|text| text.expose().to_vec());
            assert_eq!(text, above.0.then(|| b"above".to_vec()));
            assert_eq!(chosen.token.file, above.1.then(|| "above".into()));
            assert!(chosen.master.text.is_none() && chosen.master.file.is_none());
        }
    }

    #[test]
    fn a_layer_that_gives_a_key_twice_is_refused() {
        for layers in [
            [layer("above", true, true), layer("below", false, false)],
            [layer("above", true, false), layer("below", true, true)],
        ] {
            let error = KeyChoice::first_of(layers).err().unwrap().to_string();
            assert!(
                error.contains("`token_key` and `token_key_file`"),
                "{error}"
            );
        }
    }
}
