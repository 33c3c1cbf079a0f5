//! The dependency descriptor of RTP packets (AV1 RTP specification, appendix A): read, and rewritten
//! for one subscriber. Every count is bounded by the format itself and checked against the bytes that
//! are there; whatever a descriptor claims, reading costs no more than its length.

use std::sync::Arc;

use super::bits::{Bits, BitsOut};

/// Decode targets, chains and templates that the format can express.
const MAX_TARGETS: usize = 32;
const MAX_TEMPLATES: usize = 64;
/// References of one frame; the format knows no bound, encoders use a handful.
const MAX_DIFFS: usize = 16;
/// Longest descriptor: what fits into one two-byte header extension element.
const MAX_LEN: usize = 255;
/// Bits of the mandatory fields and of the flags behind them.
const MANDATORY_BITS: usize = 24;
const FLAG_BITS: usize = 5;

/// What a frame is to a decode target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indication {
    NotPresent,
    Discardable,
    Switch,
    Required,
}

impl Indication {
    fn of(bits: u32) -> Indication {
        match bits {
            0 => Indication::NotPresent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Template {
    spatial: u8,
    temporal: u8,
    indications: Vec<Indication>,
    frame_diffs: Vec<u16>,
    chain_diffs: Vec<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub spatial: u8,
    pub temporal: u8,
    /// Chain that protects it.
    pub chain: Option<u8>,
}

/// How the frames of a stream depend on each other; holds until the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    id_offset: u8,
    templates: Vec<Template>,
    pub targets: Vec<Target>,
    chains: u8,
}

/// One packet's descriptor with everything resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub is_start: bool,
    pub is_end: bool,
    pub frame_number: u16,
    pub spatial: u8,
    pub temporal: u8,
    pub indications: Vec<Indication>,
    pub frame_diffs: Vec<u16>,
    pub chain_diffs: Vec<u16>,
    pub structure: Arc<Structure>,
    /// This packet carries the structure: a key frame.
    pub has_structure: bool,
    /// Targets that the encoder makes, as bits.
    pub active: u32,
    bytes: Vec<u8>,
    /// Where a mask of active targets stands, or would; its length when there is one.
    mask_at: usize,
    mask_bits: usize,
}

/// Reads the descriptors of one stream.
#[derive(Debug, Default)]
pub struct Reader {
    structure: Option<Arc<Structure>>,
    active: u32,
}

impl Reader {
    /// `None` for what is malformed, or refers to a structure that never came.
    pub fn read(&mut self, bytes: &[u8]) -> Option<Dependency> {
        if bytes.len() > MAX_LEN {
            return None;
        }
        let mut bits = Bits { bytes, at: 0 };
        let is_start = bits.flag()?;
        let is_end = bits.flag()?;
        let template_id = bits.read(6)? as u8;
        let frame_number = bits.read(16)? as u16;
        let mut flags = [false; FLAG_BITS];
        let is_extended = bytes.len() * 8 > MANDATORY_BITS;
        if is_extended {
            for flag in &mut flags {
                *flag = bits.flag()?;
            }
        }
        let [
            has_structure,
            has_mask,
            own_indications,
            own_frames,
            own_chains,
        ] = flags;
        let mut active = self.active;
        let structure = if has_structure {
            let structure = Arc::new(Structure::read(&mut bits)?);
            active = mask(structure.targets.len());
            structure
        } else {
            self.structure.clone()?
        };
        let count = structure.targets.len();
        let mask_at = bits.at;
        if has_mask {
            active = bits.read(count)?;
        }
        let index = usize::from((template_id + 64 - structure.id_offset) % 64);
        let template = structure.templates.get(index)?;
        let indications = if own_indications {
            indications(&mut bits, count)?
        } else {
            template.indications.clone()
        };
        let frame_diffs = if own_frames {
            let mut diffs = Vec::new();
            loop {
                match bits.read(2)? {
                    0 => break,
                    size => diffs.push(bits.read(4 * size as usize)? as u16 + 1),
                }
                if diffs.len() > MAX_DIFFS {
                    return None;
                }
            }
            diffs
        } else {
            template.frame_diffs.clone()
        };
        let chain_diffs = if own_chains {
            (0..structure.chains)
                .map(|_| Some(bits.read(8)? as u16))
                .collect::<Option<_>>()?
        } else {
            template.chain_diffs.clone()
        };
        let dependency = Dependency {
            is_start,
            is_end,
            frame_number,
            spatial: template.spatial,
            temporal: template.temporal,
            indications,
            frame_diffs,
            chain_diffs,
            structure: structure.clone(),
            has_structure,
            active,
            bytes: bytes.to_vec(),
            mask_at,
            mask_bits: if has_mask { count } else { 0 },
        };
        self.structure = Some(structure);
        self.active = active;
        Some(dependency)
    }
}

impl Structure {
    fn read(bits: &mut Bits<'_>) -> Option<Structure> {
        let id_offset = bits.read(6)? as u8;
        let count = bits.read(5)? as usize + 1;
        let mut templates = Vec::new();
        let (mut spatial, mut temporal) = (0u8, 0u8);
        loop {
            if templates.len() == MAX_TEMPLATES {
                return None;
            }
            templates.push(Template {
                spatial,
                temporal,
                indications: Vec::new(),
                frame_diffs: Vec::new(),
                chain_diffs: Vec::new(),
            });
            match bits.read(2)? {
                0 => {}
                1 => temporal += 1,
                2 => (spatial, temporal) = (spatial + 1, 0),
                _ => break,
            }
            // The specification's limits.
            if spatial > 3 || temporal > 7 {
                return None;
            }
        }
        for template in &mut templates {
            template.indications = indications(bits, count)?;
        }
        for template in &mut templates {
            while bits.flag()? {
                if template.frame_diffs.len() == MAX_DIFFS {
                    return None;
                }
                template.frame_diffs.push(bits.read(4)? as u16 + 1);
            }
        }
        let chains = bits.read_below(count as u32 + 1)? as u8;
        let mut protected = vec![None; count];
        if chains > 0 {
            for chain in &mut protected {
                *chain = Some(bits.read_below(u32::from(chains))? as u8);
            }
            for template in &mut templates {
                template.chain_diffs = (0..chains)
                    .map(|_| Some(bits.read(4)? as u16))
                    .collect::<Option<_>>()?;
            }
        }
        let targets = (0..count).map(|target| {
            // The largest layer that is present in it.
            let present = templates
                .iter()
                .filter(|t| t.indications[target] != Indication::NotPresent);
            Target {
                spatial: present.clone().map(|t| t.spatial).max().unwrap_or(0),
                temporal: present.map(|t| t.temporal).max().unwrap_or(0),
                chain: protected[target],
            }
        });
        let targets = targets.collect();
        if bits.flag()? {
            for _ in 0..=spatial {
                bits.read(32)?;
            }
        }
        Some(Structure {
            id_offset,
            templates,
            targets,
            chains,
        })
    }
}

impl Dependency {
    /// The descriptor for a subscriber: its frame numbers, and the targets that it gets where that is
    /// to be said.
    pub fn write(&self, out: &mut Vec<u8>, frame_number: u16, active: Option<u32>) {
        out.clear();
        let Some(active) = active.filter(|_| !self.structure.targets.is_empty()) else {
            out.extend_from_slice(&self.bytes);
            out[1..3].copy_from_slice(&frame_number.to_be_bytes());
            return;
        };
        let from = Bits {
            bytes: &self.bytes,
            at: 0,
        };
        let total = self.bytes.len() * 8;
        let mut to = BitsOut { bytes: out, at: 0 };
        let copy = |to: &mut BitsOut<'_>, range: std::ops::Range<usize>| {
            for at in range {
                to.push(u32::from(from.bit(at)), 1);
            }
        };
        copy(&mut to, 0..8);
        to.push(u32::from(frame_number), 16);
        if total > MANDATORY_BITS {
            copy(&mut to, MANDATORY_BITS..MANDATORY_BITS + 1);
            to.push(1, 1);
            copy(&mut to, MANDATORY_BITS + 2..self.mask_at);
        } else {
            to.push(0b01000, FLAG_BITS);
        }
        to.push(active, self.structure.targets.len());
        copy(&mut to, (self.mask_at + self.mask_bits).min(total)..total);
    }
}

fn mask(targets: usize) -> u32 {
    ((1u64 << targets.min(MAX_TARGETS)) - 1) as u32
}

fn indications(bits: &mut Bits<'_>, count: usize) -> Option<Vec<Indication>> {
    (0..count)
        .map(|_| Some(Indication::of(bits.read(2)?)))
        .collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Writes descriptors as an encoder does.
    pub struct Writer {
        bits: Vec<u8>,
        at: usize,
    }

    impl Writer {
        fn push(&mut self, value: u32, count: usize) -> &mut Self {
            let mut out = BitsOut {
                bytes: &mut self.bits,
                at: self.at,
            };
            out.push(value, count);
            self.at = out.at;
            self
        }

        fn below(&mut self, value: u32, n: u32) -> &mut Self {
            let width = u32::BITS - n.leading_zeros();
            let short = (1 << width) - n;
            if value < short {
                self.push(value, width as usize - 1)
            } else {
                self.push(value + short, width as usize)
            }
        }
    }

    pub fn head(is_start: bool, is_end: bool, template: u8, frame: u16) -> Writer {
        let mut writer = Writer {
            bits: Vec::new(),
            at: 0,
        };
        writer
            .push(u32::from(is_start), 1)
            .push(u32::from(is_end), 1)
            .push(u32::from(template), 6)
            .push(u32::from(frame), 16);
        writer
    }

    /// L3T1_KEY: three spatial layers that lean on each other in key frames only. Templates 0 to 2:
    /// key frames, 3 to 5: delta frames, in layers' order; the first template's id is 5.
    pub fn key_frame_structure(writer: &mut Writer) {
        writer.push(0b10000, FLAG_BITS).push(5, 6).push(2, 5);
        // Two templates for each layer.
        for next in [0, 2, 0, 2, 0, 3] {
            writer.push(next, 2);
        }
        // Layers in order: key, delta, key, delta, key, delta.
        for (layer, is_key) in (0..3).flat_map(|layer| [(layer, true), (layer, false)]) {
            for target in 0..3 {
                let indication = match (is_key, layer <= target, layer == target) {
                    (true, true, _) => 2,
                    (false, _, true) => 3,
                    _ => 0,
                };
                writer.push(indication, 2);
            }
        }
        for (layer, is_key) in (0..3).flat_map(|layer| [(layer, true), (layer, false)]) {
            match (layer, is_key) {
                (0, true) => writer.push(0, 1),
                (_, true) => writer.push(1, 1).push(0, 4).push(0, 1),
                (_, false) => writer.push(1, 1).push(2, 4).push(0, 1),
            };
        }
        writer.below(3, 4);
        for chain in 0..3 {
            writer.below(chain, 3);
        }
        for (layer, is_key) in (0..3u32).flat_map(|layer| [(layer, true), (layer, false)]) {
            for chain in 0..3u32 {
                let diff = match is_key {
                    // To the frame before in the same picture, which all chains above lean on.
                    true if layer == 0 => 0,
                    true => {
                        if chain + 1 >= layer {
                            1
                        } else {
                            layer - chain
                        }
                    }
                    false => (layer + 3 - chain - 1) % 3 + 1,
                };
                writer.push(diff, 4);
            }
        }
        writer.push(1, 1);
        for size in [320, 180, 640, 360, 1280, 720] {
            writer.push(size - 1, 16);
        }
    }

    pub fn descriptor(writer: Writer) -> Vec<u8> {
        writer.bits
    }

    fn key(frame: u16) -> Vec<u8> {
        let mut writer = head(true, true, 5, frame);
        key_frame_structure(&mut writer);
        descriptor(writer)
    }

    #[test]
    fn a_structure_is_read_and_used_by_what_follows() {
        let mut reader = Reader::default();
        assert_eq!(reader.read(&[0x80 | 6, 0, 1]), None, "no structure yet");
        let first = reader.read(&key(7)).unwrap();
        assert!(first.is_start && first.is_end && first.has_structure);
        assert_eq!(
            (first.frame_number, first.spatial, first.active),
            (7, 0, 0b111)
        );
        let targets: Vec<_> = first
            .structure
            .targets
            .iter()
            .map(|t| (t.spatial, t.chain))
            .collect();
        assert_eq!(targets, [(0, Some(0)), (1, Some(1)), (2, Some(2))]);
        assert_eq!(first.chain_diffs, [0, 0, 0]);
        let delta = reader
            .read(&descriptor(head(true, false, 5 + 3, 11)))
            .unwrap();
        assert_eq!(
            (delta.spatial, delta.frame_number, delta.has_structure),
            (1, 11, false)
        );
        assert_eq!(delta.frame_diffs, [3]);
        assert_eq!(delta.indications[1], Indication::Required);
        assert_eq!(delta.indications[2], Indication::NotPresent);
        assert_eq!(
            reader.read(&descriptor(head(true, true, 4, 12))),
            None,
            "no such template"
        );
    }

    #[test]
    fn own_dependencies_replace_the_templates() {
        let mut reader = Reader::default();
        reader.read(&key(7)).unwrap();
        let mut writer = head(true, true, 6, 20);
        writer.push(0b01111, FLAG_BITS).push(0b011, 3);
        for indication in [1, 2, 0] {
            writer.push(indication, 2);
        }
        writer
            .push(1, 2)
            .push(4, 4)
            .push(2, 2)
            .push(99, 8)
            .push(3, 2)
            .push(4_000, 12)
            .push(0, 2);
        for diff in [1, 2, 200] {
            writer.push(diff, 8);
        }
        let read = reader.read(&descriptor(writer)).unwrap();
        assert_eq!(read.active, 0b011);
        assert_eq!(read.frame_diffs, [5, 100, 4_001]);
        assert_eq!(read.chain_diffs, [1, 2, 200]);
        assert_eq!(
            read.indications,
            [
                Indication::Discardable,
                Indication::Switch,
                Indication::NotPresent
            ]
        );
        let after = reader.read(&descriptor(head(true, true, 6, 21))).unwrap();
        assert_eq!(after.active, 0b011, "holds on");
    }

    #[test]
    fn rewritten_descriptors_say_the_same_with_other_numbers_and_targets() {
        let mut reader = Reader::default();
        let structure = reader.read(&key(7)).unwrap();
        let delta = reader.read(&descriptor(head(false, true, 6, 300))).unwrap();
        let mut writer = head(true, true, 6, 20);
        writer.push(0b01000, FLAG_BITS).push(0b011, 3);
        let masked = reader.read(&descriptor(writer)).unwrap();
        for dependency in [structure, delta, masked] {
            for active in [None, Some(0b001), Some(0b110)] {
                let mut out = vec![9, 9];
                dependency.write(&mut out, 40_000, active);
                let mut receiver = Reader::default();
                receiver.read(&key(1)).unwrap();
                receiver.active = dependency.active;
                let read = receiver.read(&out).unwrap();
                let expected = Dependency {
                    frame_number: 40_000,
                    active: active.unwrap_or(dependency.active),
                    bytes: read.bytes.clone(),
                    mask_at: read.mask_at,
                    mask_bits: read.mask_bits,
                    ..dependency.clone()
                };
                assert_eq!(read, expected);
            }
        }
    }

    #[test]
    fn claims_beyond_the_bytes_are_refused() {
        let whole = key(7);
        for len in 0..whole.len() {
            assert_eq!(Reader::default().read(&whole[..len]), None, "{len}");
        }
        assert_eq!(Reader::default().read(&[0xff; 256]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(
            series in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..80), any::<u16>(), any::<Option<u32>>()),
                0..16,
            ),
            has_structure in any::<bool>(),
        ) {
            let mut reader = Reader::default();
            if has_structure {
                reader.read(&key(7)).unwrap();
            }
            let mut out = Vec::new();
            for (bytes, number, active) in series {
                if let Some(read) = reader.read(&bytes) {
                    prop_assert!(read.structure.targets.len() <= MAX_TARGETS);
                    prop_assert_eq!(read.indications.len(), read.structure.targets.len());
                    prop_assert_eq!(read.chain_diffs.len(), usize::from(read.structure.chains));
                    prop_assert!(read.frame_diffs.len() <= MAX_DIFFS);
                    read.write(&mut out, number, active);
                    prop_assert!(out.len() <= bytes.len() + 5);
                }
            }
        }

        /// Bits of a real descriptor turned over: read or refused, never more.
        #[test]
        fn damaged_descriptors_are_survived(
            flips in proptest::collection::vec((0usize..60, 0u8..8), 1..8),
        ) {
            let mut bytes = key(7);
            for (at, bit) in flips {
                let at = at % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            let mut reader = Reader::default();
            let _ = reader.read(&bytes);
            let _ = reader.read(&descriptor(head(true, true, 6, 8)));
        }
    }
}
