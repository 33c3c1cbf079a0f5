//! RTCP (RFC 3550, 4585, 5104): the few packets that the forwarding of media needs, towards and from
//! those who receive it and those who send it.

/// What a client says about an SSRC that we send, or that it sends itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// First lost sequence number and a mask of the sixteen after it.
    Nack {
        ssrc: u32,
        first: u16,
        following: u16,
    },
    /// PLI or FIR.
    KeyFrame { ssrc: u32 },
    Report {
        ssrc: u32,
        fraction_lost: u8,
        total_lost: u32,
    },
    /// Of its own: its wall clock, and its media clock at that time.
    SenderReport { ssrc: u32, ntp: u64, rtp: u32 },
    /// Of its own: nothing more comes of it for now.
    Goodbye { ssrc: u32 },
}

/// One source in a receiver report (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: u32,
    /// Since the last report, in 256ths.
    pub fraction_lost: u8,
    pub total_lost: i64,
    /// Extended by the number of rounds.
    pub highest: u32,
    /// In units of its timestamps.
    pub jitter: u32,
    /// The middle of the last sender report's NTP time, and how long ago it came in 65536ths of a
    /// second; zero without one.
    pub last_report: u32,
    pub delay: u32,
}

/// Items of one compound packet that are looked at; more is nothing an honest client sends.
const MAX_ITEMS: usize = 512;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
/// Sources of one report, by its count of five bits.
pub const MAX_BLOCKS: usize = 31;

/// Read a compound packet. Stops at the first malformed part.
pub fn parse(compound: &[u8], mut found: impl FnMut(Feedback)) {
    let mut rest = compound;
    let mut items = 0;
    while rest.len() >= 8 && rest[0] >> 6 == 2 {
        let count = rest[0] & 0x1f;
        let len = 4 * (usize::from(u16::from_be_bytes([rest[2], rest[3]])) + 1);
        if len < 8 || len > rest.len() {
            break;
        }
        let (packet, next) = rest.split_at(len);
        match packet[1] {
            SENDER_REPORT => {
                if let Some(info) = packet.get(4..28) {
                    found(Feedback::SenderReport {
                        ssrc: word(info),
                        ntp: u64::from(word(&info[4..])) << 32 | u64::from(word(&info[8..])),
                        rtp: word(&info[12..]),
                    });
                }
                reports(
                    packet.get(28..).unwrap_or_default(),
                    count,
                    &mut items,
                    &mut found,
                );
            }
            RECEIVER_REPORT => reports(&packet[8..], count, &mut items, &mut found),
            TRANSPORT_FEEDBACK if count == 1 && packet.len() >= 12 => {
                let ssrc = word(&packet[8..]);
                for fci in packet[12..].chunks_exact(4) {
                    items += 1;
                    if items > MAX_ITEMS {
                        break;
                    }
                    let first = u16::from_be_bytes([fci[0], fci[1]]);
                    found(Feedback::Nack {
                        ssrc,
                        first,
                        following: u16::from_be_bytes([fci[2], fci[3]]),
                    });
                }
            }
            PAYLOAD_FEEDBACK if count == 1 && packet.len() >= 12 => {
                found(Feedback::KeyFrame {
                    ssrc: word(&packet[8..]),
                });
            }
            PAYLOAD_FEEDBACK if count == 4 && packet.len() >= 12 => {
                for fci in packet[12..].chunks_exact(8) {
                    items += 1;
                    if items > MAX_ITEMS {
                        break;
                    }
                    found(Feedback::KeyFrame { ssrc: word(fci) });
                }
            }
            GOODBYE => {
                for ssrc in packet[4..].chunks_exact(4).take(usize::from(count)) {
                    found(Feedback::Goodbye { ssrc: word(ssrc) });
                }
            }
            _ => {}
        }
        rest = next;
    }
}

fn reports(mut blocks: &[u8], count: u8, items: &mut usize, found: &mut impl FnMut(Feedback)) {
    for _ in 0..count {
        *items += 1;
        if blocks.len() < 24 || *items > MAX_ITEMS {
            return;
        }
        found(Feedback::Report {
            ssrc: word(blocks),
            fraction_lost: blocks[4],
            total_lost: word(&blocks[4..]) & 0x00ff_ffff,
        });
        blocks = &blocks[24..];
    }
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Sender report without blocks, and a description with the CNAME (RFC 3550, 6.4.1 and 6.5).
pub fn sender_report(
    ssrc: u32,
    ntp: u64,
    rtp: u32,
    packets: u32,
    octets: u32,
    cname: &str,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(&[0x80, SENDER_REPORT, 0, 6]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&ntp.to_be_bytes());
    for value in [rtp, packets, octets] {
        out.extend_from_slice(&value.to_be_bytes());
    }
    let cname = &cname.as_bytes()[..cname.len().min(255)];
    let start = out.len();
    out.extend_from_slice(&[0x81, SOURCE_DESCRIPTION, 0, 0]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&[1, cname.len() as u8]);
    out.extend_from_slice(cname);
    // A list of items ends with at least one zero and at a word.
    out.resize((out.len() + 1).next_multiple_of(4), 0);
    let words = (out.len() - start) / 4 - 1;
    out[start + 3] = words as u8;
    out
}

/// A receiver report (RFC 3550, 6.4.2) of at most `MAX_BLOCKS` sources.
pub fn receiver_report(ssrc: u32, blocks: &[ReportBlock], out: &mut Vec<u8>) {
    let blocks = &blocks[..blocks.len().min(MAX_BLOCKS)];
    head(
        out,
        blocks.len() as u8,
        RECEIVER_REPORT,
        1 + 6 * blocks.len(),
    );
    out.extend_from_slice(&ssrc.to_be_bytes());
    for block in blocks {
        // The count is signed, in 24 bits.
        let total = block.total_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        for word in [
            block.ssrc,
            u32::from(block.fraction_lost) << 24 | total,
            block.highest,
            block.jitter,
            block.last_report,
            block.delay,
        ] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}

/// A generic NACK (RFC 4585, 6.2.1) of these numbers, which rise.
pub fn nack(ssrc: u32, media: u32, numbers: &[u16], out: &mut Vec<u8>) {
    let start = out.len();
    head(out, 1, TRANSPORT_FEEDBACK, 2);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&media.to_be_bytes());
    let mut rest = numbers;
    while let Some((first, more)) = rest.split_first() {
        let mut following = 0u16;
        rest = more;
        while let Some((next, more)) = rest.split_first()
            && let ahead = next.wrapping_sub(*first)
            && (1..=16).contains(&ahead)
        {
            following |= 1 << (ahead - 1);
            rest = more;
        }
        out.extend_from_slice(&first.to_be_bytes());
        out.extend_from_slice(&following.to_be_bytes());
    }
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

/// A picture loss indication (RFC 4585, 6.3.1).
pub fn picture_loss(ssrc: u32, media: u32, out: &mut Vec<u8>) {
    head(out, 1, PAYLOAD_FEEDBACK, 2);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&media.to_be_bytes());
}

/// A full intra request (RFC 5104, 4.3.1); `number` is another one for each picture wanted.
pub fn full_intra(ssrc: u32, media: u32, number: u8, out: &mut Vec<u8>) {
    head(out, 4, PAYLOAD_FEEDBACK, 4);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&media.to_be_bytes());
    out.extend_from_slice(&[number, 0, 0, 0]);
}

/// `words`: of what follows.
fn head(out: &mut Vec<u8>, count: u8, kind: u8, words: usize) {
    out.extend_from_slice(&[0x80 | count, kind]);
    out.extend_from_slice(&(words as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(compound: &[u8]) -> Vec<Feedback> {
        let mut list = Vec::new();
        parse(compound, |f| list.push(f));
        list
    }

    #[test]
    fn compound_of_report_nack_and_pli() {
        let mut packet = vec![0x81, 201, 0, 7, 0, 0, 0, 1];
        packet.extend_from_slice(&[0, 0, 0, 9, 64, 0, 0, 5]);
        packet.extend_from_slice(&[0; 16]);
        packet.extend_from_slice(&[0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 7, 0, 3]);
        packet.extend_from_slice(&[0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9]);
        assert_eq!(
            all(&packet),
            [
                Feedback::Report {
                    ssrc: 9,
                    fraction_lost: 64,
                    total_lost: 5
                },
                Feedback::Nack {
                    ssrc: 9,
                    first: 7,
                    following: 3
                },
                Feedback::KeyFrame { ssrc: 9 },
            ]
        );
    }

    #[test]
    fn sender_report_is_a_whole_number_of_words() {
        for len in 0..9 {
            let packet = sender_report(1, 2, 3, 4, 5, &"c".repeat(len));
            assert_eq!(packet.len() % 4, 0);
            let report = Feedback::SenderReport {
                ssrc: 1,
                ntp: 2,
                rtp: 3,
            };
            assert_eq!(all(&packet), [report]);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let block = |ssrc, total_lost| ReportBlock {
            ssrc,
            fraction_lost: 64,
            total_lost,
            highest: 1 << 16 | 7,
            jitter: 5,
            last_report: 6,
            delay: 7,
        };
        let mut out = Vec::new();
        receiver_report(
            1,
            &[block(9, 5), block(10, 1 << 40), block(11, -1)],
            &mut out,
        );
        assert_eq!(&out[..4], [0x83, 201, 0, 19]);
        nack(1, 9, &[65_530, 65_535, 3, 11, 13], &mut out);
        picture_loss(1, 9, &mut out);
        full_intra(1, 10, 3, &mut out);
        out.extend_from_slice(&[0x82, 203, 0, 2, 0, 0, 0, 9, 0, 0, 0, 10]);
        let report = |ssrc, total_lost| Feedback::Report {
            ssrc,
            fraction_lost: 64,
            total_lost,
        };
        let nack = |first, following| Feedback::Nack {
            ssrc: 9,
            first,
            following,
        };
        let expected = [
            report(9, 5),
            report(10, 0x7f_ffff),
            report(11, 0xff_ffff),
            nack(65_530, 1 << 4 | 1 << 8),
            nack(11, 1 << 1),
            Feedback::KeyFrame { ssrc: 9 },
            Feedback::KeyFrame { ssrc: 10 },
            Feedback::Goodbye { ssrc: 9 },
            Feedback::Goodbye { ssrc: 10 },
        ];
        assert_eq!(all(&out), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            all(&bytes);
        }
    }
}
