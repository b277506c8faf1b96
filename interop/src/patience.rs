//! Waiting for something to become true, up to a deadline.

use std::future::Future;
use std::time::Duration;

use crate::failure::{Failure, Outcome};

/// Longer than anything on loopback takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(15);

/// For a whole test: three times what the slowest takes on a busy machine.
const TEST_LIMIT: Duration = Duration::from_secs(60);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until `look` gives `true`.
///
/// # Errors
/// If it does not in time: what was waited for in vain. What `look` itself fails with.
pub async fn eventually<L: Future<Output = Outcome<bool>>>(
    what: &str,
    mut look: impl FnMut() -> L,
) -> Outcome {
    let looking = async {
        while !look().await? {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    let late = |_| Failure::new(format!("waited {} s in vain: {what}", LIMIT.as_secs()));
    tokio::time::timeout(LIMIT, looking).await.map_err(late)?
}

/// A test that ends, also if something in it never answers.
///
/// # Errors
/// What the test fails with, or that it took too long.
pub async fn bounded(test: impl Future<Output = Outcome>) -> Outcome {
    let late = |_| Failure::new(format!("the test did not end in {} s", TEST_LIMIT.as_secs()));
    tokio::time::timeout(TEST_LIMIT, test).await.map_err(late)?
}
