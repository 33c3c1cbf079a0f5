//! What is printed: a JSON line for each second, and a summary with the verdict.
//!
//! Pure: figures in, JSON out.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::client::{Client, Sent};
use crate::meter::{Histogram, Window, WindowCounts};
use crate::options::Options;
use crate::proc::{Usage, machine, round};
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

/// Sums over all participants of a run.
#[derive(Default)]
pub struct Totals {
    pub expected: u64,
    pub counts: WindowCounts,
    pub streams: u64,
    pub silent_streams: u64,
    pub sent: u64,
    pub latency: Histogram,
    pub joins: u64,
    pub leaves: u64,
    pub failures: u64,
    pub reasons: Vec<String>,
}

impl Totals {
    /// Add up; `window` is `None` when the run did not come to measuring.
    pub fn of(clients: &mut [Client], window: Option<&Window>, gap_limit_us: u64) -> Totals {
        let mut totals = Totals::default();
        let mut sent: HashMap<u32, u64> = HashMap::new();
        for client in clients.iter() {
            for (track, Sent { in_window, .. }) in &client.tally.sent {
                sent.insert(*track, *in_window);
                totals.sent += in_window;
            }
        }
        for client in clients.iter_mut() {
            let tally = &mut client.tally;
            totals.joins += tally.joins;
            totals.leaves += tally.leaves;
            totals.failures += tally.failures;
            let room = REASONS_SHOWN.saturating_sub(totals.reasons.len());
            totals
                .reasons
                .extend(tally.reasons.iter().take(room).cloned());
            let Some(window) = window else { continue };
            for track in &client.spec.expects {
                totals.streams += 1;
                totals.expected += sent.get(track).copied().unwrap_or(0);
                match tally.streams.get_mut(track) {
                    None => totals.silent_streams += 1,
                    Some(meter) => {
                        meter.finish(window, gap_limit_us);
                        totals.add(&meter.in_window);
                        totals.latency.merge(&meter.latency);
                    }
                }
            }
        }
        totals
    }

    fn add(&mut self, counts: &WindowCounts) {
        let sum = &mut self.counts;
        sum.unique += counts.unique;
        sum.duplicates += counts.duplicates;
        sum.reordered += counts.reordered;
        sum.bytes += counts.bytes;
        sum.interruptions += counts.interruptions;
        sum.longest_gap_us = sum.longest_gap_us.max(counts.longest_gap_us);
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
            "damaged": sum(|it| it.tally.damaged),
            "foreign": sum(|it| it.tally.foreign),
            "megabits_per_second": round(counts.bytes as f64 * 8.0 / 1e6 / measured_s.max(1e-9), 2),
        },
        "streams": {
            "expected": totals.streams,
            "silent": totals.silent_streams,
            "interruptions": counts.interruptions,
            "longest_gap_ms": round(counts.longest_gap_us as f64 / 1e3, 1),
            "paused_by_server": sum(|it| it.tally.paused_streams),
            "refused": sum(|it| it.tally.refused_subscriptions),
        },
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
