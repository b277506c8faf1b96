//! The key file of a sealed network: one line, `network-key` and 64 hexadecimal digits.

use std::path::Path;

use xorbit::NetworkKey;

use crate::failure::{Failure, Kind};
use crate::hex;
use crate::namespace;

/// Begins the line, so that nobody takes it for the key of a namespace.
const MARK: &str = "network-key ";

/// The line for this secret.
pub fn line(secret: &[u8; 32]) -> String {
    format!("{MARK}{}", hex::encode(secret))
}

/// Whether this is the content of a network's key file, well formed or not.
pub fn is_one(text: &str) -> bool {
    text.trim_start().starts_with(MARK.trim_end())
}

/// Reads a key file. What stands there may be secret, so it is never shown.
pub fn read(file: &Path) -> Result<NetworkKey, Failure> {
    let shown = file.display();
    let failure = |what: String| {
        Failure::new(Kind::Environment, what)
            .hint("make one with `xorbit keygen --network FILE`, once for the whole network")
    };
    let text = namespace::read_short(file)
        .map_err(|cause| failure(format!("cannot read the network key `{shown}`: {cause}")))?;
    let text = text.trim();
    let digits = text.strip_prefix(MARK).map(str::trim_start);
    match digits.map(hex::decode::<32>) {
        Some(Some(secret)) => Ok(NetworkKey::from_secret(secret)),
        _ if text.is_empty() => Err(failure(format!("the network key `{shown}` is empty"))),
        None if hex::decode::<32>(text).is_some() => Err(Failure::new(
            Kind::Environment,
            format!("`{shown}` is the key of a namespace, not of a network"),
        )
        .hint(
            "give it with `--signer FILE`; make a network key with `xorbit keygen --network FILE`",
        )),
        _ => Err(failure(format!(
            "`{shown}` is no network key: not `network-key` and 64 hexadecimal digits"
        ))),
    }
}
