//! Queries in flight: eight sockets with eight each, and a new one for every one that lands.

use std::array;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::MsgFlags;

use crate::LOOPBACK;
use crate::datagrams::{Receiver, Sender};
use crate::failure::Failure;
use crate::krpc::{self, Body, Response};

/// Sockets, so that a server sees more than one asker.
const LANES: usize = 8;
const PER_LANE: usize = 8;
/// All queries in flight.
pub const FLIGHTS: usize = LANES * PER_LANE;

/// After this time a reply is lost and another query takes its place.
const PATIENCE: Duration = Duration::from_millis(500);
/// Time between two looks for what is due.
const PACED_LOOK: Duration = Duration::from_millis(1);
/// Time between two looks for lost replies.
const SWEEP: Duration = Duration::from_millis(50);

/// What is asked and what must come back.
pub trait Traffic {
    /// Writes the next query of a flight, or returns false if there is nothing left to ask. The run ends when nothing is
    /// in flight any more.
    fn ask(&mut self, flight: usize, tid: [u8; 4], query: &mut Vec<u8>) -> bool;

    /// Checks the answer to the flight's query; an error tells what is wrong with it.
    fn landed(&mut self, flight: usize, response: &Response<'_>) -> Result<(), String>;

    /// Hears that the flight's query was lost.
    fn lost(&mut self, _flight: usize) {}
}

/// What came of it.
#[derive(Default)]
pub struct Tally {
    /// Answers that were as they must be.
    pub replies: u64,
    /// Time from query to answer, in nanoseconds.
    pub latencies: Vec<u32>,
    /// Time from the first query to the last answer.
    pub elapsed: Duration,
    /// Queries that had no answer in time.
    pub lost: u64,
    /// How many of them were lost after the last answer.
    pub silence: u64,
    /// Answers to no query in flight.
    pub late: u64,
    /// Queries of the server's own, which get no answer.
    pub asked_back: u64,
    /// KRPC errors.
    pub refused: u64,
    /// The first of them.
    pub first_refusal: Option<String>,
    /// Answers that were wrong.
    pub mistaken: u64,
    /// What was wrong with the first of them.
    pub first_mistake: Option<String>,
}

/// Asks for a while, then waits for what is still in flight. With a pace one query is due each such time, and its
/// answer is timed from then, whenever it could be sent.
pub fn fly(
    to: SocketAddrV4,
    traffic: &mut impl Traffic,
    time: Duration,
    pace: Option<Duration>,
) -> Result<Tally, Failure> {
    let refused = |error| Failure::system(format!("no socket towards `{to}`"), error);
    let mut sockets = Vec::with_capacity(LANES);
    for _ in 0..LANES {
        let socket = UdpSocket::bind(LOOPBACK).map_err(refused)?;
        socket.connect(to).map_err(refused)?;
        sockets.push(socket);
    }
    let start = Instant::now();
    let mut field = Field {
        traffic,
        lanes: sockets.iter().map(|socket| Lane::new(socket.as_raw_fd())).collect(),
        receiver: Receiver::new(),
        tally: Tally::default(),
        start,
        until: start + time,
        pace,
        due: start,
        is_exhausted: false,
        in_flight: 0,
        generation: 0,
    };
    field.run(&sockets).map_err(|error| match error {
        Errno::ECONNREFUSED => {
            Failure::new(format!("nobody listens at `{to}`"), "is the node still running?")
        }
        error => Failure::system(format!("the load on `{to}` broke off"), error),
    })?;
    Ok(field.tally)
}

struct Field<'a, T> {
    traffic: &'a mut T,
    lanes: Vec<Lane>,
    receiver: Receiver<PER_LANE>,
    tally: Tally,
    start: Instant,
    until: Instant,
    pace: Option<Duration>,
    /// When the next query is due, if they are paced.
    due: Instant,
    /// There is nothing left to ask.
    is_exhausted: bool,
    in_flight: usize,
    generation: u32,
}

struct Lane {
    socket: RawFd,
    sender: Sender<PER_LANE>,
    flights: [Flight; PER_LANE],
}

#[derive(Clone, Copy)]
struct Flight {
    tid: u32,
    sent: Option<Instant>,
}

impl<T: Traffic> Field<'_, T> {
    fn run(&mut self, sockets: &[UdpSocket]) -> nix::Result<()> {
        let mut waiting: [PollFd<'_>; LANES] =
            array::from_fn(|lane| PollFd::new(sockets[lane].as_fd(), PollFlags::POLLIN));
        let mut next_sweep = self.start + SWEEP;
        let look_every = if self.pace.is_some() { PACED_LOOK } else { SWEEP };
        self.fill_all()?;
        while (self.in_flight > 0 || self.has_more_due()) && !self.tally.is_silent() {
            let ready = poll(&mut waiting, PollTimeout::from(look_every.as_millis() as u16))?;
            for (lane, waiting) in waiting.iter().enumerate() {
                if ready > 0 && waiting.any() == Some(true) {
                    self.collect(lane)?;
                    self.fill(lane)?;
                }
            }
            let now = Instant::now();
            if now >= next_sweep {
                next_sweep = now + SWEEP;
                self.give_up_the_lost(now);
                self.fill_all()?;
            } else if self.pace.is_some() {
                self.fill_all()?;
            }
        }
        Ok(())
    }

    fn has_more_due(&self) -> bool {
        self.pace.is_some() && !self.is_exhausted && Instant::now() < self.until
    }

    fn fill_all(&mut self) -> nix::Result<()> {
        (0..LANES).try_for_each(|lane| self.fill(lane))
    }

    fn fill(&mut self, lane: usize) -> nix::Result<()> {
        let now = Instant::now();
        if now >= self.until {
            return Ok(());
        }
        let Lane { socket, sender, flights } = &mut self.lanes[lane];
        for (place, flight) in flights.iter_mut().enumerate() {
            if flight.sent.is_some() {
                continue;
            }
            if self.pace.is_some() && self.due > now {
                break;
            }
            let number = lane * PER_LANE + place;
            self.generation = self.generation.wrapping_add(FLIGHTS as u32);
            let tid = self.generation | number as u32;
            if !self.traffic.ask(number, tid.to_be_bytes(), sender.next(None)) {
                sender.take_back();
                self.is_exhausted = true;
                break;
            }
            let at = if self.pace.is_some() { self.due } else { now };
            self.due += self.pace.unwrap_or_default();
            *flight = Flight { tid, sent: Some(at) };
            self.in_flight += 1;
        }
        sender.send(*socket)
    }

    fn collect(&mut self, lane: usize) -> nix::Result<()> {
        let Lane { socket, flights, .. } = &mut self.lanes[lane];
        let (traffic, tally) = (&mut *self.traffic, &mut self.tally);
        let (start, in_flight) = (self.start, &mut self.in_flight);
        // One stamp for the batch: it was waiting together.
        let mut stamp = None;
        let received = self.receiver.receive(*socket, MsgFlags::MSG_DONTWAIT, |datagram, _| {
            let now = *stamp.get_or_insert_with(Instant::now);
            let Some(message) = krpc::read(datagram) else {
                tally.mistake(|| format!("no KRPC: `{}`", datagram.escape_ascii()));
                return;
            };
            if let Body::Query(..) = message.body {
                tally.asked_back += 1;
                return;
            }
            let Some((number, flight)) = flight_of(message.tid, flights) else {
                tally.late += 1;
                return;
            };
            let Some(sent) = flight.sent.take() else {
                tally.late += 1;
                return;
            };
            *in_flight -= 1;
            match message.body {
                Body::Response(response) => match traffic.landed(number, &response) {
                    Ok(()) => tally.reply(now - sent, now - start),
                    Err(mistake) => tally.mistake(|| mistake),
                },
                Body::Error(code, text) => tally.refusal(code, text),
                Body::Query(..) => {}
            }
        });
        match received {
            Err(Errno::EAGAIN) => Ok(()),
            other => other,
        }
    }

    fn give_up_the_lost(&mut self, now: Instant) {
        let flights = self.lanes.iter_mut().flat_map(|lane| &mut lane.flights);
        for (number, flight) in flights.enumerate() {
            if flight.sent.is_some_and(|sent| now - sent > PATIENCE) {
                flight.sent = None;
                self.in_flight -= 1;
                self.tally.lost += 1;
                self.tally.silence += 1;
                self.traffic.lost(number);
            }
        }
    }
}

/// The low bits of a transaction id are the flight's number; the high bits tell old queries from new ones.
fn flight_of<'f>(
    tid: &[u8],
    flights: &'f mut [Flight; PER_LANE],
) -> Option<(usize, &'f mut Flight)> {
    let tid = u32::from_be_bytes(tid.try_into().ok()?);
    let number = tid as usize % FLIGHTS;
    let flight = &mut flights[number % PER_LANE];
    (flight.tid == tid).then_some((number, flight))
}

impl Lane {
    fn new(socket: RawFd) -> Self {
        Self {
            socket,
            sender: Sender::new(&[]),
            flights: [Flight { tid: 0, sent: None }; PER_LANE],
        }
    }
}

impl Tally {
    /// Whether the server has stopped answering: all queries in flight were lost together.
    pub fn is_silent(&self) -> bool {
        self.silence >= FLIGHTS as u64
    }

    fn reply(&mut self, latency: Duration, elapsed: Duration) {
        self.replies += 1;
        self.silence = 0;
        self.elapsed = elapsed;
        self.latencies.push(u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX));
    }

    fn mistake(&mut self, what: impl FnOnce() -> String) {
        self.mistaken += 1;
        self.first_mistake.get_or_insert_with(what);
    }

    fn refusal(&mut self, code: i64, text: &[u8]) {
        self.refused += 1;
        self.first_refusal.get_or_insert_with(|| format!("error {code} `{}`", text.escape_ascii()));
    }
}
