//! Answers to the pings of LiveKit's signalling, from the frames of the WebSocket as they come.
//!
//! Most of what clients send is pings, each of which wakes a processor that has been doing other
//! things: in Python, with the WebSocket library, a protobuf library and the signalling machine, the
//! answer took a third of a millisecond, most of it waiting for memory. Must never answer anything
//! but a whole frame that holds a ping and nothing else.

/// RFC 6455, 5.2: a whole binary message in one frame.
const WHOLE_BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;
const HEAD: usize = 2;
const MASK: usize = 4;
/// Longer ones have a length of their own.
const LONGEST: usize = 125;

// Tags of livekit_rtc.proto: SignalRequest.ping and ping_req, Ping, SignalResponse.pong and
// pong_resp, Pong.
const PING: &[u8] = &[14 << 3];
const PING_REQ: &[u8] = &[0x82, 0x01];
const TIMESTAMP: u8 = 1 << 3;
const RTT: u8 = 2 << 3;
const PONG: &[u8] = &[0x90, 0x01];
const PONG_RESP: &[u8] = &[0xa2, 0x01];
const LAST_PING_TIMESTAMP: u8 = 1 << 3;
const PONG_TIMESTAMP: u8 = 2 << 3;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Frames to be sent.
    pub answers: Vec<u8>,
    /// Bytes of the pings, all at the beginning.
    pub size: usize,
    pub count: usize,
}

/// Answer the pings at the beginning of `data`, which begins with a frame. `milliseconds`: since 1970.
pub fn answer(data: &[u8], milliseconds: i64) -> Answered {
    let mut answered = Answered::default();
    while let Some((message, size)) = message(&data[answered.size..]) {
        let Some(pong) = pong(message.bytes(), milliseconds) else {
            break;
        };
        let pong = pong.bytes();
        answered.answers.extend([WHOLE_BINARY, pong.len() as u8]);
        answered.answers.extend_from_slice(pong);
        answered.size += size;
        answered.count += 1;
    }
    answered
}

/// Bytes on the stack.
struct Short {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Short {
    fn new() -> Self {
        Short {
            bytes: [0; LONGEST],
            length: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.length..][..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    fn push_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.push(&[number as u8 | 0x80]);
            number >>= 7;
        }
        self.push(&[number as u8]);
    }

    /// A field that is left out when it is zero.
    fn push_field(&mut self, tag: u8, number: u64) {
        if number != 0 {
            self.push(&[tag]);
            self.push_number(number);
        }
    }
}

/// A short whole masked binary message at the beginning of `data`, and how long its frame is.
fn message(data: &[u8]) -> Option<(Short, usize)> {
    let [WHOLE_BINARY, length, rest @ ..] = data else {
        return None;
    };
    let length = usize::from(length.checked_sub(MASKED)?);
    if length > LONGEST {
        return None;
    }
    let (mask, rest) = rest.split_at_checked(MASK)?;
    let masked = rest.get(..length)?;
    let mut message = Short::new();
    message.push(masked);
    for (byte, mask) in message.bytes.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Some((message, HEAD + MASK + length))
}

/// The SignalResponse to a SignalRequest, if that is a ping of either kind.
fn pong(request: &[u8], milliseconds: i64) -> Option<Short> {
    let now = milliseconds as u64;
    let mut response = Short::new();
    if let Some(mut rest) = request.strip_prefix(PING) {
        number(&mut rest)?;
        if !rest.is_empty() {
            return None;
        }
        response.push(PONG);
        response.push_number(now);
        return Some(response);
    }
    let (&length, mut rest) = request.strip_prefix(PING_REQ)?.split_first()?;
    if rest.len() != usize::from(length) {
        return None;
    }
    let mut asked_at = 0;
    while let Some((&tag, value)) = rest.split_first() {
        rest = value;
        let value = number(&mut rest)?;
        match tag {
            TIMESTAMP => asked_at = value,
            RTT => {}
            _ => return None,
        }
    }
    let mut pong = Short::new();
    pong.push_field(LAST_PING_TIMESTAMP, asked_at);
    pong.push_field(PONG_TIMESTAMP, now);
    response.push(PONG_RESP);
    response.push_number(pong.length as u64);
    response.push(pong.bytes());
    Some(response)
}

/// A varint at the beginning of `rest`, which goes on behind it.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        // Of the tenth byte one bit has a place: what is more is not for us to judge.
        if place == 9 && byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_796_000_000_123;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mask = [0x11, 0x22, 0x33, 0xf4];
        let mut out = vec![WHOLE_BINARY, MASKED | payload.len() as u8];
        out.extend(mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
        out
    }

    fn varint(number: u64) -> Vec<u8> {
        let mut short = Short::new();
        short.push_number(number);
        short.bytes().to_vec()
    }

    fn ping(at: u64) -> Vec<u8> {
        [PING, &varint(at)].concat()
    }

    fn ping_req(fields: &[u8]) -> Vec<u8> {
        [PING_REQ, &[fields.len() as u8], fields].concat()
    }

    #[test]
    fn both_kinds_are_answered_with_the_time() {
        let now = varint(NOW as u64);
        let first = answer(&frame(&ping(5)), NOW);
        let length = (PONG.len() + now.len()) as u8;
        assert_eq!(first.answers, [&[0x82, length], PONG, &now].concat());
        assert_eq!((first.size, first.count), (frame(&ping(5)).len(), 1));

        let asked = varint(u64::MAX);
        let fields = [&[RTT], &varint(9)[..], &[TIMESTAMP], &asked].concat();
        let second = answer(&frame(&ping_req(&fields)), NOW);
        let pong = [&[0x08], &asked[..], &[0x10], &now].concat();
        let body = [PONG_RESP, &[pong.len() as u8], &pong].concat();
        assert_eq!(
            second.answers,
            [&[0x82, body.len() as u8], &body[..]].concat()
        );
        // Nothing in it is a time of zero, which is left out.
        let third = answer(&frame(&ping_req(&[])), 0);
        assert_eq!(third.answers, [0x82, 3, 0xa2, 0x01, 0]);
    }

    #[test]
    fn several_are_answered_up_to_the_first_that_is_none() {
        let pings = [frame(&ping(1)), frame(&ping_req(&[TIMESTAMP, 2]))].concat();
        let other = frame(&[0x2a, 0]);
        let data = [&pings[..], &other, &frame(&ping(3))].concat();
        let answered = answer(&data, NOW);
        assert_eq!((answered.size, answered.count), (pings.len(), 2));
        assert_eq!(answer(&data[answered.size..], NOW), Answered::default());
    }

    #[test]
    fn what_is_not_a_ping_and_nothing_else_is_left_alone() {
        let leave = [0x42, 0];
        let payloads: [&[u8]; 12] = [
            &[],
            PING,
            &[PING, &[0x80]].concat(),
            &[&ping(1)[..], &leave].concat(),
            &[&ping(1)[..], &ping(1)].concat(),
            &[PING, &[0xff; 10]].concat(),
            &[PING, &[0x80; 9], &[2]].concat(),
            &[0x82],
            PING_REQ,
            &[&ping_req(&[TIMESTAMP, 1])[..], &leave].concat(),
            &[PING_REQ, &[3, TIMESTAMP, 1]].concat(),
            &ping_req(&[0x1a, 0]),
        ];
        for payload in payloads {
            assert_eq!(answer(&frame(payload), NOW), Answered::default());
        }
    }

    #[test]
    fn frames_of_another_kind_or_in_pieces_are_left_alone() {
        let whole = frame(&ping(1));
        for end in 0..whole.len() {
            assert_eq!(answer(&whole[..end], NOW), Answered::default());
        }
        let with = |at: usize, byte: u8| {
            let mut changed = whole.clone();
            changed[at] = byte;
            changed
        };
        // Text, a fragment, one that goes on, a close, a reserved bit; no mask; longer than it is.
        for first in [0x81, 0x02, 0x80, 0x88, 0xc2] {
            assert_eq!(answer(&with(0, first), NOW), Answered::default());
        }
        for length in [0x02, 0x7e, 0xfe, 0xff, 0x80 | 125] {
            assert_eq!(answer(&with(1, length), NOW), Answered::default());
        }
    }

    /// Deterministic noise, and pings with one byte changed: nothing panics, and what is answered is
    /// no longer than what came.
    #[test]
    fn any_bytes_are_taken_calmly() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..20_000 {
            let mut data = frame(&ping_req(&[TIMESTAMP, random() as u8, RTT, 1])).repeat(3);
            let at = random() as usize % data.len();
            data[at] = random() as u8;
            data.truncate(random() as usize % 64);
            let answered = answer(&data, random() as i64);
            assert!(answered.size <= data.len());
            assert_eq!(answered.count == 0, answered.answers.is_empty());
        }
    }
}
