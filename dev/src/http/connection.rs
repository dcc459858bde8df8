//! One connection: its requests, one after the other, and every way to end it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast;
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
    /// The response's bytes up to this point, then this.
    Broken {
        response: Response,
        at: Point,
        by: Break,
    },
    /// An orderly end (FIN) without an answer.
    Close,
    /// A reset (RST) without an answer.
    Reset,
    /// Nothing, for as long as the client waits.
    Hang,
}

/// How much of an answer has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// Nothing.
    Start,
    /// The head, and nothing of the body.
    Head,
    /// The head and half of the body.
    HalfBody,
    /// All of it.
    End,
}

/// What comes instead of the rest of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Break {
    Close,
    Reset,
    /// Nothing, on a connection that stays open.
    Hang,
    /// The rest, a byte at a time over so many seconds.
    Drip {
        seconds: f64,
    },
    /// As many bytes that mean nothing, and a few more.
    Garbage,
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

/// Serves a connection until it ends, or until `end` says so: with a reset, or in order.
pub async fn serve<T: Transport, H: Handler>(mut stream: T, handler: &H, end: &mut broadcast::Receiver<bool>) {
    let reset = tokio::select! {
        () = serve_all(&mut stream, handler) => return,
        reset = end.recv() => reset,
    };
    if reset == Ok(true) {
        let _ = stream.tcp().set_zero_linger();
    }
}

async fn serve_all<T: Transport, H: Handler>(stream: &mut T, handler: &H) {
    let mut buffer = Vec::new();
    loop {
        let request = match read_request(stream, &mut buffer).await {
            Ok(Some(request)) => request,
            Ok(None) | Err(ReadError::Broken) => return,
            Err(ReadError::Malformed(reason)) => {
                let response = Response::new(400, "text/plain", reason);
                // The client may be gone, and that is its right.
                let _ = send(stream, &response.encode()).await;
                let _ = tokio::time::timeout(Duration::from_secs(1), farewell(stream)).await;
                return;
            }
        };
        let keep_alive = request.keep_alive;
        let Some(reply) = handle(stream, &mut buffer, handler, request).await else {
            return;
        };
        match reply {
            Reply::Answer(response) => {
                let sent = send(stream, &response.encode()).await;
                if sent.is_err() || !keep_alive || response.says_close() {
                    return;
                }
            }
            Reply::Half(response) => {
                let bytes = response.encode();
                let _ = send(stream, &bytes[..bytes.len() / 2]).await;
                return;
            }
            Reply::Broken { response, at, by } => {
                let bytes = response.encode();
                let body = response.body.len();
                let (sent, rest) = bytes.split_at(match at {
                    Point::Start => 0,
                    Point::Head => bytes.len() - body,
                    Point::HalfBody => bytes.len() - body / 2,
                    Point::End => bytes.len(),
                });
                if by == Break::Garbage {
                    // In one write, so that nobody takes the one for all there is.
                    let _ = send(stream, &[sent, &vec![0x93; rest.len() + 16]].concat()).await;
                    return;
                }
                let _ = send(stream, sent).await;
                match by {
                    Break::Close | Break::Garbage => return,
                    Break::Reset => {
                        let _ = stream.tcp().set_zero_linger();
                        return;
                    }
                    Break::Hang => return drain(stream).await,
                    Break::Drip { seconds } => {
                        let bytes = u32::try_from(rest.len()).unwrap_or(u32::MAX).max(1);
                        if drip(stream, rest, Duration::from_secs_f64(seconds) / bytes).await.is_err() {
                            return;
                        }
                    }
                }
            }
            Reply::Close => return,
            Reply::Reset => {
                let _ = stream.tcp().set_zero_linger();
                return;
            }
            Reply::Hang => return drain(stream).await,
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

pub async fn drip<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// Ends the sending side and reads what the client still sends. Closing with unread bytes would
/// reset the connection and could destroy the answer on its way.
async fn farewell<T: Transport>(stream: &mut T) {
    let _ = stream.shutdown().await;
    drain(stream).await;
}

pub async fn drain<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut sink = [0; 4096];
    while matches!(stream.read(&mut sink).await, Ok(count) if count > 0) {}
}
