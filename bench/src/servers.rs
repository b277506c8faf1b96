//! The servers that are loaded: the floor, our node, and a libtorrent node.

use std::env;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::children::Running;
use crate::failure::Failure;

/// How long a server may take to say its address, or a table to fill.
const PATIENCE: Duration = Duration::from_secs(60);
/// Enough that each reply can name eight contacts.
const NEIGHBOURS: usize = 24;
/// Where the scripts stand that run foreign implementations.
const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// A server, ready to be asked.
pub struct Server {
    /// Its name in the table.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddrV4,
    process: Running,
    _neighbours: Option<Running>,
}

impl Server {
    /// The floor.
    pub fn floor() -> Result<Self, Failure> {
        let mut command = this_program()?;
        command.args(["floor", "--listen", "127.0.0.1:0"]);
        let (process, address) = Running::start(&mut command, PATIENCE, address_in)?;
        Ok(Self { name: "floor", address, process, _neighbours: None })
    }

    /// Our node with its neighbours.
    pub fn node(arguments: &[String]) -> Result<Self, Failure> {
        let mut command = Command::new(node_program()?);
        command.args(["node", "--listen", "127.0.0.1:0"]).args(arguments);
        Self::with_neighbours("xorbit", &mut command)
    }

    /// A libtorrent node with its neighbours.
    pub fn libtorrent() -> Result<Self, Failure> {
        Self::with_neighbours("libtorrent", &mut peer_script("libtorrent_node.py")?)
    }

    /// The process whose CPU time counts.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    fn with_neighbours(name: &'static str, command: &mut Command) -> Result<Self, Failure> {
        let (process, address) = Running::start(command, PATIENCE, address_in)?;
        let mut command = this_program()?;
        command.args(["neighbours", "--join", &address.to_string()]);
        command.args(["--count", &NEIGHBOURS.to_string()]);
        let ready = |line: &str| line.contains("ready").then_some(());
        let (neighbours, ()) = Running::start(&mut command, PATIENCE, ready)?;
        Ok(Self { name, address, process, _neighbours: Some(neighbours) })
    }
}

/// This very program, to be started as one of its parts.
pub fn this_program() -> Result<Command, Failure> {
    env::current_exe()
        .map(Command::new)
        .map_err(|error| Failure::system("cannot find this program", error))
}

/// A script under `peers/`, with the Python that has its library.
pub fn peer_script(name: &str) -> Result<Command, Failure> {
    let python = env::var_os("XORBIT_INTEROP_PYTHON").ok_or_else(|| {
        Failure::new(
            "`XORBIT_INTEROP_PYTHON` is not set",
            "set it to a Python whose `pip install libtorrent==2.1.1` succeeded",
        )
    })?;
    let mut command = Command::new(python);
    // No compiled copies beside the sources.
    command.arg("-B").arg(format!("{PEERS}/{name}"));
    Ok(command)
}

/// The program under test.
pub fn node_program() -> Result<PathBuf, Failure> {
    if let Some(path) = env::var_os("XORBIT_BIN") {
        return Ok(path.into());
    }
    let beside = env::current_exe().ok().map(|path| path.with_file_name("xorbit"));
    let built = PathBuf::from("target/release/xorbit");
    let mut places = beside.into_iter().chain([built]);
    places.find(|path| path.is_file()).ok_or_else(|| {
        Failure::new(
            "no program `xorbit` beside this one or in `target/release`",
            "run `cargo build --release --package xorbit-cli`, or set `XORBIT_BIN`",
        )
    })
}

/// The first loopback address in a line.
pub fn address_in(line: &str) -> Option<SocketAddrV4> {
    let start = line.find("127.0.0.1:")?;
    let text = &line[start..];
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != ':');
    text[..end.unwrap_or(text.len())].trim_end_matches(['.', ':']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn an_address_is_found_in_any_sentence() {
        let found = |line| address_in(line).map(|address| address.port());
        assert_eq!(found("floor listening on 127.0.0.1:4242"), Some(4242));
        assert_eq!(found("udp://127.0.0.1:4242/ is ready"), Some(4242));
        assert_eq!(found("ready at 127.0.0.1:4242."), Some(4242));
        assert_eq!(found("ready at 10.0.0.1:4242"), None);
        assert_eq!(found("127.0.0.1:"), None);
    }
}
