//! From `HOST:PORT` to addresses.

use std::net::SocketAddr;

use wire::{Endpoint, Family};

/// Whether a text has the form `HOST:PORT`, with a port from 1 on.
pub fn is_host_and_port(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((host, port)) => !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0),
        None => false,
    }
}

/// All addresses behind these names, of families that can be sent to. Names that do not resolve
/// are left out: they may do so later.
pub async fn resolve(names: &[String], families: &[Family]) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for name in names {
        let Ok(addresses) = tokio::net::lookup_host(name).await else { continue };
        for endpoint in addresses.map(|address: SocketAddr| Endpoint::from(address)) {
            if families.contains(&endpoint.family()) && !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
    }
    endpoints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_need_a_port() {
        for good in ["127.0.0.1:8000", "[::1]:8000", "node.example:1"] {
            assert!(is_host_and_port(good), "{good}");
        }
        for bad in ["127.0.0.1", "host:", ":80", "host:0", "host:99999", "host:x"] {
            assert!(!is_host_and_port(bad), "{bad}");
        }
    }
}
