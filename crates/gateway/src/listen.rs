//! Where the gateway listens: on loopback, the first free port from 8080 on, unless told otherwise.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::token::Token;

/// The first port that is tried where none is given.
pub const DEFAULT_HTTP_PORT: u16 = 8080;

/// How many ports are tried.
const PORTS: u16 = 100;

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    pub(crate) socket: TcpListener,
    address: SocketAddr,
}

/// Why the gateway cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken, or not this machine's.
    #[error("cannot serve HTTP on `{address}`: {cause}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// Beyond loopback everybody could ask.
    #[error("HTTP on `{0}` without a token: others could reach it")]
    Open(SocketAddr),
}

impl Listener {
    /// On `127.0.0.1`, the first free port from [`DEFAULT_HTTP_PORT`] on.
    ///
    /// # Errors
    /// [`ListenError::Bind`] if none of a hundred is free.
    pub async fn on_loopback() -> Result<Self, ListenError> {
        let mut port = DEFAULT_HTTP_PORT;
        loop {
            let bound = Self::bind((Ipv4Addr::LOCALHOST, port).into()).await;
            let taken = matches!(&bound, Err(ListenError::Bind { cause, .. })
                if cause.kind() == io::ErrorKind::AddrInUse);
            port += 1;
            if !taken || port == DEFAULT_HTTP_PORT + PORTS {
                return bound;
            }
        }
    }

    /// On this address. Beyond loopback only if callers must show a token.
    ///
    /// # Errors
    /// [`ListenError`], which names the address.
    pub async fn at(address: SocketAddr, token: Option<&Token>) -> Result<Self, ListenError> {
        if !address.ip().is_loopback() && token.is_none() {
            return Err(ListenError::Open(address));
        }
        Self::bind(address).await
    }

    async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let bind = async {
            let socket = TcpListener::bind(address).await?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        };
        bind.await.map_err(|cause| ListenError::Bind { address, cause })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_gateway_takes_another_port_and_an_explicit_one_that_is_taken_is_an_error() {
        let first = Listener::on_loopback().await.unwrap();
        let second = Listener::on_loopback().await.unwrap();
        assert_ne!(first.address(), second.address());
        let taken = Listener::at(first.address(), None).await.unwrap_err();
        assert!(taken.to_string().contains(&format!("`{}`", first.address())), "{taken}");
    }

    #[tokio::test]
    async fn beyond_loopback_it_listens_only_with_a_token() {
        let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let refused = Listener::at(everywhere, None).await;
        assert!(matches!(refused, Err(ListenError::Open(address)) if address == everywhere));
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(Listener::at(everywhere, Some(&token)).await.is_ok());
    }
}
