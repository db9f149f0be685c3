//! The DGate server: the gateway with a configuration file, listeners, threads, signals and probes around it.
//!
//! The program `dgate-server` is [`cli::main`]. Whoever wants the whole server inside of a program of their own starts a
//! [`Server`] from a [`config::Loaded`]; whoever only wants to proxy embeds `dgate-proxy`.
//!
//! ```
//! use dgate_server::{Server, config};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = "
//! proxy: {host: 127.0.0.1, port: 0}
//! admin: {port: 0}
//! storage: {type: memory}
//! access_log: {format: off}
//! ";
//! let server = Server::start(config::load_text(text, "example.yaml")?).await?;
//! let (name, address) = server.addresses().next().ok_or("nothing listens")?;
//! assert_eq!(name, "proxy-http");
//! assert_ne!(address.port(), 0);
//! server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Features
//! - `mimalloc` (default): the program uses that allocator. The library does not choose one.

mod access_log;
mod admin;
pub mod cli;
mod commands;
pub mod config;
mod dev;
mod exporter;
#[cfg(unix)]
mod handover;
mod listeners;
mod modules;
mod process;
mod readiness;
mod reload;
mod server;
mod signals;
mod small_http;
mod sockets;
mod storage;
mod system;
mod systemd;
mod telemetry;
mod test_server;
mod trials;
mod watch;
mod workers;

pub use listeners::ListenError;
pub use server::{ReloadError, Reloaded, Server, StartError};
