//! Clients that keep their connections open and send as fast as answers come.
//!
//! They read no more of a response than its status and its length: they share the machine with what is measured.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The largest response head and body that are read, in bytes.
const RESPONSE_LIMIT: usize = 64 * 1024;

/// Connections to one listener.
pub(crate) struct Clients(Vec<Connection>);

impl Clients {
    /// Opens so many.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn open(to: SocketAddr, connections: usize) -> Result<Self> {
        let mut clients = Vec::with_capacity(connections);
        for _ in 0..connections {
            clients.push(Connection::open(to).await?);
        }
        Ok(Self(clients))
    }

    /// Sends the requests of these numbers, which begin anew when there are no more, each connection with one under way
    /// at a time, and checks every status.
    ///
    /// # Errors
    /// When a connection breaks or an answer has another status.
    pub(crate) async fn send(
        &mut self,
        requests: &Arc<[Vec<u8>]>,
        numbers: Range<usize>,
        passes: bool,
    ) -> Result<()> {
        let next = Arc::new(AtomicUsize::new(numbers.start));
        let mut running = JoinSet::new();
        for mut connection in self.0.drain(..) {
            let (next, requests) = (Arc::clone(&next), Arc::clone(requests));
            running.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return Ok(connection);
                    }
                    let status = connection.exchange(&requests[number % requests.len()]).await?;
                    let wanted = if passes { "200" } else { "a refusal" };
                    let to = connection.to;
                    ensure!((status == 200) == passes, "{to} answers {status} where {wanted} was expected");
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            let connection: Result<Connection> = ended?;
            self.0.push(connection?);
        }
        Ok(())
    }
}

/// One connection.
struct Connection {
    to: SocketAddr,
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    async fn open(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to).await.with_context(|| format!("cannot connect to {to}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { to, stream, unread: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads the status of its response, past the body.
    ///
    /// # Errors
    /// When the connection breaks or the response has no length.
    async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        loop {
            if let Some(response) = Head::read(&self.unread)? {
                let whole = response.head.saturating_add(response.body);
                while self.unread.len() < whole {
                    self.fill().await?;
                }
                self.unread.drain(..whole);
                if response.closes {
                    *self = Self::open(self.to).await?;
                }
                return Ok(response.status);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        ensure!(self.unread.len() < RESPONSE_LIMIT, "a response of more than {RESPONSE_LIMIT} bytes");
        if self.stream.read_buf(&mut self.unread).await? == 0 {
            bail!("{} closed the connection", self.to);
        }
        Ok(())
    }
}

struct Head {
    status: u16,
    head: usize,
    body: usize,
    closes: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Option<Self>> {
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
