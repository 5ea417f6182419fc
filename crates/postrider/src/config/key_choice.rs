//! Where each of the keys comes from. A key can be given as text, as a file, or by a command; the
//! first layer that gives it decides alone, whichever of the forms it uses.

use super::checked::ConfigError;
use super::options::Options;
use model::Secret;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// Keys given as text. Never as a flag, which every user of the machine could read.
#[derive(Default, Clone)]
pub(crate) struct SecretTexts {
    /// The master key, base64.
    pub(crate) master_key: Option<Secret>,
    /// The other one, while one gives way to another.
    pub(crate) previous_master_key: Option<Secret>,
    /// The key that tokens are signed with.
    pub(crate) token_key: Option<Secret>,
    /// The password of the mail server's user.
    pub(crate) smtp_password: Option<Secret>,
    /// What the identity provider knows us by.
    pub(crate) oidc_client_secret: Option<Secret>,
}

/// Where one key was given: in one of the forms, or in none.
#[derive(Default, Clone)]
pub(crate) struct Given {
    pub(crate) text: Option<Secret>,
    pub(crate) file: Option<PathBuf>,
    /// A program and its arguments, with spaces between them.
    pub(crate) command: Option<String>,
}

/// The configured places of all keys.
#[derive(Default, Clone)]
pub(crate) struct KeyChoice {
    pub(crate) master: Given,
    pub(crate) previous: Given,
    pub(crate) token: Given,
    /// No key, and given as one.
    pub(crate) smtp_password: Given,
    /// No key either.
    pub(crate) oidc_client_secret: Given,
}

/// What one layer says of the keys, and how it is called in an error.
pub(crate) struct Layer {
    name: &'static str,
    keys: KeyChoice,
}

impl Layer {
    /// The texts of a layer, and those of the options that are this layer's.
    pub(crate) fn new(
        name: &'static str,
        texts: SecretTexts,
        options: &Options,
        is_its: impl Fn(&str) -> bool,
    ) -> Self {
        let file = |name: &str, file: &Option<PathBuf>| file.clone().filter(|_| is_its(name));
        let command = |name: &str, text: &Option<String>| text.clone().filter(|_| is_its(name));
        let keys = KeyChoice {
            master: Given {
                text: texts.master_key,
                file: file("master_key_file", &options.master_key_file),
                command: command("master_key_command", &options.master_key_command),
            },
            previous: Given {
                text: texts.previous_master_key,
                file: file(
                    "previous_master_key_file",
                    &options.previous_master_key_file,
                ),
                command: command(
                    "previous_master_key_command",
                    &options.previous_master_key_command,
                ),
            },
            token: Given {
                text: texts.token_key,
                file: file("token_key_file", &options.token_key_file),
                command: None,
            },
            smtp_password: Given {
                text: texts.smtp_password,
                file: file("smtp_password_file", &options.smtp_password_file),
                command: None,
            },
            oidc_client_secret: Given {
                text: texts.oidc_client_secret,
                file: file("oidc_client_secret_file", &options.oidc_client_secret_file),
                command: None,
            },
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
            previous_master_key: variable("POSTRIDER_PREVIOUS_MASTER_KEY"),
            token_key: variable("POSTRIDER_TOKEN_KEY"),
            smtp_password: variable("POSTRIDER_SMTP_PASSWORD"),
            oidc_client_secret: variable("POSTRIDER_OIDC_CLIENT_SECRET"),
        }
    }
}

impl KeyChoice {
    /// Takes each key from the first layer that gives it. A layer that gives one twice is refused,
    /// since nobody could say which of them was meant.
    pub(crate) fn first_of<const N: usize>(layers: [Layer; N]) -> Result<Self, ConfigError> {
        let mut chosen = Self::default();
        for Layer { name, keys } in layers {
            chosen.master = chosen.master.or("master_key", name, keys.master)?;
            let previous = chosen.previous;
            chosen.previous = previous.or("previous_master_key", name, keys.previous)?;
            chosen.token = chosen.token.or("token_key", name, keys.token)?;
            let password = chosen.smtp_password;
            chosen.smtp_password = password.or("smtp_password", name, keys.smtp_password)?;
            let secret = (chosen.oidc_client_secret, keys.oidc_client_secret);
            chosen.oidc_client_secret = secret.0.or("oidc_client_secret", name, secret.1)?;
        }
        Ok(chosen)
    }
}

impl Given {
    /// Whether it was given at all.
    pub(crate) fn is_given(&self) -> bool {
        self.text.is_some() || self.file.is_some() || self.command.is_some()
    }

    fn or(self, key: &'static str, layer: &str, below: Self) -> Result<Self, ConfigError> {
        let forms = [
            below.text.is_some().then(|| format!("`{key}`")),
            below.file.is_some().then(|| format!("`{key}_file`")),
            below.command.is_some().then(|| format!("`{key}_command`")),
        ];
        let forms: Vec<_> = forms.into_iter().flatten().collect();
        if forms.len() > 1 {
            return Err(ConfigError::Option {
                name: key,
                reason: format!(
                    "{layer} gives {}: leave only one of them",
                    forms.join(" and ")
                ),
            });
        }
        Ok(if self.is_given() { self } else { below })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer that gives the master key in some of the forms.
    fn layer(name: &'static str, [text, file, command]: [bool; 3]) -> Layer {
        let texts = SecretTexts {
            master_key: text.then(|| name.to_owned().into()),
            ..SecretTexts::default()
        };
        let options = Options {
            master_key_file: file.then(|| name.into()),
            master_key_command: command.then(|| name.to_owned()),
            ..Options::default()
        };
        Layer::new(name, texts, &options, |_| true)
    }

    const NONE: [bool; 3] = [false; 3];
    const ONE: [[bool; 3]; 3] = [
        [true, false, false],
        [false, true, false],
        [false, false, true],
    ];

    #[test]
    fn the_first_layer_that_gives_a_key_decides_in_whichever_form() {
        for (above, below) in ONE.iter().flat_map(|a| ONE.iter().map(move |b| (*a, *b))) {
            let layers = [
                layer("flags", NONE),
                layer("above", above),
                layer("below", below),
            ];
            let chosen = KeyChoice::first_of(layers).unwrap();
            let text = chosen.master.text.map(|text| text.expose().to_vec());
            assert_eq!(text, above[0].then(|| b"above".to_vec()));
            assert_eq!(chosen.master.file, above[1].then(|| "above".into()));
            assert_eq!(chosen.master.command, above[2].then(|| "above".into()));
            assert!(!chosen.token.is_given() && !chosen.previous.is_given());
        }
    }

    #[test]
    fn a_layer_that_gives_a_key_twice_is_refused() {
        let twice = [true, true, false];
        for layers in [
            [layer("above", twice), layer("below", NONE)],
            [layer("above", ONE[0]), layer("below", twice)],
        ] {
            let error = KeyChoice::first_of(layers).err().unwrap().to_string();
            assert!(
                error.contains("`master_key` and `master_key_file`"),
                "{error}"
            );
        }
        let with_command = [layer("above", [false, true, true])];
        let error = KeyChoice::first_of(with_command).err().unwrap().to_string();
        assert!(error.contains("`master_key_command`"), "{error}");
    }

    #[test]
    fn options_of_another_layer_are_left_to_it() {
        let options = Options {
            master_key_file: Some("a".into()),
            previous_master_key_command: Some("b".into()),
            ..Options::default()
        };
        let is_its = |name: &str| name == "previous_master_key_command";
        let layer = Layer::new("above", SecretTexts::default(), &options, is_its);
        assert!(!layer.keys.master.is_given());
        assert!(layer.keys.previous.is_given());
    }
}
