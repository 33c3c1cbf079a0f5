//! Load generator for servers that speak LiveKit's protocol: joins rooms as many participants,
//! sends stamped packets, and measures what arrives and what it cost the server.
//!
//! Bounded by itself: setting up, measuring and leaving have limits, and a hard stop is above them.
//! Exit code 0: every expectation holds; 1: one does not; 2: it could not run.

mod client;
mod description;
mod histogram;
#[cfg(test)]
mod hostile;
mod link;
mod meter;
mod options;
mod payload;
mod peer;
mod pictures;
mod proc;
mod proto;
mod publishing;
mod report;
mod scenario;
mod sdp;
mod session;
mod signal;
mod source;
mod subscribing;
mod token;
mod udp;
mod watching;
mod worker;

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::Value;

use client::Client;
use meter::Window;
use options::Options;
use proc::Usage;
use report::{Outcome, ServerUsage, Totals};
use scenario::{Shared, Spec, participants};
use worker::{Board, Gauges};

/// Packets on the way when the window closes have this long to arrive.
const DRAIN: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(reason) => {
            eprintln!("conclave-load: {reason}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<bool, String> {
    let mut specs = participants(options);
    if specs.is_empty() {
        return Err("nobody to join: give --publishers, --participants or --subscribers".into());
    }
    let total = specs.len();
    let shared = Arc::new(share(options, &mut specs)?);
    let mut pace = Pace::new(options, total)?;
    let hard_stop = pace.start + options.hard_stop();
    let boards: Vec<Arc<Board>> = (0..options.thread_count().min(total))
        .map(|_| Arc::default())
        .collect();
    let mut threads = Vec::new();
    for (at, board) in boards.iter().enumerate() {
        let own: Vec<Spec> = specs
            .iter()
            .skip(at)
            .step_by(boards.len())
            .cloned()
            .collect();
        let (shared, board) = (shared.clone(), board.clone());
        let thread = thread::Builder::new().name(format!("load-{at}"));
        let body = move || worker::run(own, &shared, &board, hard_stop);
        threads.push(
            thread
                .spawn(body)
                .map_err(|error| format!("no thread: {error}"))?,
        );
    }
    let is_ready = pace.set_up(options, &boards);
    let measured = pace.measure(options, &shared, &boards);
    boards.iter().for_each(|board| board.leave());
    let mut clients: Vec<Client> = Vec::new();
    for thread in threads {
        let result = thread
            .join()
            .map_err(|_| "a worker panicked, this is a defect of the program")?;
        clients.extend(result.map_err(|error| format!("polling failed: {error}"))?);
    }
    let totals = Totals::of(
        &mut clients,
        shared.window(),
        shared.gap_limit_us,
        shared.wanted_layer,
    );
    let cpu_us = report::cpu_us_per_packet(measured.server.as_ref(), measured.packets);
    let checks = report::checks(options, &totals, cpu_us, is_ready);
    let outcome = Outcome {
        options,
        clients: &clients,
        totals: &totals,
        checks: &checks,
        server: measured.server.as_ref(),
        packets: measured.packets,
        measured_s: measured.seconds,
        own_cpu_s: measured.own_cpu_s,
    };
    print(&report::summary(&outcome));
    let failed: Vec<&report::Check> = checks.iter().filter(|check| !check.holds).collect();
    for check in &failed {
        let found = check
            .found
            .map_or("not measured".to_owned(), |found| found.to_string());
        eprintln!(
            "conclave-load: {} is {found}, the limit is {}",
            check.name, check.limit
        );
    }
    for reason in totals.reasons.iter().take(5) {
        eprintln!("conclave-load: {reason}");
    }
    Ok(failed.is_empty())
}

fn share(options: &Options, specs: &mut [Spec]) -> Result<Shared, String> {
    let secret = options
        .api_secret
        .clone()
        .or_else(|| std::env::var("LIVEKIT_API_SECRET").ok());
    if let Some(path) = &options.tokens {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let tokens: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .collect();
        if tokens.len() < specs.len() {
            return Err(format!(
                "{} tokens for {} participants",
                tokens.len(),
                specs.len()
            ));
        }
        for (spec, token) in specs.iter_mut().zip(tokens) {
            spec.token = Some(token.to_owned());
        }
    } else if secret.is_none() {
        return Err("no secret: give --api-secret, LIVEKIT_API_SECRET or --tokens".into());
    }
    Ok(Shared {
        endpoint: signal::Endpoint::parse(&options.url).map_err(|error| error.to_string())?,
        credentials: peer::Credentials::generate()?,
        gzip: !options.no_gzip,
        seed: options.seed,
        first_sections: (options.receive_audio, options.receive_video),
        is_dual: options.is_dual(),
        is_dynacast: options.dynacast,
        wanted_layer: options.wanted_layer(),
        switch_every: options.switch_every(),
        gap_limit_us: options.interruption_ms * 1_000,
        key: options.api_key.clone(),
        secret: secret.unwrap_or_default(),
        token_lifetime: options.hard_stop().as_secs() + 600,
        measured: OnceLock::new(),
    })
}

struct Measured {
    seconds: f64,
    packets: u64,
    own_cpu_s: f64,
    server: Option<ServerUsage>,
}

/// The phases of a run and the line that is printed each second.
struct Pace {
    start: Instant,
    total: usize,
    is_quiet: bool,
    server_pid: Option<u32>,
    next_line: Instant,
    second: Gauges,
    last_usage: Option<(Instant, Usage)>,
    packets: u64,
}

impl Pace {
    fn new(options: &Options, total: usize) -> Result<Self, String> {
        let start = Instant::now();
        let usage = match options.server_pid {
            Some(pid) => Some(Usage::of(pid).ok_or(format!("there is no process {pid}"))?),
            None => None,
        };
        Ok(Pace {
            start,
            total,
            is_quiet: options.quiet,
            server_pid: options.server_pid,
            next_line: start + Duration::from_secs(1),
            second: Gauges::default(),
            last_usage: usage.map(|usage| (start, usage)),
            packets: 0,
        })
    }

    /// Wait until everybody is in and receives; `false` when time ran out.
    fn set_up(&mut self, options: &Options, boards: &[Arc<Board>]) -> bool {
        let limit = self.start + Duration::from_secs_f64(options.ramp + options.setup_timeout);
        loop {
            self.look(boards);
            if options.churn {
                // Who comes and goes is never ready all together: wait for the ramp alone.
                if self.start.elapsed().as_secs_f64() >= options.ramp {
                    return self.second.connected > 0 || self.second.joins > 0;
                }
            } else if self.second.ready as usize == self.total {
                self.wait(boards, Duration::from_secs_f64(options.settle));
                return true;
            }
            if Instant::now() >= limit || self.second.done as usize == self.total {
                return false;
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    fn measure(&mut self, options: &Options, shared: &Shared, boards: &[Arc<Board>]) -> Measured {
        let is_anybody_there = (self.second.done as usize) < self.total;
        let duration = if is_anybody_there {
            options.duration
        } else {
            0.0
        };
        let start_us = udp::now_us();
        let end_us = start_us + (duration * 1e6) as u64;
        shared.measured.get_or_init(|| Window { start_us, end_us });
        let usage = |pid: Option<u32>| pid.and_then(Usage::of);
        let own = Some(std::process::id());
        let (own_before, before) = (usage(own), usage(self.server_pid));
        let start = Instant::now();
        self.look(boards);
        self.packets = 0;
        self.wait(boards, Duration::from_secs_f64(duration));
        let (own_after, after) = (usage(own), usage(self.server_pid));
        let (packets, seconds) = (self.packets, start.elapsed().as_secs_f64());
        if is_anybody_there {
            self.wait(boards, DRAIN);
        }
        let own_cpu = own_before
            .zip(own_after)
            .map(|(before, after)| after.cpu_s() - before.cpu_s());
        Measured {
            seconds,
            packets,
            own_cpu_s: own_cpu.unwrap_or(0.0),
            server: before
                .zip(after)
                .map(|(before, after)| ServerUsage { before, after }),
        }
    }

    fn wait(&mut self, boards: &[Arc<Board>], time: Duration) {
        let until = Instant::now() + time;
        loop {
            self.look(boards);
            let now = Instant::now();
            if now >= until || self.second.done as usize == self.total {
                return;
            }
            thread::sleep(LOOK_EVERY.min(until - now));
        }
    }

    /// Bring the figures up to date and print the line of the second when it is over.
    fn look(&mut self, boards: &[Arc<Board>]) {
        let mut all = Gauges::default();
        for board in boards {
            let gauges = board.take();
            all.connected += gauges.connected;
            all.ready += gauges.ready;
            all.done += gauges.done;
            all.joins += gauges.joins;
            all.failures += gauges.failures;
            self.second.packets += gauges.packets;
            self.second.bytes += gauges.bytes;
            self.second.latency.merge(&gauges.latency);
            self.packets += gauges.packets;
        }
        let Gauges {
            connected,
            ready,
            done,
            joins,
            failures,
            ..
        } = all;
        self.second = Gauges {
            connected,
            ready,
            done,
            joins,
            failures,
            ..std::mem::take(&mut self.second)
        };
        let now = Instant::now();
        if now < self.next_line {
            return;
        }
        self.next_line += Duration::from_secs(1);
        let usage = self.server_pid.and_then(Usage::of);
        let percent = usage
            .as_ref()
            .zip(self.last_usage.as_ref())
            .map(|(usage, (at, last))| {
                (usage.cpu_s() - last.cpu_s()) * 100.0
                    / now.duration_since(*at).as_secs_f64().max(1e-3)
            });
        if !self.is_quiet {
            let t = now.duration_since(self.start).as_secs_f64();
            print(&report::second(
                t,
                self.total,
                &self.second,
                percent,
                usage.as_ref(),
            ));
        }
        self.last_usage = usage.map(|usage| (now, usage));
        self.second = Gauges {
            connected,
            ready,
            done,
            joins,
            failures,
            ..Gauges::default()
        };
    }
}

/// A closed pipe ends the output, not the run.
fn print(line: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
