//! The heads of responses, read as far as clients need: status, lengths, and whether the connection ends.

use anyhow::{Context, Result};

/// The largest response head and body that are read, in bytes.
pub(crate) const RESPONSE_LIMIT: usize = 64 * 1024;

/// A head that is whole.
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Its length in bytes, the empty line included.
    pub(crate) head: usize,
    /// The length of the body behind it, in bytes.
    pub(crate) body: usize,
    /// Whether the connection ends behind it.
    pub(crate) closes: bool,
}

impl Head {
    /// The head that these bytes begin with; none while it is not whole.
    ///
    /// # Errors
    /// When it is no head, or says no length.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&bytes[..end]).context("a response head that is no text")?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
        let (mut body, mut closes) = (None, false);
        for line in lines {
            match line.split_once(": ") {
                Some(("content-length", length)) => body = Some(length.parse()?),
                Some(("connection", "close")) => closes = true,
                _ => {}
            }
        }
        Ok(Some(Self { status, head: end + 4, body: body.context("a response without length")?, closes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let bytes = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc";
        let head = Head::read(bytes).unwrap().unwrap();
        assert_eq!((head.status, head.head + head.body, head.closes), (403, bytes.len(), true));
        assert!(Head::read(&bytes[..30]).unwrap().is_none());
        assert!(Head::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
