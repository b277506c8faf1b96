//! Which datagrams of one sender were heard: the numbers of the latest, and a floor below them.

use wire::planted::{self, Bug};

use crate::limits::SEAL_WINDOW;

/// The numbers of the latest datagrams of one sender, in rising order, and a floor: what is at or
/// below it is either heard or too old to tell.
pub(super) struct Window {
    floor: u64,
    /// A ring of `heard` numbers that begins at `first`.
    numbers: [u64; SEAL_WINDOW],
    first: usize,
    heard: usize,
}

impl Window {
    /// Nothing heard yet, and nothing at or below `floor` will be.
    pub fn above(floor: u64) -> Self {
        Self { floor, numbers: [0; SEAL_WINDOW], first: 0, heard: 0 }
    }

    /// Hears a number, if it was not heard before and is above the floor.
    #[must_use]
    pub fn hear(&mut self, number: u64) -> bool {
        // How many of the numbers are lower, searched from the highest: few are ever overtaken.
        let mut lower = self.heard;
        while lower > 0 && self.numbers[self.at(lower - 1)] >= number {
            lower -= 1;
        }
        let again = lower < self.heard && self.numbers[self.at(lower)] == number;
        if number <= self.floor || again {
            return planted::is(Bug::ReplayHeard);
        }
        if self.heard == SEAL_WINDOW {
            // The lowest makes room; whether `number` itself is the lowest decides what that is.
            if lower == 0 {
                self.floor = number;
                return true;
            }
            self.floor = self.numbers[self.first];
            self.first = (self.first + 1) % SEAL_WINDOW;
            self.heard -= 1;
            lower -= 1;
        }
        for place in (lower..self.heard).rev() {
            self.numbers[self.at(place + 1)] = self.numbers[self.at(place)];
        }
        self.numbers[self.at(lower)] = number;
        self.heard += 1;
        true
    }

    /// The highest number heard, or else the floor.
    pub fn highest(&self) -> u64 {
        if self.heard == 0 { self.floor } else { self.numbers[self.at(self.heard - 1)] }
    }

    fn at(&self, place: usize) -> usize {
        (self.first + place) % SEAL_WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    /// The same, as it would be written without a thought of speed.
    struct Model {
        floor: u64,
        numbers: BTreeSet<u64>,
    }

    impl Model {
        fn hear(&mut self, number: u64) -> bool {
            if number <= self.floor || !self.numbers.insert(number) {
                return false;
            }
            if self.numbers.len() > SEAL_WINDOW {
                self.floor = self.numbers.pop_first().unwrap();
            }
            true
        }
    }

    proptest! {
        #[test]
        fn a_window_hears_what_the_plain_model_hears(
            floor in 0_u64..50,
            numbers in prop::collection::vec(0_u64..400, 0..600),
        ) {
            let mut window = Window::above(floor);
            let mut model = Model { floor, numbers: BTreeSet::new() };
            for number in numbers {
                prop_assert_eq!(window.hear(number), model.hear(number), "{}", number);
                let highest = model.numbers.last().copied().unwrap_or(floor);
                prop_assert_eq!(window.highest(), highest);
            }
        }

        #[test]
        fn no_number_is_ever_heard_twice(
            numbers in prop::collection::vec(any::<u64>(), 0..300),
            again in prop::collection::vec(0_usize..300, 0..300),
        ) {
            let mut window = Window::above(0);
            let mut heard = BTreeSet::new();
            let repeated: Vec<u64> =
                again.iter().filter_map(|place| numbers.get(*place).copied()).collect();
            for number in numbers.into_iter().chain(repeated) {
                if window.hear(number) {
                    prop_assert!(heard.insert(number), "{}", number);
                }
            }
        }

        #[test]
        fn whatever_overtakes_fewer_than_a_window_of_others_is_heard(
            keys in prop::collection::vec(0_usize..SEAL_WINDOW, 1..400),
        ) {
            // Each datagram is held up by less than a window of others.
            let mut order: Vec<(usize, usize)> =
                keys.iter().enumerate().map(|(place, late)| (place + late, place)).collect();
            order.sort_unstable();
            let mut window = Window::above(0);
            for (_, place) in order {
                prop_assert!(window.hear(1 + place as u64), "{}", place);
            }
        }
    }

    #[test]
    fn what_falls_below_a_full_window_is_not_heard() {
        let mut window = Window::above(10);
        assert!(!window.hear(10) && window.hear(11));
        for number in 0..SEAL_WINDOW as u64 {
            assert!(window.hear(100 + number));
        }
        assert!(!window.hear(11), "its number has just made room");
        assert!(window.hear(50), "above all that was forgotten");
        assert!(!window.hear(49) && !window.hear(50));
    }
}
