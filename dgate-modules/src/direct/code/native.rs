//! Functions of the gateway's own modules.

use std::time::Duration;

use super::Node;
use crate::typescript::Place;

/// A call of one.
#[derive(Debug)]
pub(crate) struct NativeCall {
    pub(crate) function: NativeFunction,
    /// Its own name, and those of the arguments that it cannot do without.
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [&'static str],
    pub(crate) arguments: Vec<Node>,
}

/// What can be called without the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NativeFunction {
    Base64Encode,
    DeleteCache,
    /// Of a hash of that name, in that encoding.
    Digest(&'static str, Box<str>),
    GetCache,
    HexEncode,
    /// `hmac`, likewise; its first argument is the name.
    Hmac(&'static str, Box<str>),
    /// With the time that a new one lives.
    Increment(Option<Duration>),
    IpInRange,
    RandomUuid,
    SetCache(Option<Duration>),
    TimingSafeEqual,
}

/// `createHash(name).update(…).digest(encoding)`.
#[derive(Debug)]
pub(crate) struct Digest {
    pub(crate) hash: &'static str,
    /// That of `createHmac`.
    pub(crate) key: Option<(Node, Place)>,
    pub(crate) parts: Vec<(Node, Place)>,
    pub(crate) encoding: Box<str>,
}
