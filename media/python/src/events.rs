//! Events as the tuples that `_media.pyi` describes at `Engine.drain`.

use conclave_engine::{Event, Quality, SubscriptionError, TrackId, TransportState};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// `None` for what is consumed by the engine itself.
pub(crate) fn tuple(py: Python<'_>, event: Event) -> PyResult<Option<Bound<'_, PyTuple>>> {
    let tuple = match event {
        Event::Answer {
            participant,
            offer_id,
            sdp,
            mid_to_track,
        } => ("answer", &*participant, offer_id, sdp, pairs(&mid_to_track)).into_pyobject(py),
        Event::Offer {
            participant,
            offer_id,
            sdp,
            mid_to_track,
        } => ("offer", &*participant, offer_id, sdp, pairs(&mid_to_track)).into_pyobject(py),
        Event::OfferRejected {
            participant,
            offer_id,
            reason,
        } => ("offer_rejected", &*participant, offer_id, reason).into_pyobject(py),
        Event::Transport { participant, state } => {
            ("transport", &*participant, transport(state)).into_pyobject(py)
        }
        Event::SectionsNeeded {
            participant,
            audio,
            video,
        } => ("sections_needed", &*participant, audio, video).into_pyobject(py),
        Event::Subscribed {
            participant,
            track,
            mid,
        } => ("subscribed", &*participant, &*track, mid).into_pyobject(py),
        Event::SubscriptionFailed {
            participant,
            track,
            reason,
        } => {
            let reason = match reason {
                SubscriptionError::CodecUnsupported => "codec_unsupported",
                SubscriptionError::TrackUnknown => "track_unknown",
            };
            ("subscription_failed", &*participant, &*track, reason).into_pyobject(py)
        }
        Event::TrackActive {
            participant,
            track,
            mime,
            mid,
        } => ("track_active", &*participant, &*track, mime, mid).into_pyobject(py),
        Event::TrackEnded { participant, track } => {
            ("track_ended", &*participant, &*track).into_pyobject(py)
        }
        Event::StreamState {
            participant,
            track,
            paused,
        } => {
            let state = if paused { "paused" } else { "active" };
            ("stream_state", &*participant, &*track, state).into_pyobject(py)
        }
        Event::Speakers { room, speakers } => {
            let speakers: Vec<(&str, f32, bool)> = speakers
                .iter()
                .map(|speaker| (&*speaker.participant, speaker.level, speaker.active))
                .collect();
            ("speakers", &*room, speakers).into_pyobject(py)
        }
        Event::Quality { room, qualities } => {
            let qualities: Vec<(&str, &str, f32)> = qualities
                .iter()
                .map(|(participant, level, score)| (&**participant, quality(*level), *score))
                .collect();
            ("quality", &*room, qualities).into_pyobject(py)
        }
        Event::ParticipantFailed {
            participant,
            reason,
        } => ("participant_failed", &*participant, reason).into_pyobject(py),
        Event::ReliableSequence { .. } => return Ok(None),
    };
    tuple.map(Some)
}

fn pairs(mid_to_track: &[(String, TrackId)]) -> Vec<(&str, &str)> {
    mid_to_track
        .iter()
        .map(|(mid, track)| (mid.as_str(), &**track))
        .collect()
}

fn transport(state: TransportState) -> &'static str {
    match state {
        TransportState::Connected => "connected",
        TransportState::Disconnected => "disconnected",
        TransportState::Failed => "failed",
        TransportState::Closed => "closed",
    }
}

fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Poor => "poor",
        Quality::Good => "good",
        Quality::Excellent => "excellent",
    }
}
