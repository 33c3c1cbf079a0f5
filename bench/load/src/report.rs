//! What is printed: a JSON line for each second, and a summary with the verdict.
//!
//! Pure: figures in, JSON out.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Value, json};

use crate::client::{Client, Sent};
use crate::histogram::Histogram;
use crate::meter::{LAYERS, Window, WindowCounts};
use crate::options::Options;
use crate::pictures::PictureCounts;
use crate::proc::{Usage, machine, round};
use crate::scenario::Expected;
use crate::source::ONLY;
use crate::worker::Gauges;

/// Reasons of failures in the summary; all are counted.
const REASONS_SHOWN: usize = 20;

/// The server's figures at the two ends of the measurement.
pub struct ServerUsage {
    pub before: Usage,
    pub after: Usage,
}

pub fn second(
    t: f64,
    total: usize,
    gauges: &Gauges,
    cpu_percent: Option<f64>,
    usage: Option<&Usage>,
) -> Value {
    json!({
        "type": "second",
        "t": round(t, 2),
        "participants": total,
        "connected": gauges.connected,
        "ready": gauges.ready,
        "joins": gauges.joins,
        "failures": gauges.failures,
        "packets": gauges.packets,
        "megabits": round(gauges.bytes as f64 * 8.0 / 1e6, 3),
        "latency_ms": gauges.latency.summary_ms(),
        "server": usage.map(|usage| json!({
            "cpu_percent": cpu_percent.map(|it| round(it, 1)),
            "resident_mb": round(usage.resident_bytes as f64 / 1e6, 1),
            "descriptors": usage.descriptors,
        })),
    })
}

/// Sequences sent in the window, by layer.
type SentLayers = [Range<u32>; LAYERS];

/// Sums over all participants of a run.
#[derive(Default)]
pub struct Totals {
    pub expected: u64,
    pub counts: WindowCounts,
    pub streams: u64,
    pub silent_streams: u64,
    pub sent: u64,
    /// Of simulcast tracks, by layer.
    pub layers_sent: [u64; LAYERS],
    pub layers: WindowCounts,
    /// Streams that end on another layer than the wanted one.
    pub other_layer: u64,
    pub pictures: PictureCounts,
    /// Bytes that each subscriber received in the window.
    pub subscribers: Vec<u64>,
    pub latency: Histogram,
    pub joins: u64,
    pub leaves: u64,
    pub failures: u64,
    pub reasons: Vec<String>,
}

impl Totals {
    /// Add up; `window` is `None` when the run did not come to measuring.
    pub fn of(
        clients: &mut [Client],
        window: Option<&Window>,
        gap_limit_us: u64,
        wanted_layer: u8,
    ) -> Totals {
        let mut totals = Totals::default();
        let sent = totals.add_sent(clients);
        for client in clients.iter_mut() {
            let tally = &mut client.tally;
            totals.joins += tally.joins;
            totals.leaves += tally.leaves;
            totals.failures += tally.failures;
            let room = REASONS_SHOWN.saturating_sub(totals.reasons.len());
            totals
                .reasons
                .extend(tally.reasons.iter().take(room).cloned());
            if let Some(window) = window {
                totals.add_received(client, &sent, window, gap_limit_us, wanted_layer);
            }
        }
        totals
    }

    /// The sequences of each layer of each track that were sent in the window.
    fn add_sent(&mut self, clients: &[Client]) -> HashMap<u32, SentLayers> {
        let mut by_track: HashMap<u32, SentLayers> = HashMap::new();
        for ((track, layer), sent) in clients.iter().flat_map(|it| &it.tally.sent) {
            let Sent {
                in_window,
                first_in_window,
                ..
            } = sent;
            let first = first_in_window.unwrap_or(0);
            let layer = usize::from(*layer).min(LAYERS - 1);
            by_track.entry(*track).or_default()[layer] = first..first + *in_window as u32;
            self.sent += in_window;
        }
        for layers in by_track.values().filter(|it| !it[0].is_empty()) {
            for (sum, sent) in self.layers_sent.iter_mut().zip(layers) {
                *sum += sent.len() as u64;
            }
        }
        by_track
    }

    fn add_received(
        &mut self,
        client: &mut Client,
        sent: &HashMap<u32, SentLayers>,
        window: &Window,
        gap_limit_us: u64,
        wanted_layer: u8,
    ) {
        let mut bytes = 0;
        for Expected { track, is_layered } in &client.spec.expects {
            self.streams += 1;
            let sent = sent.get(track).cloned().unwrap_or_default();
            let Some(stream) = client.tally.watch.streams.get_mut(track) else {
                let wanted = if *is_layered { wanted_layer } else { ONLY };
                self.silent_streams += 1;
                self.expected += sent[usize::from(wanted)].len() as u64;
                continue;
            };
            stream.meter.finish(window, gap_limit_us);
            self.expected += stream.meter.expected(&sent);
            let counts = &stream.meter.in_window;
            bytes += counts.bytes;
            self.counts.add(counts);
            self.latency.merge(&stream.meter.latency);
            if *is_layered {
                self.layers.add(counts);
                self.pictures.add(&stream.pictures.counts);
                let is_other = stream.meter.layer() != Some(wanted_layer);
                self.other_layer += u64::from(is_other);
            }
        }
        if client.spec.subscribes {
            self.subscribers.push(bytes);
        }
    }

    pub fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.counts.unique)
    }

    /// Lost part of what was sent to all subscribers; `None` when nothing was.
    pub fn loss(&self) -> Option<f64> {
        (self.expected > 0).then(|| self.lost() as f64 / self.expected as f64)
    }
}

/// An expectation of the command line and whether it held.
#[derive(Debug, PartialEq)]
pub struct Check {
    pub name: &'static str,
    pub limit: f64,
    pub found: Option<f64>,
    pub holds: bool,
}

fn check(name: &'static str, limit: f64, found: Option<f64>) -> Check {
    // What could not be measured does not hold.
    Check {
        name,
        limit,
        found,
        holds: found.is_some_and(|found| found <= limit),
    }
}

pub fn checks(
    options: &Options,
    totals: &Totals,
    cpu_us: Option<f64>,
    is_ready: bool,
) -> Vec<Check> {
    let attempts = (totals.joins + totals.failures).max(1) as f64;
    let p99 = totals.latency.quantile(0.99).map(|us| us as f64 / 1_000.0);
    let failed = totals.failures as f64 / attempts;
    let mut checks = vec![check(
        "failures",
        options.expect_failures_below,
        Some(failed),
    )];
    checks.extend(
        options
            .expect_loss_below
            .map(|limit| check("loss", limit, totals.loss())),
    );
    checks.extend(
        options
            .expect_latency_p99_below
            .map(|it| check("latency_p99_ms", it, p99)),
    );
    checks.extend(
        options
            .expect_cpu_us_below
            .map(|it| check("cpu_us_per_packet", it, cpu_us)),
    );
    checks.push(check(
        "unready_participants",
        0.0,
        Some(f64::from(u8::from(!is_ready))),
    ));
    checks
}

/// Microseconds of the server's CPU for each packet that a subscriber received.
pub fn cpu_us_per_packet(server: Option<&ServerUsage>, packets: u64) -> Option<f64> {
    let spent = server.map(|it| it.after.cpu_s() - it.before.cpu_s())?;
    (packets > 0).then(|| spent * 1e6 / packets as f64)
}

pub struct Outcome<'a> {
    pub options: &'a Options,
    pub clients: &'a [Client],
    pub totals: &'a Totals,
    pub checks: &'a [Check],
    pub server: Option<&'a ServerUsage>,
    /// Packets that came in during the measurement, of all participants.
    pub packets: u64,
    pub measured_s: f64,
    /// CPU of this program during the measurement.
    pub own_cpu_s: f64,
}

pub fn summary(outcome: &Outcome<'_>) -> Value {
    let Outcome {
        options,
        clients,
        totals,
        server,
        packets,
        measured_s,
        ..
    } = outcome;
    let sum = |pick: fn(&Client) -> u64| clients.iter().map(pick).sum::<u64>();
    let merged = |pick: fn(&Client) -> &Histogram| {
        let mut all = Histogram::default();
        clients.iter().for_each(|client| all.merge(pick(client)));
        all.summary_ms()
    };
    let version = clients
        .iter()
        .map(|it| &it.tally.server_version)
        .find(|it| !it.is_empty());
    let counts = &totals.counts;
    json!({
        "type": "summary",
        "label": options.label,
        "generator": env!("CARGO_PKG_VERSION"),
        "machine": machine(),
        "scenario": {
            "rooms": options.rooms,
            "publishers": options.publishers,
            "participants": options.participants,
            "subscribers": options.subscribers,
            "media": options.media,
            "video_bitrate": options.has_video().then_some(options.video_bitrate),
            "audio_bitrate": options.has_audio().then_some(options.audio_bitrate),
            "burst_ms": options.burst_ms,
            "simulcast": options.simulcast,
            "dynacast": options.dynacast,
            "quality": options.quality,
            "switch_every_s": options.switch_every().map(|it| it.as_secs_f64()),
            "connection": options.connection,
            "churn": options.churn,
            "seed": options.seed,
            "duration_s": round(*measured_s, 3),
        },
        "packets": {
            "sent": totals.sent,
            "received": packets,
            "per_second": round(*packets as f64 / measured_s.max(1e-9), 1),
            "expected": totals.expected,
            "arrived": counts.unique,
            "lost": totals.lost(),
            "loss": totals.loss(),
            "duplicated": counts.duplicates,
            "reordered": counts.reordered,
            "damaged": sum(|it| it.tally.watch.damaged),
            "foreign": sum(|it| it.tally.watch.foreign),
            "megabits_per_second": megabits(counts.bytes, *measured_s),
            "megabits_per_subscriber": per_subscriber(&totals.subscribers, *measured_s),
            "by_layer": options.simulcast.then(|| by_layer(totals, *measured_s)),
        },
        "streams": {
            "expected": totals.streams,
            "silent": totals.silent_streams,
            "interruptions": counts.interruptions,
            "longest_gap_ms": round(counts.longest_gap_us as f64 / 1e3, 1),
            "paused_by_server": sum(|it| it.tally.paused_streams),
            "refused": sum(|it| it.tally.refused_subscriptions),
            "on_other_layer": options.switch_every().is_none().then_some(totals.other_layer),
        },
        "switching": options.simulcast.then(|| switching(totals, clients)),
        "latency_ms": totals.latency.summary_ms(),
        "keyframes": {
            "requested_by_subscribers": sum(|it| it.tally.keyframe_requests),
            "requested_of_publishers": sum(|it| it.tally.keyframes_asked_of_us),
            "sent": sum(|it| it.tally.sent.values().map(|sent| sent.keyframes).sum()),
        },
        "joining": {
            "joins": totals.joins,
            "leaves": totals.leaves,
            "failures": totals.failures,
            "reasons": totals.reasons,
            "websocket_ms": merged(|it| &it.tally.websocket),
            "joined_ms": merged(|it| &it.tally.joined),
            "connected_ms": merged(|it| &it.tally.connected),
            "first_media_ms": merged(|it| &it.tally.first_media),
            "first_picture_ms": merged(|it| &it.tally.first_picture),
            "signal_rtt_ms": merged(|it| &it.tally.signal_rtt),
        },
        "server": {
            "version": version,
            "cpu_us_per_packet": cpu_us_per_packet(*server, *packets).map(|it| round(it, 2)),
            "cpu_s": server.map(|it| round(it.after.cpu_s() - it.before.cpu_s(), 2)),
            "user_s": server.map(|it| round(it.after.user_s - it.before.user_s, 2)),
            "system_s": server.map(|it| round(it.after.system_s - it.before.system_s, 2)),
            "cpu_percent": server.map(|it| {
                round((it.after.cpu_s() - it.before.cpu_s()) * 100.0 / measured_s.max(1e-9), 1)
            }),
            "resident_mb": server.map(|it| round(it.after.resident_bytes as f64 / 1e6, 1)),
            "descriptors": server.map(|it| it.after.descriptors),
            "threads": server.map(|it| it.after.threads_since(&it.before)),
        },
        "own": {
            "cpu_percent": round(outcome.own_cpu_s * 100.0 / measured_s.max(1e-9), 1),
            "receive_overflows": sum(|it| it.tally.overflows),
            "unsent": sum(|it| it.tally.unsent),
        },
        "checks": outcome.checks.iter().map(|it| json!({
            "name": it.name, "limit": it.limit, "found": it.found, "holds": it.holds,
        })).collect::<Vec<_>>(),
    })
}

fn megabits(bytes: u64, seconds: f64) -> f64 {
    round(bytes as f64 * 8.0 / 1e6 / seconds.max(1e-9), 3)
}

fn per_subscriber(bytes: &[u64], seconds: f64) -> Value {
    let mean = bytes.iter().sum::<u64>() / bytes.len().max(1) as u64;
    json!({
        "mean": megabits(mean, seconds),
        "min": megabits(bytes.iter().min().copied().unwrap_or(0), seconds),
        "max": megabits(bytes.iter().max().copied().unwrap_or(0), seconds),
    })
}

fn by_layer(totals: &Totals, seconds: f64) -> Value {
    let layer = |at: usize| {
        json!({
            "sent": totals.layers_sent[at],
            "arrived": totals.layers.layer_packets[at],
            "megabits_per_second": megabits(totals.layers.layer_bytes[at], seconds),
        })
    };
    json!({"low": layer(0), "medium": layer(1), "high": layer(2)})
}

fn switching(totals: &Totals, clients: &[Client]) -> Value {
    let (mut up, mut down) = (Histogram::default(), Histogram::default());
    let (mut asked, mut unanswered) = (0, 0);
    for watch in clients.iter().map(|client| &client.tally.watch) {
        up.merge(&watch.switches.up);
        down.merge(&watch.switches.down);
        asked += watch.switches.asked;
        unanswered += watch.unanswered();
    }
    let pictures = &totals.pictures;
    json!({
        "asked": asked,
        "unanswered": unanswered,
        "up_ms": up.summary_ms(),
        "down_ms": down.summary_ms(),
        "changes": pictures.changes,
        "torn": pictures.torn(),
        "without_keyframe": pictures.without_keyframe,
        "mixed": pictures.mixed,
        "sequence_holes": pictures.sequence_holes,
        "picture_id_holes": pictures.picture_id_holes,
        "cut_short": pictures.cut_short,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn options(extra: &[&str]) -> Options {
        Options::parse_from(
            ["conclave-load", "--url", "ws://127.0.0.1:1"]
                .iter()
                .chain(extra),
        )
    }

    fn totals(expected: u64, unique: u64) -> Totals {
        let counts = WindowCounts {
            unique,
            ..Default::default()
        };
        Totals {
            expected,
            counts,
            joins: 10,
            ..Default::default()
        }
    }

    #[test]
    fn loss_is_what_did_not_arrive_and_nothing_when_nothing_was_sent() {
        assert_eq!(totals(1_000, 990).loss(), Some(0.01));
        assert_eq!(totals(0, 0).loss(), None);
    }

    #[test]
    fn expectations_hold_or_fail_and_the_unmeasured_fails() {
        let strict = options(&[
            "--expect-loss-below",
            "0.001",
            "--expect-cpu-us-below",
            "20",
        ]);
        let verdict = |totals: &Totals, cpu| {
            let all = checks(&strict, totals, cpu, true);
            all.into_iter()
                .filter(|it| !it.holds)
                .map(|it| it.name)
                .collect::<Vec<_>>()
        };
        assert!(verdict(&totals(1_000, 1_000), Some(19.0)).is_empty());
        assert_eq!(verdict(&totals(1_000, 990), Some(19.0)), ["loss"]);
        assert_eq!(
            verdict(&totals(1_000, 1_000), Some(21.0)),
            ["cpu_us_per_packet"]
        );
        assert_eq!(verdict(&totals(0, 0), None), ["loss", "cpu_us_per_packet"]);
        let failed = Totals {
            failures: 1,
            ..totals(1_000, 1_000)
        };
        assert_eq!(verdict(&failed, Some(1.0)), ["failures"]);
    }

    #[test]
    fn cpu_is_divided_by_received_packets() {
        let usage = |user_s| Usage {
            user_s,
            ..Default::default()
        };
        let server = ServerUsage {
            before: usage(1.0),
            after: usage(1.5),
        };
        assert_eq!(cpu_us_per_packet(Some(&server), 10_000), Some(50.0));
        assert_eq!(cpu_us_per_packet(Some(&server), 0), None);
        assert_eq!(cpu_us_per_packet(None, 10), None);
    }
}
