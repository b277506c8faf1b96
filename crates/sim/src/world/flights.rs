//! Datagrams on their way: sent, carried by the network, and heard or not.

use wire::Endpoint;

use super::{Actor, Input, MachineId, Next, World};
use crate::network::Way;

/// Datagrams that wait at a machine that is paused, as in a socket's buffer; more are lost.
const WAITING: u32 = 512;

/// Buffers of datagrams that have landed and are kept for others; more would stay for ever behind a time
/// when everybody spoke at once.
const BUFFERS: usize = 1 << 14;

/// A datagram on its way.
pub(super) struct Flight {
    pub from: Endpoint,
    pub to: Endpoint,
    pub bytes: Vec<u8>,
}

impl World {
    pub(super) fn send(&mut self, id: MachineId, from: Endpoint, to: Endpoint, bytes: &[u8]) {
        let moment = self.moment(id);
        for observer in &mut self.observers {
            observer.sent(moment, from, to, bytes);
        }
        self.trace.sent(self.now, id, from, to, bytes);
        let from_site = self.at(&from).map_or(self.machines[id.index()].site, |(_, site)| site);
        let Some(from) = self.let_out(id, from, to) else { return };
        let Some((receiver, to_site)) = self.at(&to) else { return };
        let slow = self.machines[id.index()].slowness + self.machines[receiver.index()].slowness;
        let way = Way { at: self.now, from: id, to: receiver, from_site, to_site };
        for copy in self.network.carry(&way, bytes).drain(..) {
            let at = self.now + copy.delay + slow;
            let sent = copy.spoiled.as_deref().unwrap_or(bytes);
            let flight = match self.landed.pop() {
                Some(slot) => {
                    let flight = &mut self.flights[slot as usize];
                    (flight.from, flight.to) = (from, to);
                    flight.bytes.clear();
                    flight.bytes.extend_from_slice(sent);
                    slot
                }
                None => {
                    self.flights.push(Flight { from, to, bytes: sent.to_vec() });
                    self.flights.len() as u32 - 1
                }
            };
            self.queue.push(at.as_micros(), Next::Arrive(flight));
        }
    }

    pub(super) fn arrive(&mut self, slot: u32) {
        let flight = &mut self.flights[slot as usize];
        let (from, to) = (flight.from, flight.to);
        let bytes = std::mem::take(&mut flight.bytes);
        let to = self.let_in(from, to);
        match to.and_then(|to| Some((self.places.get(&to)?.0, to))) {
            Some((id, to)) if self.machines[id.index()].paused_until > self.now => {
                // The box has let it in already.
                self.flights[slot as usize].to = to;
                self.wait(id, slot, bytes);
                return;
            }
            Some((id, to)) => self.hear(id, to, from, &bytes),
            None => {}
        }
        if (slot as usize) < BUFFERS {
            self.flights[slot as usize].bytes = bytes;
        }
        self.landed.push(slot);
    }

    /// A datagram waits for the end of a pause, if there is room.
    fn wait(&mut self, id: MachineId, slot: u32, bytes: Vec<u8>) {
        let machine = &mut self.machines[id.index()];
        self.flights[slot as usize].bytes = bytes;
        if machine.waiting < WAITING {
            machine.waiting += 1;
            self.queue.push(machine.paused_until.as_micros(), Next::Arrive(slot));
        } else {
            self.landed.push(slot);
        }
    }

    fn hear(&mut self, id: MachineId, at: Endpoint, from: Endpoint, bytes: &[u8]) {
        let now = self.now;
        let machine = &mut self.machines[id.index()];
        machine.waiting = 0;
        self.trace.arrived(now, id, from, machine.is_up(), bytes);
        let local = machine.clock.now(now);
        match &mut machine.actor {
            Actor::Nobody => {}
            Actor::Attacker(_) => {
                self.attacker(id, |attack, hand| attack.datagram(hand, at, from, bytes));
            }
            Actor::Node(_) => {
                self.delivered += 1;
                let input = Input::Datagram(from, bytes);
                self.begin(id, &input);
                if let Some(kv) = self.machines[id.index()].kv_mut() {
                    kv.datagram(local, from, bytes, &mut self.outbox);
                }
                self.settle(id, &input);
            }
        }
    }
}
