//! Hashes by name.

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Digest as _;

/// The names there are.
pub(crate) const NAMES: [&str; 7] = ["md5", "sha1", "sha256", "sha384", "sha512", "sha512_224", "sha512_256"];

/// The name of a hash as it is known here, however it is written.
pub(crate) fn named(wanted: &str) -> Option<&'static str> {
    let plain = wanted.to_ascii_lowercase().replace('-', "_");
    let plain = plain.strip_prefix("sha_").map_or(plain.clone(), |size| format!("sha{size}"));
    NAMES.into_iter().find(|known| *known == plain)
}

/// Whether two secrets are the same; how long that takes tells nothing of where they differ.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

macro_rules! by_name {
    ($name:expr, $run:ident) => {
        match $name {
            "md5" => Some($run!(md5::Md5)),
            "sha1" => Some($run!(sha1::Sha1)),
            "sha256" => Some($run!(sha2::Sha256)),
            "sha384" => Some($run!(sha2::Sha384)),
            "sha512" => Some($run!(sha2::Sha512)),
            "sha512_224" => Some($run!(sha2::Sha512_224)),
            "sha512_256" => Some($run!(sha2::Sha512_256)),
            _ => None,
        }
    };
}

/// The digest of some bytes; nothing when the name is unknown.
pub(crate) fn digest(name: &str, data: &[u8]) -> Option<Vec<u8>> {
    macro_rules! run {
        ($hash:ty) => {
            <$hash>::digest(data).to_vec()
        };
    }
    by_name!(name, run)
}

/// The keyed digest (HMAC) of some bytes; nothing when the name is unknown.
pub(crate) fn keyed(name: &str, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    macro_rules! run {
        ($hash:ty) => {{
            let mut mac = Hmac::<$hash>::new_from_slice(key).ok()?;
            mac.update(data);
            mac.finalize().into_bytes().to_vec()
        }};
    }
    by_name!(name, run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::hex;

    #[test]
    fn digests_are_the_published_ones() {
        let of = |name| hex(&digest(name, b"abc").unwrap());
        assert_eq!(of("md5"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(of("sha1"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(of("sha256"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(NAMES.iter().all(|name| digest(name, b"").is_some()));
        assert_eq!(digest("crc32", b""), None);
        let keyed = keyed("sha256", b"key", b"The quick brown fox jumps over the lazy dog").unwrap();
        assert_eq!(hex(&keyed), "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
    }
}
