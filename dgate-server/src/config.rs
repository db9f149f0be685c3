//! The configuration file: found, read, understood, and explained when it cannot be.

mod authentication;
mod files;
mod load;
mod model;
mod not_yet;
mod origin;
mod report;
mod schema;
mod search;
mod settings;

pub(crate) use authentication::authentication;
pub use load::{LoadError, Loaded, Source, load, load_file, load_text};
pub use model::{
    AccessLog, AccessLogFormat, Admin, AdminTls, AuthMethod, BasicAuth, Canary, Changelog, ClientTransport,
    Config, InitResources, JwtAuth, Key, KeyAuth, Limits, LogFormat, LogLevel, MinTls, ModulePool, Modules,
    Proxy, ProxyTls, Runtime, RuntimeFlavor, Shutdown, Storage, StorageType, TestServer, User, Version,
};
pub use origin::show;
pub use report::render;
pub use schema::schema;
pub use search::{FoundAt, find};
pub use settings::proxy_settings;
