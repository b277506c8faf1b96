//! What happened, one line an event, and one number that stands for all of it.

use std::io::Write;

use node::Instant;
use wire::Endpoint;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::MachineId;

/// What the lines of a trace mean.
pub const LEGEND: &str = "\
# time in microseconds, then what happened, to which machine
#   > M FROM TO LEN HASH   machine M sends LEN bytes, which have this hash
#   < M FROM LEN HASH      a datagram arrives at machine M, and it acts on it
#   x M FROM LEN HASH      a datagram arrives at machine M while nothing runs there
#   t M                    a timer of machine M runs out
#   c M WHAT               machine M's disk has ended a commit: durable, or refused
#   ! TEXT                 something else that happens in the world
";

/// Follows a world. Two worlds with the same hash had the same events with the same bytes.
pub struct Trace {
    hash: u64,
    events: u64,
    sink: Option<Box<dyn Write>>,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self { hash: 0, events: 0, sink: None }
    }

    /// From now on writes a line for each event, after the legend. Lines that cannot be written are lost.
    pub fn write_to(&mut self, mut sink: Box<dyn Write>) {
        let _ = sink.write_all(LEGEND.as_bytes());
        self.sink = Some(sink);
    }

    /// Stands for all that has happened so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.events
    }

    fn fold(&mut self, at: Instant, kind: u8, machine: MachineId, bytes: &[u8]) -> u64 {
        let mut head = [kind; 13];
        head[1..9].copy_from_slice(&at.as_micros().to_le_bytes());
        head[9..].copy_from_slice(&machine.0.to_le_bytes());
        let hash = xxh3_64_with_seed(bytes, 0);
        self.hash = xxh3_64_with_seed(&head, self.hash ^ hash);
        self.events += 1;
        hash
    }

    pub(super) fn sent(
        &mut self,
        at: Instant,
        machine: MachineId,
        from: Endpoint,
        to: Endpoint,
        bytes: &[u8],
    ) {
        let hash = self.fold(at, b'>', machine, bytes);
        if let Some(sink) = &mut self.sink {
            let (us, m, len) = (at.as_micros(), machine.0, bytes.len());
            let _ = writeln!(sink, "{us} > {m} {from} {to} {len} {hash:016x}");
        }
    }

    pub(super) fn arrived(
        &mut self,
        at: Instant,
        machine: MachineId,
        from: Endpoint,
        heard: bool,
        bytes: &[u8],
    ) {
        let kind = if heard { b'<' } else { b'x' };
        let hash = self.fold(at, kind, machine, bytes);
        if let Some(sink) = &mut self.sink {
            let (us, kind, len) = (at.as_micros(), char::from(kind), bytes.len());
            let _ = writeln!(sink, "{us} {kind} {} {from} {len} {hash:016x}", machine.0);
        }
    }

    pub(super) fn ticked(&mut self, at: Instant, machine: MachineId) {
        self.fold(at, b't', machine, &[]);
        if let Some(sink) = &mut self.sink {
            let _ = writeln!(sink, "{} t {}", at.as_micros(), machine.0);
        }
    }

    pub(super) fn committed(&mut self, at: Instant, machine: MachineId, durable: bool) {
        self.fold(at, b'c', machine, &[u8::from(durable)]);
        if let Some(sink) = &mut self.sink {
            let what = if durable { "durable" } else { "refused" };
            let _ = writeln!(sink, "{} c {} {what}", at.as_micros(), machine.0);
        }
    }

    /// Something that no other kind of line tells.
    pub fn note(&mut self, at: Instant, text: &str) {
        self.fold(at, b'!', MachineId(u32::MAX), text.as_bytes());
        if let Some(sink) = &mut self.sink {
            let _ = writeln!(sink, "{} ! {text}", at.as_micros());
        }
    }
}
