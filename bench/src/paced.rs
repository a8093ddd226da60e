//! Load at a fixed rate: every request is due at a moment that no answer moves, and its latency counts from that moment.
//! Who waits for a slow answer before asking again measures the slow answer once, and hides all who would have waited
//! behind it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use crate::response::{Head, RESPONSE_LIMIT};

/// Connections that share the requests, each in a thread of its own. At the rates of the measurements most are idle.
const CONNECTIONS: u32 = 8;

/// How long before a request is due its thread no longer sleeps: a thread wakes about this much late.
const AWAKE: Duration = Duration::from_micros(80);

/// How long an answer may take before the exchange counts as broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much is sent, and how fast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Requests a second.
    pub(crate) rate: u32,
    /// For how long.
    pub(crate) during: Duration,
}

/// One exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// When it was due, from the start.
    pub(crate) due: Duration,
    /// From when it was due until its answer was read; none when it broke or was answered by another status than 200.
    pub(crate) latency: Option<Duration>,
}

/// A load under way.
pub(crate) struct Paced {
    /// When the first request is due.
    pub(crate) started: Instant,
    threads: Vec<JoinHandle<Vec<Exchange>>>,
}

impl Pace {
    /// How many requests that is.
    fn requests(self) -> u64 {
        (self.during.as_secs_f64() * f64::from(self.rate)) as u64
    }

    /// When a request is due.
    fn due(self, number: u64) -> Duration {
        Duration::from_secs_f64(number as f64 / f64::from(self.rate))
    }

    /// Begins to send, over connections that are open before.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn start(self, to: SocketAddr, requests: &Arc<[Vec<u8>]>) -> Result<Paced> {
        ensure!(!requests.is_empty(), "nothing to send");
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::open(to)?);
        }
        // Threads take their time to start.
        let started = Instant::now() + Duration::from_millis(20);
        let threads = (0..).zip(connections).map(|(first, mut connection)| {
            let requests = Arc::clone(requests);
            std::thread::spawn(move || {
                let numbers = (first..self.requests()).step_by(CONNECTIONS as usize);
                let exchange = |number: u64| {
                    let due = self.due(number);
                    let request = &requests[number as usize % requests.len()];
                    wait_until(started + due);
                    let answered = connection.exchange(request);
                    let latency = started.elapsed().saturating_sub(due);
                    if answered.is_err()
                        && let Ok(another) = Connection::open(to)
                    {
                        connection = another;
                    }
                    Exchange { due, latency: matches!(answered, Ok(200)).then_some(latency) }
                };
                numbers.map(exchange).collect()
            })
        });
        Ok(Paced { started, threads: threads.collect() })
    }
}

impl Paced {
    /// Waits for all answers.
    ///
    /// # Errors
    /// When a thread panicked.
    pub(crate) async fn finish(self) -> Result<Vec<Exchange>> {
        tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            for thread in self.threads {
                all.extend(thread.join().map_err(|_| anyhow!("a client panicked"))?);
            }
            Ok(all)
        })
        .await?
    }
}

fn wait_until(moment: Instant) {
    let rest = moment.saturating_duration_since(Instant::now());
    if rest > AWAKE {
        std::thread::sleep(rest - AWAKE);
    }
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
}

struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    fn open(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to).with_context(|| format!("cannot connect to {to}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, unread: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads the status of its response, past the body.
    fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request)?;
        loop {
            if let Some(response) = Head::read(&self.unread)? {
                let whole = response.head.saturating_add(response.body);
                while self.unread.len() < whole {
                    self.fill()?;
                }
                self.unread.drain(..whole);
                return Ok(response.status);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<()> {
        ensure!(self.unread.len() < RESPONSE_LIMIT, "a response of more than {RESPONSE_LIMIT} bytes");
        let mut buffer = [0; 4096];
        let read = loop {
            match self.stream.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        ensure!(read > 0, "the connection was closed");
        self.unread.extend_from_slice(&buffer[..read]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn requests_are_due_at_even_distances_whatever_the_answers() {
        let pace = Pace { rate: 2000, during: Duration::from_millis(1500) };
        assert_eq!(pace.requests(), 3000);
        assert_eq!((pace.due(0), pace.due(1)), (Duration::ZERO, Duration::from_micros(500)));
        assert_eq!(pace.due(2000), Duration::from_secs(1));
    }

    /// Answers one request after `pause`, the others at once, on every connection.
    fn server(pause: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || {
                    let (mut stream, mut buffer, mut first) = (stream.unwrap(), [0; 64], true);
                    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                        if std::mem::take(&mut first) {
                            std::thread::sleep(pause);
                        }
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                    }
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn who_waits_behind_a_slow_answer_is_seen_to_have_waited() {
        let pace = Pace { rate: 400, during: Duration::from_millis(500) };
        let requests: Arc<[Vec<u8>]> = vec![b"GET / HTTP/1.1\r\n\r\n".to_vec()].into();
        let pause = Duration::from_millis(200);
        let exchanges = pace.start(server(pause), &requests).unwrap().finish().await.unwrap();
        assert_eq!(exchanges.len(), 200);
        // A second request of a connection is due 20 ms behind its first, and waits for what is left of the pause.
        let second = exchanges.iter().find(|exchange| exchange.due == pace.due(8)).unwrap();
        assert!(second.latency.unwrap() >= Duration::from_millis(170), "{second:?}");
    }

    #[tokio::test]
    async fn what_breaks_has_no_latency() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || listener.incoming().for_each(drop));
        let pace = Pace { rate: 100, during: Duration::from_millis(100) };
        let requests: Arc<[Vec<u8>]> = vec![b"GET / HTTP/1.1\r\n\r\n".to_vec()].into();
        let exchanges = pace.start(address, &requests).unwrap().finish().await.unwrap();
        assert!(exchanges.len() == 10 && exchanges.iter().all(|exchange| exchange.latency.is_none()));
    }
}
