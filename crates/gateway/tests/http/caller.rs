//! A caller that speaks HTTP by hand, so that it can also say what no client would.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xorbit::Node;
use xorbit_gateway::{Gateway, Listener, Network, Opened, Settings, Token};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head, body: bytes[end + 4..].to_vec() })
    }
}

/// A gateway of a node, without a token.
pub async fn gateway(node: &Node, joins: bool) -> Gateway {
    guarded(node, joins, None).await
}

/// A gateway of a node.
pub async fn guarded(node: &Node, joins: bool, token: Option<Token>) -> Gateway {
    opened(node, joins, token, &[], &[]).await
}

/// A gateway of a node that is open to strangers and to sites.
pub async fn opened(
    node: &Node,
    joins: bool,
    token: Option<Token>,
    opened: &[Opened],
    sites: &[&str],
) -> Gateway {
    let listener = Listener::at("127.0.0.1:0".parse().expect("an address"), None).await;
    let sites = sites.iter().map(|site| site.parse().expect("a site")).collect();
    let network = Network::Own { name: "xorbit".to_owned(), sealed: false };
    let settings =
        Settings { node: node.clone(), network, joins, token, opened: opened.to_vec(), sites };
    Gateway::start(listener.expect("a free port"), settings)
}

/// Sends a request with these header lines and body, and reads the answer to its end.
pub async fn ask(to: &Gateway, what: &str, headers: &[&str], body: &[u8]) -> Answer {
    let host = format!("Host: {}", to.address());
    let own_host = headers.iter().any(|header| header.to_ascii_lowercase().starts_with("host:"));
    let mut request = format!("{what} HTTP/1.1\r\nConnection: close\r\n");
    for header in headers.iter().copied().chain((!own_host).then_some(host.as_str())) {
        request.push_str(header);
        request.push_str("\r\n");
    }
    if !body.is_empty() || what.starts_with("PUT") {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    let answer = raw(to.address(), &[request.as_bytes(), body].concat()).await;
    Answer::read(&answer).unwrap_or_else(|| panic!("{what}: {}", String::from_utf8_lossy(&answer)))
}

/// Sends bytes as they are, and reads all that comes back.
pub async fn raw(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let talk = async {
        let mut stream = TcpStream::connect(to).await.expect("it listens");
        // Whoever does not like what comes first may hang up before the last.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("an answer");
    answer
}

/// Events as they come.
pub struct Events {
    stream: TcpStream,
    heard: String,
}

impl Events {
    pub async fn of(to: &Gateway, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(to.address()).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", to.address());
        stream.write_all(request.as_bytes()).await.expect("it listens");
        Self { stream, heard: String::new() }
    }

    /// Waits until so much was heard, and gives all that was.
    pub async fn until(&mut self, what: &str) -> &str {
        let listen = async {
            while !self.heard.contains(what) {
                let mut piece = [0; 4096];
                let length = self.stream.read(&mut piece).await.expect("it goes on");
                assert!(length > 0, "it ended before {what}: {}", self.heard);
                self.heard.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        };
        let listened = tokio::time::timeout(PATIENCE, listen).await;
        assert!(listened.is_ok(), "no {what} in {}", self.heard);
        &self.heard
    }
}
