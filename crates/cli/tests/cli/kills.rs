//! Nodes that are killed under load, again and again: what they acknowledged is there, at its version
//! or a higher one that was sent, and nothing that nobody sent.
//!
//! The network is one node, so its disk alone decides. `cargo xtask kills` kills more often.

mod load;
mod record;

use std::time::{Duration, Instant};

use crate::program::{Directory, Node};
use load::Client;
use record::Record;

/// So often, if the environment does not say otherwise.
const KILLS: u32 = 12;

/// Where it listens: the same again each time. On Linux an address of its own keeps other tests from
/// its port meanwhile.
const ADDRESS: &str =
    if cfg!(target_os = "linux") { "127.88.0.1:48100" } else { "127.0.0.1:48100" };

/// Chance for the tests' own use: Marsaglia's xorshift of 64 bits.
pub struct Chance(u64);

impl Chance {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % end
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// At which moment a node is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Load,
    Leave,
    Start,
}

#[test]
fn a_node_that_is_killed_again_and_again_under_load_loses_nothing() {
    let asked = std::env::var("XORBIT_KILLS").ok();
    let kills = asked.map_or(KILLS, |text| text.parse().expect("`XORBIT_KILLS` is a number"));
    let directory = Directory::new();
    let data = directory.path("data");
    let (mut chance, mut record) = (Chance(0x5eed), Record::default());
    let (mut by_moment, begun) = ([0; 3], Instant::now());
    let mut slowest = Duration::ZERO;
    for kill in 0..kills {
        let moment = [Moment::Load, Moment::Load, Moment::Start, Moment::Leave][kill as usize % 4];
        by_moment[moment as usize] += 1;
        if moment == Moment::Start {
            let span = chance.millis(0, 60);
            Node::start_and_kill(&["--listen", ADDRESS, "--data", &data], span);
            continue;
        }
        let started = Instant::now();
        let node = Node::start_with(&["--listen", ADDRESS, "--data", &data]);
        slowest = slowest.max(started.elapsed());
        let span = chance.millis(20, 250);
        Client::run(&node.address, |client| client.check_then_load(&mut record, kill, span));
        if moment == Moment::Leave {
            node.signal("TERM");
            // waits: for any moment of its leave
            std::thread::sleep(chance.millis(0, 30));
        }
        // Dropping it kills it.
        drop(node);
    }
    let node = Node::start_with(&["--listen", ADDRESS, "--data", &data]);
    Client::run(&node.address, |client| client.check_all(&mut record));
    println!(
        "{kills} kills in {:.1} s ({} under load, {} while leaving, {} while starting): \
         {} writes acknowledged, {} sent and never answered, {} keys, all as they must be; the \
         slowest start took {slowest:?}",
        begun.elapsed().as_secs_f64(),
        by_moment[Moment::Load as usize],
        by_moment[Moment::Leave as usize],
        by_moment[Moment::Start as usize],
        record.acknowledged,
        record.sent - record.acknowledged - record.refused,
        record.keys.len(),
    );
    assert!(record.acknowledged > u64::from(kills) * 10, "there was hardly any load");
}
