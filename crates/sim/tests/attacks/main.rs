//! What attacks come to: shares of lookups and of gets that are right in spite of them.

mod curves;
mod stories;
