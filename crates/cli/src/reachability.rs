//! In plain words: where others see a node, and what a NAT between them does and does not allow.

use std::net::SocketAddr;

use xorbit::{Endpoint, Scope};

/// What can be said once others agree on where they see us; `own` are the addresses that we tell.
pub fn told(external: Endpoint, own: &[SocketAddr]) -> Vec<String> {
    let seen = SocketAddr::from(external);
    let first = format!("others see this node at {seen}");
    if own.contains(&seen) {
        return vec![format!("{first}, its own address: nothing stands between")];
    }
    let Some(own) = own.iter().find(|own| own.is_ipv4() == seen.is_ipv4()) else {
        return vec![first];
    };
    // Seen by nodes on this very machine, which need no address that others could use.
    if external.scope() == Scope::Loopback {
        return vec![format!("nodes on this machine see this node at {seen}")];
    }
    if own.ip() == seen.ip() {
        return vec![
            format!("{first}, though it listens on port {}: its port is translated", own.port()),
            behind(),
            opening(seen.port(), own),
        ];
    }
    vec![
        format!("{first}, and its own address is {own}: a NAT stands between"),
        behind(),
        opening(own.port(), own),
    ]
}

fn behind() -> String {
    "  from behind it this node can put, get and look up, and answers nodes that it asked \
     lately; others cannot reach it, nor join through it from outside"
        .to_owned()
}

fn opening(port: u16, own: &SocketAddr) -> String {
    format!("  to be reached by all, forward UDP port {port} of the NAT to {own}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(external: &str, own: &str) -> String {
        let external: SocketAddr = external.parse().unwrap();
        told(external.into(), &[own.parse().unwrap()]).join("\n")
    }

    #[test]
    fn an_address_of_ones_own_has_no_nat_before_it() {
        let told = told_of("192.168.1.5:8000", "192.168.1.5:8000");
        assert!(told.contains("nothing stands between") && !told.contains("NAT"), "{told}");
    }

    #[test]
    fn behind_a_nat_it_is_told_what_works_what_does_not_and_what_to_do() {
        let told = told_of("203.0.113.9:41000", "192.168.1.5:8000");
        for part in [
            "at 203.0.113.9:41000",
            "its own address is 192.168.1.5:8000: a NAT",
            "can put, get and look up",
            "cannot reach it",
            "forward UDP port 8000 of the NAT to 192.168.1.5:8000",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }

    #[test]
    fn neighbours_on_the_same_machine_are_no_nat() {
        let told = told_of("127.0.0.1:8000", "192.168.1.5:8000");
        assert!(!told.contains("NAT"), "{told}");
    }

    #[test]
    fn a_translated_port_is_told_apart_from_a_translated_address() {
        let told = told_of("203.0.113.9:41000", "203.0.113.9:8000");
        assert!(told.contains("its port is translated"), "{told}");
    }
}
