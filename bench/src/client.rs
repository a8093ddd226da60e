//! Clients that keep their connections open and send as fast as answers come.
//!
//! They read no more of a response than its status and its length: they share the machine with what is measured.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::response::{Head, RESPONSE_LIMIT};

/// Where the connections of some clients come from, as Envoy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sources {
    /// All from one address.
    One,
    /// Each from an address of its own.
    Many,
}

impl Sources {
    /// The address that a connection of this number comes from. All of 127.0.0.0/8 is this machine.
    pub(crate) fn address(self, number: usize) -> SocketAddr {
        let last = match self {
            Self::One => 1,
            Self::Many => u8::try_from(number % 250).unwrap_or(0).saturating_add(2),
        };
        (Ipv4Addr::new(127, 0, 0, last), 0).into()
    }
}

/// Connections to one listener.
pub(crate) struct Clients(Vec<Connection>);

impl Clients {
    /// Opens so many.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn open(to: SocketAddr, connections: usize, sources: Sources) -> Result<Self> {
        let mut clients = Vec::with_capacity(connections);
        for number in 0..connections {
            clients.push(Connection::open(to, sources.address(number)).await?);
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
    from: SocketAddr,
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    async fn open(to: SocketAddr, from: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(from)?;
        let stream = socket.connect(to).await.with_context(|| format!("cannot connect to {to}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { to, from, stream, unread: Vec::with_capacity(4096) })
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
                    *self = Self::open(self.to, self.from).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_is_one_address_and_many_are_many() {
        assert_eq!(Sources::One.address(0), Sources::One.address(7));
        assert_ne!(Sources::Many.address(0), Sources::Many.address(7));
        assert!((0..1000).all(|number| Sources::Many.address(number).ip().is_loopback()));
    }
}
