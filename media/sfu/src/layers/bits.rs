//! Numbers of any width in a row of bits, the most significant first.

pub struct Bits<'a> {
    pub bytes: &'a [u8],
    /// The next bit.
    pub at: usize,
}

impl Bits<'_> {
    pub fn bit(&self, at: usize) -> bool {
        self.bytes
            .get(at / 8)
            .is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1)
    }

    pub fn flag(&mut self) -> Option<bool> {
        Some(self.read(1)? == 1)
    }

    pub fn read(&mut self, count: usize) -> Option<u32> {
        if self.at + count > self.bytes.len() * 8 {
            return None;
        }
        let value = (self.at..self.at + count).fold(0, |v, at| v << 1 | u32::from(self.bit(at)));
        self.at += count;
        Some(value)
    }

    /// `ns(n)`: a number below `n` in as few bits as possible.
    pub fn read_below(&mut self, n: u32) -> Option<u32> {
        let width = u32::BITS - n.leading_zeros();
        let short = (1 << width) - n;
        let value = self.read(width as usize - 1)?;
        if value < short {
            return Some(value);
        }
        Some((value << 1) - short + self.read(1)?)
    }
}

/// Appends to bytes that end at a whole byte.
pub struct BitsOut<'a> {
    pub bytes: &'a mut Vec<u8>,
    /// Bits written.
    pub at: usize,
}

impl BitsOut<'_> {
    pub fn push(&mut self, value: u32, count: usize) {
        for bit in (0..count).rev() {
            if self.at.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.at % 8);
            }
            self.at += 1;
        }
    }
}
