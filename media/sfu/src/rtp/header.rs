//! The header of an incoming RTP packet (RFC 3550, 5.1; RFC 8285).

/// Fixed part, and the head of an extension block.
const FIXED: usize = 12;
const EXTENSION_HEAD: usize = 4;
/// RFC 8285, 4.2: nothing is read from this id on.
const STOP: u8 = 15;

/// As it stands in the packet; nothing in it is proven before the packet is.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    pub marker: bool,
    pub pt: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub has_padding: bool,
    /// Bytes of the header; the payload is behind them.
    pub len: usize,
    form: Form,
    block: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    None,
    OneByte,
    TwoByte,
}

impl<'a> Header<'a> {
    /// `None`: of another version, or shorter than it says.
    pub fn parse(datagram: &'a [u8]) -> Option<Header<'a>> {
        let fixed: &[u8; FIXED] = datagram.first_chunk()?;
        let first = fixed[0];
        if first >> 6 != 2 {
            return None;
        }
        let mut header = Header {
            marker: fixed[1] & 0x80 != 0,
            pt: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            has_padding: first & 0x20 != 0,
            len: FIXED + 4 * usize::from(first & 0x0f),
            form: Form::None,
            block: &[],
        };
        if first & 0x10 != 0 {
            let rest = datagram.get(header.len..)?;
            let [a, b, high, low] = *rest.first_chunk()?;
            let words = usize::from(u16::from_be_bytes([high, low]));
            header.block = rest[EXTENSION_HEAD..].get(..4 * words)?;
            header.len += EXTENSION_HEAD + 4 * words;
            header.form = match (a, b) {
                (0xbe, 0xde) => Form::OneByte,
                (0x10, 0..16) => Form::TwoByte,
                _ => Form::None,
            };
        }
        (header.len <= datagram.len()).then_some(header)
    }

    /// Id and value of each header extension, up to the first that is longer than there is room.
    pub fn elements(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let (form, mut rest) = (self.form, self.block);
        std::iter::from_fn(move || {
            while let [0, more @ ..] = rest {
                rest = more;
            }
            let (id, len, more) = match (form, rest) {
                (Form::OneByte, [head, ..]) if matches!(head >> 4, 0 | STOP) => return None,
                (Form::OneByte, [head, more @ ..]) => {
                    (head >> 4, usize::from(head & 0x0f) + 1, more)
                }
                (Form::TwoByte, [id, len, more @ ..]) => (*id, usize::from(*len), more),
                _ => return None,
            };
            let (value, behind) = more.split_at_checked(len)?;
            rest = behind;
            Some((id, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(form: [u8; 2], block: &[u8]) -> Vec<u8> {
        let mut packet = vec![0xb1, 0x80 | 96, 1, 2, 0, 0, 0, 3, 0, 0, 0, 4, 9, 9, 9, 9];
        packet.extend_from_slice(&form);
        packet.extend_from_slice(&((block.len() / 4) as u16).to_be_bytes());
        packet.extend_from_slice(block);
        packet.extend_from_slice(b"payload");
        packet
    }

    fn elements(packet: &[u8]) -> Vec<(u8, &[u8])> {
        Header::parse(packet).unwrap().elements().collect()
    }

    #[test]
    fn fields_and_length() {
        let packet = packet([0xbe, 0xde], &[0x10, 5, 0, 0]);
        let header = Header::parse(&packet).unwrap();
        assert!(header.marker && header.has_padding);
        let fields = (header.pt, header.sequence, header.timestamp, header.ssrc);
        assert_eq!(fields, (96, 0x0102, 3, 4));
        assert_eq!(&packet[header.len..], b"payload");
        for len in 0..header.len {
            assert!(Header::parse(&packet[..len]).is_none(), "{len}");
        }
        assert!(Header::parse(&[&[0x40], &packet[1..]].concat()).is_none());
    }

    #[test]
    fn both_forms_and_what_is_neither() {
        let one = packet([0xbe, 0xde], &[0x11, 1, 2, 0, 0, 0x20, 7, 0xf0]);
        assert_eq!(elements(&one), [(1, &[1, 2][..]), (2, &[7])]);
        let two = packet([0x10, 3], &[1, 0, 0, 200, 3, 7, 8, 9]);
        assert_eq!(elements(&two), [(1, &[][..]), (200, &[7, 8, 9])]);
        assert!(elements(&packet([0x20, 0], &[0x10, 1, 0, 0])).is_empty());
        let beyond = packet([0xbe, 0xde], &[0x10, 1, 0x2f, 1]);
        assert_eq!(
            elements(&beyond),
            [(1, &[1][..])],
            "longer than there is room"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Some(first) = bytes.first_mut() {
                *first = 0x90 | *first & 0x0f;
            }
            if let Some(header) = Header::parse(&bytes) {
                prop_assert!(header.len <= bytes.len());
                let total: usize = header.elements().map(|(_, value)| value.len() + 1).sum();
                prop_assert!(total <= bytes.len());
            }
        }
    }
}
