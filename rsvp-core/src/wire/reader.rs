//! Reads big-endian fields and knows where it is.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::{DecodeError, DecodeErrorKind};

/// The rest of a byte string, and the offset at which it starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, whose first octet is at `offset`.
    pub(super) const fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self { rest: bytes, offset }
    }

    pub(super) const fn offset(&self) -> usize {
        self.offset
    }

    pub(super) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let Some((head, tail)) = self.rest.split_at_checked(count) else {
            let kind = DecodeErrorKind::Truncated { needed: count, available: self.rest.len() };
            return Err(DecodeError::new(self.offset, kind));
        };
        self.rest = tail;
        self.offset += count;
        Ok(head)
    }

    /// A reader of the next `count` octets; this one goes on behind them.
    pub(super) fn split(&mut self, count: usize) -> Result<Self, DecodeError> {
        let offset = self.offset;
        Ok(Self::new(self.bytes(count)?, offset))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn f32(&mut self) -> Result<f32, DecodeError> {
        Ok(f32::from_be_bytes(self.array()?))
    }

    pub(super) fn ipv4(&mut self) -> Result<IpAddr, DecodeError> {
        Ok(Ipv4Addr::from(self.array::<4>()?).into())
    }

    pub(super) fn ipv6(&mut self) -> Result<Ipv6Addr, DecodeError> {
        Ok(self.array::<16>()?.into())
    }
}
