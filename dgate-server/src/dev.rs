//! Everything needed to try things, without a file.

use clap::Args;

use crate::config::{LoadError, Loaded, load_text};

/// The ports that the development server uses.
#[derive(Debug, Clone, Args)]
pub(crate) struct DevPorts {
    /// The port of the proxy.
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,
    /// The port of the admin listener.
    #[arg(long, default_value_t = 9080, value_parser = clap::value_parser!(u16).range(1..))]
    admin_port: u16,
    /// The port of the echo upstream.
    #[arg(long, default_value_t = 8888, value_parser = clap::value_parser!(u16).range(1..))]
    echo_port: u16,
}

/// What a file for these ports would say.
const TEXT: &str = include_str!("dev/config.yaml");

impl DevPorts {
    /// The development server's configuration.
    pub(crate) fn load(&self) -> Result<Loaded, LoadError> {
        let text = [("PROXY", self.port), ("ADMIN", self.admin_port), ("ECHO", self.echo_port)]
            .into_iter()
            .fold(TEXT.to_owned(), |text, (name, port)| {
                text.replace(&format!("{name}_PORT"), &port.to_string())
            });
        load_text(&text, "the development configuration")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_valid_and_local() {
        let ports = DevPorts { port: 1, admin_port: 2, echo_port: 3 };
        let config = ports.load().unwrap().config;
        assert!(config.proxy.host.is_loopback() && config.admin.host.is_loopback());
        assert_eq!((config.proxy.port, config.admin.port), (1, 2));
        let test_server = config.test_server.unwrap();
        assert!(test_server.host.is_loopback());
        assert_eq!(test_server.port, 3);
        assert_eq!(config.proxy.init_resources.services[0].urls[0].url, "http://127.0.0.1:3");
    }
}
