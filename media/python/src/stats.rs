//! Figures as the dictionary that `_media.pyi` describes at `Engine.stats`.

use conclave_engine::{EngineStats, ShardStats};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

pub(crate) fn dict<'py>(py: Python<'py>, stats: &EngineStats) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("rooms", stats.rooms)?;
    dict.set_item("participants", stats.participants)?;
    dict.set_item("event_queue", stats.event_queue)?;
    dict.set_item("events_lost", stats.events_lost)?;
    dict.set_item("commands_refused", stats.commands_refused)?;
    let shards = PyList::empty(py);
    for stats in &stats.shards {
        shards.append(shard(py, stats)?)?;
    }
    dict.set_item("shards", shards)?;
    Ok(dict)
}

fn shard<'py>(py: Python<'py>, stats: &ShardStats) -> PyResult<Bound<'py, PyDict>> {
    let core = &stats.core;
    let dict = PyDict::new(py);
    dict.set_item("cpu_seconds", stats.cpu.as_secs_f64())?;
    dict.set_item("command_queue", stats.command_queue)?;
    dict.set_item("datagrams_dropped", &core.datagrams_dropped)?;
    let counters = [
        ("rooms", core.rooms),
        ("participants", core.participants),
        ("packets_in", core.packets_in),
        ("packets_out", core.packets_out),
        ("bytes_in", core.bytes_in),
        ("bytes_out", core.bytes_out),
        ("rtx_in", core.rtx_in),
        ("rtx_out", core.rtx_out),
        ("nacks_in", core.nacks_in),
        ("nacks_out", core.nacks_out),
        ("plis_in", core.plis_in),
        ("plis_out", core.plis_out),
        ("packets_lost_in", core.packets_lost_in),
        ("packets_lost_out", core.packets_lost_out),
        ("data_in", core.data_in),
        ("data_out", core.data_out),
        ("data_dropped", core.data_dropped),
        ("panics", core.panics),
    ];
    for (name, value) in counters {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}
