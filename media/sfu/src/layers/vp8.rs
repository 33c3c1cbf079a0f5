//! The VP8 payload descriptor (RFC 7741, 4.2): read, and its numbers rewritten so that a stream put
//! together from several encodings looks like one. Never looks behind the descriptor but for the one
//! bit that says key frame: everything else may be encrypted end to end.

use super::Marks;
use super::numbering::{Numbering, extend};

/// Length of the longest descriptor.
const LONGEST: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PictureId {
    at: u8,
    value: u16,
    /// 15 or 7.
    bits: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    len: u8,
    picture: Option<PictureId>,
    /// Place and value of TL0PICIDX.
    tl0: Option<(u8, u8)>,
    /// Place and value of the byte with TID, Y and KEYIDX, and whether each of them counts.
    layer: Option<(u8, u8)>,
    has_temporal: bool,
    has_key_index: bool,
    is_start: bool,
    is_key: bool,
}

impl Descriptor {
    /// `None` for what is no VP8 packet.
    pub fn parse(payload: &[u8]) -> Option<Descriptor> {
        let first = *payload.first()?;
        let mut at = 1;
        let mut descriptor = Descriptor {
            len: 0,
            picture: None,
            tl0: None,
            layer: None,
            has_temporal: false,
            has_key_index: false,
            // S, and the first partition.
            is_start: first & 0x17 == 0x10,
            is_key: false,
        };
        if first & 0x80 != 0 {
            let extensions = *payload.get(at)?;
            at += 1;
            if extensions & 0x80 != 0 {
                let high = *payload.get(at)?;
                let (value, bits) = if high & 0x80 != 0 {
                    let low = *payload.get(at + 1)?;
                    (u16::from_be_bytes([high & 0x7f, low]), 15)
                } else {
                    (u16::from(high), 7)
                };
                descriptor.picture = Some(PictureId {
                    at: at as u8,
                    value,
                    bits,
                });
                at += if bits == 15 { 2 } else { 1 };
            }
            if extensions & 0x40 != 0 {
                descriptor.tl0 = Some((at as u8, *payload.get(at)?));
                at += 1;
            }
            if extensions & 0x30 != 0 {
                descriptor.layer = Some((at as u8, *payload.get(at)?));
                descriptor.has_temporal = extensions & 0x20 != 0;
                descriptor.has_key_index = extensions & 0x10 != 0;
                at += 1;
            }
        }
        // A descriptor without anything behind it is none.
        let frame = *payload.get(at)?;
        descriptor.is_key = descriptor.is_start && frame & 1 == 0;
        descriptor.len = at as u8;
        Some(descriptor)
    }

    pub fn marks(&self) -> Marks {
        let layer = self.layer.filter(|_| self.has_temporal).map_or(0, |l| l.1);
        Marks {
            starts_key_frame: self.is_key,
            starts_picture: self.is_start,
            temporal: layer >> 6,
            is_sync: layer & 0x20 != 0,
        }
    }
}

/// What replaces the first bytes of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patch {
    bytes: [u8; LONGEST],
    len: u8,
}

impl Patch {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Numbers of the pictures of one outgoing stream.
#[derive(Debug, Clone, Default)]
pub struct Rewriter {
    pictures: Option<Numbering>,
    tl0_offset: u8,
    key_offset: u8,
    /// Highest that were sent.
    picture: Option<u64>,
    tl0: Option<u8>,
    key_index: Option<u8>,
}

impl Rewriter {
    /// What comes next does not continue what came before: another encoding, or a pause.
    pub fn interrupt(&mut self) {
        self.pictures = None;
    }

    /// The new beginning of a packet that is sent on; `None` when its picture was left out.
    pub fn pass(&mut self, payload: &[u8], descriptor: &Descriptor) -> Option<Patch> {
        let mut patch = Patch {
            len: descriptor.len.min(LONGEST as u8),
            ..Patch::default()
        };
        let len = usize::from(patch.len);
        patch.bytes[..len].copy_from_slice(payload.get(..len)?);
        let is_first = self.pictures.is_none();
        let picture = descriptor.picture.map(|p| (p, self.extended(&p)));
        let pictures = self.pictures.get_or_insert_with(|| {
            let first = picture.map_or(0, |(_, number)| number);
            Numbering::new(first, self.picture.map_or(first, |last| last + 1))
        });
        if let Some((id, number)) = picture {
            let ours = pictures.pass(number)?;
            self.picture = Some(self.picture.map_or(ours, |last| last.max(ours)));
            let at = usize::from(id.at);
            if id.bits == 15 {
                patch.bytes[at..at + 2].copy_from_slice(&(ours as u16 | 0x8000).to_be_bytes());
            } else {
                patch.bytes[at] = ours as u8 & 0x7f;
            }
        }
        if let Some((at, value)) = descriptor.tl0 {
            if is_first {
                self.tl0_offset = self
                    .tl0
                    .map_or(0, |last| last.wrapping_add(1).wrapping_sub(value));
            }
            let ours = value.wrapping_add(self.tl0_offset);
            patch.bytes[usize::from(at)] = ours;
            if self.tl0.is_none_or(|last| ours.wrapping_sub(last) < 0x80) {
                self.tl0 = Some(ours);
            }
        }
        if let Some((at, value)) = descriptor.layer.filter(|_| descriptor.has_key_index) {
            let index = value & 0x1f;
            if is_first {
                self.key_offset = self
                    .key_index
                    .map_or(0, |last| last.wrapping_add(1).wrapping_sub(index));
            }
            let ours = index.wrapping_add(self.key_offset) & 0x1f;
            patch.bytes[usize::from(at)] = value & 0xe0 | ours;
            if self
                .key_index
                .is_none_or(|last| ours.wrapping_sub(last) & 0x1f < 0x10)
            {
                self.key_index = Some(ours);
            }
        }
        Some(patch)
    }

    /// A packet is not sent on, on purpose; its picture is one that nobody waits for.
    pub fn leave_out(&mut self, descriptor: &Descriptor) {
        if let Some(id) = descriptor.picture {
            let number = self.extended(&id);
            if let Some(pictures) = &mut self.pictures {
                pictures.leave_out(number);
            }
        }
    }

    fn extended(&self, id: &PictureId) -> u64 {
        // Away from zero, so that a late picture lies before the first one and not after it.
        let near = self.pictures.as_ref().map_or(1 << 15, Numbering::highest);
        extend(id.value, u32::from(id.bits), near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A packet as libwebrtc writes it: long picture id, TL0PICIDX, TID, Y, KEYIDX.
    fn packet(picture: u16, tl0: u8, temporal: u8, key_index: u8, is_key: bool) -> Vec<u8> {
        let [high, low] = (picture | 0x8000).to_be_bytes();
        let layer = temporal << 6 | 0x20 | key_index;
        vec![0x90, 0xf0, high, low, tl0, layer, u8::from(!is_key), 7, 7]
    }

    fn short(picture: u8) -> Vec<u8> {
        vec![0x90, 0x80, picture, 1, 7]
    }

    fn through(rewriter: &mut Rewriter, payload: &[u8]) -> Option<Vec<u8>> {
        let descriptor = Descriptor::parse(payload).unwrap();
        let patch = rewriter.pass(payload, &descriptor)?;
        let mut out = payload.to_vec();
        out[..patch.bytes().len()].copy_from_slice(patch.bytes());
        Some(out)
    }

    #[test]
    fn descriptors_are_read() {
        let marks = |p: &[u8]| Descriptor::parse(p).unwrap().marks();
        let key = marks(&packet(1, 2, 0, 3, true));
        assert!(key.starts_key_frame && key.starts_picture);
        let third = marks(&packet(1, 2, 2, 3, false));
        assert_eq!(
            (third.temporal, third.is_sync, third.starts_key_frame),
            (2, true, false)
        );
        assert!(marks(&[0x10, 0x00]).starts_key_frame, "no extensions");
        assert!(!marks(&[0x11, 0x00]).starts_key_frame, "second partition");
        assert!(!marks(&[0x00, 0x00]).starts_picture);
        for cut in [
            &[0x90][..],
            &[0x90, 0x80],
            &[0x90, 0x80, 0x81],
            &[0x90, 0xf0, 1, 2],
            &[0x10],
            &[],
        ] {
            assert_eq!(Descriptor::parse(cut), None, "{cut:?}");
        }
    }

    #[test]
    fn the_first_source_keeps_its_numbers() {
        let mut rewriter = Rewriter::default();
        for (payload, what) in [
            (packet(32_767, 255, 0, 31, true), "all at their ends"),
            (packet(0, 0, 0, 31, false), "wrapped"),
        ] {
            assert_eq!(through(&mut rewriter, &payload), Some(payload), "{what}");
        }
    }

    #[test]
    fn another_encoding_continues_the_numbers() {
        let mut rewriter = Rewriter::default();
        through(&mut rewriter, &packet(32_767, 255, 0, 31, true));
        rewriter.interrupt();
        let first = through(&mut rewriter, &packet(500, 9, 0, 4, true));
        assert_eq!(first, Some(packet(0, 0, 0, 0, true)));
        let second = through(&mut rewriter, &packet(501, 10, 0, 4, false));
        assert_eq!(second, Some(packet(1, 1, 0, 0, false)));
        assert_eq!(
            through(&mut rewriter, &packet(499, 9, 0, 4, false)),
            None,
            "before the switch"
        );
    }

    #[test]
    fn pictures_left_out_leave_no_hole() {
        let mut rewriter = Rewriter::default();
        through(&mut rewriter, &packet(10, 1, 0, 0, true));
        for _ in 0..3 {
            // Several packets of one picture.
            let left_out = packet(11, 1, 2, 0, false);
            rewriter.leave_out(&Descriptor::parse(&left_out).unwrap());
        }
        let next = through(&mut rewriter, &packet(12, 1, 1, 0, false));
        assert_eq!(next, Some(packet(11, 1, 1, 0, false)));
        assert_eq!(through(&mut rewriter, &packet(11, 1, 2, 0, false)), None);
        let lost_one = through(&mut rewriter, &packet(14, 2, 0, 0, false));
        assert_eq!(lost_one, Some(packet(13, 2, 0, 0, false)));
    }

    #[test]
    fn short_picture_ids_stay_short() {
        let mut rewriter = Rewriter::default();
        assert_eq!(through(&mut rewriter, &short(127)), Some(short(127)));
        assert_eq!(through(&mut rewriter, &short(0)), Some(short(0)));
        rewriter.interrupt();
        assert_eq!(through(&mut rewriter, &short(99)), Some(short(1)));
        let bare = [0x10, 0x01, 7];
        assert_eq!(through(&mut rewriter, &bare), Some(bare.to_vec()));
    }

    #[test]
    fn picture_ids_wrap_with_every_other_one_left_out() {
        let mut rewriter = Rewriter::default();
        let mut ours = 0u16;
        for n in 0..100_000u32 {
            let picture = (n & 0x7fff) as u16;
            let payload = packet(picture, 0, (n % 2) as u8, 0, n == 0);
            if n % 2 == 1 {
                rewriter.leave_out(&Descriptor::parse(&payload).unwrap());
            } else {
                let out = through(&mut rewriter, &payload).unwrap();
                assert_eq!(u16::from_be_bytes([out[2], out[3]]) & 0x7fff, ours);
                ours = (ours + 1) & 0x7fff;
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(
            payloads in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..12), 0u8..4),
                0..64,
            ),
        ) {
            let mut rewriter = Rewriter::default();
            for (payload, what) in payloads {
                let Some(descriptor) = Descriptor::parse(&payload) else { continue };
                prop_assert!(usize::from(descriptor.len) < payload.len());
                match what {
                    0 => rewriter.interrupt(),
                    1 => rewriter.leave_out(&descriptor),
                    _ => {
                        if let Some(patch) = rewriter.pass(&payload, &descriptor) {
                            let mut out = payload.clone();
                            out[..patch.bytes().len()].copy_from_slice(patch.bytes());
                            let again = Descriptor::parse(&out);
                            prop_assert_eq!(again.map(|d| d.marks()), Some(descriptor.marks()));
                        }
                    }
                }
            }
        }
    }
}
