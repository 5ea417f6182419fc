//! What requests to a source show besides a signature: what endpoints' deliveries can carry, or a
//! client certificate. Where they are signed after RFC 9421, the key is what verifies: the public
//! half of a pair, or a secret that both have.

use crate::AppError;
use crate::endpoints::{
    COMPONENT_BYTES_MAX, COMPONENTS_MAX, CredentialInput, CredentialView, credential_view,
    judge_authorities, masked,
};
use crate::rules::Judge;
use model::Secret;
use model::protection::{Credential, HttpSignatureAlgorithm};
use model::source::AuthDemanded;
use webhook::SigningKey;
use webhook::http_signature::KnownKey;

/// The most names of client certificates.
pub const SUBJECTS_MAX: usize = 100;
/// The longest of them, in bytes: a host's name is no longer.
pub const SUBJECT_BYTES_MAX: usize = 255;

/// Where it stands in a request's body.
const WITHIN: [&str; 2] = ["config", "auth"];

/// What is to be demanded, parsed and not yet judged.
#[derive(Clone)]
pub enum AuthDemandedInput {
    /// A user name and a password, a token or a key.
    Credential(CredentialInput),
    /// A signature over the request.
    HttpSignature {
        /// What it is made with.
        algorithm: HttpSignatureAlgorithm,
        /// What verifies it.
        key: Secret,
        /// What it must cover beyond what it always must.
        components: Vec<String>,
    },
    /// A client certificate.
    Certificate {
        /// The authorities that it is verified by, as PEM.
        authorities: String,
        /// The names that are good; none: whatever an authority has signed.
        subjects: Vec<String>,
    },
}

/// What is demanded, as it is shown: masked, where it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthDemandedView {
    /// A user name and a password, a token or a key.
    Credential(CredentialView),
    /// A signature over the request.
    HttpSignature {
        /// What it is made with.
        algorithm: HttpSignatureAlgorithm,
        /// What verifies it; masked, unless it is public.
        key: String,
        /// What it must cover beyond what it always must.
        components: Vec<String>,
    },
    /// A client certificate.
    Certificate {
        /// The authorities that it is verified by, as PEM.
        authorities: String,
        /// The names that are good.
        subjects: Vec<String>,
    },
}

impl AuthDemandedInput {
    /// What is to be kept, if it keeps all rules.
    pub(super) fn judge(self) -> Result<AuthDemanded, AppError> {
        match self {
            Self::Credential(input) => {
                // No signature is among these, so that no key is made.
                let no_key = || SigningKey::generate_ed25519(&[0; 32]);
                let judged = input.judge(no_key).map_err(|error| error.within(&WITHIN))?;
                Ok(AuthDemanded::Credential(judged))
            }
            Self::HttpSignature {
                algorithm,
                key,
                components,
            } => {
                let mut judge = Judge::new(&WITHIN);
                if let Err(wrong) = judge_key(&key, algorithm) {
                    judge.note_unreadable("key", wrong);
                }
                let is_long = |name: &String| name.len() > COMPONENT_BYTES_MAX;
                if components.len() > COMPONENTS_MAX || components.iter().any(is_long) {
                    let text = format!(
                        "must hold at most {COMPONENTS_MAX} names of at most \
                         {COMPONENT_BYTES_MAX} bytes"
                    );
                    judge.note("components", text);
                }
                judge.finish()?;
                Ok(AuthDemanded::Credential(Credential::HttpSignature {
                    algorithm,
                    key,
                    components,
                }))
            }
            Self::Certificate {
                authorities,
                subjects,
            } => {
                let mut judge = Judge::new(&WITHIN);
                if let Err(wrong) = judge_authorities(&authorities) {
                    judge.note("ca", wrong);
                }
                judge_subjects(&mut judge, &subjects);
                judge.finish()?;
                Ok(AuthDemanded::Certificate {
                    authorities,
                    subjects,
                })
            }
        }
    }
}

fn judge_subjects(judge: &mut Judge<'_>, subjects: &[String]) {
    let is_wrong = |name: &String| {
        let length = 1..=SUBJECT_BYTES_MAX;
        !length.contains(&name.len()) || name.chars().any(char::is_control)
    };
    if subjects.len() > SUBJECTS_MAX || subjects.iter().any(is_wrong) {
        let text = format!(
            "must hold at most {SUBJECTS_MAX} names of 1 to {SUBJECT_BYTES_MAX} bytes without \
             control characters"
        );
        judge.note("subjects", text);
    }
}

fn judge_key(key: &Secret, algorithm: HttpSignatureAlgorithm) -> Result<(), String> {
    let text = std::str::from_utf8(key.expose()).map_err(|_| "a key is text".to_owned())?;
    let prefix = match algorithm {
        HttpSignatureAlgorithm::Ed25519 => "whpk_",
        HttpSignatureAlgorithm::HmacSha256 => "whsec_",
    };
    if !text.starts_with(prefix) {
        let name = algorithm.as_str();
        return Err(format!("what verifies {name} begins with `{prefix}`"));
    }
    let known = KnownKey::parse("", text);
    known.map(drop).map_err(|error| error.to_string())
}

/// As it is shown.
pub(super) fn view(auth: &AuthDemanded) -> AuthDemandedView {
    match auth {
        AuthDemanded::Credential(Credential::HttpSignature {
            algorithm,
            key,
            components,
        }) => AuthDemandedView::HttpSignature {
            algorithm: *algorithm,
            key: match algorithm {
                HttpSignatureAlgorithm::Ed25519 => {
                    String::from_utf8_lossy(key.expose()).into_owned()
                }
                HttpSignatureAlgorithm::HmacSha256 => masked(key),
            },
            components: components.clone(),
        },
        AuthDemanded::Credential(credential) => {
            AuthDemandedView::Credential(credential_view(credential))
        }
        AuthDemanded::Certificate {
            authorities,
            subjects,
        } => AuthDemandedView::Certificate {
            authorities: authorities.clone(),
            subjects: subjects.clone(),
        },
    }
}
