//! The lives of machines: their nodes start, with what their disks give back, and end in every way.

use std::time::Duration;

use kv::Request;
use wire::{Contact, Endpoint};

use super::{Actor, Disk, Input, MachineId, World};
use crate::attack::Attack;
use crate::chance::Chance;

impl World {
    /// Starts the node of a machine, with what its disk gives back, and lets it join through the world's
    /// doors and the contacts that it remembers. `false`: something runs there already, or the machine is
    /// gone for good. A disk that cannot be read is replaced by an empty one.
    pub fn start(&mut self, id: MachineId) -> bool {
        let now = self.now_at(id);
        let machine = &mut self.machines[id.index()];
        if machine.is_up() || machine.gone {
            return false;
        }
        machine.life += 1;
        let life = u64::from(machine.life) << 32 | u64::from(id.0);
        let seed = Chance::of_one(self.seed, "node", life).bytes();
        let config = machine.config.clone();
        let started = match &mut machine.disk {
            Some(disk) => disk.start(config.clone(), seed, now).or_else(|| {
                // The store says which disk cannot be read, and its owner gets another one.
                self.trace.note(self.now, &format!("machine {} gets an empty disk", id.0));
                disk.replace();
                disk.start(config, seed, now)
            }),
            None => Some((kv::Kv::new(config, seed, now), 0)),
        };
        let Some((kv, taken)) = started else { return false };
        machine.actor = Actor::Node(Box::new(kv));
        let input = Input::Start(taken);
        self.begin(id, &input);
        self.settle(id, &input);
        let machine = &self.machines[id.index()];
        let remembered = machine.remembered.iter().map(|known| known.endpoint);
        let own = machine.places;
        let mut doors: Vec<Endpoint> = self.doors.iter().copied().chain(remembered).collect();
        doors.retain(|door| !own.contains(&Some(*door)));
        if !doors.is_empty() {
            self.request(id, Request::Join(doors));
        }
        true
    }

    /// Lets an attacker act on a machine.
    pub fn start_attack(&mut self, id: MachineId, attack: Box<dyn Attack>) {
        let machine = &mut self.machines[id.index()];
        machine.life += 1;
        machine.actor = Actor::Attacker(attack);
        self.attacker(id, |attack, hand| attack.begin(hand));
    }

    /// Ends the process of a machine without a word; the machine's power stays on.
    pub fn kill(&mut self, id: MachineId) {
        self.end(id, Disk::end_process);
    }

    /// Ends a machine as a power cut does.
    pub fn cut_power(&mut self, id: MachineId) {
        self.end(id, Disk::lose_power);
    }

    fn end(&mut self, id: MachineId, disk: impl FnOnce(&mut Disk)) {
        let moment = self.moment(id);
        let machine = &mut self.machines[id.index()];
        if !machine.is_up() {
            return;
        }
        for observer in &mut self.observers {
            observer.ended(moment, machine, &mut self.violations);
        }
        if let Some(kv) = machine.kv() {
            machine.remembered = known_to(kv);
        }
        machine.actor = Actor::Nobody;
        machine.life += 1;
        machine.wake_at = None;
        machine.paused_until = self.now;
        machine.leaving = false;
        machine.ended_at = Some(self.now);
        match &mut machine.disk {
            Some(kept) => disk(kept),
            None => machine.lost_at = Some(self.now),
        }
        if machine.gone {
            machine.disk = None;
        }
        self.trace.note(self.now, &format!("machine {} ends", id.0));
    }

    /// Lets the node of a machine tell its neighbours that it goes. Its owner ends it then.
    pub fn say_goodbye(&mut self, id: MachineId) {
        let input = Input::Goodbye;
        self.begin(id, &input);
        let (now, outbox) = (self.now_at(id), &mut self.outbox);
        if let Some(kv) = self.machines[id.index()].kv_mut() {
            kv.say_goodbye(now, outbox);
        }
        self.settle(id, &input);
    }

    /// Lets the node of a machine hand over what it holds, say goodbye, and end.
    pub fn leave(&mut self, id: MachineId) {
        let machine = &mut self.machines[id.index()];
        if machine.kv().is_some() && !machine.leaving {
            machine.leaving = true;
            self.request(id, Request::Leave { within: None });
        }
    }

    /// It has handed over what it could.
    pub(super) fn depart(&mut self, id: MachineId, life: u32) {
        if self.machines[id.index()].life == life {
            self.say_goodbye(id);
            self.kill(id);
        }
    }

    /// Whatever ends on a machine from now on, nothing starts on it again.
    pub fn give_up(&mut self, id: MachineId) {
        let machine = &mut self.machines[id.index()];
        machine.gone = true;
        if !machine.is_up() {
            machine.disk = None;
        }
    }

    /// Lets a machine do nothing for so long; what arrives meanwhile waits.
    pub fn pause(&mut self, id: MachineId, span: Duration) {
        let until = self.now + span;
        let machine = &mut self.machines[id.index()];
        machine.paused_until = machine.paused_until.max(until);
    }

    /// Sets the wall clock of a machine forward, or back.
    pub fn set_clock(&mut self, id: MachineId, by_ms: i64) {
        let moment = self.moment(id);
        let machine = &mut self.machines[id.index()];
        machine.clock.jump(by_ms);
        machine.lost_at = Some(self.now);
        for observer in &mut self.observers {
            observer.clock_set(moment, machine, by_ms);
        }
    }
}

/// Contacts that a node's data directory would remember.
fn known_to(kv: &kv::Kv) -> Vec<Contact> {
    /// As many as the house's own driver writes.
    const REMEMBERED: usize = 200;
    let mut known = kv.node().good_contacts();
    known.truncate(REMEMBERED);
    known
}
