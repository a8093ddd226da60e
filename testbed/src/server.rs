//! The small HTTP/1.1 server under issuer, upstream and sink, and the faults all of them can be told to show.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What a server does to requests instead of answering them well. Can be changed at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers as it should.
    None,
    /// Answers 503 and does nothing else.
    Unavailable,
    /// Holds each request until the fault is changed, then does what the new one says; 30 seconds at most.
    Slow,
    /// Closes the connection without an answer and does nothing else.
    Reset,
    /// Does its work, then closes the connection without an answer: the caller cannot know it was done.
    LoseAnswer,
}

/// How long [`Fault::Slow`] holds a request when nobody releases it: longer than any callout timeout under test.
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// The largest request body that is read, in bytes: far above an audit batch, far below what hurts the machine.
const REQUEST_BODY_LIMIT: usize = 16 * 1024 * 1024;

pub(crate) type Reply = Response<Full<Bytes>>;

/// A request with its body read.
pub(crate) struct Arrived {
    pub(crate) head: hyper::http::request::Parts,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

/// A server on loopback that lives as long as this value.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens on `port` of loopback (0: any) and answers each request with `answer`.
    pub(crate) async fn start<A, F>(port: u16, answer: A) -> Result<Self>
    where
        A: Fn(Arrived) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
            format!("cannot listen on 127.0.0.1:{port}; is something else using the port?")
        })?;
        let address = listener.local_addr()?;
        let fault = watch::Sender::new(Fault::None);
        let accepting = tokio::spawn(accept(listener, Arc::new(answer), fault.clone()));
        Ok(Self { address, fault, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set_fault(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Reply {
    bytes(status, "application/json", body.to_string())
}

/// An answer with any body.
pub(crate) fn bytes(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    if let Ok(content_type) = content_type.parse() {
        reply.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    reply
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct HangUp;

impl std::fmt::Display for HangUp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("hung up on purpose")
    }
}

impl std::error::Error for HangUp {}

async fn accept<A, F>(listener: TcpListener, answer: Arc<A>, fault: watch::Sender<Fault>)
where
    A: Fn(Arrived) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    // Owned by this task, so that aborting it closes every connection too.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, Arc::clone(&answer), fault.subscribe()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve<A, F>(stream: TcpStream, answer: Arc<A>, fault: watch::Receiver<Fault>)
where
    A: Fn(Arrived) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = Arc::clone(&answer);
        let fault = fault.clone();
        async move { respond(request, &*answer, fault).await }
    });
    // A client that goes away is its own affair.
    let _ = stream.set_nodelay(true);
    let _ = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond<A, F>(
    request: Request<Incoming>,
    answer: &A,
    mut fault: watch::Receiver<Fault>,
) -> Result<Reply, HangUp>
where
    A: Fn(Arrived) -> F,
    F: Future<Output = Reply>,
{
    let (head, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_BODY_LIMIT).collect().await.map_err(|_| HangUp)?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    let body = body.to_bytes();
    let released = tokio::time::timeout(LONGEST_HOLD, released(&mut fault)).await;
    match released.unwrap_or(Fault::Reset) {
        Fault::None => Ok(answer(Arrived { head, body, trailers }).await),
        Fault::Unavailable => {
            Ok(bytes(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "unavailable on purpose"))
        }
        Fault::Slow | Fault::Reset => Err(HangUp),
        Fault::LoseAnswer => {
            answer(Arrived { head, body, trailers }).await;
            Err(HangUp)
        }
    }
}

/// The fault in force once it is not [`Fault::Slow`].
async fn released(fault: &mut watch::Receiver<Fault>) -> Fault {
    fault.wait_for(|fault| *fault != Fault::Slow).await.map_or(Fault::Reset, |fault| *fault)
}
