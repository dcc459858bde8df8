//! One connection: its requests, one after the other, and every way to end it.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::message::{Request, Response};
use super::reader::{ReadError, read_request};
use super::server::Handler;

/// What to do with the connection in answer to a request.
#[derive(Debug)]
pub enum Reply {
    Answer(Response),
    /// The first half of the response's bytes, then the end of the connection.
    Half(Response),
    /// An orderly end (FIN) without an answer.
    Close,
    /// A reset (RST) without an answer.
    Reset,
    /// Nothing, for as long as the client waits.
    Hang,
}

pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

pub async fn serve<T: Transport, H: Handler>(mut stream: T, handler: &H) {
    let mut buffer = Vec::new();
    loop {
        let request = match read_request(&mut stream, &mut buffer).await {
            Ok(Some(request)) => request,
            Ok(None) | Err(ReadError::Broken) => return,
            Err(ReadError::Malformed(reason)) => {
                let response = Response::new(400, "text/plain", reason);
                // The client may be gone, and that is its right.
                let _ = send(&mut stream, &response.encode()).await;
                let _ = tokio::time::timeout(Duration::from_secs(1), farewell(&mut stream)).await;
                return;
            }
        };
        let keep_alive = request.keep_alive;
        let Some(reply) = handle(&mut stream, &mut buffer, handler, request).await else {
            return;
        };
        match reply {
            Reply::Answer(response) => {
                let sent = send(&mut stream, &response.encode()).await;
                if sent.is_err() || !keep_alive || response.says_close() {
                    return;
                }
            }
            Reply::Half(response) => {
                let bytes = response.encode();
                let _ = send(&mut stream, &bytes[..bytes.len() / 2]).await;
                return;
            }
            Reply::Close => return,
            Reply::Reset => {
                let _ = stream.tcp().set_zero_linger();
                return;
            }
            Reply::Hang => return drain(&mut stream).await,
        }
    }
}

/// The handler's reply, or `None` when the client goes away before there is one: a Runtime API
/// must not hand an invocation to a function that was killed while it waited for work.
async fn handle<T: Transport, H: Handler>(
    stream: &mut T,
    buffer: &mut Vec<u8>,
    handler: &H,
    request: Request,
) -> Option<Reply> {
    let reply = handler.handle(request);
    tokio::pin!(reply);
    loop {
        tokio::select! {
            biased;
            reply = &mut reply => return Some(reply),
            read = stream.read_buf(buffer) => match read {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            },
        }
    }
}

async fn send<T: Transport>(stream: &mut T, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Ends the sending side and reads what the client still sends. Closing with unread bytes would
/// reset the connection and could destroy the answer on its way.
async fn farewell<T: Transport>(stream: &mut T) {
    let _ = stream.shutdown().await;
    drain(stream).await;
}

async fn drain<T: Transport>(stream: &mut T) {
    let mut sink = [0; 4096];
    while matches!(stream.read(&mut sink).await, Ok(count) if count > 0) {}
}
