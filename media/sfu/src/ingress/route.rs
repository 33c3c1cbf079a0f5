//! Which encoding of which section a stream carries (RFC 8843, 9.2; RFC 8852; RFC 4588, 5.3): by the
//! section and layer that its packets name, by the SSRCs that were offered, at last by its payload type
//! where only one section has it.
//!
//! Once found, a stream stays with its encoding until its section is forgotten: clients name the
//! section in their first packets only.

use super::{Format, Ingress, Way};
use crate::layers::MAX_SPATIAL;
use crate::rtp::extension::Said;
use crate::rtp::header::Header;
use crate::sdp::{OfferSection, SectionKind};

/// A section in which the client sends.
#[derive(Debug)]
pub(super) struct Expected {
    mid: String,
    is_video: bool,
    /// Of simulcast, and their spatial layers.
    rids: Vec<(String, u8)>,
    ssrcs: Vec<u32>,
    /// Main streams and their repairs.
    repairs: Vec<(u32, u32)>,
    /// Payload types, as a bit set.
    pts: u128,
}

impl Expected {
    /// The layer of a stream with this rid; `None` for a rid that was not offered.
    fn layer_of(&self, rid: Option<&[u8]>) -> Option<u8> {
        if self.rids.is_empty() {
            return Some(MAX_SPATIAL);
        }
        let rid = rid?;
        let offered = self.rids.iter().find(|(r, _)| r.as_bytes() == rid);
        offered.map(|(_, layer)| *layer)
    }
}

pub(super) struct Found {
    pub place: usize,
    pub layer: u8,
    pub is_guessed: bool,
}

impl Ingress {
    /// The client sends in this section. `rids`: of its layers, by their last offer.
    pub fn expect(&mut self, place: usize, offered: &OfferSection, rids: &[(String, u8)]) {
        let pts = offered.codecs.iter();
        let pts = pts.flat_map(|codec| std::iter::once(codec.pt).chain(codec.rtx));
        let is_repair = |ssrc: &u32| offered.repair.iter().any(|(_, rtx)| rtx == ssrc);
        let main = offered.ssrcs.iter().filter(|ssrc| !is_repair(ssrc));
        let expected = Expected {
            mid: offered.mid.clone(),
            is_video: offered.kind == SectionKind::Video,
            rids: rids.to_vec(),
            ssrcs: main.copied().collect(),
            repairs: offered.repair.clone(),
            pts: pts.fold(0, |set, pt| set | 1 << (pt & 0x7f)),
        };
        let before = self.sections.get(place).and_then(Option::as_ref);
        if before.is_some_and(|before| before.rids != expected.rids) {
            self.forget(place);
        }
        if self.sections.len() <= place {
            self.sections.resize_with(place + 1, || None);
        }
        self.sections[place] = Some(expected);
    }

    /// The client sends nothing more in this section, or something else: others may come in it.
    pub fn forget(&mut self, place: usize) {
        if let Some(section) = self.sections.get_mut(place) {
            *section = None;
        }
        while let Some(gone) = self.lanes.position(|lane| lane.place == place) {
            self.lanes.remove(gone);
            self.key_frames.retain(|lane| *lane != gone);
            for stream in self.streams.values_mut() {
                if let Way::Media { lane } | Way::Repair { lane, .. } = stream.way
                    && lane == gone
                {
                    stream.way = Way::Unknown;
                }
            }
        }
    }

    pub(super) fn lane_of(&self, place: usize, layer: u8) -> Option<usize> {
        self.lanes
            .position(|lane| lane.place == place && lane.layer == layer)
    }

    pub(super) fn route(
        &self,
        header: &Header<'_>,
        said: &Said<'_>,
        format: Format,
    ) -> Option<Found> {
        // libwebrtc finds out what the network carries with packets of this SSRC.
        if header.ssrc == 0 {
            return None;
        }
        let (place, layer) = match said.mid {
            Some(mid) => self.named(mid, header.ssrc, said, format)?,
            None => match self.offered(header.ssrc, format) {
                Some(found) => found,
                None => return self.guess(header.pt, format),
            },
        };
        self.fits(place, format).then_some(Found {
            place,
            layer,
            is_guessed: false,
        })
    }

    fn sections(&self) -> impl Iterator<Item = (usize, &Expected)> {
        let sections = self.sections.iter().enumerate();
        sections.filter_map(|(place, section)| Some((place, section.as_ref()?)))
    }

    /// Media of the section's kind, or a repair of some.
    fn fits(&self, place: usize, format: Format) -> bool {
        let section = self.sections.get(place).and_then(Option::as_ref);
        let format = match format {
            Format::Repair { of } => self.formats[usize::from(of)],
            format => format,
        };
        let is_video = match format {
            Format::Media { is_video, .. } => is_video,
            _ => return false,
        };
        section.is_some_and(|section| section.is_video == is_video)
    }

    /// By what the packet says.
    fn named(&self, mid: &[u8], ssrc: u32, said: &Said<'_>, format: Format) -> Option<(usize, u8)> {
        let mut sections = self.sections();
        let (place, section) = sections.find(|(_, section)| section.mid.as_bytes() == mid)?;
        let rid = match format {
            Format::Repair { .. } => said.repaired_rid.or(said.rid),
            _ => said.rid,
        };
        match section.layer_of(rid) {
            Some(layer) => Some((place, layer)),
            // A repair may be known by what it was offered to repair.
            None => self.offered(ssrc, format).filter(|(at, _)| *at == place),
        }
    }

    /// By the SSRCs of the offer.
    fn offered(&self, ssrc: u32, format: Format) -> Option<(usize, u8)> {
        match format {
            Format::Repair { .. } => {
                let main = self.sections().find_map(|(_, section)| {
                    let mut repairs = section.repairs.iter();
                    repairs.find(|(_, repair)| *repair == ssrc)
                })?;
                let Way::Media { lane } = self.streams.get(&main.0)?.way else {
                    return None;
                };
                let lane = self.lanes.get(lane)?;
                Some((lane.place, lane.layer))
            }
            _ => self.declared(ssrc),
        }
    }

    /// Section and layer of a main stream that was offered. Those of simulcast are told apart by what
    /// they say.
    pub(super) fn declared(&self, ssrc: u32) -> Option<(usize, u8)> {
        let mut sections = self.sections();
        let found = sections.find(|(_, s)| s.rids.is_empty() && s.ssrcs.contains(&ssrc));
        found.map(|(place, _)| (place, MAX_SPATIAL))
    }

    /// By the payload type, where no other section has it, and nothing better was known.
    fn guess(&self, pt: u8, format: Format) -> Option<Found> {
        let mut fitting = self
            .sections()
            .filter(|(_, section)| section.pts >> pt & 1 == 1);
        let (place, section) = fitting.next().filter(|_| fitting.next().is_none())?;
        if !section.rids.is_empty() || !self.fits(place, format) {
            return None;
        }
        let lane = self.lane_of(place, MAX_SPATIAL);
        let is_taken = lane
            .and_then(|lane| self.lanes.get(lane))
            .is_some_and(|lane| !lane.is_guessed && matches!(format, Format::Media { .. }));
        (!is_taken).then_some(Found {
            place,
            layer: MAX_SPATIAL,
            is_guessed: true,
        })
    }
}
