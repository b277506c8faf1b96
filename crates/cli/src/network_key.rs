//! The key file of a sealed network: one line, `network-key` and 64 hexadecimal digits.

use std::fs::File;
use std::path::Path;

use gateway::hex;
use xorbit::NetworkKey;
use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};
use crate::namespace;
use crate::secret::warn_if_others_can_read;

/// Begins the line, so that nobody takes it for the key of a namespace or for a passphrase.
const MARK: &str = "network-key ";

/// The line for this secret.
pub fn line(secret: &[u8; 32]) -> Zeroizing<String> {
    let digits = Zeroizing::new(hex::encode(secret));
    let mut line = Zeroizing::new(String::with_capacity(MARK.len() + digits.len()));
    line.extend([MARK, &digits]);
    line
}

/// Whether this is the content of a network's key file.
pub fn is_one(content: &[u8]) -> bool {
    std::str::from_utf8(content).is_ok_and(|text| secret(text).is_some())
}

fn secret(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    hex::decode(text.trim().strip_prefix(MARK)?.trim_start()).map(Zeroizing::new)
}

/// Reads a key file. What stands there may be secret, so it is never shown.
pub fn read(file: &Path) -> Result<NetworkKey, Failure> {
    let shown = file.display();
    let failure = |what: String| {
        Failure::new(Kind::Environment, what)
            .hint("make one with `xorbit keygen --network FILE`, once for the whole network")
    };
    let text = File::open(file)
        .and_then(|open| {
            warn_if_others_can_read(&open, &shown.to_string());
            namespace::read_short(&open)
        })
        .map_err(|cause| failure(format!("cannot read the network key `{shown}`: {cause}")))?;
    if let Some(secret) = secret(&text) {
        return Ok(NetworkKey::from_secret(*secret));
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(failure(format!("the network key `{shown}` is empty")));
    }
    if hex::decode::<32>(text).is_some() {
        let what = format!("`{shown}` is the key of a namespace, not of a network");
        return Err(Failure::new(Kind::Environment, what).hint(
            "give it with `--signer FILE`; make a network key with `xorbit keygen --network FILE`",
        ));
    }
    let shape = "not `network-key` and 64 hexadecimal digits";
    Err(failure(format!("`{shown}` is no network key: {shape}")))
}
