//! The nodes: seven that others join through, and the one that is loaded.

use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::children::Running;
use crate::failure::Failure;
use crate::servers::{address_in, node_program};

/// Nodes beside the one that is loaded: together they are as many as hold each key.
pub const OTHERS: usize = 7;

/// How long a node may take to say its address, or to know the others.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks whether it does.
const PAUSE: Duration = Duration::from_millis(50);

/// Seven nodes. They end with it.
pub struct Network {
    door: SocketAddrV4,
    _nodes: Vec<Running>,
}

/// The node that is loaded.
pub struct Gateway {
    process: Running,
    /// Where it serves HTTP.
    pub address: SocketAddrV4,
}

impl Network {
    /// Starts them.
    pub fn start() -> Result<Self, Failure> {
        let (first, door) = Running::start(&mut node(None, "off")?, PATIENCE, address_in)?;
        let mut nodes = vec![first];
        for _ in 1..OTHERS {
            let (node, _) = Running::start(&mut node(Some(door), "off")?, PATIENCE, address_in)?;
            nodes.push(node);
        }
        Ok(Self { door, _nodes: nodes })
    }

    /// Through whom others join.
    pub fn door(&self) -> SocketAddrV4 {
        self.door
    }

    /// Lets one more node join, which serves HTTP and knows all others.
    pub fn gateway(&self) -> Result<Gateway, Failure> {
        let mut command = node(Some(self.door), "127.0.0.1:0")?;
        let (process, address) = Running::start(command.arg("--json"), PATIENCE, |line| {
            let told: Value = serde_json::from_str(line).ok()?;
            told["http"].as_str()?.strip_prefix("http://")?.strip_suffix('/')?.parse().ok()
        })?;
        let gateway = Gateway { process, address };
        let end = Instant::now() + PATIENCE;
        while gateway.contacts()? < OTHERS as u64 {
            if Instant::now() > end {
                return Err(Failure::new("the node does not come to know the others", "try again"));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(gateway)
    }
}

impl Gateway {
    /// The process whose CPU counts.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Puts so many keys, with values of so many bytes.
    pub fn fill(&self, keys: usize, bytes: usize) -> Result<(), Failure> {
        for key in 0..keys {
            self.ask(&format!("PUT /v1/kv/key-{key}"), &vec![b'v'; bytes])?;
        }
        Ok(())
    }

    fn contacts(&self) -> Result<u64, Failure> {
        let told: Value =
            serde_json::from_slice(&self.ask("GET /v1/node", b"")?).unwrap_or_default();
        Ok(told["contacts_v4"].as_u64().unwrap_or(0))
    }

    /// The body of an answer of the status 200.
    fn ask(&self, what: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed = |error| Failure::system(format_args!("cannot ask the node for {what}"), error);
        let head = format!(
            "{what} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).map_err(failed)?;
        stream.write_all(&[head.as_bytes(), body].concat()).map_err(failed)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(failed)?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        match end {
            Some(end) if answer.starts_with(b"HTTP/1.1 200 ") => Ok(answer.split_off(end + 4)),
            _ => Err(Failure::new(
                format!("{what}: {}", String::from_utf8_lossy(&answer)),
                "the node's own words are above",
            )),
        }
    }
}

fn node(join: Option<SocketAddrV4>, http: &str) -> Result<Command, Failure> {
    let mut command = Command::new(node_program()?);
    command.args(["node", "--listen", "127.0.0.1:0", "--http", http]);
    if let Some(door) = join {
        command.args(["--join", &door.to_string()]);
    }
    // What a node says of itself while it runs is not what is measured.
    command.stderr(std::process::Stdio::null());
    Ok(command)
}
