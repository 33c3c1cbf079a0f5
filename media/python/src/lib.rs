//! The PyO3 binding `conclave._media`: types in and out, no logic. What it offers is described in
//! src/conclave/_media.pyi; a test compares the two.

mod events;
mod stats;

use std::net::IpAddr;
use std::os::fd::RawFd;

use conclave_engine::{
    CodecName, Command, CommandError, Config, Engine as Shards, ExpectedTrack, Grant, Kind,
    ParticipantId, StartError, Stream, pings,
};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyMapping, PyTuple};

#[pymodule]
mod _media {
    #[pymodule_export]
    use super::Engine;

    #[pymodule_export]
    use super::pongs;

    #[pymodule_export]
    const DIGEST: &str = env!("CONCLAVE_MEDIA_DIGEST");

    #[pymodule_init]
    fn init(_module: &super::Bound<'_, super::PyModule>) -> super::PyResult<()> {
        conclave_engine::log::install();
        Ok(())
    }
}

#[pyfunction]
#[pyo3(signature = (data, milliseconds, /))]
fn pongs<'py>(
    py: Python<'py>,
    data: &[u8],
    milliseconds: i64,
) -> (Bound<'py, PyBytes>, usize, usize) {
    let answered = pings::answer(data, milliseconds);
    let answers = PyBytes::new(py, &answered.answers);
    (answers, answered.size, answered.count)
}

#[pyclass(frozen, module = "conclave._media")]
struct Engine(Shards);

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, shards, udp_port, addresses, public_ip=None, event_limit=65536))]
    fn new(
        py: Python<'_>,
        shards: usize,
        udp_port: u16,
        addresses: Vec<String>,
        public_ip: Option<&str>,
        event_limit: usize,
    ) -> PyResult<Self> {
        let addresses = addresses.iter().map(|text| address(text));
        let config = Config {
            shards,
            udp_port,
            addresses: addresses.collect::<PyResult<_>>()?,
            public_ip: public_ip.map(address).transpose()?,
            event_limit,
        };
        let started = py.detach(|| Shards::start(&config));
        started.map(Engine).map_err(start_error)
    }

    #[pyo3(signature = (room, participant, identity, *, can_publish, can_subscribe, can_publish_data, dual = false))]
    #[expect(clippy::too_many_arguments, reason = "the Python signature")]
    fn open(
        &self,
        room: &str,
        participant: &str,
        identity: String,
        can_publish: bool,
        can_subscribe: bool,
        can_publish_data: bool,
        dual: bool,
    ) -> PyResult<()> {
        self.send(Command::Open {
            room: id("room", room)?,
            participant: id("participant", participant)?,
            identity,
            grant: Grant {
                can_publish,
                can_subscribe,
                can_publish_data,
            },
            is_dual: dual,
        })
    }

    #[pyo3(signature = (participant, *, can_publish, can_subscribe, can_publish_data))]
    fn set_permission(
        &self,
        participant: &str,
        can_publish: bool,
        can_subscribe: bool,
        can_publish_data: bool,
    ) -> PyResult<()> {
        self.send(Command::SetGrant {
            participant: id("participant", participant)?,
            grant: Grant {
                can_publish,
                can_subscribe,
                can_publish_data,
            },
        })
    }

    fn offer(&self, participant: &str, offer_id: u32, sdp: String) -> PyResult<()> {
        self.send(Command::Offer {
            participant: id("participant", participant)?,
            offer_id,
            sdp,
        })
    }

    fn answer(&self, participant: &str, offer_id: u32, sdp: String) -> PyResult<()> {
        self.send(Command::Answer {
            participant: id("participant", participant)?,
            offer_id,
            sdp,
        })
    }

    fn restart_ice(&self, participant: &str) -> PyResult<()> {
        self.send(Command::RestartIce {
            participant: id("participant", participant)?,
        })
    }

    fn trickle(&self, participant: &str, candidate: String) -> PyResult<()> {
        self.send(Command::Trickle {
            participant: id("participant", participant)?,
            candidate,
        })
    }

    fn set_bandwidth(&self, participant: &str, bits_per_second: Option<u64>) -> PyResult<()> {
        self.send(Command::SetBandwidth {
            participant: id("participant", participant)?,
            bits_per_second,
        })
    }

    fn close(&self, participant: &str) -> PyResult<()> {
        self.send(Command::Close {
            participant: id("participant", participant)?,
        })
    }

    fn close_room(&self, room: &str) -> PyResult<()> {
        self.send(Command::CloseRoom {
            room: id("room", room)?,
        })
    }

    #[pyo3(signature = (participant, track, cid, *, kind, stream, muted, stereo, dtx, codec = "", shown_as = None))]
    #[expect(clippy::too_many_arguments, reason = "the Python signature")]
    fn add_track(
        &self,
        participant: &str,
        track: &str,
        cid: String,
        kind: &str,
        stream: &str,
        muted: bool,
        stereo: bool,
        dtx: bool,
        codec: &str,
        shown_as: Option<&str>,
    ) -> PyResult<()> {
        let kind = match kind {
            "audio" => Kind::Audio,
            "video" => Kind::Video,
            _ => return Err(PyValueError::new_err("kind is \"audio\" or \"video\"")),
        };
        let stream = match stream {
            "camera" => Stream::Camera,
            "screen" => Stream::Screen,
            _ => return Err(PyValueError::new_err("stream is \"camera\" or \"screen\"")),
        };
        self.send(Command::AddTrack {
            participant: id("participant", participant)?,
            track: ExpectedTrack {
                track: id("track", track)?,
                cid,
                kind,
                stream,
                muted,
                stereo,
                dtx,
                codec: CodecName::from_mime(codec),
                shown_as: shown_as.map(|track| id("track", track)).transpose()?,
            },
        })
    }

    fn remove_track(&self, participant: &str, track: &str) -> PyResult<()> {
        self.send(Command::RemoveTrack {
            participant: id("participant", participant)?,
            track: id("track", track)?,
        })
    }

    fn mute_track(&self, participant: &str, track: &str, muted: bool) -> PyResult<()> {
        self.send(Command::MuteTrack {
            participant: id("participant", participant)?,
            track: id("track", track)?,
            muted,
        })
    }

    fn subscribe(&self, participant: &str, track: &str) -> PyResult<()> {
        self.send(Command::Subscribe {
            participant: id("participant", participant)?,
            track: id("track", track)?,
        })
    }

    fn unsubscribe(&self, participant: &str, track: &str) -> PyResult<()> {
        self.send(Command::Unsubscribe {
            participant: id("participant", participant)?,
            track: id("track", track)?,
        })
    }

    fn exchange(&self, participant: &str, old: &str, new: &str) -> PyResult<()> {
        self.send(Command::Exchange {
            participant: id("participant", participant)?,
            from: id("track", old)?,
            to: id("track", new)?,
        })
    }

    fn pause(&self, participant: &str, track: &str, paused: bool) -> PyResult<()> {
        self.send(Command::Pause {
            participant: id("participant", participant)?,
            track: id("track", track)?,
            paused,
        })
    }

    fn limit(&self, participant: &str, track: &str, spatial: u8, temporal: u8) -> PyResult<()> {
        self.send(Command::Limit {
            participant: id("participant", participant)?,
            track: id("track", track)?,
            spatial,
            temporal,
        })
    }

    fn request_keyframes(&self, room: &str) -> PyResult<()> {
        self.send(Command::RequestKeyframes {
            room: id("room", room)?,
        })
    }

    #[pyo3(
        signature = (room, packet, *, reliable, destinations=Vec::new()),
        text_signature = "($self, room, packet, *, reliable, destinations=())"
    )]
    fn send_data(
        &self,
        room: &str,
        packet: &[u8],
        reliable: bool,
        destinations: Vec<String>,
    ) -> PyResult<()> {
        self.send(Command::SendData {
            room: id("room", room)?,
            packet: packet.to_vec(),
            reliable,
            destinations: destinations.into_iter().map(ParticipantId::from).collect(),
        })
    }

    fn last_reliable_sequence(&self, participant: &str) -> u32 {
        self.0.last_reliable_sequence(participant)
    }

    fn replay_data(&self, participant: &str, last: &Bound<'_, PyMapping>) -> PyResult<()> {
        let last: Vec<(String, u32)> = last.items()?.extract()?;
        self.send(Command::ReplayData {
            participant: id("participant", participant)?,
            last: last
                .into_iter()
                .map(|(publisher, sequence)| (publisher.into(), sequence))
                .collect(),
        })
    }

    fn fileno(&self) -> RawFd {
        self.0.fileno()
    }

    #[pyo3(signature = (limit=4096))]
    fn drain<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Bound<'py, PyList>> {
        let drained = py.detach(|| self.0.drain(limit));
        let tuples = PyList::empty(py);
        for event in drained.events {
            if let Some(tuple) = events::tuple(py, event)? {
                tuples.append(tuple)?;
            }
        }
        if drained.lost > 0 {
            let lost: Bound<'_, PyTuple> = ("overflow", drained.lost).into_pyobject(py)?;
            tuples.append(lost)?;
        }
        Ok(tuples)
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        stats::dict(py, &self.0.stats())
    }

    fn inject_fault(&self, participant: &str) -> PyResult<()> {
        self.send(Command::InjectFault {
            participant: id("participant", participant)?,
        })
    }

    fn shutdown(&self, py: Python<'_>) {
        py.detach(|| self.0.shutdown());
    }
}

impl Engine {
    fn send(&self, command: Command) -> PyResult<()> {
        self.0.send(command).map_err(command_error)
    }
}

fn id<Id: for<'a> From<&'a str>>(what: &str, text: &str) -> PyResult<Id> {
    if text.is_empty() {
        return Err(PyValueError::new_err(format!("{what} must not be empty")));
    }
    Ok(Id::from(text))
}

fn address(text: &str) -> PyResult<IpAddr> {
    let refused = |_| PyValueError::new_err(format!("{text:?} is not an IP address"));
    text.parse().map_err(refused)
}

fn command_error(error: CommandError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

fn start_error(error: StartError) -> PyErr {
    let code = match &error {
        StartError::Invalid(reason) => return PyValueError::new_err(reason.clone()),
        StartError::Bind { source, .. } => source.raw_os_error(),
        StartError::System(source) => source.raw_os_error(),
    };
    // With a number Python makes its subclass of it (PermissionError and so on).
    match code {
        Some(code) => PyOSError::new_err((code, error.to_string())),
        None => PyOSError::new_err(error.to_string()),
    }
}
