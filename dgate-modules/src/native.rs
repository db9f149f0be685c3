//! The modules that the gateway provides, and what they export.

/// Name and exports of each.
const MODULES: &[(&str, &[&str])] = &[
    ("dgate", &["fail", "node", "retry", "sleep"]),
    (
        "dgate/crypto",
        &[
            "createHash",
            "createHmac",
            "getHashes",
            "hexEncode",
            "hmac",
            "md5",
            "randomBytes",
            "randomInt",
            "randomUUID",
            "sha1",
            "sha256",
            "sha384",
            "sha512",
            "sha512_224",
            "sha512_256",
            "timingSafeEqual",
        ],
    ),
    ("dgate/events", &["emit"]),
    ("dgate/http", &["Headers", "Request", "Response", "fetch"]),
    ("dgate/jwt", &["sign", "verify"]),
    ("dgate/secrets", &["getSecret"]),
    (
        "dgate/state",
        &[
            "addCollection",
            "addDocument",
            "deleteCollection",
            "deleteDocument",
            "getCollection",
            "getDocument",
            "getDocuments",
        ],
    ),
    ("dgate/storage", &["deleteCache", "getCache", "increment", "setCache"]),
    (
        "dgate/util",
        &["base64Decode", "base64Encode", "hexDecode", "hexEncode", "ipInRange", "parseCookies", "uuid"],
    ),
    (OWN, OWN_EXPORTS),
];

/// What looks global but belongs to each module. Nobody imports it by name.
pub(crate) const OWN: &str = "dgate:own";
const OWN_EXPORTS: &[&str] = &["console", "fetch", "process"];

/// The names that may be imported.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name).filter(|name| *name != OWN)
}

/// The native module of a specifier.
pub(crate) fn find(specifier: &str) -> Option<&'static str> {
    MODULES.iter().find(|(name, _)| *name == specifier).map(|(name, _)| *name)
}

/// What a native module exports.
pub(crate) fn exports(name: &str) -> &'static [&'static str] {
    MODULES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, exports)| exports)
}
