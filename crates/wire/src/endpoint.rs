//! Where a node can be reached: an IP address and a UDP port, in 18 bytes for both families.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An address family. Mainline is two networks, one for each (BEP 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both, in the order in which tables and node lists keep them.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];
}

/// How far an address reaches, which decides what rules it is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Reachable from anywhere.
    Global,
    /// Of a local network, a carrier's shared range, or a unique local IPv6 range.
    Private,
    /// This machine.
    Loopback,
    /// Nothing that a datagram can be sent to: port 0, unspecified, multicast, broadcast, reserved,
    /// or an IPv6 link-local address, which means nothing without its interface.
    Martian,
}

/// The network that an address lies in, by which diversity is counted: /24 for IPv4, /64 for IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(u64);

/// An IP address and a UDP port. IPv4 is kept in its IPv4-mapped form, so that a contact costs the
/// same few bytes in both families.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    ip: [u8; 16],
    port: u16,
}

const V4_MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

impl Endpoint {
    /// An IPv4 endpoint.
    pub fn v4(ip: [u8; 4], port: u16) -> Self {
        let mut mapped = [0; 16];
        mapped[..12].copy_from_slice(&V4_MAPPED);
        mapped[12..].copy_from_slice(&ip);
        Self { ip: mapped, port }
    }

    /// An IPv6 endpoint; an IPv4-mapped address counts as IPv4.
    pub fn v6(ip: [u8; 16], port: u16) -> Self {
        Self { ip, port }
    }

    /// The UDP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same address with another port.
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The family of the address.
    #[inline]
    pub fn family(&self) -> Family {
        if self.ip[..12] == V4_MAPPED { Family::V4 } else { Family::V6 }
    }

    /// The address in network byte order: 4 or 16 bytes.
    #[inline]
    pub fn ip_bytes(&self) -> &[u8] {
        match self.family() {
            Family::V4 => &self.ip[12..],
            Family::V6 => &self.ip,
        }
    }

    /// The address.
    pub fn ip(&self) -> IpAddr {
        match self.family() {
            Family::V4 => {
                IpAddr::V4(Ipv4Addr::new(self.ip[12], self.ip[13], self.ip[14], self.ip[15]))
            }
            Family::V6 => IpAddr::V6(Ipv6Addr::from(self.ip)),
        }
    }

    /// The network that the address lies in.
    #[inline]
    pub fn prefix(&self) -> Prefix {
        let mut bytes = [0; 8];
        match self.family() {
            // 0xffff in front keeps the two families apart: no unicast IPv6 address begins so.
            Family::V4 => bytes = [0xff, 0xff, 0, 0, 0, self.ip[12], self.ip[13], self.ip[14]],
            Family::V6 => bytes.copy_from_slice(&self.ip[..8]),
        }
        Prefix(u64::from_be_bytes(bytes))
    }

    /// How far the address reaches.
    pub fn scope(&self) -> Scope {
        if self.port == 0 {
            return Scope::Martian;
        }
        match self.ip() {
            IpAddr::V4(ip) => scope_v4(ip),
            IpAddr::V6(ip) => scope_v6(ip),
        }
    }
}

fn scope_v4(ip: Ipv4Addr) -> Scope {
    let [a, b, ..] = ip.octets();
    if ip.is_loopback() {
        Scope::Loopback
    } else if ip.is_private() || ip.is_link_local() || (a == 100 && (64..128).contains(&b)) {
        Scope::Private
    } else if a == 0 || a >= 224 {
        Scope::Martian
    } else {
        Scope::Global
    }
}

fn scope_v6(ip: Ipv6Addr) -> Scope {
    let first = ip.segments()[0];
    if ip.is_loopback() {
        Scope::Loopback
    } else if first & 0xfe00 == 0xfc00 {
        Scope::Private
    } else if ip.is_unspecified() || ip.is_multicast() || first & 0xffc0 == 0xfe80 {
        Scope::Martian
    } else {
        Scope::Global
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        match address.ip() {
            IpAddr::V4(ip) => Self::v4(ip.octets(), address.port()),
            IpAddr::V6(ip) => Self::v6(ip.octets(), address.port()),
        }
    }
}

impl From<Endpoint> for SocketAddr {
    fn from(endpoint: Endpoint) -> Self {
        SocketAddr::new(endpoint.ip(), endpoint.port)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse::<SocketAddr>().unwrap().into()
    }

    #[test]
    fn each_range_has_its_scope() {
        for (text, scope) in [
            ("127.0.0.1:1", Scope::Loopback),
            ("[::1]:1", Scope::Loopback),
            ("10.1.2.3:1", Scope::Private),
            ("172.16.0.1:1", Scope::Private),
            ("192.168.0.1:1", Scope::Private),
            ("169.254.1.1:1", Scope::Private),
            ("100.64.0.1:1", Scope::Private),
            ("[fd00::1]:1", Scope::Private),
            ("0.0.0.0:1", Scope::Martian),
            ("224.0.0.1:1", Scope::Martian),
            ("255.255.255.255:1", Scope::Martian),
            ("8.8.8.8:0", Scope::Martian),
            ("[::]:1", Scope::Martian),
            ("[fe80::1]:1", Scope::Martian),
            ("[ff02::1]:1", Scope::Martian),
            ("8.8.8.8:1", Scope::Global),
            ("[2001:db8::1]:1", Scope::Global),
        ] {
            assert_eq!(endpoint(text).scope(), scope, "{text}");
        }
    }

    #[test]
    fn prefixes_are_24_and_64_bits_and_never_mix_families() {
        assert_eq!(endpoint("1.2.3.4:1").prefix(), endpoint("1.2.3.200:9").prefix());
        assert_ne!(endpoint("1.2.3.4:1").prefix(), endpoint("1.2.4.4:1").prefix());
        assert_eq!(endpoint("[2001:db8::1]:1").prefix(), endpoint("[2001:db8::2:1]:1").prefix());
        assert_ne!(endpoint("[2001:db8::1]:1").prefix(), endpoint("[2001:db8:0:1::1]:1").prefix());
    }
}
