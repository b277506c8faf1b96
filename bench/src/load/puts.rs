//! Puts: a token for each item beforehand, since nodes may bind a token to its target.

use std::time::Duration;

use super::flights::{FLIGHTS, Traffic, fly};
use super::items::Item;
use super::lookups::{check_id, targeted};
use super::{Kind, Server};
use crate::failure::Failure;
use crate::krpc::{self, Id, Response};

/// The floor reads no token, but its datagrams must be as long as a node's.
const MADE_UP: &[u8] = b"8 bytes.";
/// Tokens live five minutes at least; the puts need some of them.
const GATHERING: Duration = Duration::from_secs(120);

/// Puts that are ready to be sent.
pub struct Puts {
    queries: Vec<Vec<u8>>,
    sent: usize,
    any_answer_will_do: bool,
}

impl Puts {
    /// Asks for the tokens of all items and writes the puts.
    pub fn prepare(server: Server, items: &[Item]) -> Result<Self, Failure> {
        let queries = if server.is_floor {
            items.iter().map(|item| item.put(MADE_UP)).collect()
        } else {
            let tokens = gather(server, items)?;
            items.iter().zip(tokens).map(|(item, token)| item.put(&token)).collect()
        };
        Ok(Self { queries, sent: 0, any_answer_will_do: server.is_floor })
    }
}

impl Traffic for Puts {
    fn ask(&mut self, _flight: usize, tid: [u8; 4], query: &mut Vec<u8>) -> bool {
        let Some(next) = self.queries.get_mut(self.sent) else {
            return false;
        };
        self.sent += 1;
        krpc::stamp(next, tid);
        query.clear();
        query.extend_from_slice(next);
        true
    }

    fn landed(&mut self, _flight: usize, response: &Response<'_>) -> Result<(), String> {
        if self.any_answer_will_do {
            return Ok(());
        }
        check_id(response)
    }
}

fn gather(server: Server, items: &[Item]) -> Result<Vec<Vec<u8>>, Failure> {
    let (query, target_at) = targeted("get", "target");
    let mut gathering = Gathering {
        items,
        tokens: vec![None; items.len()],
        asked: 0,
        again: Vec::new(),
        aims: [0; FLIGHTS],
        query,
        target_at,
    };
    let tally = fly(server.address, &mut gathering, GATHERING, None)?;
    tally.check(Kind::Get, server)?;
    let tokens: Option<Vec<_>> = gathering.tokens.into_iter().collect();
    tokens.ok_or_else(|| {
        Failure::new(
            format!("`{}` did not give {} tokens in {GATHERING:?}", server.address, items.len()),
            "ask for fewer with `--items`",
        )
    })
}

struct Gathering<'a> {
    items: &'a [Item],
    tokens: Vec<Option<Vec<u8>>>,
    asked: usize,
    again: Vec<usize>,
    aims: [usize; FLIGHTS],
    query: Vec<u8>,
    target_at: Option<usize>,
}

impl Traffic for Gathering<'_> {
    fn ask(&mut self, flight: usize, tid: [u8; 4], query: &mut Vec<u8>) -> bool {
        let aim = match self.again.pop() {
            Some(lost) => lost,
            None if self.asked == self.items.len() => return false,
            None => {
                self.asked += 1;
                self.asked - 1
            }
        };
        self.aims[flight] = aim;
        query.clear();
        query.extend_from_slice(&self.query);
        if let Some(at) = self.target_at {
            query[at..at + size_of::<Id>()].copy_from_slice(&self.items[aim].target);
        }
        krpc::stamp(query, tid);
        true
    }

    fn landed(&mut self, flight: usize, response: &Response<'_>) -> Result<(), String> {
        let token = response.token.ok_or("no token")?;
        self.tokens[self.aims[flight]] = Some(token.to_vec());
        Ok(())
    }

    fn lost(&mut self, flight: usize) {
        self.again.push(self.aims[flight]);
    }
}
