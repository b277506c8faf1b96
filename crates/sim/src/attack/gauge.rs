//! A machine that only counts what reaches it: the victim of a reflection.

use wire::Endpoint;

use super::{Attack, Hand, Tally};

/// Counts what reaches it.
#[derive(Default)]
pub struct Gauge(Tally);

impl Attack for Gauge {
    fn begin(&mut self, _: &mut Hand<'_>) {}

    fn datagram(&mut self, _: &mut Hand<'_>, _: Endpoint, _: Endpoint, bytes: &[u8]) {
        self.0.heard += 1;
        self.0.heard_bytes += bytes.len() as u64;
    }

    fn wake(&mut self, _: &mut Hand<'_>) {}

    fn tally(&self) -> Tally {
        self.0
    }
}
