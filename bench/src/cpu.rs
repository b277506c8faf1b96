//! CPU time of a process, read from `/proc`.

use std::fs;
use std::time::Duration;

use crate::failure::Failure;

/// `/proc/PID/stat` counts in these ticks, a hundred a second on every Linux that has a stable ABI.
const TICK: Duration = Duration::from_millis(10);

/// The time that the threads of a process have spent on a CPU.
///
/// The scheduler's own count is in nanoseconds; it is brought up to date when a thread sleeps, so read it while the
/// process is idle. Threads that have ended are no longer counted. Kernels without it give ticks of ten milliseconds.
pub fn spent(pid: u32) -> Result<Duration, Failure> {
    from_schedstat(pid).or_else(|| from_stat(pid)).ok_or_else(|| {
        Failure::new(
            format!("no CPU time of process `{pid}` under /proc"),
            "the process has ended, or /proc is not mounted",
        )
    })
}

/// The time that a process has spent on a CPU, its threads that have ended included, in ticks of ten milliseconds.
pub fn spent_by_all(pid: u32) -> Option<Duration> {
    from_stat(pid)
}

fn from_schedstat(pid: u32) -> Option<Duration> {
    let mut total = None;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread may end while the list is read.
        let Ok(line) = fs::read_to_string(task.ok()?.path().join("schedstat")) else {
            continue;
        };
        let on_cpu = Duration::from_nanos(line.split_whitespace().next()?.parse().ok()?);
        *total.get_or_insert(Duration::ZERO) += on_cpu;
    }
    total
}

fn from_stat(pid: u32) -> Option<Duration> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name and may hold blanks, even brackets.
    let (_, fields) = line.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    use super::{from_stat, spent};

    #[test]
    fn work_shows_in_the_time_spent() {
        let pid = std::process::id();
        let before = spent(pid).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut turns = 0u64;
        while spent(pid).unwrap() < before + Duration::from_millis(20) {
            turns = black_box(turns + 1);
            assert!(Instant::now() < deadline, "{turns} turns and no time spent");
        }
        assert!(from_stat(pid).is_some());
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(spent(u32::MAX).is_err());
    }
}
