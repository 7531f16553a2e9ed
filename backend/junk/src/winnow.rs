//! Winnow (Littlestone; for mail Siefkes and others, 2004), which errs otherwise than regressions do.
//!
//! Each feature has a weight for either class. They are multiplied, not added to, and only where a message is misjudged or nearly so: what many messages agree on
//! grows no further once it is known, and what only one has stays small.

/// What a feature's weight becomes that should have spoken for its message's class, and didn't enough.
const PROMOTED: f32 = 1.23;
/// And one that should not have spoken for the other, and did.
const DEMOTED: f32 = 0.83;
/// A class is told by a mean weight above 1; so near to it a message is nearly misjudged.
const THICKNESS: f32 = 0.05;

/// Weights in the making.
pub(crate) struct Winnow {
    /// For ham and for junk.
    weights: Vec<[f32; 2]>,
}

impl Winnow {
    /// For so many features, which know nothing yet.
    pub(crate) fn new(count: usize) -> Self {
        Self { weights: vec![[1.0; 2]; count] }
    }

    /// Learns from a message: places in the weights, with their shares, and its side.
    pub(crate) fn learn(&mut self, cells: &[(usize, f32)], side: usize) {
        let all: f32 = cells.iter().map(|(_, share)| share).sum();
        for class in 0..2 {
            let of_class = |weights: &[f32; 2]| weights.get(class).copied().unwrap_or_default();
            let sum: f32 =
                cells.iter().filter_map(|(at, share)| self.weights.get(*at).map(|one| of_class(one) * share)).sum();
            let factor = if class == side && sum < all * (1.0 + THICKNESS) {
                PROMOTED
            } else if class != side && sum > all * (1.0 - THICKNESS) {
                DEMOTED
            } else {
                continue;
            };
            for (at, _) in cells {
                if let Some(weight) = self.weights.get_mut(*at).and_then(|weights| weights.get_mut(class)) {
                    *weight *= factor;
                }
            }
        }
    }

    /// How much more each feature speaks for junk than for ham.
    pub(crate) fn leanings(&self) -> impl Iterator<Item = f32> {
        self.weights.iter().map(|[ham, junk]| junk - ham)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_until_it_is_sure_and_no_further() {
        let mut winnow = Winnow::new(3);
        let (ham, junk) = ([(0, 1.0), (2, 1.0)], [(1, 1.0), (2, 1.0)]);
        for _ in 0..20 {
            winnow.learn(&ham, 0);
            winnow.learn(&junk, 1);
        }
        let leanings: Vec<f32> = winnow.leanings().collect();
        assert!(leanings[0] < -0.2 && leanings[1] > 0.2 && leanings[2].abs() < 0.2, "{leanings:?}");
        winnow.learn(&ham, 0);
        winnow.learn(&junk, 1);
        assert_eq!(winnow.leanings().collect::<Vec<_>>(), leanings);
    }
}
