//! What a packet says of itself: does decoding start here, which temporal layer is it? Looks at the
//! codec's own headers only: everything behind them may be encrypted end to end.

use crate::layers::Marks;
use crate::layers::vp8::Descriptor;
use crate::sdp::CodecName;

/// Marks of a packet, and its VP8 descriptor for who rewrites it.
pub fn marks(codec: CodecName, payload: &[u8]) -> (Marks, Option<Descriptor>) {
    let starts_key_frame = match codec {
        CodecName::Opus => true,
        CodecName::Vp8 => {
            let descriptor = Descriptor::parse(payload);
            return (
                descriptor.map(|d| d.marks()).unwrap_or_default(),
                descriptor,
            );
        }
        CodecName::H264 => h264_starts_key_frame(payload),
    };
    let marks = Marks {
        starts_key_frame,
        ..Marks::default()
    };
    (marks, None)
}

const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// RFC 6184, 5: a parameter set or the beginning of an IDR picture.
fn h264_starts_key_frame(payload: &[u8]) -> bool {
    let is_key = |nal: u8| matches!(nal & 0x1f, IDR | SPS);
    let Some(&first) = payload.first() else {
        return false;
    };
    match first & 0x1f {
        STAP_A => {
            let mut rest = &payload[1..];
            while rest.len() > 2 {
                let size = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
                if is_key(rest[2]) {
                    return true;
                }
                match rest.get(2 + size..) {
                    Some(next) => rest = next,
                    None => return false,
                }
            }
            false
        }
        FU_A => payload
            .get(1)
            .is_some_and(|fu| fu & 0x80 != 0 && fu & 0x1f == IDR),
        _ => is_key(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn starts_key_frame(codec: CodecName, payload: &[u8]) -> bool {
        marks(codec, payload).0.starts_key_frame
    }

    #[test]
    fn vp8() {
        let key = [0x90, 0x80, 0x81, 0x23, 0x10, 0x02, 0x00];
        assert!(starts_key_frame(CodecName::Vp8, &key));
        let mut delta = key;
        delta[4] |= 1;
        assert!(!starts_key_frame(CodecName::Vp8, &delta));
        let mut later_packet = key;
        later_packet[0] = 0x80;
        assert!(!starts_key_frame(CodecName::Vp8, &later_packet));
    }

    #[test]
    fn h264() {
        let is_key = |p: &[u8]| starts_key_frame(CodecName::H264, p);
        assert!(is_key(&[0x67, 1, 2]));
        assert!(is_key(&[0x65, 1, 2]));
        assert!(!is_key(&[0x61, 1, 2]));
        assert!(is_key(&[0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1]));
        assert!(is_key(&[0x78, 0, 2, 0x09, 1, 0, 2, 0x67, 1]));
        assert!(!is_key(&[0x78, 0, 2, 0x41, 1]));
        assert!(is_key(&[0x7c, 0x85, 0]));
        assert!(
            !is_key(&[0x7c, 0x05, 0]),
            "the middle of an IDR picture starts nothing"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            for codec in [CodecName::Vp8, CodecName::H264] {
                starts_key_frame(codec, &payload);
            }
        }
    }
}
