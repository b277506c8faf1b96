//! What Python hands over, as the library takes it.

use std::net::SocketAddr;

use pyo3::prelude::*;
use xorbit::{Builder, Consistency, InfoHash, NetworkKey, Version};

use crate::errors::usage;

/// How a node shall be, as the package gathered it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct NodeOptions {
    listen: Vec<String>,
    join: Vec<String>,
    network: String,
    network_key: Option<Vec<u8>>,
    pub public: bool,
    data_dir: Option<std::path::PathBuf>,
    replicas: Option<i128>,
    ephemeral: bool,
    bandwidth_cap_bytes_per_s: Option<i128>,
    max_value_bytes: Option<i128>,
}

impl NodeOptions {
    /// The builder of such a node.
    pub fn builder(&self) -> PyResult<Builder> {
        let mut builder = xorbit::Node::builder()
            .network(self.network.as_str())
            .public(self.public)
            .ephemeral(self.ephemeral);
        for address in &self.listen {
            builder = builder.listen(listen_address(address)?);
        }
        for door in &self.join {
            builder = builder.join(door.as_str());
        }
        if let Some(key) = &self.network_key {
            let secret: [u8; 32] = key.as_slice().try_into().map_err(|_| {
                usage(
                    &format!("a network key of {} bytes", key.len()),
                    Some(
                        "a network key has 32 bytes; a key file has them as 64 hexadecimal digits",
                    ),
                )
            })?;
            builder = builder.network_key(NetworkKey::from_secret(secret));
        }
        if let Some(directory) = &self.data_dir {
            builder = builder.data_dir(directory);
        }
        if let Some(replicas) = self.replicas {
            builder = builder.replicas(amount("replicas", replicas)?);
        }
        if let Some(cap) = self.bandwidth_cap_bytes_per_s {
            builder = builder.bandwidth_cap(amount("bandwidth_cap_bytes_per_s", cap)?);
        }
        if let Some(bytes) = self.max_value_bytes {
            builder = builder.max_value(amount("max_value_bytes", bytes)?);
        }
        Ok(builder)
    }
}

/// A number as the library counts with it.
fn amount<T: TryFrom<i128>>(name: &str, number: i128) -> PyResult<T> {
    T::try_from(number).map_err(|_| {
        usage(
            &format!("`{name}` cannot be {number}"),
            Some("give a number that is not negative, and smaller"),
        )
    })
}

fn listen_address(text: &str) -> PyResult<SocketAddr> {
    text.parse().map_err(|_| {
        usage(
            &format!("`{text}` is not ADDR:PORT"),
            Some("as `127.0.0.1:8000` or `[::1]:8000`, an IP address and a port from 0 to 65535"),
        )
    })
}

/// The version of this number.
pub fn version(number: i128) -> PyResult<Version> {
    let version = u64::try_from(number).ok().and_then(Version::new);
    version.ok_or_else(|| {
        usage(&format!("{number} is no version"), Some("a report has it in `version`"))
    })
}

/// How many replicas a get waits for.
pub fn consistency(name: &str) -> PyResult<Consistency> {
    match name {
        "first" => Ok(Consistency::First),
        "quorum" => Ok(Consistency::Quorum),
        "all" => Ok(Consistency::All),
        _ => Err(usage(
            &format!("`{name}` is no consistency"),
            Some("give \"first\", \"quorum\" or \"all\""),
        )),
    }
}

/// A topic: 40 hexadecimal digits are an info hash, any other text is hashed to one.
pub fn topic(text: &str) -> PyResult<InfoHash> {
    if text.is_empty() {
        return Err(usage("the topic is empty", Some("a topic has at least one letter")));
    }
    Ok(text.parse().unwrap_or_else(|_| InfoHash::of_topic(text)))
}

/// A port that somebody can be reached at.
pub fn port(number: i128) -> PyResult<u16> {
    u16::try_from(number).ok().filter(|port| *port > 0).ok_or_else(|| {
        usage(&format!("{number} is no port"), Some("give a number from 1 to 65535"))
    })
}
