//! The command line. What is out of bounds is refused here, before anything is sent.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Join LiveKit rooms as many participants and measure what arrives.
///
/// Publishers send stamped VP8-like and Opus-like packets; subscribers count what is lost,
/// duplicated and reordered and how long it took. One JSON line a second and a summary at the end
/// go to standard output.
#[derive(Debug, Parser)]
#[command(name = "conclave-load", version)]
pub struct Options {
    /// The server: ws://host:port
    #[arg(long)]
    pub url: String,
    /// API key for the tokens
    #[arg(long, default_value = "devkey")]
    pub api_key: String,
    /// Secret of the key; by default that of the environment variable LIVEKIT_API_SECRET
    #[arg(long)]
    pub api_secret: Option<String>,
    /// File with one ready token a line, used instead of minting, in the order of joining
    #[arg(long)]
    pub tokens: Option<PathBuf>,
    /// Prefix of the rooms' names
    #[arg(long, default_value = "load")]
    pub room: String,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rooms: u32,
    /// In each room: participants that publish only
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub publishers: u32,
    /// In each room: participants that subscribe only
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub subscribers: u32,
    /// In each room: participants that publish and subscribe
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub participants: u32,
    /// What publishers send: audio, video or both
    #[arg(long, default_value = "audio,video", value_parser = ["audio", "video", "audio,video"])]
    pub media: String,
    /// Bits per second of a video track
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u32).range(10_000..=50_000_000))]
    pub video_bitrate: u32,
    /// Bits per second of an audio track
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(6_000..=510_000))]
    pub audio_bitrate: u32,
    /// Frames per second of a video track
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub fps: u32,
    /// Largest payload of a video packet in bytes
    #[arg(long, default_value_t = 1_100, value_parser = packet_size)]
    pub packet_size: usize,
    /// Seconds between key frames nobody asked for; 0 for none
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    keyframe_interval: f64,
    /// Milliseconds over which the packets of a frame are spread: browsers send a frame at once, and
    /// the way to the server spreads it
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=1_000))]
    pub burst_ms: u64,
    /// Publish video as three encodings (320x180, 640x360, 1280x720) as browsers do
    #[arg(long)]
    pub simulcast: bool,
    /// Stop sending the layers that the server says nobody wants
    #[arg(long)]
    pub dynacast: bool,
    /// Layer of simulcast tracks that subscribers want
    #[arg(long, default_value = "high", value_parser = ["low", "medium", "high"])]
    pub quality: String,
    /// Subscribers change between the low and the high layer this often, in seconds
    #[arg(long, value_parser = seconds)]
    switch_every: Option<f64>,
    /// One peer connection for each participant, or two: one to send and one to receive
    #[arg(long, default_value = "single", value_parser = ["single", "dual"])]
    pub connection: String,
    /// Audio sections with which a subscriber's first offer begins
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub receive_audio: u32,
    /// Video sections with which a subscriber's first offer begins
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub receive_video: u32,
    /// Send the join request uncompressed
    #[arg(long)]
    pub no_gzip: bool,
    /// Seconds over which the participants join
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub ramp: f64,
    /// Seconds in which everybody must be in and receiving
    #[arg(long, default_value_t = 30.0, value_parser = seconds)]
    pub setup_timeout: f64,
    /// Seconds between that and the measurement
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    pub settle: f64,
    /// Seconds of measurement
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    pub duration: f64,
    /// Participants leave and come again during the whole run; loss is then not counted
    #[arg(long)]
    pub churn: bool,
    /// With --churn: mean seconds of a stay
    #[arg(long, default_value_t = 15.0, value_parser = seconds)]
    pub stay: f64,
    /// With --churn: mean seconds between two stays
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    pub away: f64,
    /// Milliseconds without a packet of a track that count as an interruption
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub interruption_ms: u64,
    /// Threads; by default as many as there are cores
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=64))]
    pub workers: u32,
    /// Seed of sizes, phases and times
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Process id of the server: its CPU time and memory (with its children) are recorded
    #[arg(long)]
    pub server_pid: Option<u32>,
    /// Name of this run in the output
    #[arg(long, default_value = "")]
    pub label: String,
    /// No line for each second
    #[arg(long)]
    pub quiet: bool,
    /// Fail when a greater part of the packets is lost (0.001 = 0.1 %)
    #[arg(long)]
    pub expect_loss_below: Option<f64>,
    /// Fail when the latency's 99th percentile is greater, in milliseconds
    #[arg(long)]
    pub expect_latency_p99_below: Option<f64>,
    /// Fail when the server used more CPU time for a received packet, in microseconds
    #[arg(long)]
    pub expect_cpu_us_below: Option<f64>,
    /// Fail when a part of the joins greater than this fails
    #[arg(long, default_value_t = 0.0)]
    pub expect_failures_below: f64,
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=86_400.0).contains(&value) {
        Ok(value)
    } else {
        Err("not within 0..86400".into())
    }
}

fn packet_size(text: &str) -> Result<usize, String> {
    let value: usize = text.parse().map_err(|_| "not a number".to_owned())?;
    if (100..=1_200).contains(&value) {
        Ok(value)
    } else {
        Err("not within 100..1200".into())
    }
}

impl Options {
    pub fn has_audio(&self) -> bool {
        self.media.contains("audio")
    }

    pub fn has_video(&self) -> bool {
        self.media.contains("video")
    }

    pub fn keyframe_interval(&self) -> Option<Duration> {
        (self.keyframe_interval > 0.0).then(|| Duration::from_secs_f64(self.keyframe_interval))
    }

    /// The wanted layer as LiveKit numbers them.
    pub fn wanted_layer(&self) -> u8 {
        match self.quality.as_str() {
            "low" => 0,
            "medium" => 1,
            _ => 2,
        }
    }

    /// At least long enough for the answer to one change to come before the next.
    pub fn switch_every(&self) -> Option<Duration> {
        self.switch_every
            .map(|it| Duration::from_secs_f64(it.max(0.5)))
    }

    pub fn is_dual(&self) -> bool {
        self.connection == "dual"
    }

    /// Longest time the whole run can take.
    pub fn hard_stop(&self) -> Duration {
        let measured = self.ramp + self.setup_timeout + self.settle + self.duration;
        Duration::from_secs_f64(measured + 10.0)
    }

    pub fn thread_count(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if self.workers == 0 {
            cores
        } else {
            self.workers as usize
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_values_are_refused() {
        let url = ["conclave-load", "--url", "ws://127.0.0.1:1"];
        assert!(Options::try_parse_from(url).is_ok());
        for bad in [
            ["--duration", "-1"],
            ["--duration", "NaN"],
            ["--packet-size", "5000"],
            ["--fps", "0"],
            ["--rooms", "0"],
            ["--media", "smell"],
            ["--quality", "best"],
            ["--connection", "triple"],
        ] {
            assert!(
                Options::try_parse_from(url.iter().chain(&bad)).is_err(),
                "{bad:?}"
            );
        }
    }
}
