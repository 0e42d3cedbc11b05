//! Keys of regions: rows of tables, encoded as TiDB does, computed from a region's place.

/// Regions per table.
const PER_TABLE: u64 = 1_000;

/// The key at which the region in this place starts; empty for the first.
pub(super) fn start_key(place: u64) -> Vec<u8> {
    if place == 0 {
        return Vec::new();
    }
    let mut raw = vec![b't'];
    raw.extend(ordered(100 + place / PER_TABLE));
    raw.extend(b"_r");
    raw.extend(ordered(place % PER_TABLE * 100_000 + 1));
    grouped(&raw)
}

/// The place of the region that holds a key, of `regions` in all.
pub(super) fn place_of(key: &[u8], regions: u64) -> u64 {
    let (mut low, mut high) = (0, regions);
    // The last region that starts at or before the key.
    while low + 1 < high {
        let middle = u64::midpoint(low, high);
        if start_key(middle).as_slice() <= key {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Upper-case hexadecimal, as PD writes keys.
pub(super) fn hex(key: &[u8]) -> String {
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

    #[test]
    fn keys_ascend_and_are_found_again() {
        let regions = 3_500;
        for place in 1..regions {
            assert!(start_key(place - 1) < start_key(place));
        }
        for place in [0, 1, 999, 1_000, 1_001, 3_499] {
            assert_eq!(place_of(&start_key(place), regions), place);
        }
        assert_eq!(place_of(b"\xff", regions), regions - 1);
        assert_eq!(place_of(b"", 1), 0);
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        let key = start_key(7);
        assert_eq!(from_hex(&hex(&key)), Some(key));
        assert_eq!(from_hex("7g"), None);
        assert_eq!(from_hex("abc"), None);
    }
}
