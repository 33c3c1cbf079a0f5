//! Header extensions whose ids are learnt after the stack was built.
//!
//! Clients of two connections first offer their data channels only, and name extensions when they
//! publish. The stack's map of ids is fixed by then; so it has a placeholder for each id that no
//! offer has named, which looks up what the id has come to mean. Must never change a meaning: ids
//! are shared by all sections of a connection.

use std::str::from_utf8;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use str0m::media::MediaTime;
use str0m::rtp::{
    AbsCaptureTime, Extension, ExtensionSerializer, ExtensionValues, VideoOrientation,
};

use super::known::{
    ABS_CAPTURE_TIME, ANSWERED, AUDIO_LEVEL, DEPENDENCY_DESCRIPTOR, MID, NTP_TO_UNIX_SECONDS,
    PLAYOUT_DELAY, REPAIRED_RID, RID, RawDescriptor, TRANSPORT_CC, VIDEO_ORIENTATION,
};
use super::transport_cc::TransportNumbers;

/// Ids of the one-byte form.
pub const IDS: std::ops::RangeInclusive<u8> = 1..=14;

/// What each id means: a place in `ANSWERED` and one more, 0 = nothing yet.
#[derive(Debug, Clone, Default)]
pub struct LateIds {
    places: Arc<[AtomicU8; 15]>,
    pub transport_numbers: TransportNumbers,
}

impl LateIds {
    pub fn learn(&self, id: u8, uri: &str) {
        let place = ANSWERED.iter().position(|known| *known == uri);
        if let (Some(entry), Some(place)) = (self.places.get(usize::from(id)), place) {
            entry.store(place as u8 + 1, Ordering::Relaxed);
        }
    }

    fn meaning(&self, id: u8) -> Option<&'static str> {
        let place = self.places.get(usize::from(id))?.load(Ordering::Relaxed);
        ANSWERED.get(usize::from(place).checked_sub(1)?).copied()
    }

    /// What the stack is to know of an id.
    pub fn placeholder(&self, id: u8) -> Extension {
        let ids = self.clone();
        Extension::with_serializer(&format!("id:{id}"), Placeholder { id, ids })
    }
}

#[derive(Debug)]
struct Placeholder {
    id: u8,
    ids: LateIds,
}

impl ExtensionSerializer for Placeholder {
    fn write_to(&self, _: &mut [u8], _: &ExtensionValues) -> usize {
        // The stack sends no media.
        0
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        // What is not known or too short is passed over, as the stack does with its own.
        if let Some(uri) = self.ids.meaning(self.id) {
            let _ = read(uri, bytes, values, &self.ids.transport_numbers);
        }
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        true
    }
}

fn read(
    uri: &str,
    bytes: &[u8],
    values: &mut ExtensionValues,
    transport_numbers: &TransportNumbers,
) -> Option<()> {
    match uri {
        MID => values.mid = Some(from_utf8(bytes).ok()?.into()),
        RID => values.rid = Some(from_utf8(bytes).ok()?.into()),
        REPAIRED_RID => values.rid_repair = Some(from_utf8(bytes).ok()?.into()),
        AUDIO_LEVEL => {
            let level = bytes.first()?;
            values.audio_level = Some(-((level & 0x7f) as i8));
            values.voice_activity = Some(level & 0x80 != 0);
        }
        TRANSPORT_CC => {
            let number = u16::from_be_bytes(*bytes.first_chunk()?);
            values.transport_cc = transport_numbers.admit(number);
        }
        VIDEO_ORIENTATION => {
            values.video_orientation = Some(VideoOrientation::from(bytes.first()? & 3));
        }
        PLAYOUT_DELAY => {
            let [high, middle, low] = bytes.first_chunk()?.map(u64::from);
            let (min, max) = (high << 4 | middle >> 4, (middle & 0xf) << 8 | low);
            values.play_delay_min = Some(MediaTime::from_hundredths(min));
            values.play_delay_max = Some(MediaTime::from_hundredths(max));
        }
        ABS_CAPTURE_TIME => {
            let ntp = u64::from_be_bytes(*bytes.first_chunk()?);
            let seconds = (ntp >> 32).checked_sub(NTP_TO_UNIX_SECONDS)?;
            let nanoseconds = ((ntp & 0xffff_ffff) * 1_000_000_000) >> 32;
            let offset = bytes.get(8..16).and_then(|b| b.first_chunk());
            values.abs_capture_time = Some(AbsCaptureTime {
                capture_time: UNIX_EPOCH + Duration::new(seconds, nanoseconds as u32),
                clock_offset: offset.map(|b| i64::from_be_bytes(*b)),
            });
        }
        DEPENDENCY_DESCRIPTOR => values.user_values.set(RawDescriptor(bytes.into())),
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::extension::{Values, ntp_of};

    #[test]
    fn an_id_means_nothing_until_it_is_learnt() {
        let ids = LateIds::default();
        let placeholder = Placeholder {
            id: 9,
            ids: ids.clone(),
        };
        let mut values = ExtensionValues::default();
        assert!(placeholder.parse_value(b"0", &mut values));
        assert!(values.mid.is_none());
        ids.learn(9, MID);
        ids.learn(200, RID);
        ids.learn(3, "urn:of-something-else");
        assert!(placeholder.parse_value(b"0", &mut values));
        assert_eq!(&*values.mid.unwrap(), "0");
    }

    #[test]
    fn everything_is_read_as_the_stack_reads_it_and_nothing_panics() {
        let now = std::time::SystemTime::now();
        let mut capture = ntp_of(now).to_be_bytes().to_vec();
        capture.extend(7i64.to_be_bytes());
        let mut values = ExtensionValues::default();
        let numbers = TransportNumbers::default();
        for (uri, bytes) in [
            (AUDIO_LEVEL, &[0x85][..]),
            (TRANSPORT_CC, &[1, 2]),
            (VIDEO_ORIENTATION, &[3]),
            (PLAYOUT_DELAY, &[0x01, 0x20, 0x34]),
            (ABS_CAPTURE_TIME, &capture),
            (RID, b"q"),
            (REPAIRED_RID, b"h"),
            (DEPENDENCY_DESCRIPTOR, &[1, 2, 3]),
        ] {
            assert_eq!(read(uri, bytes, &mut values, &numbers), Some(()), "{uri}");
            for len in 0..bytes.len() {
                let _ = read(
                    uri,
                    &bytes[..len],
                    &mut ExtensionValues::default(),
                    &numbers,
                );
            }
            let _ = read(uri, &[0xff; 255], &mut ExtensionValues::default(), &numbers);
        }
        assert_eq!(
            (values.audio_level, values.voice_activity),
            (Some(-5), Some(true))
        );
        assert_eq!(values.transport_cc, Some(0x0102));
        let wire = Values::new(&values);
        assert_eq!(wire.level(), Some(0x85));
        let seen = values.abs_capture_time.unwrap();
        let apart = seen
            .capture_time
            .duration_since(now)
            .unwrap_or_else(|e| e.duration());
        assert!(apart < Duration::from_micros(1));
        assert_eq!(seen.clock_offset, Some(7));
    }
}
