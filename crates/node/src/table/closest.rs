//! The contacts of a table that are closest to a target: what most answers are made of.

use wire::planted::{self, Bug};
use wire::{Distance, Point};

use super::bucket::Bucket;
use super::entry::{Entry, Row};

/// Contacts near a target, closest first, without allocating.
pub struct Closest<'t, const N: usize> {
    distances: [Distance; N],
    rows: [Row<'t>; N],
    len: usize,
    /// Who has failed less often than that is taken.
    failures: u8,
}

impl<'t, const N: usize> Closest<'t, N> {
    /// Nobody yet; who has failed less often in a row than this will be taken.
    pub(super) fn of_those_below(failures: u8) -> Self {
        Self { distances: [Distance::MAX; N], rows: [Row(&[]); N], len: 0, failures }
    }

    /// Whether there are as many as there shall be.
    pub(super) fn is_full(&self) -> bool {
        self.len == N
    }

    /// Takes the contacts of a bucket that are close enough.
    ///
    /// They stand in the order of their ids. From the place on where the target would stand, each
    /// step outwards, to the side whose next one shares more leading bits with it, shares no more
    /// bits than the last one did. So only a few rows are looked at, and these lie side by side.
    #[inline]
    pub(super) fn offer_all(&mut self, target: &Point, bucket: &'t Bucket) {
        let (Ok(place) | Err(place)) = bucket.search(target.as_bytes());
        let side = |place: Option<usize>| {
            let place = place.filter(|place| *place < bucket.len())?;
            let row = bucket.row(place);
            Some((target.distance(&row.id().point()), row, place))
        };
        let (mut below, mut above) = (side(place.checked_sub(1)), side(Some(place)));
        loop {
            let from_below = match (&below, &above) {
                (Some((lower, ..)), Some((upper, ..))) => lower < upper,
                (lower, _) => lower.is_some(),
            };
            let Some((distance, row, place)) = (if from_below { below } else { above }) else {
                return;
            };
            if self.is_full() && distance.leading_zeros() < self.distances[N - 1].leading_zeros() {
                return;
            }
            if row.failures() < self.failures || planted::is(Bug::ClosestNamesFailing) {
                self.offer(distance, row);
            }
            match from_below {
                true => below = side(place.checked_sub(1)),
                false => above = side(Some(place + 1)),
            }
        }
    }

    #[inline]
    fn offer(&mut self, distance: Distance, row: Row<'t>) {
        if self.is_full() && distance >= self.distances[N - 1] {
            return;
        }
        let mut place = self.len.min(N - 1);
        while place > 0 && self.distances[place - 1] > distance {
            self.distances[place] = self.distances[place - 1];
            self.rows[place] = self.rows[place - 1];
            place -= 1;
        }
        self.distances[place] = distance;
        self.rows[place] = row;
        self.len = (self.len + 1).min(N);
    }

    /// The contacts, closest first.
    pub fn iter(&self) -> impl Iterator<Item = Entry> + use<'t, '_, N> {
        self.told().iter().map(|row| row.entry())
    }

    /// The contacts as they stand in node lists, closest first.
    pub fn compact(&self) -> impl Iterator<Item = &'t [u8]> + use<'t, '_, N> {
        self.told().iter().map(|row| row.compact())
    }

    fn told(&self) -> &[Row<'t>] {
        let first = usize::from(planted::is(Bug::ClosestOffByOne)).min(self.len);
        &self.rows[first..self.len]
    }
}
