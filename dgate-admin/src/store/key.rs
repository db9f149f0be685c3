//! The key that protects secrets at rest.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How long a key is, in bytes.
const LENGTH: usize = 32;

/// The key that protects secrets at rest: 32 random bytes.
#[derive(Clone)]
pub struct EncryptionKey([u8; LENGTH]);

/// A key cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not one.
    #[error(
        "an encryption key is 32 random bytes, in base64 or hexadecimal; make one with `openssl rand -base64 32`"
    )]
    NoKey,
    /// The file with it cannot be read or made.
    #[error("the key file `{}` cannot be used: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others can read the file with it.
    #[error("the key file `{}` can be read by others; protect it with `chmod 600`", .0.display())]
    Exposed(PathBuf),
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    NoRandom,
}

impl EncryptionKey {
    /// Reads a key: 32 bytes in base64 or hexadecimal.
    ///
    /// ```
    /// use dgate_admin::store::EncryptionKey;
    /// assert!(EncryptionKey::parse(&"ab".repeat(32)).is_ok());
    /// assert!(EncryptionKey::parse("hunter2").is_err());
    /// ```
    ///
    /// # Errors
    /// When the text is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let bytes = if text.len() == 2 * LENGTH { from_hex(text) } else { STANDARD.decode(text).ok() };
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(KeyError::NoKey)?;
        Ok(Self(bytes))
    }

    /// Reads a key from a file; makes both when there is no such file. Only its owner may read it.
    ///
    /// # Errors
    /// When the file cannot be read or made, others can read it, or it holds no key.
    pub fn of_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                if is_exposed(path).map_err(failed)? {
                    return Err(KeyError::Exposed(path.to_owned()));
                }
                Self::parse(&text)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                key.write_to(path).map_err(failed)?;
                Ok(key)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// A new one.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = [0; LENGTH];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::NoRandom)?;
        Ok(Self(bytes))
    }

    /// A key for one purpose: who has it does not have the others.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; LENGTH] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), purpose.as_bytes());
        let mut derived = [0; LENGTH];
        derived.copy_from_slice(tag.as_ref());
        derived
    }

    fn write_to(&self, path: &Path) -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(format!("{}\n", STANDARD.encode(self.0)).as_bytes())?;
        file.sync_all()
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
fn is_exposed(_: &Path) -> std::io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let (first, again) = (EncryptionKey::of_file(&path).unwrap(), EncryptionKey::of_file(&path).unwrap());
        assert_eq!(first.0, again.0);
        assert_ne!(first.derive("a"), first.derive("b"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(EncryptionKey::of_file(&path), Err(KeyError::Exposed(_))));
        }
    }

    #[test]
    fn base64_and_hexadecimal_are_the_same_key() {
        let hex = EncryptionKey::parse(&"0f".repeat(32)).unwrap();
        assert_eq!(hex.0, EncryptionKey::parse(&STANDARD.encode([15; 32])).unwrap().0);
        for wrong in ["", "hunter2", &"zz".repeat(32), &STANDARD.encode([1; 31])] {
            assert!(EncryptionKey::parse(wrong).is_err(), "{wrong}");
        }
    }
}
