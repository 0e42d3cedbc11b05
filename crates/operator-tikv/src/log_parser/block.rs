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

    /// A bit for every byte below this one.
    #[inline(always)]
    pub(super) fn below(&self, byte: u8) -> u64 {
        self.0.simd_lt(byte).to_bitmask()
    }
}
