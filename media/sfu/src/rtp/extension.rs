//! Header extensions (RFC 8285): which are negotiated, reading and writing them.

use std::time::{SystemTime, UNIX_EPOCH};

use super::header::Header;
use super::known::{
    ABS_CAPTURE_TIME, AUDIO_LEVEL, DEPENDENCY_DESCRIPTOR, Known, MID, NTP_TO_UNIX_SECONDS,
    PLAYOUT_DELAY, REPAIRED_RID, RID, TRANSPORT_CC, VIDEO_ORIENTATION,
};

/// Ids of the one-byte form; only these are ever answered.
const IDS: usize = 15;

/// RFC 8285, 4.2 and 4.3; the length is filled in later.
const ONE_BYTE_FORM: [u8; 4] = [0xbe, 0xde, 0, 0];
const TWO_BYTE_FORM: [u8; 4] = [0x10, 0, 0, 0];

/// What offers of ours name for what a client receives, under libwebrtc's ids.
const OFFERED: [(u8, &str); 7] = [
    (1, AUDIO_LEVEL),
    (2, ABS_CAPTURE_TIME),
    (3, TRANSPORT_CC),
    (4, MID),
    (5, PLAYOUT_DELAY),
    (12, DEPENDENCY_DESCRIPTOR),
    (13, VIDEO_ORIENTATION),
];

/// As offered in a section of ours.
pub fn offered(is_video: bool) -> Vec<(u8, String)> {
    let fits = |uri: &str| match uri {
        AUDIO_LEVEL => !is_video,
        VIDEO_ORIENTATION | PLAYOUT_DELAY | DEPENDENCY_DESCRIPTOR => is_video,
        _ => true,
    };
    let kept = OFFERED.into_iter().filter(|(_, uri)| fits(uri));
    kept.map(|(id, uri)| (id, uri.to_owned())).collect()
}

/// The part of a section's offered extensions that is answered.
pub fn answered<'a>(
    offered: &'a [(u8, String)],
    is_video: bool,
    wants_descriptor: bool,
    known: &SessionExtensions,
) -> Vec<(u8, &'a str)> {
    let mut answered: Vec<(u8, &str)> = Vec::new();
    for (id, uri) in offered {
        let fits_kind = match uri.as_str() {
            AUDIO_LEVEL => !is_video,
            VIDEO_ORIENTATION | PLAYOUT_DELAY | RID | REPAIRED_RID => is_video,
            DEPENDENCY_DESCRIPTOR => wants_descriptor,
            _ => true,
        };
        let is_new = !answered.iter().any(|(i, u)| i == id || u == uri);
        if fits_kind && is_new && known.is(*id, uri) {
            answered.push((*id, uri));
        }
    }
    answered
}

/// What each id means. Ids are shared by all sections of a bundle.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionExtensions([Option<Known>; IDS]);

impl SessionExtensions {
    /// An offer may name more than those before, and give a free id a meaning, but no other meaning
    /// to one.
    pub fn learn<'a>(&mut self, offered: impl Iterator<Item = &'a (u8, String)>) {
        for (id, uri) in offered {
            let known = Known::of(uri);
            let is_new = known.is_some() && !self.0.contains(&known);
            if let Some(meaning) = self.0.get_mut(usize::from(*id))
                && is_new
                && meaning.is_none()
                && *id != 0
            {
                *meaning = known;
            }
        }
    }

    fn is(&self, id: u8, uri: &str) -> bool {
        let meaning = self.0.get(usize::from(id)).copied().flatten();
        meaning.is_some() && meaning == Known::of(uri)
    }

    /// What a packet says beside its payload. What is not known or too short is passed over.
    pub fn read<'a>(&self, header: &Header<'a>) -> Said<'a> {
        let mut said = Said::default();
        for (id, bytes) in header.elements() {
            if let Some(Some(known)) = self.0.get(usize::from(id)) {
                said.take(*known, bytes);
            }
        }
        said
    }
}

/// The header extensions of one packet.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said<'a> {
    pub values: Values,
    pub mid: Option<&'a [u8]>,
    pub rid: Option<&'a [u8]>,
    pub repaired_rid: Option<&'a [u8]>,
    /// The transport-wide sequence number.
    pub number: Option<u16>,
    /// The dependency descriptor.
    pub descriptor: Option<&'a [u8]>,
}

impl<'a> Said<'a> {
    fn take(&mut self, known: Known, bytes: &'a [u8]) {
        let values = &mut self.values;
        match known {
            Known::Mid => self.mid = Some(bytes),
            Known::Rid => self.rid = Some(bytes),
            Known::RepairedRid => self.repaired_rid = Some(bytes),
            Known::DependencyDescriptor => self.descriptor = Some(bytes),
            Known::TransportNumber => {
                let number = bytes.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
                self.number = number.or(self.number);
            }
            Known::AudioLevel => {
                values.audio_level = bytes.first().copied().or(values.audio_level);
            }
            // 3GPP TS 26.114, 7.4.5: the upper four bits are reserved.
            Known::VideoOrientation => {
                let orientation = bytes.first().map(|byte| byte & 0x0f);
                values.video_orientation = orientation.or(values.video_orientation);
            }
            Known::PlayoutDelay => {
                values.playout_delay = bytes.first_chunk().copied().or(values.playout_delay);
            }
            Known::AbsCaptureTime => {
                if let Some(time) = bytes.first_chunk() {
                    let offset = bytes.get(8..).and_then(<[u8]>::first_chunk);
                    let offset = offset.map(|bytes| i64::from_be_bytes(*bytes));
                    values.abs_capture_time = Some((u64::from_be_bytes(*time), offset));
                }
            }
        }
    }
}

/// The ids that one section of a subscriber knows; 0 = not negotiated.
#[derive(Debug, Clone, Copy, Default)]
pub struct SectionExtensions {
    mid: u8,
    audio_level: u8,
    abs_capture_time: u8,
    video_orientation: u8,
    playout_delay: u8,
    descriptor: u8,
}

impl SectionExtensions {
    pub fn new(answered: &[(u8, &str)]) -> Self {
        let id = |uri: &str| {
            answered
                .iter()
                .find(|(_, u)| *u == uri)
                .map_or(0, |(id, _)| *id)
        };
        SectionExtensions {
            mid: id(MID),
            audio_level: id(AUDIO_LEVEL),
            abs_capture_time: id(ABS_CAPTURE_TIME),
            video_orientation: id(VIDEO_ORIENTATION),
            playout_delay: id(PLAYOUT_DELAY),
            descriptor: id(DEPENDENCY_DESCRIPTOR),
        }
    }

    pub fn has_descriptor(&self) -> bool {
        self.descriptor != 0
    }
}

/// Values that travel from publisher to subscriber, already in wire form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Values {
    audio_level: Option<u8>,
    abs_capture_time: Option<(u64, Option<i64>)>,
    video_orientation: Option<u8>,
    playout_delay: Option<[u8; 3]>,
}

impl Values {
    /// Of audio, as on the wire (RFC 6464).
    pub fn level(&self) -> Option<u8> {
        self.audio_level
    }
}

/// 64-bit NTP timestamp (RFC 5905) of a wall-clock time.
pub fn ntp_of(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    ((since.as_secs() + NTP_TO_UNIX_SECONDS) << 32) | fraction
}

/// Append the extension block to a header of 12 bytes; sets its X bit. In the one-byte form, unless
/// a dependency descriptor is too long for it (answers allow the forms to be mixed).
pub fn write(
    header: &mut Vec<u8>,
    ids: &SectionExtensions,
    values: &Values,
    mid: Option<&[u8]>,
    descriptor: Option<&[u8]>,
) {
    let start = header.len();
    let is_long = descriptor.is_some_and(|bytes| bytes.len() > 16);
    header.extend_from_slice(if is_long {
        &TWO_BYTE_FORM
    } else {
        &ONE_BYTE_FORM
    });
    let mut element = |id: u8, bytes: &[u8]| {
        if id == 0 || bytes.is_empty() || bytes.len() > 255 {
            return;
        }
        if is_long {
            header.extend_from_slice(&[id, bytes.len() as u8]);
        } else {
            header.push(id << 4 | (bytes.len() as u8 - 1));
        }
        header.extend_from_slice(bytes);
    };
    if let Some(descriptor) = descriptor {
        element(ids.descriptor, descriptor);
    }
    if let Some(mid) = mid {
        element(ids.mid, mid);
    }
    if let Some(level) = values.audio_level {
        element(ids.audio_level, &[level]);
    }
    if let Some(orientation) = values.video_orientation {
        element(ids.video_orientation, &[orientation]);
    }
    if let Some(delay) = values.playout_delay {
        element(ids.playout_delay, &delay);
    }
    if let Some((time, offset)) = values.abs_capture_time {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&time.to_be_bytes());
        match offset {
            Some(offset) => {
                bytes[8..].copy_from_slice(&offset.to_be_bytes());
                element(ids.abs_capture_time, &bytes);
            }
            None => element(ids.abs_capture_time, &bytes[..8]),
        }
    }
    let len = header.len() - start - 4;
    if len == 0 {
        header.truncate(start);
        return;
    }
    header.resize(start + 4 + len.next_multiple_of(4), 0);
    header[start + 3] = (len.div_ceil(4)) as u8;
    header[0] |= 0x10;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet with these elements of the one-byte form.
    fn packet(elements: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 0];
        packet.extend_from_slice(elements);
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet[15] = ((packet.len() - 16) / 4) as u8;
        packet
    }

    #[test]
    fn an_id_means_nothing_until_it_is_learnt_and_then_one_thing() {
        let mut known = SessionExtensions::default();
        let packet = packet(&[0x91, b'1', b'2', 0x30, b'7']);
        let header = Header::parse(&packet).unwrap();
        assert_eq!(known.read(&header), Said::default());
        let offered = |list: &[(u8, &str)]| {
            let owned = list.iter().map(|(id, uri)| (*id, (*uri).to_owned()));
            owned.collect::<Vec<_>>()
        };
        known
            .learn(offered(&[(9, MID), (0, RID), (200, RID), (3, "urn:of-something-else")]).iter());
        known.learn(offered(&[(9, RID), (3, MID)]).iter());
        let said = known.read(&header);
        assert_eq!((said.mid, said.rid), (Some(&b"12"[..]), None));
        assert!(known.is(9, MID) && !known.is(3, MID) && !known.is(3, "urn:of-something-else"));
    }

    #[test]
    fn what_is_read_is_what_is_written() {
        let mut known = SessionExtensions::default();
        let offered: Vec<_> = [false, true].into_iter().flat_map(offered).collect();
        known.learn(offered.iter());
        let named: Vec<_> = offered
            .iter()
            .map(|(id, uri)| (*id, uri.as_str()))
            .collect();
        let ids = SectionExtensions::new(&named);
        for (offset, descriptor) in [(None, &[1, 2, 3][..]), (Some(-7), &[9; 17])] {
            let values = Values {
                audio_level: Some(0x85),
                abs_capture_time: Some((1 << 63 | 5, offset)),
                video_orientation: Some(3),
                playout_delay: Some([1, 0x20, 0x34]),
            };
            let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
            write(&mut packet, &ids, &values, Some(b"17"), Some(descriptor));
            let said = known.read(&Header::parse(&packet).unwrap());
            assert_eq!(said.values, values);
            assert_eq!(
                (said.mid, said.descriptor),
                (Some(&b"17"[..]), Some(descriptor))
            );
        }
    }

    #[test]
    fn what_is_too_short_is_passed_over() {
        let mut known = SessionExtensions::default();
        let offered: Vec<_> = [false, true].into_iter().flat_map(offered).collect();
        known.learn(offered.iter());
        // A number, a delay and a capture time of one byte each.
        let packet = packet(&[0x30, 1, 0x50, 1, 0x20, 1]);
        let said = known.read(&Header::parse(&packet).unwrap());
        assert_eq!(said, Said::default());
    }

    #[test]
    fn block_is_padded_and_counted() {
        let ids = SectionExtensions {
            mid: 4,
            audio_level: 1,
            ..Default::default()
        };
        let values = Values {
            audio_level: Some(0x85),
            video_orientation: Some(1),
            ..Default::default()
        };
        let mut header = vec![0x80; 12];
        write(&mut header, &ids, &values, Some(b"12"), None);
        assert_eq!(header[0], 0x90);
        assert_eq!(
            &header[12..],
            [0xbe, 0xde, 0, 2, 0x41, b'1', b'2', 0x10, 0x85, 0, 0, 0]
        );
        let mut plain = vec![0x80; 12];
        write(&mut plain, &ids, &Values::default(), None, None);
        assert_eq!(plain, vec![0x80; 12]);
    }

    #[test]
    fn long_descriptors_take_the_two_byte_form() {
        let ids = SectionExtensions {
            mid: 4,
            descriptor: 12,
            ..Default::default()
        };
        let mut short = vec![0x80; 12];
        write(&mut short, &ids, &Values::default(), None, Some(&[1, 2, 3]));
        assert_eq!(&short[12..], [0xbe, 0xde, 0, 1, 0xc2, 1, 2, 3]);
        let mut long = vec![0x80; 12];
        write(
            &mut long,
            &ids,
            &Values::default(),
            Some(b"7"),
            Some(&[9; 17]),
        );
        assert_eq!(&long[12..18], [0x10, 0, 0, 6, 12, 17]);
        assert_eq!(&long[18 + 17..], [4, 1, b'7', 0, 0]);
    }
}
