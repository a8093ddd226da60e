//! The least that `ext_authz` can ask: a gRPC server that permits everything and looks at nothing. What a real one does
//! comes on top of what is measured with it.

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use tokio::net::{TcpListener, TcpStream};

/// A `CheckResponse` (envoy.service.auth.v3) with status 0 and an empty `OkHttpResponse`, in the frame of gRPC.
const PERMIT: [u8; 9] = [0, 0, 0, 0, 4, 0x0a, 0, 0x1a, 0];

/// Starts one; its port. It ends with the runtime.
///
/// # Errors
/// When it cannot listen.
pub(crate) async fn start() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Ok(port)
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
