//! Memory of datagrams that were sent, used again for those that follow: a datagram for each
//! subscriber is most of what the shard would otherwise allocate and free.

/// Room for one datagram of media.
const ROOM: usize = 1500;
/// Larger ones are not kept.
const LARGEST: usize = 2 * ROOM;
/// Kept at most, about 1.5 MB: what a room of some size sends in one tick.
const KEPT: usize = 1024;

#[derive(Default)]
pub struct Buffers {
    spare: Vec<Vec<u8>>,
}

impl Buffers {
    /// A buffer of this length with arbitrary contents (of datagrams that were on the wire):
    /// whoever takes it writes all of it.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        let mut buffer = self
            .spare
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(length.max(ROOM)));
        buffer.resize(length, 0);
        buffer
    }

    pub fn give_back(&mut self, buffer: Vec<u8>) {
        if (ROOM..=LARGEST).contains(&buffer.capacity()) && self.spare.len() < KEPT {
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_whatever_length_it_had() {
        let mut buffers = Buffers::default();
        let first = buffers.take(1200);
        let memory = first.as_ptr();
        buffers.give_back(first);
        for length in [0, 100, 1500] {
            let buffer = buffers.take(length);
            assert_eq!((buffer.len(), buffer.as_ptr()), (length, memory));
            buffers.give_back(buffer);
        }
        assert_eq!(buffers.take(60_000).len(), 60_000);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut buffers = Buffers::default();
        for length in [0, 10, LARGEST + 1] {
            buffers.give_back(Vec::with_capacity(length));
        }
        assert!(buffers.spare.is_empty());
        for _ in 0..2 * KEPT {
            buffers.give_back(Vec::with_capacity(ROOM));
        }
        assert_eq!(buffers.spare.len(), KEPT);
    }
}
