//! How many datagrams may be on their way at once: the window grows while all are answered and halves
//! when somebody is silent, as TCP does it (RFC 5681). What overflows otherwise is the receive buffer
//! of a socket, our own first of all.

use node::Instant;

use crate::limits::{WINDOW_HALVES_EVERY, WINDOW_MAX, WINDOW_MIN};

/// A window, in datagrams.
pub(crate) struct Window {
    room: usize,
    used: usize,
    halved_at: Instant,
}

impl Default for Window {
    fn default() -> Self {
        Self { room: 2 * WINDOW_MIN, used: 0, halved_at: Instant::default() }
    }
}

impl Window {
    /// Takes room for so many datagrams, if there is enough. Whatever comes alone may pass.
    pub fn enter(&mut self, weight: usize) -> bool {
        let enters = self.used == 0 || self.used + weight <= self.room;
        if enters {
            self.used += weight;
        }
        enters
    }

    /// So many datagrams are no longer on their way; somebody was silent, or all have answered.
    pub fn ended(&mut self, weight: usize, silence: bool, now: Instant) {
        self.used = self.used.saturating_sub(weight);
        if !silence {
            self.room = (self.room + 1).min(WINDOW_MAX);
        } else if now.since(self.halved_at) >= WINDOW_HALVES_EVERY {
            self.room = (self.room / 2).max(WINDOW_MIN);
            self.halved_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn a_window_grows_with_answers_and_halves_at_most_once_a_while() {
        let (mut window, start) = (Window::default(), Instant::default());
        for _ in 0..2 * WINDOW_MAX {
            assert!(window.enter(8));
            window.ended(8, false, start);
        }
        assert_eq!(window.room, WINDOW_MAX);
        let later = start + WINDOW_HALVES_EVERY;
        window.ended(0, true, later);
        window.ended(0, true, later + Duration::from_millis(1));
        assert_eq!(window.room, WINDOW_MAX / 2);
        for half in 1..=8 {
            window.ended(0, true, later + WINDOW_HALVES_EVERY * half);
        }
        assert_eq!(window.room, WINDOW_MIN);
    }

    #[test]
    fn a_window_is_never_so_small_that_nothing_passes() {
        let mut window = Window::default();
        assert!(window.enter(10 * WINDOW_MAX) && !window.enter(1));
        window.ended(10 * WINDOW_MAX, false, Instant::default());
        assert!(window.enter(1));
    }
}
