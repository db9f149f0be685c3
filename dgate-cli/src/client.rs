//! The Admin API, as commands ask it.

mod address;
mod answer;
mod connect;
mod events;
mod problem;
mod request;
pub(crate) mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio_rustls::rustls::ClientConfig;

use address::Address;
pub(crate) use answer::Answer;
pub(crate) use events::Events;
pub(crate) use problem::warnings;
pub(crate) use request::Request;

use crate::failure::Failure;
use crate::output::Output;

/// The header of `--api-key`.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who asks.
#[derive(Clone)]
pub(crate) enum Login {
    Nobody,
    Basic { user: String, password: String },
    Key(String),
    Bearer(String),
}

/// How the Admin API is asked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) login: Login,
    /// Certificates that are trusted besides the system's.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) follow: bool,
    pub(crate) timeout: Duration,
    pub(crate) verbose: bool,
    /// Where it is said what is asked.
    pub(crate) output: Output,
}

/// A client of one Admin API. Each request has a connection of its own: a command sends one or two.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    address: Address,
    /// Sent to this server, never to another one that it redirects to.
    credentials: HeaderMap,
    tls: Option<Arc<ClientConfig>>,
    settings: Arc<Settings>,
}

impl Client {
    /// # Errors
    /// When the URL, the credentials or the file with certificates cannot be used.
    pub(crate) fn new(url: &str, settings: Settings) -> Result<Self, Failure> {
        let address = Address::parse(url)?;
        // Another server that is redirected to may speak TLS as well.
        let tls = (address.is_tls || settings.follow).then(|| tls::config(settings.ca_file.as_deref()));
        let credentials = settings.login.headers()?;
        Ok(Self { address, credentials, tls: tls.transpose()?, settings: Arc::new(settings) })
    }

    /// Begins a request. The path begins with `/`; names in it come from [`segment`].
    pub(crate) fn request(&self, method: Method, path: impl Into<String>) -> Request<'_> {
        Request::new(self, method, path.into())
    }

    /// Begins a `GET`.
    pub(crate) fn get(&self, path: impl Into<String>) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// Begins a `POST`.
    pub(crate) fn post(&self, path: impl Into<String>) -> Request<'_> {
        self.request(Method::POST, path)
    }
}

/// A name as one segment of a path.
pub(crate) fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, request::UNRESERVED).to_string()
}

impl Login {
    fn headers(&self) -> Result<HeaderMap, Failure> {
        let (name, value) = match self {
            Self::Nobody => return Ok(HeaderMap::new()),
            Self::Basic { user, password } => {
                let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
                (AUTHORIZATION, format!("Basic {pair}"))
            }
            Self::Bearer(token) => (AUTHORIZATION, format!("Bearer {token}")),
            Self::Key(key) => (API_KEY, key.clone()),
        };
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| Failure::usage("the key or token holds characters that no header may hold"))?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(name, value)]))
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Basic { .. } => "Basic",
            Self::Key(_) => "Key",
            Self::Bearer(_) => "Bearer",
        })
    }
}
