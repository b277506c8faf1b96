//! Secret randomness from the machine.

use crate::error::StartError;

/// 32 random bytes that nobody else knows: the seed of a new [`Signer`](crate::Signer).
///
/// # Errors
/// [`StartError::NoRandomness`] if the machine gives none.
pub fn random_seed() -> Result<[u8; 32], StartError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(StartError::NoRandomness)?;
    Ok(seed)
}
