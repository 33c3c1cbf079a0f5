//! What is inside the packets: payloads that look like VP8 and Opus to a server, and carry a stamp
//! by which a receiver knows track, sequence and time of sending.
//!
//! The stamp is the tail of the payload, so a server may rewrite the VP8 descriptor (RFC 7741) in
//! front of it. Nothing here decodes to a picture or a sound, and nothing needs to: a forwarding
//! server must not read further than the descriptor and the key-frame bit.

/// Bytes of the stamp at the end of every payload.
pub const STAMP_LEN: usize = 24;

const MAGIC: [u8; 4] = *b"cLd2";
/// First byte of an Opus packet (RFC 6716, 3.1): 20 ms hybrid fullband, mono, one frame.
const OPUS_TOC: u8 = 15 << 3;
const VP8_DESCRIPTOR_LEN: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Which published track, unique within the run.
    pub track: u32,
    /// Which of the track's encodings: 0 low, 1 medium, 2 high or the only one.
    pub layer: u8,
    /// Counts from 0 for each encoding of a track.
    pub sequence: u32,
    /// Time of sending, microseconds since the Unix epoch.
    pub sent_us: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("not from this program")]
    Foreign,
    #[error("the payload was damaged on the way")]
    Damaged,
}

/// Filler that makes damage visible: a byte that follows from the sequence.
fn filler(sequence: u32) -> u8 {
    (sequence as u8) ^ 0xA5
}

fn seal(buffer: &mut Vec<u8>, size: usize, stamp: &Stamp) {
    let fill = size.saturating_sub(buffer.len() + STAMP_LEN);
    buffer.resize(buffer.len() + fill, filler(stamp.sequence));
    buffer.extend_from_slice(&MAGIC);
    buffer.extend_from_slice(&stamp.track.to_be_bytes());
    buffer.extend_from_slice(&stamp.sequence.to_be_bytes());
    buffer.extend_from_slice(&[stamp.layer, 0]);
    buffer.extend_from_slice(&(fill as u16).to_be_bytes());
    buffer.extend_from_slice(&stamp.sent_us.to_be_bytes());
}

/// Where one packet stands in its VP8 frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vp8Position {
    pub starts_frame: bool,
    pub keyframe: bool,
    /// 15 bits, +1 for each frame.
    pub picture_id: u16,
    /// +1 for each frame, as there is one temporal layer.
    pub tl0_index: u8,
    pub width: u16,
    pub height: u16,
}

/// A VP8 packet of about `size` bytes, never fewer than headers and stamp need.
pub fn vp8(size: usize, position: &Vp8Position, stamp: &Stamp) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(size.max(64));
    let start = if position.starts_frame { 0x10 } else { 0 };
    let [high, low] = (position.picture_id & 0x7FFF).to_be_bytes();
    // Extended descriptor with picture id of 15 bits, TL0PICIDX, TID and KEYIDX.
    buffer.extend_from_slice(&[
        0x80 | start,
        0xF0,
        0x80 | high,
        low,
        position.tl0_index,
        0x20,
    ]);
    debug_assert_eq!(buffer.len(), VP8_DESCRIPTOR_LEN);
    if position.starts_frame {
        // Frame tag (RFC 6386, 9.1): inverse key-frame bit, version 0, shown, size of partition 1.
        let inter = u32::from(!position.keyframe);
        let tag = inter | 1 << 4 | ((size as u32) & 0x7FFFF) << 5;
        buffer.extend_from_slice(&tag.to_le_bytes()[..3]);
        if position.keyframe {
            buffer.extend_from_slice(&[0x9D, 0x01, 0x2A]);
            buffer.extend_from_slice(&position.width.to_le_bytes());
            buffer.extend_from_slice(&position.height.to_le_bytes());
        }
    }
    seal(&mut buffer, size, stamp);
    buffer
}

/// An Opus packet of about `size` bytes, never fewer than TOC and stamp need.
pub fn opus(size: usize, stamp: &Stamp) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(size.max(32));
    buffer.push(OPUS_TOC);
    seal(&mut buffer, size, stamp);
    buffer
}

/// The stamp of a received payload, whole or an error.
pub fn read(payload: &[u8]) -> Result<Stamp, Unreadable> {
    let Some((body, tail)) = payload.split_last_chunk::<STAMP_LEN>() else {
        return Err(Unreadable::Foreign);
    };
    if tail[..4] != MAGIC {
        return Err(Unreadable::Foreign);
    }
    let word = |at: usize| u32::from_be_bytes([tail[at], tail[at + 1], tail[at + 2], tail[at + 3]]);
    let sequence = word(8);
    let (layer, fill) = (
        tail[12],
        usize::from(u16::from_be_bytes([tail[14], tail[15]])),
    );
    let intact = fill < body.len()
        && body[body.len() - fill..]
            .iter()
            .all(|&byte| byte == filler(sequence));
    if !intact {
        return Err(Unreadable::Damaged);
    }
    Ok(Stamp {
        track: word(4),
        layer,
        sequence,
        sent_us: u64::from(word(16)) << 32 | u64::from(word(20)),
    })
}

/// What a received VP8 payload says of its frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vp8Facts {
    /// The first packet of its frame.
    pub starts_frame: bool,
    /// The first packet of a key frame.
    pub starts_keyframe: bool,
    /// With how many there are: 2^7 or 2^15.
    pub picture_id: Option<(u16, u16)>,
}

/// Nothing at all of what is not VP8.
pub fn vp8_facts(payload: &[u8]) -> Vp8Facts {
    read_vp8(payload).unwrap_or_default()
}

fn read_vp8(payload: &[u8]) -> Option<Vp8Facts> {
    let first = *payload.first()?;
    let mut at = 1;
    let mut picture_id = None;
    if first & 0x80 != 0 {
        let flags = *payload.get(at)?;
        at += 1;
        if flags & 0x80 != 0 {
            let high = *payload.get(at)?;
            if high & 0x80 != 0 {
                let low = *payload.get(at + 1)?;
                let id = u16::from_be_bytes([high & 0x7F, low]);
                picture_id = Some((id, 1 << 15));
                at += 2;
            } else {
                picture_id = Some((u16::from(high), 1 << 7));
                at += 1;
            }
        }
        at += usize::from(flags & 0x40 != 0) + usize::from(flags & 0x30 != 0);
    }
    let starts_frame = first & 0x10 != 0 && first & 0x0F == 0;
    Some(Vp8Facts {
        starts_frame,
        starts_keyframe: starts_frame && payload.get(at)? & 1 == 0,
        picture_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        track: 7,
        layer: 1,
        sequence: 70_001,
        sent_us: 1_700_000_000_123_456,
    };

    fn position(starts_frame: bool, keyframe: bool) -> Vp8Position {
        Vp8Position {
            starts_frame,
            keyframe,
            picture_id: 0x1234,
            tl0_index: 9,
            width: 1280,
            height: 720,
        }
    }

    #[test]
    fn a_stamp_comes_back_from_both_codecs() {
        assert_eq!(read(&vp8(1_100, &position(true, true), &STAMP)), Ok(STAMP));
        assert_eq!(
            read(&vp8(1_100, &position(false, false), &STAMP)),
            Ok(STAMP)
        );
        assert_eq!(read(&opus(100, &STAMP)), Ok(STAMP));
    }

    #[test]
    fn packets_have_the_size_asked_for_and_room_for_the_stamp_at_least() {
        assert_eq!(vp8(1_100, &position(false, false), &STAMP).len(), 1_100);
        assert_eq!(opus(100, &STAMP).len(), 100);
        assert_eq!(opus(1, &STAMP).len(), 1 + STAMP_LEN);
        assert_eq!(read(&opus(1, &STAMP)), Ok(STAMP));
        assert_eq!(read(&vp8(1, &position(true, true), &STAMP)), Ok(STAMP));
    }

    #[test]
    fn the_descriptor_says_what_rfc_7741_says() {
        let packet = vp8(200, &position(true, true), &STAMP);
        assert_eq!(packet[..6], [0x90, 0xF0, 0x92, 0x34, 9, 0x20]);
        assert_eq!(packet[6] & 1, 0, "key frame");
        assert_eq!(packet[9..12], [0x9D, 0x01, 0x2A]);
        assert_eq!(u16::from_le_bytes([packet[12], packet[13]]), 1280);
        assert_eq!(u16::from_le_bytes([packet[14], packet[15]]), 720);
        assert_eq!(vp8(200, &position(false, false), &STAMP)[0], 0x80);
    }

    #[test]
    fn only_the_first_packet_of_a_key_frame_starts_one() {
        let facts = |starts, keyframe| vp8_facts(&vp8(500, &position(starts, keyframe), &STAMP));
        assert!(facts(true, true).starts_keyframe);
        assert!(!facts(false, true).starts_keyframe && !facts(false, true).starts_frame);
        assert!(!facts(true, false).starts_keyframe && facts(true, false).starts_frame);
        for cut in 0..8 {
            vp8_facts(&vp8(500, &position(true, true), &STAMP)[..cut]);
        }
        assert!(vp8_facts(&[0x10, 0x00]).starts_keyframe, "short descriptor");
    }

    #[test]
    fn picture_ids_of_both_lengths_are_read() {
        let long = vp8(500, &position(true, true), &STAMP);
        assert_eq!(vp8_facts(&long).picture_id, Some((0x1234, 1 << 15)));
        assert_eq!(
            vp8_facts(&[0x90, 0x80, 0x55, 0x01]).picture_id,
            Some((0x55, 1 << 7))
        );
        assert_eq!(vp8_facts(&[0x10, 0x00]).picture_id, None);
    }

    #[test]
    fn a_rewritten_descriptor_does_not_matter_but_damage_does() {
        let packet = vp8(1_100, &position(true, false), &STAMP);
        let mut shorter = vec![0x90, 0xE0, 0x12, 9, 0x20];
        shorter.extend_from_slice(&packet[VP8_DESCRIPTOR_LEN..]);
        assert_eq!(read(&shorter), Ok(STAMP));
        let mut damaged = packet.clone();
        damaged[600] ^= 1;
        assert_eq!(read(&damaged), Err(Unreadable::Damaged));
        let mut cut = packet;
        cut.drain(..500);
        assert_eq!(read(&cut), Err(Unreadable::Damaged));
    }

    #[test]
    fn foreign_and_short_payloads_are_refused() {
        assert_eq!(read(&[]), Err(Unreadable::Foreign));
        assert_eq!(read(&[0; 23]), Err(Unreadable::Foreign));
        assert_eq!(read(&[0; 1_000]), Err(Unreadable::Foreign));
    }
}
