//! The address by which this machine reaches others, without sending anything.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use wire::Family;

/// The local address that a datagram to a far place would leave from; `None` without a route.
/// Connecting a UDP socket asks the kernel's routing table and sends nothing.
pub fn outbound_address(family: Family) -> Option<IpAddr> {
    // Addresses set aside for documentation, so that nobody's is named here (RFC 5737, RFC 3849).
    let (any, far): (&str, &str) = match family {
        Family::V4 => ("0.0.0.0:0", "192.0.2.1:9"),
        Family::V6 => ("[::]:0", "[2001:db8::1]:9"),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(far).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}

/// The address to tell others for one that is listened on: itself, or the outbound one if it
/// stands for all of the machine's.
pub fn advertised(listening: SocketAddr) -> SocketAddr {
    if !listening.ip().is_unspecified() {
        return listening;
    }
    let family = if listening.is_ipv4() { Family::V4 } else { Family::V6 };
    match outbound_address(family) {
        Some(ip) => SocketAddr::new(ip, listening.port()),
        None => listening,
    }
}
