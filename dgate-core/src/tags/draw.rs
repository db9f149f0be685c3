//! Who gets a canary tag: a hash that every node computes in the same way.
//!
//! With `h` being SipHash-2-4 (Aumasson and Bernstein, *SipHash: a fast short-input PRF*, 2012) with a 64-bit result,
//! `k0` the lower half of its key and the upper half 0:
//!
//! - a tag's salt is `h(k0 = 0, "name:value")`;
//! - a client's number is `h(k0 = 0, key)`, `key` being the bytes of the header, the cookie, or the address as text;
//! - a request draws `h(k0 = salt, number)`, the number being 8 bytes, the lowest first;
//! - it carries the tag when the draw is below the share of 2^64.
//!
//! So a larger share keeps everybody who was in, different tags are independent, and nodes agree without talking.

use siphasher::sip::SipHasher24;

/// What identifies a client to canary tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanaryKey(u64);

impl CanaryKey {
    /// The same for the same bytes, on every node and in every version.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hash(0, bytes))
    }

    /// Another one each time: a request by itself.
    pub fn dice() -> Self {
        Self(fastrand::u64(..))
    }

    /// What it draws for a tag's salt.
    pub(super) fn draw(self, salt: u64) -> u64 {
        hash(salt, &self.0.to_le_bytes())
    }
}

/// The salt of a tag.
pub(super) fn salt(label: &str) -> u64 {
    hash(0, label.as_bytes())
}

fn hash(key: u64, bytes: &[u8]) -> u64 {
    SipHasher24::new_with_keys(key, 0).hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values come from another implementation of what is written above; whoever changes them moves every user
    /// of every canary.
    #[test]
    fn every_node_and_every_version_draws_the_same() {
        assert_eq!(CanaryKey::of(b"").0, 0x1e92_4b9d_7377_00d7);
        let salt = salt("canary:v2");
        assert_eq!(salt, 0x2f9a_4f5f_75d5_29fb);
        assert_eq!(CanaryKey::of(b"user-1").draw(salt), 0xe745_fbf5_679a_418c);
        let tenth = |user: &u32| CanaryKey::of(format!("user-{user}").as_bytes()).draw(salt) < u64::MAX / 10;
        assert_eq!((0..100).filter(tenth).collect::<Vec<_>>(), [0, 18, 40, 63, 76]);
    }
}
