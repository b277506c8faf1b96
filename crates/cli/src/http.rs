//! Where a node serves HTTP, and to whom.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use gateway::{Gateway, ListenError, Listener, Network, Opened, Settings, Site, Token};
use xorbit::Node;

use crate::connection::NetworkArgs;
use crate::failure::{Failure, Kind};
use crate::namespace::read_short;
use crate::secret;
use crate::talk;

/// Where to serve HTTP, and what callers must show.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// Serve HTTP there, or `off` [default: 127.0.0.1:8080, or the next port that is free]
    #[arg(long, value_name = "off|ADDR:PORT", env = "XORBIT_HTTP", hide_env_values = true)]
    http: Option<Place>,
    /// Callers must show the token in this file; beyond loopback they always must
    #[arg(long, value_name = "FILE", env = "XORBIT_HTTP_TOKEN_FILE", hide_env_values = true)]
    http_token_file: Option<PathBuf>,
    /// Let strangers use these without the token, at a bounded rate: `pkarr` (the relay), `items` (raw
    /// ones)
    #[arg(
        long,
        value_name = "pkarr|items",
        value_delimiter = ',',
        env = "XORBIT_HTTP_OPEN",
        hide_env_values = true
    )]
    http_open: Vec<Opened>,
    /// Let pages of these sites call, such as `https://app.example`; `*`: any page, but only what is open
    /// or asks for the token
    #[arg(
        long,
        value_name = "ORIGIN|*",
        value_delimiter = ',',
        env = "XORBIT_HTTP_CORS",
        hide_env_values = true
    )]
    http_cors: Vec<Site>,
}

/// What was said of HTTP.
#[derive(Clone, Copy, Debug)]
enum Place {
    Off,
    At(SocketAddr),
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Place::Off),
            _ => text.parse().map(Place::At).map_err(|_| "neither `off` nor ADDR:PORT"),
        }
    }
}

/// A place to serve at, taken before the node starts.
pub struct Opening {
    listener: Listener,
    token: Option<Token>,
    opened: Vec<Opened>,
    sites: Vec<Site>,
}

impl HttpArgs {
    /// Takes the place to serve at; `None` if it is off, or if nothing was said and no port is free.
    pub async fn listen(&self) -> Result<Option<Opening>, Failure> {
        let token = self.http_token_file.as_deref().map(read_token).transpose()?;
        let listener = match self.http {
            Some(Place::Off) => return Ok(None),
            Some(Place::At(address)) => {
                Listener::at(address, token.as_ref()).await.map_err(failure)?
            }
            None => match Listener::on_loopback().await {
                Ok(listener) => listener,
                Err(cause) => {
                    talk::say(format_args!("no HTTP: {cause}"));
                    return Ok(None);
                }
            },
        };
        let (opened, sites) = (self.http_open.clone(), self.http_cors.clone());
        Ok(Some(Opening { listener, token, opened, sites }))
    }
}

impl Opening {
    /// Serves for this node, which is on this network, and perhaps was told to join others.
    pub fn serve(self, node: &Node, network: &NetworkArgs, joins: bool) -> Gateway {
        let joins = joins || network.public;
        let network = match network.public {
            true => Network::Public,
            false => Network::Own {
                name: network.network.clone(),
                sealed: network.network_key.is_some(),
            },
        };
        let Self { listener, token, opened, sites } = self;
        let settings = Settings { node: node.clone(), network, joins, token, opened, sites };
        Gateway::start(listener, settings)
    }
}

fn failure(error: ListenError) -> Failure {
    let hint = match &error {
        ListenError::Bind { .. } => {
            "take another port with `--http ADDR:PORT`, any free one with port 0, or none with \
             `--http off`"
        }
        ListenError::Open(_) => {
            "let callers show a token, `--http-token-file FILE`, or stay on loopback, such as \
             `--http 127.0.0.1:8080`"
        }
    };
    Failure::new(Kind::Usage, error.to_string()).hint(hint)
}

/// Reads the token that callers must show.
fn read_token(file: &Path) -> Result<Token, Failure> {
    let failure = |what: String| {
        Failure::new(Kind::Environment, what).hint(
            "a token is 16 letters or more in one line, such as `openssl rand -hex 32` prints",
        )
    };
    let text = File::open(file)
        .and_then(|open| {
            secret::warn_if_others_can_read(&open, &file.display().to_string());
            read_short(&open)
        })
        .map_err(|cause| failure(format!("cannot read `{}`: {cause}", file.display())))?;
    // What stands there is secret, so it is not shown.
    Token::new(&text).map_err(|why| failure(format!("`{}`: {why}", file.display())))
}
