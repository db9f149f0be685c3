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
    ("dgate/fs", &["readFile"]),
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
    ("dgate/upstream", &["endpoints", "setHealth", "setWeight"]),
    (
        "dgate/util",
        &["base64Decode", "base64Encode", "hexDecode", "hexEncode", "ipInRange", "parseCookies", "uuid"],
    ),
    ("dgate/test", &["ctx", "documents", "expect", "fakeTime", "mockFetch", "test"]),
    (RUNNER, &["list", "run"]),
    (OWN, &["console", "fetch", "process"]),
];

/// Those that only programs that are tests may import.
const FOR_TESTS: [&str; 2] = ["dgate/test", RUNNER];
/// What runs tests. Nobody imports it but the module that the gateway writes for that.
pub(crate) const RUNNER: &str = "dgate:tests";

/// What looks global but belongs to each module. Nobody imports it by name.
pub(crate) const OWN: &str = "dgate:own";

/// The names that may be imported.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("dgate:"))
}

/// The native module of a specifier, in a program that is a test or is none.
pub(crate) fn find(specifier: &str, is_test: bool) -> Option<&'static str> {
    let found = MODULES.iter().find(|(name, _)| *name == specifier).map(|(name, _)| *name);
    found.filter(|name| is_test || !FOR_TESTS.contains(name))
}

/// What a native module exports.
pub(crate) fn exports(name: &str) -> &'static [&'static str] {
    MODULES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, exports)| exports)
}

/// What a function cannot do without: its first arguments, by name. Those whose name ends with `?` may be `null`.
pub(crate) fn needs(module: &str, export: &str) -> &'static [&'static str] {
    match (module, export) {
        ("dgate", "sleep") => &["time"],
        ("dgate", "fail") => &["message"],
        ("dgate/state", "getDocument") => &["id", "collection"],
        ("dgate/state", "getDocuments") => &["query"],
        ("dgate/state", "addDocument" | "deleteDocument") => &["document"],
        ("dgate/state", "addCollection") => &["collection"],
        ("dgate/state", "getCollection" | "deleteCollection") | ("dgate/secrets" | "dgate/events", _) => {
            &["name"]
        }
        ("dgate/storage", "setCache") => &["key", "value?"],
        ("dgate/storage", _) => &["key"],
        ("dgate/crypto", "createHash") => &["algorithm"],
        ("dgate/crypto", "createHmac") => &["algorithm", "key"],
        ("dgate/crypto", "hmac") => &["algorithm", "key", "data"],
        ("dgate/crypto", "randomBytes") => &["count"],
        ("dgate/crypto", "randomInt") => &["max"],
        ("dgate/crypto", "timingSafeEqual") => &["a", "b"],
        ("dgate/crypto", "getHashes" | "randomUUID") | ("dgate/util", "uuid") => &[],
        ("dgate/crypto", _) | ("dgate/util", "base64Encode" | "hexEncode") => &["data"],
        ("dgate/jwt", "verify") => &["token", "key", "options"],
        ("dgate/jwt", "sign") => &["claims", "key"],
        ("dgate/upstream", "endpoints") => &["service"],
        ("dgate/upstream", "setHealth") => &["service", "url", "healthy?"],
        ("dgate/upstream", "setWeight") => &["service", "url", "weight?"],
        ("dgate/fs", _) => &["path"],
        ("dgate/util", "parseCookies") => &["line"],
        ("dgate/util", "ipInRange") => &["ip", "range"],
        ("dgate/util", _) => &["text"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    #[test]
    fn the_types_are_those_of_what_is_there() {
        let declared = crate::typescript::declared::read(crate::local::TYPES).modules;
        let provided: BTreeMap<_, _> = super::names()
            .map(|name| (name.to_owned(), super::exports(name).iter().map(ToString::to_string).collect()))
            .collect();
        assert_eq!(declared, provided);
    }
}
