//! The cost of one bare Ed25519 verification, the yardstick of a mutable put.

use std::hint::black_box;
use std::time::Instant;

use ed25519_dalek::{Signature, Signer, SigningKey};

use crate::chance::Chance;
use crate::quantiles::quantile;

const SIGNATURES: usize = 3_000;
/// About what a put of a small value signs over.
const MESSAGE: usize = 100;

/// Medians in microseconds, with the public key parsed beforehand.
#[derive(Clone, Copy)]
pub struct Verification {
    /// `VerifyingKey::verify`: the yardstick, since it is the cheaper of the two.
    pub plain: f64,
    /// `VerifyingKey::verify_strict`, which refuses small-order points too.
    pub strict: f64,
}

/// Verifies many signatures, no two of them alike, in this thread.
pub fn measure(seed: u64) -> Verification {
    let mut chance = Chance::new(seed);
    let signer = SigningKey::from_bytes(&chance.bytes());
    let key = signer.verifying_key();
    let signed: Vec<([u8; MESSAGE], Signature)> = (0..SIGNATURES)
        .map(|_| {
            let message = chance.bytes();
            (message, signer.sign(&message))
        })
        .collect();
    let median = |verify: &dyn Fn(&[u8], &Signature) -> bool| {
        let mut times: Vec<u32> = Vec::with_capacity(SIGNATURES);
        for (message, signature) in &signed {
            let start = Instant::now();
            assert!(black_box(verify(message, signature)), "a signature made here is valid");
            times.push(start.elapsed().as_nanos() as u32);
        }
        times.sort_unstable();
        f64::from(quantile(&times, 0.5)) / 1000.0
    };
    Verification {
        plain: median(&|message, signature| {
            use ed25519_dalek::Verifier;
            key.verify(message, signature).is_ok()
        }),
        strict: median(&|message, signature| key.verify_strict(message, signature).is_ok()),
    }
}
