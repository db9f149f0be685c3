//! Networks: `"10.0.0.0/8"`, `"::1"`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::{UnitError, text_unit};

/// A network, or a single address: `"10.0.0.0/8"`, `"192.168.1.7"`, `"2001:db8::/32"`.
///
/// ```
/// use dgate_core::units::Network;
/// let network: Network = "10.0.0.0/8".parse().unwrap();
/// assert!(network.get().contains(&"10.1.2.3".parse::<std::net::IpAddr>().unwrap()));
/// assert_eq!("10.0.0.7".parse::<Network>().unwrap().to_string(), "10.0.0.7");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// The network itself; an address is one of its own.
    pub const fn get(self) -> IpNet {
        self.0
    }
}

impl From<IpNet> for Network {
    fn from(network: IpNet) -> Self {
        Self(network)
    }
}

impl FromStr for Network {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse().ok().or_else(address).map(Self).ok_or_else(|| UnitError {
            text: text.to_owned(),
            expected: "a network such as \"10.0.0.0/8\", or an address",
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

text_unit!(
    Network,
    "network",
    "a network such as \"10.0.0.0/8\", or an address",
    r"^[0-9a-fA-F.:]+(/[0-9]+)?$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in ["10.0.0.0/8", "10.0.0.7", "::1", "2001:db8::/32", "0.0.0.0/0"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        for text in ["", "10.0.0.0/33", "10.0.0", "example.com", "::1/129", "/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
