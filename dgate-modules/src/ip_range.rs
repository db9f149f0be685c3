//! Addresses and ranges of them.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::thrown::Thrown;

/// Whether an address is in a range, or is that address.
///
/// # Errors
/// When either is none.
pub(crate) fn contains(range: &str, ip: &str) -> Result<bool, Thrown> {
    let bad = |text: &str| Thrown::typ(format!("`{text}` is no address or range"));
    let address: IpAddr = ip.parse().map_err(|_| bad(ip))?;
    match range.parse::<IpNet>() {
        Ok(net) => Ok(net.contains(&address.to_canonical())),
        Err(_) => Ok(range.parse::<IpAddr>().map_err(|_| bad(range))? == address),
    }
}
