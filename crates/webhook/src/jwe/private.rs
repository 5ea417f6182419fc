//! The receiver's side of a key: a private JWK. It does not print, serialise or clone, and what
//! was read of it is wiped.

use aws_lc_rs::agreement;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{
    KeyPair, KeyPairComponents, OaepPrivateDecryptingKey, PrivateDecryptingKey, PublicKeyComponents,
};

use super::algorithm::{Algorithm, Curve};
use super::members::{JwkError, Members, bytes, bytes_exactly};
use super::public::{Material, PublicHalf};

/// A private key to decrypt with: P-256, P-384, X25519, or RSA of 2048 to 8192 bits.
///
/// Which algorithms it takes is its own to say, by `alg`. Without that, a key of a curve takes all
/// that begin with ECDH-ES, and an RSA key takes RSA-OAEP-256 alone.
pub struct PrivateJwk {
    pub(super) key: PrivateKey,
    pub(super) key_id: Option<String>,
    algorithm: Option<Algorithm>,
    public: PublicHalf,
}

pub(super) enum PrivateKey {
    Agreement {
        curve: Curve,
        key: agreement::PrivateKey,
    },
    Rsa(OaepPrivateDecryptingKey),
}

impl PrivateJwk {
    /// Reads a JWK's JSON with its private members, and checks that they belong to the public
    /// ones. An RSA key needs all of `p`, `q`, `dp`, `dq` and `qi`, as every tool writes them.
    pub fn parse(json: &str) -> Result<Self, JwkError> {
        let members = Members::parse(json)?;
        if !members.has_private() {
            return Err(JwkError::PublicKeyGiven);
        }
        members.check_operations(match members.kty.as_str() {
            "RSA" => ["decrypt", "unwrapKey"],
            _ => ["deriveKey", "deriveBits"],
        })?;
        let public = PublicHalf::read(&members)?;
        let key = match &public.material {
            Material::Agreement { curve, key } => {
                let private = curve_key(*curve, &members)?;
                let computed = private.compute_public_key();
                if computed.map_or(true, |computed| computed.as_ref() != key.as_ref()) {
                    return Err(JwkError::Inconsistent);
                }
                PrivateKey::Agreement {
                    curve: *curve,
                    key: private,
                }
            }
            Material::Rsa(_) => PrivateKey::Rsa(rsa_key(&members)?),
        };
        Ok(Self {
            key,
            public,
            algorithm: members.algorithm()?,
            key_id: members.kid,
        })
    }

    /// The key's `kid`, or its thumbprint (RFC 7638) where it has none.
    pub fn key_id(&self) -> String {
        let thumbprint = || self.public.thumbprint();
        self.key_id.clone().unwrap_or_else(thumbprint)
    }

    /// The public half as the JSON of a JWK, for whoever encrypts to this key.
    pub fn public_json(&self) -> String {
        self.public.to_json(self.key_id.as_deref(), self.algorithm)
    }

    /// Whether the key may be used as a protected header's `alg` wants.
    pub(super) fn takes(&self, algorithm: Algorithm) -> bool {
        match (self.algorithm, &self.key) {
            (Some(own), _) => own == algorithm,
            (None, PrivateKey::Agreement { .. }) => !algorithm.is_rsa(),
            (None, PrivateKey::Rsa(_)) => algorithm == Algorithm::RsaOaep256,
        }
    }
}

fn curve_key(curve: Curve, members: &Members<'_>) -> Result<agreement::PrivateKey, JwkError> {
    let d = bytes_exactly("d", members.d, curve.coordinate_bytes())?;
    agreement::PrivateKey::from_private_key(curve.agreement(), &d)
        .map_err(|_| JwkError::Inconsistent)
}

fn rsa_key(members: &Members<'_>) -> Result<OaepPrivateDecryptingKey, JwkError> {
    if members.oth.is_some() {
        return Err(JwkError::UnsupportedKey);
    }
    let components = KeyPairComponents {
        public_key: PublicKeyComponents {
            n: bytes("n", members.n.as_deref())?,
            e: bytes("e", members.e.as_deref())?,
        },
        d: bytes("d", members.d)?,
        p: bytes("p", members.p)?,
        q: bytes("q", members.q)?,
        dP: bytes("dp", members.dp)?,
        dQ: bytes("dq", members.dq)?,
        qInv: bytes("qi", members.qi)?,
    };
    // Whether all belong together is checked where a key pair is made, which only signs: it comes
    // over as PKCS #8.
    let pair = KeyPair::from_components(&components).map_err(|_| JwkError::Inconsistent)?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| JwkError::Inconsistent)?;
    PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref())
        .map_err(|_| JwkError::Inconsistent)
        .and_then(|key| OaepPrivateDecryptingKey::new(key).map_err(|_| JwkError::Inconsistent))
}
