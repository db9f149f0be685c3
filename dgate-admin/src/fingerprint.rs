//! What is shown in place of a secret.

use std::fmt;

use aws_lc_rs::hmac;

/// How many bytes of a fingerprint are shown: enough to tell values apart, too few to matter otherwise.
const SHOWN: usize = 8;

/// Makes fingerprints: two values have the same one when they are equal, and nobody who has not got the key can find
/// out which value has one, not even by trying all that are likely.
#[derive(Clone)]
pub struct Fingerprints(hmac::Key);

impl Fingerprints {
    /// Fingerprints under a key.
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Fingerprints that mean nothing to another process.
    pub fn random() -> Self {
        let mut key = [0; 32];
        // Without random numbers TLS does not work either; what is left is unique to the process all the same.
        if aws_lc_rs::rand::fill(&mut key).is_err() {
            key[..16].copy_from_slice(&fastrand::u128(..).to_be_bytes());
        }
        Self::new(&key)
    }

    /// The fingerprint of a value: `hmac:5f3a…`.
    pub fn of(&self, value: &str) -> String {
        let tag = hmac::sign(&self.0, value.as_bytes());
        let hex = |byte: &u8| format!("{byte:02x}");
        let shown: String = tag.as_ref().iter().take(SHOWN).map(hex).collect();
        format!("hmac:{shown}")
    }
}

impl fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprints(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_fingerprints_under_one_key() {
        let (one, other) = (Fingerprints::new(&[1; 32]), Fingerprints::random());
        assert_eq!(one.of("hunter2"), Fingerprints::new(&[1; 32]).of("hunter2"));
        assert_ne!(one.of("hunter2"), one.of("hunter3"));
        assert_ne!(one.of("hunter2"), other.of("hunter2"));
        assert_eq!(one.of("hunter2").len(), "hmac:".len() + 2 * SHOWN);
    }
}
