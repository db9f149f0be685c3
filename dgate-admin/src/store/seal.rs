//! Encryption of records that hold secrets.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use super::error::Trouble;
use super::key::EncryptionKey;

/// Encrypts and decrypts records (AES-256-GCM). A record is bound to its place: it cannot be moved to another one.
pub(super) struct Sealer(RandomizedNonceKey);

impl Sealer {
    pub(super) fn new(key: &EncryptionKey) -> Result<Self, Trouble> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key.derive("records"));
        key.map(Self).map_err(|_| Trouble::Record("the encryption key is not usable".to_owned()))
    }

    /// The nonce, and after it what is encrypted.
    pub(super) fn seal(&self, place: &str, mut plain: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        let nonce = self.0.seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut plain);
        let nonce = nonce.map_err(|_| Trouble::Record(format!("`{place}` cannot be encrypted")))?;
        Ok([nonce.as_ref().as_slice(), &plain].concat())
    }

    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Trouble> {
        let broken = || Trouble::Record(format!("`{place}` cannot be decrypted"));
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut rest = rest.to_vec();
        let plain =
            self.0.open_in_place(nonce, Aad::from(place.as_bytes()), &mut rest).map_err(|_| broken())?;
        let length = plain.len();
        rest.truncate(length);
        Ok(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_can_be_opened_in_its_place_only() {
        let sealer = Sealer::new(&EncryptionKey::generate().unwrap()).unwrap();
        let sealed = sealer.seal("a", b"hunter2".to_vec()).unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_ne!(sealed, sealer.seal("a", b"hunter2".to_vec()).unwrap(), "each time another nonce");
        assert_eq!(sealer.open("a", &sealed).unwrap(), b"hunter2");
        assert!(sealer.open("b", &sealed).is_err());
        assert!(sealer.open("a", &sealed[..20]).is_err() && sealer.open("a", b"").is_err());
        let other = Sealer::new(&EncryptionKey::generate().unwrap()).unwrap();
        assert!(other.open("a", &sealed).is_err());
    }
}
