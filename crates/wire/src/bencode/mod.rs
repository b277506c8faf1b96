//! Bencode, read without copying and written into a buffer that the caller owns.
//!
//! Numbers and lengths must be canonical everywhere (`i-0e` and `02:hi` are refused). The order of
//! dictionary keys is checked only where a hash or signature depends on it, by
//! [`check_canonical`]: some nodes send the outer dictionaries of their messages unsorted.

mod canonical;
mod read;
mod write;

pub use canonical::check_canonical;
pub use read::{Dictionary, Malformed, Reader};
pub use write::Writer;
