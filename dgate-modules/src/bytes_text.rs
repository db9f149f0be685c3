//! Bytes as text, whichever way a module is run.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::random::hex;

/// As lenient as the web's decoder: padding may be missing.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes in Base64.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of Base64 as the web reads it, with blanks and with padding or without; nothing when it is none.
pub(crate) fn forgiving(mut text: Vec<u8>) -> Option<Vec<u8>> {
    text.retain(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 12));
    // Padding is right, or absent.
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let plain = text.len() - padding;
    if padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) || plain % 4 == 1 {
        return None;
    }
    FORGIVING.decode(&text[..plain]).ok()
}

/// Bytes as text in an encoding; nothing when there is no such encoding.
pub(crate) fn encode_text(bytes: &[u8], encoding: &str) -> Option<String> {
    Some(match encoding {
        "hex" => hex(bytes),
        "base64" | "b64" => STANDARD.encode(bytes),
        "base64raw" | "b64raw" => STANDARD_NO_PAD.encode(bytes),
        "base64url" | "b64url" => URL_SAFE.encode(bytes),
        "base64rawurl" | "b64rawurl" => URL_SAFE_NO_PAD.encode(bytes),
        "utf8" | "utf-8" => String::from_utf8_lossy(bytes).into_owned(),
        "latin1" | "binary" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => return None,
    })
}

/// The bytes of a text in an encoding.
pub(crate) fn decode_text(text: &str, encoding: &str) -> Option<Vec<u8>> {
    match encoding {
        "hex" => {
            let digits = text.as_bytes();
            if !digits.len().is_multiple_of(2) {
                return None;
            }
            let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
            digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
        }
        "base64" | "b64" | "base64raw" | "b64raw" | "base64url" | "b64url" | "base64rawurl" | "b64rawurl" => {
            let plain = text.trim().trim_end_matches('=').replace('-', "+").replace('_', "/");
            STANDARD_NO_PAD.decode(plain).ok()
        }
        "utf8" | "utf-8" => Some(text.as_bytes().to_vec()),
        "latin1" | "binary" => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
        _ => None,
    }
}
