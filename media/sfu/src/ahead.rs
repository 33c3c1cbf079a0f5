//! Memory fetched before it is needed. A packet for fifty receivers touches the state of each once,
//! some kilobytes apart, and by the next packet other programs have had the cache: waiting for
//! memory, one receiver after the other, is most of what forwarding costs. Must never change what a
//! program does.

/// Bytes of a cache line.
const LINE: usize = 64;
/// Lines of one thing.
const MOST: usize = 14;

/// Ask for the memory of a thing that is used soon.
#[inline]
pub fn fetch<T: ?Sized>(thing: &T) {
    fetch_first(thing, MOST * LINE);
}

/// Of the first bytes of it.
#[inline]
pub fn fetch_first<T: ?Sized>(thing: &T, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = std::ptr::from_ref(thing).cast::<i8>();
        for offset in (0..size_of_val(thing).min(bytes)).step_by(LINE) {
            // SAFETY: a hint to the processor, which neither reads nor faults; and within `thing`.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (thing, bytes, LINE);
}
