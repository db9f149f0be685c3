//! What is asked of a gateway.

use std::time::Duration;

/// A kind of traffic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) protocol: Protocol,
    /// Client connections that are open at the same time.
    pub(crate) connections: usize,
    /// Bytes of a response body.
    pub(crate) response: usize,
    /// Bytes of a request body; such requests are POSTs.
    pub(crate) upload: usize,
    /// Whether each request has a connection of its own.
    pub(crate) close: bool,
    /// How many routes there are. Requests go to all of them, at random.
    pub(crate) routes: usize,
    /// What a script does with each request.
    pub(crate) script: Option<Script>,
    /// Whether scripts run in the gateway's engine that would not need it.
    pub(crate) in_engine: bool,
    /// How long the upstream waits before it answers.
    pub(crate) pause: Duration,
}

/// A script in the request path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Sets a header of the request, which then goes to the upstream.
    Modifier,
    /// The same in an `async` function, for those that tell the two apart.
    AsyncModifier,
    /// Answers with JSON; there is no upstream.
    Handler,
    /// Fetches from the upstream, and answers with what came.
    Fetch,
}

/// What a [`Script::Handler`] answers.
pub(crate) const SCRIPTED: &str = r#"{"status":"ok","method":"GET"}"#;

/// What clients speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    /// HTTP/1.1 over TLS.
    Tls,
    /// HTTP/2 over TLS, with sixteen streams on each connection.
    Http2,
}

/// The plainest of them; the others say where they differ.
const PLAIN: Scenario = Scenario {
    name: "plain",
    about: "HTTP/1.1, 64 connections, 128 B",
    protocol: Protocol::Http1,
    connections: 64,
    response: 128,
    upload: 0,
    close: false,
    routes: 1,
    script: None,
    in_engine: false,
    pause: Duration::ZERO,
};

/// How long a slow upstream waits.
const PAUSE: Duration = Duration::from_millis(50);

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    PLAIN,
    Scenario { name: "many", about: "256 connections", connections: 256, ..PLAIN },
    Scenario { name: "10k", about: "10 KB", response: 10 << 10, ..PLAIN },
    Scenario { name: "1m", about: "1 MB, 16 connections", response: 1 << 20, connections: 16, ..PLAIN },
    Scenario { name: "post", about: "POST of 10 KB", upload: 10 << 10, ..PLAIN },
    Scenario { name: "tls", about: "over TLS 1.3", protocol: Protocol::Tls, ..PLAIN },
    Scenario {
        name: "h2",
        about: "HTTP/2 over TLS, 16 × 16 streams",
        protocol: Protocol::Http2,
        connections: 16,
        ..PLAIN
    },
    Scenario { name: "close", about: "a connection per request", close: true, ..PLAIN },
    Scenario { name: "routes", about: "10,000 routes", routes: 10_000, ..PLAIN },
    Scenario { name: "modifier", about: "a script sets a header", script: Some(Script::Modifier), ..PLAIN },
    Scenario {
        name: "async-modifier",
        about: "the same, `async`",
        script: Some(Script::AsyncModifier),
        ..PLAIN
    },
    Scenario {
        name: "handler",
        about: "a script answers with JSON",
        response: SCRIPTED.len(),
        script: Some(Script::Handler),
        ..PLAIN
    },
    Scenario {
        name: "engine-modifier",
        about: "a script sets a header, in the engine",
        script: Some(Script::Modifier),
        in_engine: true,
        ..PLAIN
    },
    Scenario {
        name: "engine-async-modifier",
        about: "the same, `async`",
        script: Some(Script::AsyncModifier),
        in_engine: true,
        ..PLAIN
    },
    Scenario {
        name: "engine-handler",
        about: "a script answers with JSON, in the engine",
        response: SCRIPTED.len(),
        script: Some(Script::Handler),
        in_engine: true,
        ..PLAIN
    },
    Scenario {
        name: "slow",
        about: "the upstream takes 50 ms, 1,000 connections",
        connections: 1_000,
        pause: PAUSE,
        ..PLAIN
    },
    Scenario {
        name: "fetch",
        about: "a script fetches from there, 1,000 connections",
        connections: 1_000,
        pause: PAUSE,
        script: Some(Script::Fetch),
        ..PLAIN
    },
    Scenario {
        name: "slower-fetch",
        about: "the same from one that takes 200 ms",
        connections: 1_000,
        pause: PAUSE.saturating_mul(4),
        script: Some(Script::Fetch),
        ..PLAIN
    },
];

impl Scenario {
    pub(crate) fn over_tls(&self) -> bool {
        self.protocol != Protocol::Http1
    }

    /// What every path of a route begins with.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.routes).map(|index| format!("/r/{index:05}/"))
    }

    /// A path that is there in every scenario. Its last part tells the upstream how much to send, the one before how
    /// many seconds later.
    pub(crate) fn path(&self) -> String {
        let later =
            if self.pause.is_zero() { String::new() } else { format!("after/{}/", self.pause.as_secs_f64()) };
        format!("/r/00000/{later}{}", self.response)
    }

    /// The most requests in a second that the upstream leaves room for; nothing when it answers at once.
    pub(crate) fn most_per_second(&self) -> Option<f64> {
        (!self.pause.is_zero()).then(|| self.connections as f64 / self.pause.as_secs_f64())
    }
}
