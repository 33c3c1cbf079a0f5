use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Numbers from the base on, and the tick of those that came.
type Read = Vec<(u16, Option<i64>)>;

/// As a sender reads a report.
fn read(packet: &[u8]) -> Read {
    assert_eq!(packet[0] & 0xdf, 0x8f);
    assert_eq!(packet[1], 205);
    let words = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
    assert_eq!(packet.len(), 4 * (words + 1));
    let half = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let (base, count) = (half(12), usize::from(half(14)));
    let reference = i64::from(u32::from_be_bytes([0, packet[16], packet[17], packet[18]]));
    let (mut statuses, mut at) = (Vec::new(), HEAD);
    while statuses.len() < count {
        let chunk = half(at);
        at += 2;
        let symbols: Vec<u16> = match chunk >> 14 {
            0 | 1 => vec![chunk >> 13 & 3; usize::from(chunk & 0x1fff)],
            2 => (0..14).map(|bit| chunk >> (13 - bit) & 1).collect(),
            _ => (0..7).map(|pair| chunk >> (12 - 2 * pair) & 3).collect(),
        };
        statuses.extend(symbols);
    }
    assert!(statuses[count..].iter().all(|status| *status == 0));
    let mut tick = reference * 256;
    let read = (0..count).map(|n| {
        let delta = match statuses[n] {
            0 => None,
            1 => {
                at += 1;
                Some(i64::from(packet[at - 1]))
            }
            2 => {
                at += 2;
                Some(i64::from(half(at - 2) as i16))
            }
            _ => panic!("reserved"),
        };
        let came = delta.map(|delta| {
            tick += delta;
            tick
        });
        (base.wrapping_add(n as u16), came)
    });
    let read = read.collect();
    let padding = match packet[0] & 0x20 {
        0 => 0,
        _ => usize::from(packet[packet.len() - 1]),
    };
    assert_eq!(at, packet.len() - padding);
    read
}

fn reports(arrivals: &mut Arrivals, now: Instant) -> Vec<Read> {
    let mut reports = Vec::new();
    arrivals.report(now, 1, 2, |packet| {
        assert!(packet.len() <= MAX_BYTES + 8);
        reports.push(read(packet));
    });
    reports
}

#[test]
fn what_came_and_what_did_not_in_order_of_the_numbers() {
    let start = Instant::now();
    let ms = |ms| start + Duration::from_millis(ms);
    let mut arrivals = Arrivals::new(start);
    assert!(reports(&mut arrivals, start).is_empty());
    for (number, at) in [(65_534, 10), (65_535, 11), (1, 12), (2, 100), (0, 101)] {
        arrivals.record(ms(at), number);
    }
    assert_eq!(arrivals.due(), Some(ms(110)));
    let expected = vec![
        (65_534, Some(40)),
        (65_535, Some(44)),
        (0, Some(404)),
        (1, Some(48)),
        (2, Some(400)),
    ];
    assert_eq!(reports(&mut arrivals, ms(110)), [expected]);
    assert_eq!(arrivals.due(), None);
    arrivals.record(ms(120), 5);
    assert_eq!(arrivals.due(), Some(ms(210)), "not more often");
    let expected = vec![(3, None), (4, None), (5, Some(480))];
    assert_eq!(reports(&mut arrivals, ms(210)), [expected]);
}

#[test]
fn who_comes_late_is_reported_after_all_and_who_comes_twice_is_not() {
    let start = Instant::now();
    let mut arrivals = Arrivals::new(start);
    arrivals.record(start, 7);
    arrivals.record(start, 9);
    assert_eq!(reports(&mut arrivals, start).len(), 1);
    arrivals.record(start, 9);
    assert_eq!(arrivals.due(), None);
    arrivals.record(start, 8);
    let expected = vec![(8, Some(0)), (9, Some(0))];
    assert_eq!(reports(&mut arrivals, start), [expected]);
}

#[test]
fn a_pause_longer_than_a_delta_begins_another_report() {
    let start = Instant::now();
    let mut arrivals = Arrivals::new(start);
    arrivals.record(start, 1);
    arrivals.record(start + Duration::from_secs(20), 2);
    let expected = [vec![(1, Some(0))], vec![(2, Some(80_000))]];
    assert_eq!(reports(&mut arrivals, start), expected);
}

#[test]
fn many_packets_make_few_bytes() {
    let start = Instant::now();
    let mut arrivals = Arrivals::new(start);
    for number in 0..400 {
        arrivals.record(
            start + Duration::from_micros(250) * u32::from(number),
            number,
        );
    }
    let mut sizes = Vec::new();
    arrivals.report(start, 1, 2, |packet| sizes.push(packet.len()));
    assert_eq!(sizes, [HEAD + 2 + 400 + 2]);
}

proptest! {
    /// Whatever comes, and whenever it is asked for: all that came within the window is told with
    /// its time, and nothing else.
    #[test]
    fn all_that_came_is_told(
        steps in proptest::collection::vec((-40i32..60, 0u64..40_000, any::<bool>()), 1..300),
        jumps in proptest::collection::vec((0usize..300, any::<u16>()), 0..3),
    ) {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        let (mut now, mut at_number, mut highest) = (start, 100i32, 100i32);
        let mut expected: BTreeMap<u16, i64> = BTreeMap::new();
        let mut told: BTreeMap<u16, i64> = BTreeMap::new();
        let mut has_jumped = false;
        for (at, (step, micros, is_report)) in steps.into_iter().enumerate() {
            now += Duration::from_micros(micros);
            at_number = (at_number + step).max(highest - 1000);
            if let Some((_, jump)) = jumps.iter().find(|(when, _)| *when == at) {
                at_number = i32::from(*jump);
                has_jumped = true;
            }
            highest = highest.max(at_number);
            arrivals.record(now, at_number as u16);
            let tick = (now - start).as_micros() as i64 / 250;
            expected.entry(at_number as u16).or_insert(tick);
            if is_report {
                for report in reports(&mut arrivals, now) {
                    prop_assert!(report.len() <= WINDOW as usize);
                    told.extend(report.iter().filter_map(|(n, tick)| Some((*n, (*tick)?))));
                }
            }
        }
        for report in reports(&mut arrivals, now) {
            told.extend(report.iter().filter_map(|(n, tick)| Some((*n, (*tick)?))));
        }
        if !has_jumped {
            prop_assert_eq!(told, expected);
        }
    }
}
