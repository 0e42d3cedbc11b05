//! Sixty-four bytes at a time: a byte's places among them are the bits of a mask.
//!
//! Everything here is inlined into its caller: only there does the compiler know which processor
//! it writes for.

use fearless_simd::{Simd, SimdBase, SimdMask, u8x64};

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// Sixty-four bytes in a register.
pub(super) struct Block<S: Simd>(u8x64<S>);

impl<S: Simd> Block<S> {
    #[inline(always)]
    pub(super) fn load(simd: S, bytes: &[u8; BLOCK]) -> Self {
        Block(u8x64::from_slice(simd, bytes))
    }

    /// A bit for every byte that is this one; the first byte's is the lowest.
    #[inline(always)]
    pub(super) fn equal(&self, byte: u8) -> u64 {
        self.0.simd_eq(byte).to_bitmask()
    }

    /// A bit for every byte that is the one of the other block at its place.
    #[inline(always)]
    pub(super) fn same(&self, other: &Self) -> u64 {
        self.0.simd_eq(other.0).to_bitmask()
    }

    /// A bit for every decimal digit.
    #[inline(always)]
    pub(super) fn digits(&self) -> u64 {
        (self.0.simd_ge(b'0') & self.0.simd_le(b'9')).to_bitmask()
    }

    /// A bit for every letter of ASCII.
    #[inline(always)]
    pub(super) fn letters(&self) -> u64 {
        let small = self.0 | 0x20;
        (small.simd_ge(b'a') & small.simd_le(b'z')).to_bitmask()
    }

    /// A bit for every byte that may not stand in bare text.
    #[inline(always)]
    pub(super) fn ends_bare(&self) -> u64 {
        let bytes = self.0;
        let blank = bytes.simd_le(b' ');
        let bracket = bytes.simd_eq(b'[') | bytes.simd_eq(b']');
        (blank | bracket | bytes.simd_eq(b'=') | bytes.simd_eq(b'"')).to_bitmask()
    }

    /// A bit for every byte that quoted text cannot be read over: a quote, an escape.
    #[inline(always)]
    pub(super) fn stops_quoted(&self) -> u64 {
        let bytes = self.0;
        (bytes.simd_eq(b'"') | bytes.simd_eq(b'\\')).to_bitmask()
    }

    /// The lesser one of two bytes, at every place.
    #[inline(always)]
    pub(super) fn least(&self, other: &Self) -> Self {
        Block(self.0.min(other.0))
    }

    /// Whether there is a control byte.
    #[inline(always)]
    pub(super) fn has_control(&self) -> bool {
        self.0.simd_lt(b' ').any_true()
    }
}
