//! Being asked to leave: SIGINT (Ctrl-C) and SIGTERM.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Failure, Kind};

/// Waits until somebody asks the program to leave.
#[derive(Debug)]
pub struct Leave {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
}

impl Leave {
    /// From here on the signals no longer end the program by themselves.
    pub fn heed() -> Result<Self, Failure> {
        let cannot = |cause: io::Error| {
            Failure::new(Kind::Environment, format!("cannot wait for signals: {cause}"))
        };
        Self::register().map_err(cannot)
    }

    #[cfg(unix)]
    fn register() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    fn register() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits.
    #[cfg(unix)]
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits.
    #[cfg(not(unix))]
    pub async fn asked(&mut self) {
        // Without a signal to wait for, only the system ends the program.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
