//! Puts the sender's identity into an encoded `DataPacket` and reads whom it is for, by walking
//! the top-level protobuf fields (and those of `user`) by tag.

use std::ops::Range;

use super::MAX_MESSAGE;

// livekit.DataPacket
const USER: u32 = 2;
const PARTICIPANT_IDENTITY: u32 = 4;
const DESTINATION_IDENTITIES: u32 = 5;
const SEQUENCE: u32 = 16;
const PARTICIPANT_SID: u32 = 17;
// livekit.UserPacket
const USER_PARTICIPANT_SID: u32 = 1;
const USER_DESTINATION_SIDS: u32 = 3;
const USER_PARTICIPANT_IDENTITY: u32 = 5;
const USER_DESTINATION_IDENTITIES: u32 = 6;

const MAX_FIELDS: usize = 4096;
const MAX_DESTINATIONS: usize = 1024;

/// A packet as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spliced {
    pub packet: Vec<u8>,
    /// Of the sender; 0 = none.
    pub sequence: u32,
    pub destination_identities: Vec<String>,
    pub destination_sids: Vec<String>,
}

impl Spliced {
    /// Without any destination a packet is for everybody.
    pub fn is_for(&self, identity: &str, sid: &str) -> bool {
        (self.destination_identities.is_empty() && self.destination_sids.is_empty())
            || self.destination_identities.iter().any(|d| d == identity)
            || self.destination_sids.iter().any(|d| d == sid)
    }
}

struct Field<'a> {
    number: u32,
    /// Tag, length and value.
    whole: Range<usize>,
    value: Value<'a>,
}

enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Other,
}

/// `None` when the packet is malformed or too large.
pub fn splice(packet: &[u8], identity: &str, sid: &str) -> Option<Spliced> {
    if packet.is_empty() || packet.len() > MAX_MESSAGE {
        return None;
    }
    let mut out = Spliced {
        packet: Vec::with_capacity(packet.len() + identity.len() + sid.len() + 16),
        sequence: 0,
        destination_identities: Vec::new(),
        destination_sids: Vec::new(),
    };
    let mut user_destinations = (Vec::new(), Vec::new());
    let (mut has_content, mut has_user) = (false, false);
    walk(packet, |field| {
        match (field.number, field.value) {
            (PARTICIPANT_IDENTITY | PARTICIPANT_SID, _) => {}
            (DESTINATION_IDENTITIES, Value::Bytes(name)) => {
                push_name(&mut out.destination_identities, name)?;
                out.packet.extend_from_slice(&packet[field.whole]);
            }
            (SEQUENCE, Value::Varint(sequence)) => {
                out.sequence = u32::try_from(sequence).ok()?;
                out.packet.extend_from_slice(&packet[field.whole]);
            }
            // One, since each grows by the sender's names.
            (USER, Value::Bytes(user)) if !has_user => {
                (has_content, has_user) = (true, true);
                let user = splice_user(user, identity, sid, &mut user_destinations)?;
                put_bytes(&mut out.packet, USER, &user);
            }
            (SEQUENCE | USER | DESTINATION_IDENTITIES, _) => return None,
            _ => {
                has_content = true;
                out.packet.extend_from_slice(&packet[field.whole]);
            }
        }
        Some(())
    })?;
    if !has_content {
        return None;
    }
    // Older senders name destinations inside `user` only.
    if out.destination_identities.is_empty() {
        out.destination_identities = user_destinations.0;
        out.destination_sids = user_destinations.1;
    }
    put_bytes(&mut out.packet, PARTICIPANT_IDENTITY, identity.as_bytes());
    put_bytes(&mut out.packet, PARTICIPANT_SID, sid.as_bytes());
    Some(out)
}

fn splice_user(
    user: &[u8],
    identity: &str,
    sid: &str,
    destinations: &mut (Vec<String>, Vec<String>),
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(user.len() + identity.len() + sid.len() + 8);
    walk(user, |field| {
        match (field.number, field.value) {
            (USER_PARTICIPANT_SID | USER_PARTICIPANT_IDENTITY, _) => return Some(()),
            (USER_DESTINATION_IDENTITIES, Value::Bytes(name)) => {
                push_name(&mut destinations.0, name)?
            }
            (USER_DESTINATION_SIDS, Value::Bytes(name)) => push_name(&mut destinations.1, name)?,
            _ => {}
        }
        out.extend_from_slice(&user[field.whole]);
        Some(())
    })?;
    put_bytes(&mut out, USER_PARTICIPANT_SID, sid.as_bytes());
    put_bytes(&mut out, USER_PARTICIPANT_IDENTITY, identity.as_bytes());
    Some(out)
}

fn push_name(names: &mut Vec<String>, name: &[u8]) -> Option<()> {
    if names.len() >= MAX_DESTINATIONS {
        return None;
    }
    names.push(std::str::from_utf8(name).ok()?.to_owned());
    Some(())
}

fn walk<'a>(message: &'a [u8], mut visit: impl FnMut(Field<'a>) -> Option<()>) -> Option<()> {
    let mut at = 0;
    for _ in 0..MAX_FIELDS {
        if at == message.len() {
            return Some(());
        }
        let start = at;
        let tag = varint(message, &mut at)?;
        let number = u32::try_from(tag >> 3)
            .ok()
            .filter(|n| (1..1 << 29).contains(n))?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(message, &mut at)?),
            1 => skip(message, &mut at, 8)?,
            2 => {
                let len = usize::try_from(varint(message, &mut at)?).ok()?;
                let bytes = message.get(at..at.checked_add(len)?)?;
                at += len;
                Value::Bytes(bytes)
            }
            5 => skip(message, &mut at, 4)?,
            // Groups do not exist in proto3.
            _ => return None,
        };
        visit(Field {
            number,
            whole: start..at,
            value,
        })?;
    }
    None
}

fn skip<'a>(message: &[u8], at: &mut usize, len: usize) -> Option<Value<'a>> {
    *at = at.checked_add(len).filter(|end| *end <= message.len())?;
    Some(Value::Other)
}

fn varint(message: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *message.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(&mut out, number, bytes);
        out
    }

    #[test]
    fn identity_is_overwritten_and_the_rest_kept() {
        let mut packet = field(PARTICIPANT_IDENTITY, b"mallory");
        packet.extend([0x08, 0x01]);
        packet.extend(field(9, b"chat"));
        packet.extend(field(PARTICIPANT_SID, b"PA_mallory"));
        packet.extend([0x80, 0x01, 0x07]);
        packet.extend(field(1000, b"from the future"));
        let spliced = splice(&packet, "alice", "PA_a").unwrap();
        assert_eq!(spliced.sequence, 7);
        assert!(spliced.is_for("anyone", "PA_x"));
        let mut expected = vec![0x08, 0x01];
        expected.extend(field(9, b"chat"));
        expected.extend([0x80, 0x01, 0x07]);
        expected.extend(field(1000, b"from the future"));
        expected.extend(field(PARTICIPANT_IDENTITY, b"alice"));
        expected.extend(field(PARTICIPANT_SID, b"PA_a"));
        assert_eq!(spliced.packet, expected);
    }

    #[test]
    fn user_packets_carry_identity_and_destinations_inside() {
        let mut user = field(USER_PARTICIPANT_IDENTITY, b"mallory");
        user.extend(field(2, b"payload"));
        user.extend(field(USER_DESTINATION_IDENTITIES, b"bob"));
        let spliced = splice(&field(USER, &user), "alice", "PA_a").unwrap();
        assert!(spliced.is_for("bob", "PA_b"));
        assert!(!spliced.is_for("carol", "PA_c"));
        let mut inner = field(2, b"payload");
        inner.extend(field(USER_DESTINATION_IDENTITIES, b"bob"));
        inner.extend(field(USER_PARTICIPANT_SID, b"PA_a"));
        inner.extend(field(USER_PARTICIPANT_IDENTITY, b"alice"));
        assert!(spliced.packet.starts_with(&field(USER, &inner)));
    }

    #[test]
    fn malformed_packets_are_refused() {
        for packet in [
            &b""[..],
            &[0x0a],
            &[0x0a, 0x05, 1],
            &[0x0b],
            &[0x00],
            &[0xff; 11],
            &[0x12, 0x02, 0x0a, 0x09],
        ] {
            assert_eq!(splice(packet, "alice", "PA_a"), None, "{packet:?}");
        }
        assert_eq!(
            splice(&field(9, &vec![0; MAX_MESSAGE]), "alice", "PA_a"),
            None
        );
        let small = field(USER, b"");
        let many: Vec<u8> = small.iter().copied().cycle().take(8000).collect();
        assert_eq!(splice(&many, "alice", "PA_a"), None, "would grow tenfold");
        assert_eq!(
            splice(&field(PARTICIPANT_SID, b"PA_x"), "alice", "PA_a"),
            None,
            "nothing to deliver"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            splice(&bytes, "alice", "PA_a");
        }

        #[test]
        fn the_sender_appears_exactly_once(
            fields in proptest::collection::vec((1u32..40, proptest::collection::vec(any::<u8>(), 0..20)), 1..10)
        ) {
            let packet: Vec<u8> = fields.iter().flat_map(|(n, b)| field(*n, b)).collect();
            if let Some(spliced) = splice(&packet, "alice", "PA_a") {
                let mut names = Vec::new();
                walk(&spliced.packet, |f| {
                    if let (PARTICIPANT_IDENTITY, Value::Bytes(b)) = (f.number, f.value) { names.push(b.to_vec()) }
                    Some(())
                });
                prop_assert_eq!(names, vec![b"alice".to_vec()]);
                prop_assert!(splice(&spliced.packet, "alice", "PA_a").is_some());
            }
        }
    }
}
