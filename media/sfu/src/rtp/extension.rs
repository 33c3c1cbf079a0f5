//! Header extensions (RFC 8285): which are negotiated, and writing them.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use str0m::rtp::{AbsCaptureTime, Extension, ExtensionMap, ExtensionValues};

use super::known::{
    ABS_CAPTURE_TIME, ANSWERED, AUDIO_LEVEL, DEPENDENCY_DESCRIPTOR, MID, NTP_TO_UNIX_SECONDS,
    PLAYOUT_DELAY, REPAIRED_RID, RID, RawDescriptor, TRANSPORT_CC, VIDEO_ORIENTATION,
};
use super::late::{self, LateIds};
use super::transport_cc::TransportNumbers;

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
        if fits_kind && is_new && ANSWERED.contains(&uri.as_str()) && known.is(*id, uri) {
            answered.push((*id, uri));
        }
    }
    answered
}

/// Ids are shared by all sections of a bundle; the stack's map is fixed when it is built.
#[derive(Debug, Clone, Default)]
pub struct SessionExtensions {
    ids: Vec<(u8, String)>,
    /// Of those that the stack does not know by itself.
    late: LateIds,
}

impl SessionExtensions {
    /// `offered`: of all sections of the first offer.
    pub fn new<'a>(offered: impl Iterator<Item = &'a (u8, String)>) -> Self {
        let mut known = SessionExtensions::default();
        known.add(offered);
        known
    }

    /// A later offer may name more, and give a free id a meaning, but no other meaning to one.
    pub fn learn<'a>(&mut self, offered: impl Iterator<Item = &'a (u8, String)>) {
        let before = self.ids.len();
        self.add(offered);
        for (id, uri) in &self.ids[before..] {
            self.late.learn(*id, uri);
        }
    }

    fn add<'a>(&mut self, offered: impl Iterator<Item = &'a (u8, String)>) {
        for (id, uri) in offered {
            let is_wanted = ANSWERED.contains(&uri.as_str()) && late::IDS.contains(id);
            if is_wanted && !self.ids.iter().any(|(i, u)| i == id || u == uri) {
                self.ids.push((*id, uri.clone()));
            }
        }
    }

    fn is(&self, id: u8, uri: &str) -> bool {
        self.ids.iter().any(|(i, u)| *i == id && u == uri)
    }

    pub fn transport_numbers(&self) -> TransportNumbers {
        self.late.transport_numbers.clone()
    }

    /// For the stack, which parses what comes in.
    pub fn to_map(&self) -> ExtensionMap {
        let mut map = ExtensionMap::empty();
        for id in late::IDS {
            map.set(id, self.late.placeholder(id));
        }
        for (id, uri) in &self.ids {
            let extension = match uri.as_str() {
                MID => Extension::RtpMid,
                AUDIO_LEVEL => Extension::AudioLevel,
                ABS_CAPTURE_TIME => Extension::AbsoluteCaptureTime,
                VIDEO_ORIENTATION => Extension::VideoOrientation,
                // Read by us, since not all of them are for the stack.
                TRANSPORT_CC => {
                    self.late.learn(*id, uri);
                    continue;
                }
                PLAYOUT_DELAY => Extension::PlayoutDelay,
                RID => Extension::RtpStreamId,
                REPAIRED_RID => Extension::RepairedRtpStreamId,
                DEPENDENCY_DESCRIPTOR => {
                    Extension::with_serializer(uri, RawDescriptor(Arc::from([])))
                }
                _ => continue,
            };
            map.set(*id, extension);
        }
        map
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

    pub fn new(values: &ExtensionValues) -> Self {
        let delay = match (values.play_delay_min, values.play_delay_max) {
            (Some(min), Some(max)) => {
                let hundredths =
                    |t: str0m::media::MediaTime| ((t.as_seconds() * 100.0).round() as u32) & 0xfff;
                let (min, max) = (hundredths(min), hundredths(max));
                Some([(min >> 4) as u8, ((min << 4) | (max >> 8)) as u8, max as u8])
            }
            _ => None,
        };
        Values {
            audio_level: values.audio_level.map(|level| {
                level.unsigned_abs().min(127)
                    | if values.voice_activity == Some(true) {
                        0x80
                    } else {
                        0
                    }
            }),
            abs_capture_time: values.abs_capture_time.as_ref().map(
                |AbsCaptureTime {
                     capture_time,
                     clock_offset,
                 }| { (ntp_of(*capture_time), *clock_offset) },
            ),
            video_orientation: values.video_orientation.map(|o| o as u8),
            playout_delay: delay,
        }
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
