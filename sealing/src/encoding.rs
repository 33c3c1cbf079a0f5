//! The variable-size vectors of the TLS presentation language as MLS writes them (RFC 9420, 2.1.2).

/// A `<V>` vector at the start of `bytes`, and what follows. Lengths here fit the one-byte and
/// two-byte forms; the shortest form is required.
pub fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (length, rest) = match first >> 6 {
        0 => (usize::from(first), rest),
        1 => {
            let (&second, rest) = rest.split_first()?;
            let length = (usize::from(first & 0x3f) << 8) | usize::from(second);
            if length < 64 {
                return None;
            }
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
