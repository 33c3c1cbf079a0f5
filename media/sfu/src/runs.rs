//! The order of one participant's datagrams within a tick: such that those of one length come next
//! to each other with a shorter one behind them, which the driver can hand to the kernel as one
//! segmented send. Must never change the order within a stream.

use crate::Transmit;

/// More datagrams than this are left as they are: runs are long then anyway, and choosing takes
/// time that grows with the square.
const MOST: usize = 32;

/// Scratch space.
#[derive(Default)]
pub struct Order {
    left: Vec<(u32, usize)>,
    chosen: Vec<usize>,
}

/// Reorder datagrams of different streams. Only media moves, and nothing moves past what is not
/// media.
pub fn gather(datagrams: &mut [Transmit], order: &mut Order) {
    let mut rest = datagrams;
    while rest.len() > 1 {
        let media = rest
            .iter()
            .position(|datagram| stream_of(datagram).is_none())
            .unwrap_or(rest.len());
        let (streams, behind) = rest.split_at_mut(media);
        match streams {
            // By far the most frequent case.
            [first, second]
                if second.payload.len() > first.payload.len()
                    && stream_of(first) != stream_of(second) =>
            {
                streams.swap(0, 1);
            }
            _ if (3..=MOST).contains(&streams.len()) && !is_settled(streams) => {
                arrange(streams, order);
            }
            _ => {}
        }
        rest = behind.get_mut(1..).unwrap_or_default();
    }
}

/// SSRC of an RTP packet.
fn stream_of(datagram: &Transmit) -> Option<u32> {
    match *datagram.payload {
        // RFC 5761: what is not RTCP.
        [128..=191, kind, _, _, _, _, _, _, a, b, c, d, ..] if !(192..=223).contains(&kind) => {
            Some(u32::from_be_bytes([a, b, c, d]))
        }
        _ => None,
    }
}

/// One run already (equal lengths, the last may be shorter), or one stream.
fn is_settled(datagrams: &[Transmit]) -> bool {
    let length = |at: usize| datagrams[at].payload.len();
    let last = datagrams.len() - 1;
    let is_run = (1..last).all(|at| length(at) == length(0)) && length(last) <= length(0);
    let stream = stream_of(&datagrams[0]);
    is_run || datagrams.iter().all(|one| stream_of(one) == stream)
}

/// Always the longest of what may come next, so that equal lengths meet; when there is none of the
/// run's length, the run ends with the longest of the shorter ones.
fn arrange(datagrams: &mut [Transmit], order: &mut Order) {
    let Order { left, chosen } = order;
    left.clear();
    chosen.clear();
    left.extend((0..datagrams.len()).map(|at| (stream_of(&datagrams[at]).unwrap_or_default(), at)));
    let mut run = None;
    while !left.is_empty() {
        let limit = run.unwrap_or(usize::MAX);
        let next = (0..left.len())
            .filter(|&at| {
                let is_first_of_stream = left[..at].iter().all(|other| other.0 != left[at].0);
                is_first_of_stream && datagrams[left[at].1].payload.len() <= limit
            })
            // The earliest of equal ones.
            .rev()
            .max_by_key(|&at| datagrams[left[at].1].payload.len());
        let Some(next) = next else {
            // Only longer ones: a new run begins.
            run = None;
            continue;
        };
        let (_, at) = left.remove(next);
        let length = datagrams[at].payload.len();
        // A shorter one is the last of its run.
        run = (length == limit || run.is_none()).then_some(length);
        chosen.push(at);
    }
    permute(datagrams, chosen);
}

/// Put at each place what `sources` names for it. Uses `sources` up.
fn permute(datagrams: &mut [Transmit], sources: &mut [usize]) {
    for start in 0..sources.len() {
        let mut at = start;
        while sources[at] != start {
            let from = sources[at];
            datagrams.swap(at, from);
            sources[at] = at;
            at = from;
        }
        sources[at] = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(stream: u32, number: u16, length: usize) -> Transmit {
        let mut payload = vec![0; length];
        payload[0] = 0x80;
        payload[1] = 96;
        payload[2..4].copy_from_slice(&number.to_be_bytes());
        payload[8..12].copy_from_slice(&stream.to_be_bytes());
        transmit(payload)
    }

    fn transmit(payload: Vec<u8>) -> Transmit {
        let address = ([127, 0, 0, 1], 1).into();
        Transmit {
            source: address,
            destination: address,
            payload,
        }
    }

    fn gathered(mut datagrams: Vec<Transmit>) -> Vec<(u32, usize)> {
        gather(&mut datagrams, &mut Order::default());
        let shape = |d: &Transmit| (stream_of(d).unwrap_or_default(), d.payload.len());
        datagrams.iter().map(shape).collect()
    }

    #[test]
    fn equal_lengths_of_different_streams_meet_with_a_shorter_one_behind() {
        let two = vec![media(1, 0, 100), media(2, 0, 900)];
        assert_eq!(gathered(two), [(2, 900), (1, 100)]);
        let four = [(1, 500), (2, 900), (3, 500), (4, 900)];
        let four = four.map(|(stream, length)| media(stream, 0, length));
        let want = [(2, 900), (4, 900), (1, 500), (3, 500)];
        assert_eq!(gathered(four.into()), want);
    }

    #[test]
    fn the_order_within_a_stream_stays() {
        let one = vec![media(1, 0, 100), media(1, 1, 900), media(1, 2, 100)];
        assert_eq!(gathered(one), [(1, 100), (1, 900), (1, 100)]);
        let pair = vec![media(1, 0, 100), media(1, 1, 900)];
        assert_eq!(gathered(pair), [(1, 100), (1, 900)]);
        // All orders of lengths of two streams of four.
        for pattern in 0..256 {
            let length = |at: u16| 50 + 50 * usize::from(pattern >> at & 1 == 1);
            let mut datagrams: Vec<_> = (0..8)
                .map(|at| media(1 + u32::from(at % 2), at, length(at)))
                .collect();
            gather(&mut datagrams, &mut Order::default());
            for stream in [1, 2] {
                let numbers = datagrams
                    .iter()
                    .filter(|d| stream_of(d) == Some(stream))
                    .map(|d| u16::from_be_bytes([d.payload[2], d.payload[3]]));
                let first = stream as u16 - 1;
                assert!(numbers.eq((0..4).map(|at| first + 2 * at)), "{pattern}");
            }
        }
    }

    #[test]
    fn nothing_passes_what_is_not_media() {
        let dtls = || transmit(vec![22; 60]);
        let mut report = vec![0x80, 200];
        report.resize(60, 0);
        let datagrams = vec![
            media(1, 0, 100),
            dtls(),
            media(2, 0, 900),
            media(3, 0, 950),
            transmit(report),
            transmit(vec![0x80]),
            transmit(Vec::new()),
            media(4, 0, 990),
        ];
        let want = [
            (1, 100),
            (0, 60),
            (3, 950),
            (2, 900),
            (0, 60),
            (0, 1),
            (0, 0),
            (4, 990),
        ];
        assert_eq!(gathered(datagrams), want);
    }

    #[test]
    fn many_are_left_as_they_are() {
        let many: Vec<_> = (0..=MOST as u16)
            .map(|at| media(u32::from(at), 0, 100 + usize::from(at)))
            .collect();
        let before: Vec<_> = many.iter().map(|d| d.payload.len()).collect();
        let after: Vec<_> = gathered(many).iter().map(|(_, length)| *length).collect();
        assert_eq!(after, before);
        assert_eq!(gathered(Vec::new()), []);
    }
}
