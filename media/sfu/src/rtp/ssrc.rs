//! SSRCs of what we send (RFC 3550, 8.1).

/// A random one that is not in use.
pub fn random(is_taken: impl Fn(u32) -> bool) -> u32 {
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes).expect("the system has random bytes");
        let ssrc = u32::from_ne_bytes(bytes);
        if ssrc != 0 && !is_taken(ssrc) {
            return ssrc;
        }
    }
}
