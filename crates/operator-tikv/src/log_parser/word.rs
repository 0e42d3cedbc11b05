//! Eight bytes at a time, without a branch per byte: a loop that ends after a number of bytes that
//! nobody can foretell costs more in wrong guesses than in work.

/// Bytes in a word.
pub(super) const WORD: usize = 8;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// The eight bytes at this place, the first in the lowest bits.
#[inline]
pub(super) fn load(text: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk::<WORD>()?))
}

/// The high bit of every byte that is this one; bits above the lowest are not to be trusted.
#[inline]
pub(super) const fn equal(word: u64, byte: u8) -> u64 {
    let zeros = word ^ (ONES * byte as u64);
    zeros.wrapping_sub(ONES) & !zeros & HIGHS
}

/// The high bit of every byte that may end bare text: of those that do, and of a few more (`!`, `}`).
/// Three tests instead of five; who uses it asks again about each byte it names.
#[inline]
pub(super) const fn may_end_bare(word: u64) -> u64 {
    let up_to_quote = word.wrapping_sub(ONES * 0x23) & !word & HIGHS;
    let equals_or_closing = equal(word | (ONES * 0x60), 0x7d);
    up_to_quote | equals_or_closing | equal(word, b'[')
}

/// Whether no byte is below `0` or above `f`: true for every eight hexadecimal digits, and for
/// hardly any words.
#[inline]
pub(super) const fn may_be_hex(word: u64) -> bool {
    let above = ((word & !HIGHS) + ONES * (0x7f - b'f' as u64)) | word;
    let below = word.wrapping_sub(ONES * b'0' as u64) & !word;
    (above | below) & HIGHS == 0
}

/// Which byte the lowest of these bits belongs to; eight where there is none.
#[inline]
pub(super) const fn first(bits: u64) -> usize {
    (bits.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_parser::scan::needs_quotes;

    #[test]
    fn a_word_finds_the_byte_that_a_loop_finds() {
        let quiet = *b"abcdefgh";
        for byte in 0..=255_u8 {
            for at in 0..WORD {
                for other in [b'a', b'[', b' ', 0x80, 0xff] {
                    let mut bytes = quiet;
                    bytes[at..].fill(other);
                    bytes[at] = byte;
                    let expected = bytes
                        .iter()
                        .position(|&byte| needs_quotes(byte))
                        .unwrap_or(WORD);
                    let mut bits = may_end_bare(u64::from_le_bytes(bytes));
                    while bits != 0 && !needs_quotes(bytes[first(bits)]) {
                        bits &= bits - 1;
                    }
                    assert_eq!(first(bits), expected, "{bytes:?}");
                }
            }
        }
    }
}
