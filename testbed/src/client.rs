//! A raw HTTP/1.1 client: what it is given goes onto the wire byte for byte, so that requests no decent client would
//! send can be sent. Keeps its connection open, and never asks for `Connection: close`: Envoy holds such a socket for
//! about a second after a local reply. It follows no redirect and knows no TLS.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::PATIENCE;

/// The largest response that is read, in bytes.
const RESPONSE_LIMIT: usize = 16 * 1024 * 1024;

/// The most response headers that are read.
const HEADER_LIMIT: usize = 256;

/// A request, as bytes. `host: gate.test` and `content-length` are added when not given, the latter only with a body.
#[derive(Clone, Debug)]
pub struct Request {
    method: Vec<u8>,
    target: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    host: bool,
}

impl Request {
    /// A request with any method and any target.
    pub fn new(method: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.as_ref().to_vec(),
            target: target.as_ref().to_vec(),
            headers: Vec::new(),
            body: Vec::new(),
            host: true,
        }
    }

    /// A GET of `target`.
    pub fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    /// Adds a header line; the same name may come many times.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Adds `authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sends no `host` header by itself.
    #[must_use]
    pub fn without_host(mut self) -> Self {
        self.host = false;
        self
    }

    /// The bytes that go onto the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = [&self.method, &b" "[..], &self.target, b" HTTP/1.1\r\n"].concat();
        let mut line = |name: &[u8], value: &[u8]| out.extend([name, b": ", value, b"\r\n"].concat());
        if self.host && !self.has("host") {
            line(b"host", b"gate.test");
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        if !self.body.is_empty() && !self.has("content-length") && !self.has("transfer-encoding") {
            line(b"content-length", self.body.len().to_string().as_bytes());
        }
        out.extend(b"\r\n");
        out.extend(&self.body);
        out
    }

    fn has(&self, wanted: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
    }
}

/// A response, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header lines in order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header, `name` in lower case; bytes that are not UTF-8 become U+FFFD.
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }
}

/// A connection that is kept open between requests, and opened anew after a response that said `connection: close`:
/// Envoy says so when it answers before it has seen the whole body.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    unread: Vec<u8>,
    closing: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream, unread: Vec::new(), closing: false })
    }

    /// Sends a request and reads its response.
    ///
    /// # Errors
    /// When the connection breaks, the response is no HTTP, or does not end within [`PATIENCE`].
    pub async fn exchange(&mut self, request: &Request) -> Result<Response> {
        self.send(&request.to_bytes()).await?;
        self.receive(request.method == b"HEAD", PATIENCE).await
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        if self.closing {
            *self = Self::open(self.address).await?;
        }
        self.stream.write_all(bytes).await.context("the connection broke while sending")
    }

    /// Reads one response. `to_head` says that it answers a HEAD request and so has no body.
    ///
    /// # Errors
    /// When the connection breaks, the response is no HTTP, or does not end within `patience`.
    pub async fn receive(&mut self, to_head: bool, patience: Duration) -> Result<Response> {
        tokio::time::timeout(patience, self.read_response(to_head))
            .await
            .with_context(|| format!("no complete response within {patience:?}"))?
    }

    async fn read_response(&mut self, to_head: bool) -> Result<Response> {
        loop {
            let (mut response, head_length) = loop {
                if let Some(head) = parse_head(&self.unread)? {
                    break head;
                }
                if !self.fill().await? {
                    bail!("the connection was closed before the response");
                }
            };
            self.unread.drain(..head_length);
            if response.status / 100 == 1 {
                continue;
            }
            if !to_head && !matches!(response.status, 204 | 304) {
                response.body = self.read_body(&response).await?;
            }
            self.closing =
                response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
            return Ok(response);
        }
    }

    async fn read_body(&mut self, response: &Response) -> Result<Vec<u8>> {
        if response.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.read_chunks().await;
        }
        if let Some(length) = response.header("content-length") {
            let length = length.parse().context("content-length is no number")?;
            return self.take(length).await;
        }
        while self.fill().await? {}
        Ok(std::mem::take(&mut self.unread))
    }

    async fn read_chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let (line, size) = loop {
                match httparse::parse_chunk_size(&self.unread) {
                    Ok(httparse::Status::Complete((line, size))) => break (line, usize::try_from(size)?),
                    Ok(httparse::Status::Partial) => {}
                    Err(_) => bail!("bad chunk size"),
                }
                if !self.fill().await? {
                    bail!("the connection was closed inside a chunk");
                }
            };
            self.unread.drain(..line);
            let chunk = self.take(size + 2).await?;
            body.extend(&chunk[..size]);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.unread.len() < length {
            if !self.fill().await? {
                bail!("the connection was closed inside the body");
            }
        }
        Ok(self.unread.drain(..length).collect())
    }

    /// Reads what is there; false at the end of the stream.
    async fn fill(&mut self) -> Result<bool> {
        if self.unread.len() > RESPONSE_LIMIT {
            bail!("the response is longer than {RESPONSE_LIMIT} bytes");
        }
        let read =
            self.stream.read_buf(&mut self.unread).await.context("the connection broke while reading")?;
        Ok(read > 0)
    }
}

/// Sends one request over a connection of its own.
///
/// # Errors
/// As [`Connection::open`] and [`Connection::exchange`].
pub async fn exchange(address: SocketAddr, request: &Request) -> Result<Response> {
    Connection::open(address).await?.exchange(request).await
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Response, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut parsed = httparse::Response::new(&mut headers);
    let length = match parsed.parse(bytes).context("the response is no HTTP/1.1")? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let headers =
        parsed.headers.iter().map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()));
    let status = parsed.code.context("no status code")?;
    Ok(Some((Response { status, headers: headers.collect(), body: Vec::new() }, length)))
}
