//! Questions that leave nothing behind: ping, find_node, get_peers and get.

use super::flights::Traffic;
use super::{Kind, SENDER};
use crate::chance::Chance;
use crate::krpc::{self, Argument, CONTACT, Id, Response};

/// A reply that names fewer contacts would be cheaper than a real one.
const CONTACTS: usize = 8;

/// Random targets, asked for with the same query each time.
pub struct Lookups {
    kind: Kind,
    query: Vec<u8>,
    target_at: Option<usize>,
    chance: Chance,
    any_answer_will_do: bool,
}

impl Lookups {
    /// Lookups of one kind; the same round asks for the same targets.
    pub fn new(kind: Kind, round: u64, any_answer_will_do: bool) -> Self {
        let (method, target) = match kind {
            Kind::FindNode => ("find_node", Some("target")),
            Kind::GetPeers => ("get_peers", Some("info_hash")),
            Kind::Get => ("get", Some("target")),
            Kind::Ping | Kind::Put | Kind::PutMutable => ("ping", None),
        };
        let (query, target_at) = match target {
            None => (krpc::query(method, &[("id", Argument::Bytes(SENDER))]), None),
            Some(name) => targeted(method, name),
        };
        Self { kind, query, target_at, chance: Chance::new(round), any_answer_will_do }
    }
}

impl Traffic for Lookups {
    fn ask(&mut self, _flight: usize, tid: [u8; 4], query: &mut Vec<u8>) -> bool {
        if let Some(at) = self.target_at {
            self.chance.fill(&mut self.query[at..at + size_of::<Id>()]);
        }
        krpc::stamp(&mut self.query, tid);
        query.clear();
        query.extend_from_slice(&self.query);
        true
    }

    fn landed(&mut self, _flight: usize, response: &Response<'_>) -> Result<(), String> {
        if self.any_answer_will_do {
            return Ok(());
        }
        check_id(response)?;
        if self.kind != Kind::Ping {
            check_nodes(response)?;
        }
        match (self.kind, response.token) {
            (Kind::Get | Kind::GetPeers, None) => Err("no token".into()),
            _ => Ok(()),
        }
    }
}

/// A query with a target, and where the target stands in it.
pub fn targeted(method: &str, name: &str) -> (Vec<u8>, Option<usize>) {
    let nowhere = [0xff; size_of::<Id>()];
    let query =
        krpc::query(method, &[("id", Argument::Bytes(SENDER)), (name, Argument::Bytes(&nowhere))]);
    let at = query.windows(nowhere.len()).position(|window| window == nowhere);
    (query, at)
}

/// An answer must name who answers.
pub fn check_id(response: &Response<'_>) -> Result<(), String> {
    match response.id {
        Some(id) if id.len() == size_of::<Id>() => Ok(()),
        Some(id) => Err(format!("an id of {} bytes", id.len())),
        None => Err("no id".into()),
    }
}

fn check_nodes(response: &Response<'_>) -> Result<(), String> {
    let nodes = response.nodes.ok_or("no nodes")?;
    if nodes.len() < CONTACTS * CONTACT || !nodes.len().is_multiple_of(CONTACT) {
        return Err(format!("{} bytes of nodes, not {CONTACTS} contacts", nodes.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Kind, Lookups, Traffic};
    use crate::krpc::{self, Body, Response};

    #[test]
    fn each_query_has_a_target_of_its_own() {
        let mut lookups = Lookups::new(Kind::Get, 0, false);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        assert!(lookups.ask(0, *b"aaaa", &mut first) && lookups.ask(0, *b"bbbb", &mut second));
        let target = |query| match krpc::read(query).unwrap().body {
            Body::Query(b"get", Some(target)) => target,
            other => panic!("{other:?}"),
        };
        assert_ne!(target(&first), target(&second));
        assert_eq!(krpc::read(&second).unwrap().tid, b"bbbb");
    }

    #[test]
    fn a_reply_with_seven_contacts_is_wrong() {
        let nodes = [0; 8 * 26];
        let with = |contacts: usize| Response {
            id: Some(&nodes[..20]),
            nodes: Some(&nodes[..contacts * 26]),
            token: Some(b"token"),
        };
        let mut lookups = Lookups::new(Kind::Get, 0, false);
        assert!(lookups.landed(0, &with(8)).is_ok());
        assert!(lookups.landed(0, &with(7)).is_err());
        assert!(lookups.landed(0, &Response { token: None, ..with(8) }).is_err());
        let mut finds = Lookups::new(Kind::FindNode, 0, false);
        assert!(finds.landed(0, &Response { token: None, ..with(8) }).is_ok());
    }
}
