//! Models as bytes: little-endian numbers behind a magic.

/// These are no bytes of a model: cut, too long, of another format, or out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these are no bytes of a model")]
pub struct Broken;

pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], magic: [u8; 8]) -> Result<Self, Broken> {
        bytes.strip_prefix(&magic).map(|rest| Self { rest }).ok_or(Broken)
    }

    fn take<const OCTETS: usize>(&mut self) -> Result<[u8; OCTETS], Broken> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(Broken)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(crate) fn f32(&mut self) -> Result<f32, Broken> {
        Ok(f32::from_le_bytes(self.take()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Broken> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Broken> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    pub(crate) fn i8(&mut self) -> Result<i8, Broken> {
        Ok(i8::from_le_bytes(self.take()?))
    }

    pub(crate) fn end(&self) -> Result<(), Broken> {
        if self.rest.is_empty() { Ok(()) } else { Err(Broken) }
    }
}
