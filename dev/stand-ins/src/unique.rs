//! Random identifiers.

use std::hash::{BuildHasher, RandomState};

/// 64 random bits from the seed of the standard library's hasher. This avoids a dependency; the
/// bits are only used for names.
pub fn bits() -> u64 {
    RandomState::new().hash_one(0)
}

/// A version 4 UUID, the format of AWS's request IDs.
pub fn uuid() -> String {
    let high = (bits() & 0xffff_ffff_ffff_0fff) | 0x4000;
    let low = (bits() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff,
    )
}
