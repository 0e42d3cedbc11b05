//! Keys of regions: rows of tables, encoded as TiDB does, computed from positions in the key space.

use crate::cluster::keyspace::{KeySpace, WIDTH};

/// Positions per table.
const PER_TABLE: u64 = 1_000 * WIDTH;

/// The key of a position; empty for the first.
pub(crate) fn key_of(position: u64) -> Vec<u8> {
    if position == 0 {
        return Vec::new();
    }
    let mut raw = vec![b't'];
    raw.extend(ordered(100 + position / PER_TABLE));
    raw.extend(b"_r");
    raw.extend(ordered(position % PER_TABLE + 1));
    grouped(&raw)
}

/// The place of the region that holds a key: the last that starts at or before it.
pub(super) fn place_of(key: &[u8], keys: &KeySpace) -> usize {
    keys.place_before(|start| key_of(start).as_slice() <= key)
        .unwrap_or(0)
}

/// Upper-case hexadecimal, as PD writes keys.
pub(crate) fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A key from hexadecimal of either case.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// A number whose bytes sort as it does, signed as TiDB's are.
fn ordered(number: u64) -> [u8; 8] {
    (number ^ 1 << 63).to_be_bytes()
}

/// Groups of eight bytes, each followed by a mark that tells how many of them count.
fn grouped(raw: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity((raw.len() / 8 + 1) * 9);
    for group in raw.chunks(8) {
        key.extend(group);
        let padding = 8 - group.len();
        key.resize(key.len() + padding, 0);
        key.push(0xFF - u8::try_from(padding).unwrap_or(8));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::region::Regions;
    use crate::prng::Prng;

    #[test]
    fn keys_ascend_and_are_found_again() {
        let table = Regions::new(3_500, 1, 1, 96, &mut Prng::new(1, 1));
        let keys = table.keys();
        for place in 1..3_500 {
            assert!(key_of(WIDTH * (place - 1)) < key_of(WIDTH * place));
        }
        for place in [0, 1, 999, 1_000, 1_001, 3_499] {
            let start = keys.start(keys.at(place).unwrap());
            assert_eq!(place_of(&key_of(start), keys), place);
        }
        assert_eq!(place_of(b"\xff", keys), 3_499);
        assert_eq!(place_of(b"", keys), 0);
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        let key = key_of(7);
        assert_eq!(from_hex(&hex(&key)), Some(key));
        assert_eq!(from_hex("7g"), None);
        assert_eq!(from_hex("abc"), None);
    }
}
