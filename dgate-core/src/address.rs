//! Which network addresses are on the public Internet.

use std::net::{IpAddr, Ipv4Addr};

/// Whether an address is not on the public Internet: private, loopback, link-local and the like, also where an IPv6
/// address stands for an IPv4 one.
///
/// ```
/// use dgate_core::address::is_private;
/// assert!(is_private("169.254.169.254".parse().unwrap()));
/// assert!(!is_private("1.1.1.1".parse().unwrap()));
/// ```
pub fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => {
            let bits = ip.to_bits();
            let is_in = |network: u128, length: u32| (bits >> (128 - length)) == network;
            let embedded = |shift: u32| Ipv4Addr::from((bits >> shift) as u32);
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast()
                // Site-local, discard-only, documentation, NAT64 for local use.
                || is_in(0xfec0 >> 6, 10)
                || is_in(0x0100_0000_0000_0000, 64)
                || is_in(0x2001_0db8, 32)
                || is_in(0x0064_ff9b_0001, 48)
                // IPv4-compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
                || (is_in(0, 96) && is_private_v4(embedded(0)))
                || (is_in(0x0064_ff9b << 64, 96) && is_private_v4(embedded(0)))
                || (is_in(0x2002, 16) && is_private_v4(embedded(80)))
        }
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_disguise() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.1",
            "198.18.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "fec0::1",
            "2001:db8::1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
