//! From datagrams to the kernel: which of them leave in one message, which messages in one batch,
//! and what an error means for the rest. Must never reorder the datagrams of one destination, nor
//! let one that cannot be sent keep others back.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use conclave_sfu::Transmit;

/// Messages handed to the kernel at once.
pub(crate) const BATCH: usize = 64;
/// The longest datagram that is sent segmented: it fits the smallest MTU of IPv6 (1280), because
/// the kernel refuses segments above the interface's MTU and segmentation would be given up.
const SEGMENT_LIMIT: usize = 1232;
/// Payload of one segmented send: what an IPv4 datagram may hold.
const RUN_LIMIT: usize = 65_507;

/// What became of a batch, apart from the datagrams that were refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The kernel takes no more: this datagram and those behind it have to wait.
    pub(crate) blocked_at: Option<usize>,
    /// The kernel takes single datagrams of a run that it refuses to segment.
    pub(crate) refuses_segments: bool,
}

/// Hand runs of datagrams to `kernel`, which returns how many it has taken, or the first one's
/// error. `refused` is told why a datagram came to nothing.
pub(crate) fn send_runs(
    mut runs: &[Range<usize>],
    kernel: &mut dyn FnMut(&[Range<usize>]) -> io::Result<usize>,
    refused: &mut dyn FnMut(&io::Error),
) -> Outcome {
    let mut outcome = Outcome::default();
    while let Some(first) = runs.first() {
        match kernel(runs) {
            // At least one, or this would not end.
            Ok(count) => runs = &runs[count.clamp(1, runs.len())..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                outcome.blocked_at = Some(first.start);
                return outcome;
            }
            Err(error) if first.len() == 1 => {
                refused(&error);
                runs = &runs[1..];
            }
            Err(error) => {
                let singles: Vec<_> = first.clone().map(|at| at..at + 1).collect();
                let mut failures = 0;
                let single = send_runs(&singles, kernel, &mut |error| {
                    failures += 1;
                    refused(error);
                });
                if single.blocked_at.is_some() {
                    outcome.blocked_at = single.blocked_at;
                    return outcome;
                }
                // A destination that takes nothing at all says nothing about segments.
                let is_refusal = matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL));
                outcome.refuses_segments |= is_refusal && failures < singles.len();
                runs = &runs[1..];
            }
        }
    }
    outcome
}

/// Put the next runs of the datagrams that leave from `source` into `runs`, up to a batch, and
/// return where to go on.
pub(crate) fn next_batch(
    datagrams: &[Transmit],
    mut at: usize,
    source: SocketAddr,
    max_run: usize,
    runs: &mut Vec<Range<usize>>,
) -> usize {
    runs.clear();
    while at < datagrams.len() && runs.len() < BATCH {
        if datagrams[at].source != source {
            at += 1;
            continue;
        }
        let length = run_length(&datagrams[at..], max_run);
        runs.push(at..at + length);
        at += length;
    }
    at
}

/// How many of the first datagrams can leave in one segmented send: same way, equal length, the
/// last one may be shorter.
fn run_length(transmits: &[Transmit], max: usize) -> usize {
    let Some(first) = transmits.first() else {
        return 0;
    };
    let size = first.payload.len();
    if size == 0 || size > SEGMENT_LIMIT {
        return 1;
    }
    let mut total = size;
    let mut length = 1;
    for next in &transmits[1..] {
        let next_size = next.payload.len();
        total += next_size;
        if length >= max
            || next_size == 0
            || next_size > size
            || total > RUN_LIMIT
            || next.destination != first.destination
            || next.source != first.source
        {
            break;
        }
        length += 1;
        if next_size < size {
            break;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn transmit(to: SocketAddr, size: usize) -> Transmit {
        Transmit {
            source: address(1),
            destination: to,
            payload: vec![0x55; size],
        }
    }

    fn sizes(list: &[usize]) -> Vec<Transmit> {
        list.iter()
            .map(|size| transmit(address(9), *size))
            .collect()
    }

    #[test]
    fn runs_are_of_one_way_and_equal_length_with_a_shorter_last() {
        assert_eq!(run_length(&[], 64), 0);
        assert_eq!(run_length(&sizes(&[100, 100, 100]), 64), 3);
        assert_eq!(run_length(&sizes(&[100, 100, 60, 60]), 64), 3);
        assert_eq!(run_length(&sizes(&[100, 101]), 64), 1);
        assert_eq!(run_length(&sizes(&[1400, 1400]), 64), 1);
        assert_eq!(run_length(&sizes(&[100, 0]), 64), 1);
        assert_eq!(run_length(&sizes(&[100; 100]), 64), 64);
        assert_eq!(run_length(&sizes(&[100; 100]), 1), 1);
        assert_eq!(run_length(&sizes(&[1232; 64]), 64), 53);
        let two = [transmit(address(9), 100), transmit(address(8), 100)];
        assert_eq!(run_length(&two, 64), 1);
    }

    #[test]
    fn a_batch_holds_the_runs_of_one_source_in_order() {
        let mut datagrams = sizes(&[100, 100, 70, 80, 90]);
        datagrams[3].source = address(2);
        let mut runs = Vec::new();
        assert_eq!(next_batch(&datagrams, 0, address(1), 64, &mut runs), 5);
        assert_eq!(runs, [0..3, 4..5]);
        assert_eq!(next_batch(&datagrams, 0, address(2), 64, &mut runs), 5);
        assert_eq!((runs.len(), &runs[0]), (1, &(3..4)));
        assert_eq!(next_batch(&datagrams, 0, address(3), 64, &mut runs), 5);
        assert!(runs.is_empty());

        let ascending: Vec<usize> = (1..=BATCH + 6).collect();
        let datagrams = sizes(&ascending);
        let next = next_batch(&datagrams, 0, address(1), 64, &mut runs);
        assert_eq!((next, runs.len()), (BATCH, BATCH));
        let next = next_batch(&datagrams, next, address(1), 64, &mut runs);
        assert_eq!((next, runs.len()), (BATCH + 6, 6));
    }

    /// Plays a kernel: answers in turn, then takes one message a call. Returns the outcome, the
    /// first message of each call, and what was refused.
    fn play(
        runs: &[Range<usize>],
        answers: &[Result<usize, i32>],
    ) -> (Outcome, Vec<Range<usize>>, Vec<i32>) {
        let mut answers = answers.iter();
        let (mut calls, mut refused) = (Vec::new(), Vec::new());
        let outcome = send_runs(
            runs,
            &mut |left| {
                calls.push(left[0].clone());
                let answer = answers.next().unwrap_or(&Ok(1));
                answer.map_err(io::Error::from_raw_os_error)
            },
            &mut |error| refused.push(error.raw_os_error().unwrap()),
        );
        (outcome, calls, refused)
    }

    #[test]
    fn what_the_kernel_leaves_is_sent_again_and_an_interruption_retried() {
        let runs = [0..1, 1..4, 4..5, 5..6];
        let (outcome, calls, refused) = play(&runs, &[Ok(1), Err(libc::EINTR), Ok(2), Ok(1)]);
        assert_eq!(outcome, Outcome::default());
        assert_eq!(calls, [0..1, 1..4, 1..4, 5..6]);
        assert!(refused.is_empty());
    }

    #[test]
    fn an_error_costs_the_first_message_only() {
        let runs = [0..1, 1..2, 2..3];
        let (outcome, calls, refused) = play(&runs, &[Ok(1), Err(libc::EMSGSIZE)]);
        assert_eq!(outcome, Outcome::default());
        assert_eq!(calls, runs);
        assert_eq!(refused, [libc::EMSGSIZE]);
    }

    #[test]
    fn a_full_kernel_stops_the_batch_where_it_is() {
        let runs = [3..4, 5..9, 9..10];
        let (outcome, calls, _) = play(&runs, &[Ok(1), Err(libc::EAGAIN)]);
        assert_eq!(outcome.blocked_at, Some(5));
        assert_eq!(calls, [3..4, 5..9]);
        // In the middle of a run that goes singly, too.
        let answers = [Ok(1), Err(libc::EIO), Ok(2), Err(libc::EAGAIN)];
        let (outcome, calls, _) = play(&runs, &answers);
        assert_eq!(outcome.blocked_at, Some(7));
        assert_eq!(calls, [3..4, 5..9, 5..6, 7..8]);
        // What an earlier run has shown is not forgotten.
        let answers = [Err(libc::EIO), Ok(1), Ok(1), Err(libc::EAGAIN)];
        let (outcome, _, _) = play(&[0..2, 2..4], &answers);
        let want = Outcome {
            blocked_at: Some(2),
            refuses_segments: true,
        };
        assert_eq!(outcome, want);
    }

    #[test]
    fn a_run_that_is_not_segmented_goes_singly_and_is_remembered() {
        let runs = [0..3, 3..4];
        for error in [libc::EIO, libc::EINVAL] {
            let (outcome, calls, refused) = play(&runs, &[Err(error)]);
            assert!(outcome.refuses_segments);
            assert_eq!(calls, [0..3, 0..1, 1..2, 2..3, 3..4]);
            assert!(refused.is_empty());
        }
        let (outcome, calls, _) = play(&runs, &[Err(libc::ENOBUFS)]);
        assert!(!outcome.refuses_segments);
        assert_eq!(calls.len(), 5);
        // The destination was wrong, not the segments.
        let (outcome, _, refused) = play(&runs, &[Err(libc::EINVAL); 4]);
        assert!(!outcome.refuses_segments);
        assert_eq!(refused, [libc::EINVAL; 3]);
    }
}
