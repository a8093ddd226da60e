//! The least that `ext_authz` can ask: a gRPC server that permits everything and looks at nothing, as a process of its own,
//! whose CPU can be told. It prints its port and serves until its standard input ends.

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

/// A `CheckResponse` (envoy.service.auth.v3) with status 0 and an empty `OkHttpResponse`, in the frame of gRPC.
const PERMIT: [u8; 9] = [0, 0, 0, 0, 4, 0x0a, 0, 0x1a, 0];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?.port());
    let mut input = tokio::io::stdin();
    let mut byte = [0];
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                tokio::spawn(serve(accepted?.0));
            }
            read = input.read(&mut byte) => {
                if read? == 0 {
                    return Ok(());
                }
            }
        }
    }
}

async fn serve(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        let (request, mut answer) = request?;
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(data) = body.data().await {
                body.flow_control().release_capacity(data?.len())?;
            }
            let head = Response::builder().header("content-type", "application/grpc").body(())?;
            let mut stream = answer.send_response(head, false)?;
            stream.send_data(Bytes::from_static(&PERMIT), false)?;
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            stream.send_trailers(trailers)?;
            anyhow::Ok(())
        });
    }
    Ok(())
}
