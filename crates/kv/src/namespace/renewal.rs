//! The item of a record that is to live on, signed again and in a secret namespace sealed again.

use node::UnixMillis;
use wire::Item;

use super::Namespace;
use crate::cipher::{Binding, Nonce};
use crate::record::{Envelope, with_expiry};
use crate::report::PutError;
use crate::version::Version;

impl Namespace {
    /// The same value under another version and expiry, all else byte for byte. `None` if the item
    /// is plain or does not open here. The nonce must never be used again.
    ///
    /// # Errors
    /// If the namespace cannot be written, or what is new does not fit.
    pub(crate) fn renew(
        &self,
        item: &Item,
        version: Version,
        expires: UnixMillis,
        nonce: &Nonce,
    ) -> Result<Option<Item>, PutError> {
        let (signer, seq) = (self.signer()?, version.seq());
        // Only what reads here: to rewrite what stands around a foreign seal would break it.
        let (Ok(_), Some(signed)) = (self.read(item), item.as_ref().signed().copied()) else {
            return Ok(None);
        };
        let Some(mut value) = with_expiry(item.value(), expires) else { return Ok(None) };
        if let Some(secret) = &self.secret {
            let (Some(before), Some(after)) =
                (Envelope::find(item.value()), Envelope::find(&value))
            else {
                return Ok(None);
            };
            let Ok(inside) = self.opened(secret, item, &before) else { return Ok(None) };
            let (salt, outside) = (signed.salt, after.outside());
            let binding = Binding { owner: &self.owner, salt, seq, outside: &outside };
            let sealed = secret.cipher.seal(&binding, &inside, nonce);
            value = after.with(&sealed).encode();
        }
        Ok(Some(Item::mutable(signer, signed.salt, seq, &value)?))
    }
}
