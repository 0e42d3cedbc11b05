//! The simulator's own source of chance: small, seeded, and the same on every machine.

/// A stream of pseudo-random numbers (`SplitMix64`).
///
/// Each concern of the model owns a stream of its own, so that one which draws more often does not change what the
/// others would have drawn.
#[derive(Debug, Clone)]
pub(crate) struct Prng {
    state: u64,
}

impl Prng {
    /// The stream of `seed` for the concern named by `stream`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self {
            state: mix(seed ^ mix(stream.wrapping_add(1))),
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.state)
    }

    /// A number below `bound`; 0 when there is nothing to choose from.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// A number in `low..=high`, in either order.
    pub(crate) fn between(&mut self, (low, high): (u64, u64)) -> u64 {
        low.min(high) + self.below(low.abs_diff(high) + 1)
    }
}

/// A number that depends on its three inputs alone: noise that needs no state, so that reading changes nothing.
pub(crate) fn hash(seed: u64, a: u64, b: u64) -> u64 {
    mix(seed ^ mix(a ^ mix(b)))
}

/// Noise in -1.0..1.0 for one (seed, a, b).
pub(crate) fn noise(seed: u64, a: u64, b: u64) -> f64 {
    (hash(seed, a, b) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let draw = |stream| {
            let mut prng = Prng::new(7, stream);
            [prng.next(), prng.next(), prng.next()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn noise_stays_in_its_range_and_is_not_constant() {
        let seen: Vec<f64> = (0..1000).map(|n| noise(3, n, 1)).collect();
        assert!(seen.iter().all(|x| (-1.0..1.0).contains(x)));
        assert!(seen.iter().any(|x| *x > 0.9) && seen.iter().any(|x| *x < -0.9));
    }
}
