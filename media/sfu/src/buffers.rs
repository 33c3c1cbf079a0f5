//! Memory of datagrams that were sent and of payloads that are not kept any more, used again for
//! those that follow: they are most of what the shard would otherwise allocate and free.

use std::sync::Arc;

/// Room for one datagram of media.
const ROOM: usize = 1500;
/// Larger ones are not kept.
const LARGEST: usize = 2 * ROOM;
/// Kept at most of each, about 1.5 MB: what a room of some size sends in one tick.
const KEPT: usize = 1024;

/// What came in one packet, shared by all that it is sent to and kept for.
pub type Payload = Arc<Vec<u8>>;

#[derive(Default)]
pub struct Buffers {
    spare: Vec<Vec<u8>>,
    /// Apart from the others, which are still in the caches when they are taken again.
    spare_payloads: Vec<Vec<u8>>,
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
        put(&mut self.spare, buffer);
    }

    pub fn payload(&mut self, bytes: &[u8]) -> Payload {
        let mut buffer = self
            .spare_payloads
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(bytes.len().max(ROOM)));
        buffer.clear();
        buffer.extend_from_slice(bytes);
        Arc::new(buffer)
    }

    /// One that has it does not need it any more. Its memory is used again once nobody does.
    pub fn release(&mut self, payload: Payload) {
        if let Some(buffer) = Arc::into_inner(payload) {
            put(&mut self.spare_payloads, buffer);
        }
    }
}

fn put(spare: &mut Vec<Vec<u8>>, buffer: Vec<u8>) {
    if (ROOM..=LARGEST).contains(&buffer.capacity()) && spare.len() < KEPT {
        spare.push(buffer);
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

    #[test]
    fn a_payload_is_used_again_once_nobody_has_it() {
        let mut buffers = Buffers::default();
        let first = buffers.payload(&[1; 1200]);
        let memory = first.as_ptr();
        let other = first.clone();
        buffers.release(first);
        assert_ne!(buffers.payload(&[2; 10]).as_ptr(), memory);
        assert_eq!(*other, [1; 1200]);
        buffers.release(other);
        let again = buffers.payload(&[3; 10]);
        assert_eq!((again.as_ptr(), again.as_slice()), (memory, &[3; 10][..]));
        assert_eq!(buffers.payload(&[4; 60_000]).len(), 60_000);
    }
}
