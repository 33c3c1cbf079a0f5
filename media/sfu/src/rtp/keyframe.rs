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
        CodecName::Vp9 => return (vp9(payload), None),
        // The N bit of the aggregation header: a new coded video sequence.
        CodecName::Av1 => payload.first().is_some_and(|first| first & 0x08 != 0),
    };
    let marks = Marks {
        starts_key_frame,
        ..Marks::default()
    };
    (marks, None)
}

/// The payload descriptor of RFC 9628, 4.2.
fn vp9(payload: &[u8]) -> Marks {
    let read = || {
        let first = *payload.first()?;
        let has = |bit: u8| first & bit != 0;
        let mut at = 1;
        if has(0x80) {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        let layers = if has(0x20) { *payload.get(at)? } else { 0 };
        let is_base = layers >> 1 & 7 == 0;
        let starts_picture = has(0x08) && is_base;
        Some(Marks {
            starts_key_frame: starts_picture && !has(0x40),
            starts_picture,
            temporal: layers >> 5,
            is_sync: layers & 0x10 != 0,
        })
    };
    read().unwrap_or_default()
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

    #[test]
    fn vp9_and_av1() {
        // Long picture id, layers (TID 2, U, SID), TL0PICIDX.
        let packet =
            |flags: u8, layers: u8| marks(CodecName::Vp9, &[flags, 0x81, 5, layers, 1, 7]).0;
        let key = packet(0x80 | 0x20 | 0x08, 0);
        assert!(key.starts_key_frame && key.starts_picture);
        assert!(
            !packet(0x80 | 0x20, 0).starts_key_frame,
            "not its first packet"
        );
        assert!(
            !packet(0x80 | 0x20 | 0x08, 1 << 1).starts_key_frame,
            "an upper layer of it"
        );
        let delta = packet(0x80 | 0x40 | 0x20 | 0x08, 0x50);
        assert!(!delta.starts_key_frame && delta.starts_picture && delta.is_sync);
        assert_eq!(delta.temporal, 2);
        assert!(starts_key_frame(CodecName::Av1, &[0x18, 1]));
        assert!(!starts_key_frame(CodecName::Av1, &[0x10, 1]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            for codec in [CodecName::Vp8, CodecName::H264, CodecName::Vp9, CodecName::Av1] {
                starts_key_frame(codec, &payload);
            }
        }
    }
}
