//! Warnings of the engine and of what it is built on, to standard error. Must never write a
//! client's address: of other crates' messages only the place in the source is told.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Lines that may be written in a `WINDOW`; the rest is counted.
const LINES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);

/// Make this the process's receiver of `tracing` events. A second call changes nothing.
pub fn install() {
    let _ = tracing::subscriber::set_global_default(Warnings {
        window: Mutex::new(Window {
            since: Instant::now(),
            lines: 0,
            suppressed: 0,
        }),
    });
}

struct Warnings {
    window: Mutex<Window>,
}

struct Window {
    since: Instant,
    lines: u32,
    suppressed: u64,
}

impl Window {
    /// May one more line be written now? With how many were not, when a new window begins.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        let mut missing = 0;
        if now.saturating_duration_since(self.since) >= WINDOW {
            missing = std::mem::take(&mut self.suppressed);
            self.since = now;
            self.lines = 0;
        }
        if self.lines >= LINES {
            self.suppressed += 1;
            return None;
        }
        self.lines += 1;
        Some(missing)
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        let admitted = self
            .window
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(Instant::now());
        if let Some(missing) = admitted {
            // Nobody can be told when standard error is gone.
            let _ = std::io::stderr().write_all(line(event, missing).as_bytes());
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn line(event: &Event<'_>, missing: u64) -> String {
    let metadata = event.metadata();
    let mut text = Fields(format!("media {} {}", metadata.level(), metadata.target()));
    if metadata.target().starts_with("conclave") {
        event.record(&mut text);
    } else {
        let _ = write!(text.0, " line {}", metadata.line().unwrap_or(0));
    }
    if missing > 0 {
        let _ = write!(text.0, " ({missing} lines before were left out)");
    }
    text.0.push('\n');
    text.0
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, ": {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_warnings_is_cut_and_the_rest_counted() {
        let start = Instant::now();
        let mut window = Window {
            since: start,
            lines: 0,
            suppressed: 0,
        };
        let written = (0..100).filter(|_| window.admit(start).is_some()).count();
        assert_eq!(written, LINES as usize);
        assert_eq!(window.admit(start + WINDOW), Some(100 - u64::from(LINES)));
        assert_eq!(window.admit(start + WINDOW), Some(0));
    }

    #[test]
    fn only_our_own_messages_are_written_out() {
        struct Capture(Mutex<Vec<String>>);
        impl Subscriber for &'static Capture {
            fn enabled(&self, _: &Metadata<'_>) -> bool {
                true
            }
            fn event(&self, event: &Event<'_>) {
                self.0.lock().unwrap().push(line(event, 0));
            }
            fn new_span(&self, _: &Attributes<'_>) -> Id {
                Id::from_u64(1)
            }
            fn record(&self, _: &Id, _: &Record<'_>) {}
            fn record_follows_from(&self, _: &Id, _: &Id) {}
            fn enter(&self, _: &Id) {}
            fn exit(&self, _: &Id) {}
        }
        static CAPTURE: Capture = Capture(Mutex::new(Vec::new()));
        tracing::subscriber::with_default(&CAPTURE, || {
            tracing::warn!(target: "conclave_engine", shard = 3, "something of ours");
            tracing::warn!(target: "str0m::net", "packet of 192.0.2.77");
        });
        let lines = CAPTURE.0.lock().unwrap();
        assert_eq!(
            lines[0],
            "media WARN conclave_engine: something of ours shard=3\n"
        );
        assert!(lines[1].starts_with("media WARN str0m::net line "));
        assert!(!lines[1].contains("192.0.2.77"));
    }
}
