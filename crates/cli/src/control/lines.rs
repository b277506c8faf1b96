//! JSON values over a Unix socket, one a line.

use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::Value;
use tokio::net::UnixStream;
use zeroize::Zeroizing;

/// Longest line, in bytes: a key of 1,024 bytes takes up to six times that in JSON.
const LINE_BYTES: usize = 16 * 1024;

/// JSON values over a socket, one a line. What was read is wiped: it may hold what can sign.
pub struct Lines {
    stream: UnixStream,
    buffer: Zeroizing<Vec<u8>>,
}

impl Lines {
    /// Begins a conversation with whoever listens there.
    pub async fn connect(path: &Path) -> io::Result<Self> {
        Ok(Self::new(UnixStream::connect(path).await?))
    }

    /// Goes on with one that was begun by another.
    pub fn new(stream: UnixStream) -> Self {
        // Reserved at once: a buffer that grows leaves copies behind.
        Self { stream, buffer: Zeroizing::new(Vec::with_capacity(LINE_BYTES)) }
    }

    /// The next line; `None` where nothing more comes.
    pub async fn next(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = Zeroizing::new(self.buffer[..end].to_vec());
                self.buffer.drain(..=end);
                return Ok(Some(line));
            }
            let room = LINE_BYTES - self.buffer.len();
            if room == 0 {
                let what = format!("a line is longer than {LINE_BYTES} bytes");
                return Err(io::Error::new(ErrorKind::InvalidData, what));
            }
            self.stream.readable().await?;
            let mut chunk = Zeroizing::new([0; 1024]);
            let chunk_room = room.min(chunk.len());
            match self.stream.try_read(&mut chunk[..chunk_room]) {
                Ok(0) => return Ok(None),
                Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => {}
                Err(cause) => return Err(cause),
            }
        }
    }

    /// Sends a value.
    pub async fn send(&self, value: &Value) -> io::Result<()> {
        // As long as what is taken, so that no copy of what can sign is left behind.
        let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES));
        serde_json::to_writer(&mut *line, value)?;
        line.push(b'\n');
        let mut rest = &line[..];
        while !rest.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(rest) {
                Ok(length) => rest = &rest[length..],
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(())
    }

    /// Who is at the other end, by the system's word.
    pub fn user(&self) -> io::Result<u32> {
        Ok(self.stream.peer_cred()?.uid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn lines_come_as_they_were_sent_and_endless_ones_are_refused() {
        let (one, other) = UnixStream::pair().unwrap();
        let (sender, mut receiver) = (Lines::new(one), Lines::new(other));
        for value in [json!({"kept": {}}), json!({ "key": "k".repeat(LINE_BYTES - 100) })] {
            sender.send(&value).await.unwrap();
            let line = receiver.next().await.unwrap().unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), value);
        }
        let endless = async { sender.send(&json!("x".repeat(LINE_BYTES))).await };
        let (_, refused) = tokio::join!(endless, receiver.next());
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidData);
        drop(receiver);
        assert!(sender.send(&json!("x".repeat(LINE_BYTES))).await.is_err());
    }
}
