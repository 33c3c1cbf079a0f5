//! Numbering, resends and reports of one outgoing stream.

use super::*;
use crate::transport::dtls::crypto;
use crate::transport::srtp::SrtpSecrets;
use str0m::crypto::dtls::SrtpProfile;

const VP8: Format = Format {
    codec: CodecName::Vp8,
    pt: 96,
    rtx: Some(97),
};

fn srtp() -> SrtpSender {
    SrtpSecrets::new(&[7; 56], SrtpProfile::AEAD_AES_128_GCM)
        .contexts(&crypto().provider, false)
        .unwrap()
        .0
}

fn packet(ssrc: u32, sequence: u64, timestamp: u32) -> MediaPacket {
    MediaPacket {
        ssrc,
        sequence,
        timestamp,
        marker: false,
        values: Values::default(),
        payload: vec![1, 2, 3].into(),
        marks: Marks::default(),
        vp8: None,
        descriptor: None,
        dependency: None,
    }
}

fn numbers(datagram: &[u8]) -> (u16, u32) {
    let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap());
    ((word(0) & 0xffff) as u16, word(4))
}

#[test]
fn numbering_survives_gaps_pauses_and_other_sources() {
    let now = Instant::now();
    let (mut srtp, mut buffers) = (srtp(), Buffers::default());
    let mut egress = Egress::new(
        1000,
        2000,
        "1",
        SectionExtensions::default(),
        "PA_a".into(),
        now,
    );
    let mut write = |egress: &mut Egress, at: Instant, p: MediaPacket| {
        let mut line = Line {
            now: at,
            srtp: &mut srtp,
            buffers: &mut buffers,
        };
        let datagram = egress.write(&mut line, &p, VP8, None, None);
        datagram.map(|d| numbers(&d))
    };
    let (first, _) = write(&mut egress, now, packet(5, 100, 9000)).unwrap();
    assert_eq!(
        write(&mut egress, now, packet(5, 102, 9000)).unwrap().0,
        first + 2,
        "a gap stays a gap"
    );
    assert_eq!(
        write(&mut egress, now, packet(5, 101, 9000)).unwrap().0,
        first + 1,
        "and can be filled"
    );
    assert_eq!(
        write(&mut egress, now, packet(5, 101, 9000)),
        None,
        "but once"
    );
    assert_eq!(
        write(&mut egress, now, packet(5, 99, 9000)),
        None,
        "from before the start"
    );
    egress.interrupt();
    let later = now + Duration::from_secs(1);
    assert_eq!(
        write(&mut egress, later, packet(5, 500, 99_000)),
        Some((first + 3, 99_000))
    );
    assert_eq!(write(&mut egress, later, packet(5, 499, 99_000)), None);
    let switched = write(
        &mut egress,
        later + Duration::from_millis(100),
        packet(6, 9, 777),
    )
    .unwrap();
    assert_eq!(switched, (first + 4, 99_000 + 9000));
}

#[test]
fn numbering_passes_the_wrap() {
    let now = Instant::now();
    let (mut srtp, mut buffers) = (srtp(), Buffers::default());
    let mut egress = Egress::new(1, 2, "1", SectionExtensions::default(), "PA_a".into(), now);
    let start = egress.window.highest();
    for n in 0..70_000u64 {
        let mut line = Line {
            now,
            srtp: &mut srtp,
            buffers: &mut buffers,
        };
        let p = packet(5, 65_000 + n, 0);
        let datagram = egress.write(&mut line, &p, VP8, None, None).unwrap();
        assert_eq!(numbers(&datagram).0, (start + 1 + n) as u16);
    }
}

#[test]
fn resends_come_from_the_cache_once_per_interval() {
    let now = Instant::now();
    let (mut srtp, mut buffers) = (srtp(), Buffers::default());
    let mut egress = Egress::new(1, 2, "1", SectionExtensions::default(), "PA_a".into(), now);
    let start = egress.window.highest() as u16 + 1;
    for n in 0..20 {
        let mut line = Line {
            now,
            srtp: &mut srtp,
            buffers: &mut buffers,
        };
        egress.write(&mut line, &packet(5, n, 0), VP8, None, None);
    }
    let mut out = Vec::new();
    let mut resend = |at: Instant, first: u16, following: u16| {
        let mut line = Line {
            now: at,
            srtp: &mut srtp,
            buffers: &mut buffers,
        };
        egress.resend(&mut line, first, following, &mut out);
        out.len()
    };
    assert_eq!(resend(now, start, 0b101), 3);
    assert_eq!(resend(now, start, 0), 3, "asked again too soon");
    assert_eq!(resend(now + crate::rtp::resends::INTERVAL, start, 0), 4);
    let never_sent = [
        (start.wrapping_sub(50), 0xffff),
        (start.wrapping_add(100), 0xffff),
    ];
    for (first, following) in never_sent {
        assert_eq!(resend(now, first, following), 4, "never sent");
    }
    assert_eq!(u32::from_be_bytes(out[0][8..12].try_into().unwrap()), 2);
}

#[test]
fn reports_wait_for_the_source_clock() {
    let now = Instant::now();
    let (mut srtp, mut buffers) = (srtp(), Buffers::default());
    let mut egress = Egress::new(1, 2, "1", SectionExtensions::default(), "PA_a".into(), now);
    let mut line = Line {
        now,
        srtp: &mut srtp,
        buffers: &mut buffers,
    };
    egress.write(&mut line, &packet(5, 1, 1000), VP8, None, None);
    assert!(
        egress
            .report(now, 1, &mut srtp, None, CodecName::Vp8)
            .is_none()
    );
    let clock = SourceClock {
        timestamp: 1000,
        at: now,
    };
    assert!(
        egress
            .report(now, 1, &mut srtp, Some(clock), CodecName::Vp8)
            .is_some()
    );
    assert!(
        egress
            .report(now, 1, &mut srtp, Some(clock), CodecName::Vp8)
            .is_none()
    );
    assert_eq!(clock.at(now + Duration::from_secs(1), 90_000), 91_000);
}
