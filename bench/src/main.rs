//! Benchmarks of Xorbit on real sockets, each beside what it is compared with.
//!
//! `serve` loads one node with queries, in turn with the barest responder that this machine can run (`floor`) and, on
//! request, with a libtorrent node. `network` puts and gets on 50 nodes in one process, libtorrent's and our own.
//! `values` moves large values and batches of small ones, `seal` tells what a network's seal costs, `store` makes items
//! durable, both without sockets; `restart` starts a node whose data directory is full; `http` loads a node's gateway with
//! wrk. Only `network/ours.rs`, `values.rs`, `batch.rs`, `seal.rs`, `store`, `restart.rs` and `http/library.rs` depend on
//! the code under test.

mod args;
mod batch;
mod chance;
mod children;
mod cpu;
mod datagrams;
mod failure;
mod floor;
mod http;
mod krpc;
mod load;
mod neighbours;
mod network;
mod quantiles;
mod restart;
mod sample;
mod seal;
mod serve;
mod servers;
mod store;
mod table;
mod values;
mod verification;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;

use args::Args;
use failure::Failure;

/// Any free port of this machine, where every part listens unless told otherwise.
const LOOPBACK: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

const USAGE: &str = "\
Usage: xorbit-bench COMMAND

  serve [--seconds 5] [--rounds 3] [--kinds ping,put,...] [--peers] [--peers-only] [--items N] [--mutable-items N]
        [--json] [-- NODE ARGUMENTS...]
      Load a node and the floor in turn with each kind of query; print speed, latency and CPU per reply.
  network [--keys 1000] [--nodes 50] [--json]
      Put and get items on a network of nodes in one process: libtorrent's and our own.
  restart [--items 1000000] [--rounds 5] [--directory DIR] [--json]
      Start a node whose data directory is full, until it serves. DIR is filled if it is not there, and kept.
  values [--bytes 16777216] [--nodes 16] [--keys 10000] [--batch-nodes 50] [--json]
      Put and get one large value on a network of nodes in one process, by the program as a process of its own; then many
      small ones, as a batch and one at a time.
  store [--rounds 3] [--items 1000000] [--directory target/bench-store] [--json]
      Make items durable, alone and by the million; open them again.
  http [--seconds 5] [--rounds 3] [--keys 1000] [--bytes 100] [--connections 64] [--threads 1] [--only OPERATION] [--json]
      Load a node among eight over HTTP with wrk; print speed, latency and CPU per request, beside the library's alone.
      OPERATION is get-first, get-quorum or put.
  seal [--rounds 15]
      Let a node answer with and without a network key, in this process; print CPU per reply and per datagram.

Parts of `serve`, each a process of its own:
  floor [--listen 127.0.0.1:0]
      The barest responder: echoes the transaction id of each query.
  load --to ADDR --kind KIND [--seconds 5] [--items N] [--round 0] [--server-pid PID] [--floor]
      Keep 64 queries in flight; KIND is ping, find_node, get_peers, get, put or put_mutable.
  neighbours --join ADDR [--count 24]
      Minimal nodes that fill the routing table of the node at ADDR.

A part of `http`:
  http-library --join ADDR --operation OPERATION [--seconds 5] [--keys 1000] [--bytes 100] [--connections 64]
      The same operations by the library, on a node in this process that joins the one at ADDR.

A part of `store`:
  store-start --directory DIR
      Open the store in a directory and read all of it.

Environment:
  XORBIT_BIN              the program under test (otherwise `xorbit` beside this one, or target/release/xorbit)
  XORBIT_INTEROP_PYTHON   a Python that has libtorrent 2.1.1, for `--peers` and `network`
";

fn main() -> ExitCode {
    let mut args = Args::new(std::env::args().skip(1));
    let done = match args.command().as_deref() {
        Some("serve") => serve::run(args),
        Some("network") => network::run(args),
        Some("restart") => restart::run(args),
        Some("values") => values::run(args),
        Some("store") => store::run(args),
        Some("store-start") => store::run_start(args),
        Some("http") => http::run(args),
        Some("http-library") => http::run_library(args),
        Some("seal") => seal::run(args),
        Some("floor") => floor::run(args),
        Some("load") => load::run(args),
        Some("neighbours") => neighbours::run(args),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        Some(other) => Err(Failure::new(
            format!("no command `{other}`"),
            "`xorbit-bench help` lists the commands",
        )),
        None => Err(Failure::new("no command given", "`xorbit-bench help` lists the commands")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(2)
        }
    }
}
