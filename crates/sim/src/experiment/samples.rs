//! Many measurements of one thing.

/// Measurements, in order once they are asked for.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    values: Vec<f64>,
    sorted: bool,
}

impl Samples {
    /// One more.
    pub fn add(&mut self, value: f64) {
        self.values.push(value);
        self.sorted = false;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The smallest value that `share` of all are at or below; NaN if there are none.
    pub fn quantile(&mut self, share: f64) -> f64 {
        if !self.sorted {
            self.values.sort_unstable_by(f64::total_cmp);
            self.sorted = true;
        }
        let rank = (share * self.values.len() as f64 - 1e-9).ceil().max(1.0) as usize;
        self.values.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    /// The value in the middle.
    pub fn median(&mut self) -> f64 {
        self.quantile(0.5)
    }

    /// The arithmetic mean; NaN if there are none.
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().copied()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self { values: values.into_iter().collect(), sorted: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let mut samples: Samples = (1..=100).rev().map(f64::from).collect();
        assert_eq!(samples.median(), 50.0);
        assert_eq!((samples.quantile(0.99), samples.quantile(1.0)), (99.0, 100.0));
        assert_eq!((samples.quantile(0.0), samples.mean()), (1.0, 50.5));
        samples.add(1000.0);
        assert_eq!(samples.quantile(1.0), 1000.0);
        assert!(Samples::default().median().is_nan());
    }
}
