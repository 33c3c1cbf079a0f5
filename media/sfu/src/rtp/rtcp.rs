//! RTCP towards and from subscribers (RFC 3550, 4585, 5104): the few packets that the forwarding
//! of media needs. Everything of publishers is the WebRTC stack's.

/// What a subscriber says about an SSRC that we send.
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
}

/// Items of one compound packet that are looked at; more is nothing an honest client sends.
const MAX_ITEMS: usize = 512;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;

/// Read a compound packet. The second value tells whether anything in it concerns the stack
/// (sender reports and the like). Stops at the first malformed part.
pub fn parse(compound: &[u8], mut found: impl FnMut(Feedback)) -> bool {
    let mut rest = compound;
    let mut for_stack = false;
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
                for_stack = true;
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
            TRANSPORT_FEEDBACK | PAYLOAD_FEEDBACK => {}
            _ => for_stack = true,
        }
        rest = next;
    }
    for_stack
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(compound: &[u8]) -> (Vec<Feedback>, bool) {
        let mut list = Vec::new();
        let for_stack = parse(compound, |f| list.push(f));
        (list, for_stack)
    }

    #[test]
    fn compound_of_report_nack_and_pli() {
        let mut packet = vec![0x81, 201, 0, 7, 0, 0, 0, 1];
        packet.extend_from_slice(&[0, 0, 0, 9, 64, 0, 0, 5]);
        packet.extend_from_slice(&[0; 16]);
        packet.extend_from_slice(&[0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 7, 0, 3]);
        packet.extend_from_slice(&[0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9]);
        let (list, for_stack) = all(&packet);
        assert_eq!(
            list,
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
        assert!(!for_stack);
    }

    #[test]
    fn sender_report_is_a_whole_number_of_words() {
        for len in 0..9 {
            let packet = sender_report(1, 2, 3, 4, 5, &"c".repeat(len));
            assert_eq!(packet.len() % 4, 0);
            let (list, for_stack) = all(&packet);
            assert!(list.is_empty() && for_stack);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            all(&bytes);
        }
    }
}
