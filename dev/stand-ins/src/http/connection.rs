//! Serves the requests of one connection, and injects faults into responses.

use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio_rustls::server::TlsStream;

use super::message::{Request, Response};
use super::reader::{ReadError, read_request};
use super::server::Handler;

/// What the server does with the connection after a request.
#[derive(Debug)]
pub enum ConnectionAction {
    /// Sends the response.
    Respond(Response),
    /// Sends the first half of the response's bytes and closes the connection.
    RespondHalf(Response),
    /// Sends the response up to a point and then interrupts it.
    Interrupt { response: Response, at: Point, by: Interruption },
    /// Closes the connection (FIN) without a response.
    Close,
    /// Resets the connection (RST) without a response.
    Reset,
    /// Sends nothing and keeps the connection open until the client closes it.
    Hang,
}

/// A position in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// Before the first byte.
    Start,
    /// In the middle of the head, after the status line.
    HalfHead,
    /// Between the head and the body.
    Head,
    /// In the middle of the body.
    HalfBody,
    /// After the last byte.
    End,
}

/// What happens in place of the rest of a response.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interruption {
    /// The connection is closed (FIN).
    Close,
    /// The connection is reset (RST).
    Reset,
    /// The connection stays open, and nothing more is sent.
    Hang,
    /// The rest is sent one byte at a time, over this many seconds.
    Drip { seconds: f64 },
    /// Meaningless bytes are sent, 16 more than the rest has, and the connection is closed.
    Garbage,
}

/// What happens to every open connection at once.
#[derive(Clone, Debug)]
pub enum ConnectionCommand {
    Close,
    Reset,
    /// Sends these bytes, which no request asked for.
    Send(Vec<u8>),
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

/// Serves a connection until it ends or until a command ends it.
pub async fn serve<T: Transport, H: Handler>(
    mut stream: T,
    handler: &H,
    commands: &mut broadcast::Receiver<ConnectionCommand>,
) {
    loop {
        let command = tokio::select! {
            () = serve_requests(&mut stream, handler) => return,
            command = commands.recv() => command,
        };
        match command {
            Ok(ConnectionCommand::Send(bytes)) => {
                let _ = send(&mut stream, &bytes).await;
            }
            Ok(ConnectionCommand::Reset) => {
                let _ = stream.tcp().set_zero_linger();
                return;
            }
            Ok(ConnectionCommand::Close) | Err(_) => return,
        }
    }
}

async fn serve_requests<T: Transport, H: Handler>(stream: &mut T, handler: &H) {
    let mut buffer = Vec::new();
    loop {
        let request = match read_request(stream, &mut buffer).await {
            Ok(Some(request)) => request,
            Ok(None) | Err(ReadError::Disconnected) => return,
            Err(ReadError::Malformed(reason)) => {
                let response = Response::new(400, "text/plain", reason);
                // A client that is already gone does not matter.
                let _ = send(stream, &response.encode()).await;
                let _ = tokio::time::timeout(Duration::from_secs(1), lingering_close(stream)).await;
                return;
            }
        };
        let keep_alive = request.keep_alive;
        let Some(action) = handle(stream, &mut buffer, handler, request).await else {
            return;
        };
        match action {
            ConnectionAction::Respond(response) => {
                let sent = send(stream, &response.encode()).await;
                if sent.is_err() || !keep_alive || response.closes_connection() {
                    return;
                }
            }
            ConnectionAction::RespondHalf(response) => {
                let bytes = response.encode();
                let _ = send(stream, &bytes[..bytes.len() / 2]).await;
                return;
            }
            ConnectionAction::Interrupt { response, at, by } => {
                let bytes = response.encode();
                let body = response.body.len();
                let (sent, rest) = bytes.split_at(match at {
                    Point::Start => 0,
                    Point::HalfHead => (bytes.len() - body) / 2,
                    Point::Head => bytes.len() - body,
                    Point::HalfBody => bytes.len() - body / 2,
                    Point::End => bytes.len(),
                });
                if by == Interruption::Garbage {
                    // One write, because the client must not receive the valid part on its own.
                    let _ = send(stream, &[sent, &vec![0x93; rest.len() + 16]].concat()).await;
                    return;
                }
                let _ = send(stream, sent).await;
                match by {
                    Interruption::Close | Interruption::Garbage => return,
                    Interruption::Reset => {
                        let _ = stream.tcp().set_zero_linger();
                        return;
                    }
                    Interruption::Hang => return drain(stream).await,
                    Interruption::Drip { seconds } => {
                        let bytes = u32::try_from(rest.len()).unwrap_or(u32::MAX).max(1);
                        if drip(stream, rest, Duration::from_secs_f64(seconds) / bytes).await.is_err() {
                            return;
                        }
                    }
                }
            }
            ConnectionAction::Close => return,
            ConnectionAction::Reset => {
                let _ = stream.tcp().set_zero_linger();
                return;
            }
            ConnectionAction::Hang => return drain(stream).await,
        }
    }
}

/// Runs the handler, and returns `None` if the client disconnects first. The Runtime API must not
/// give an invocation to a function that was killed while it waited.
async fn handle<T: Transport, H: Handler>(
    stream: &mut T,
    buffer: &mut Vec<u8>,
    handler: &H,
    request: Request,
) -> Option<ConnectionAction> {
    let action = handler.handle(request);
    tokio::pin!(action);
    loop {
        tokio::select! {
            biased;
            action = &mut action => return Some(action),
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

/// Sends one byte at a time.
pub async fn drip<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// Closes the sending side and reads what the client still sends. Closing a socket with unread
/// bytes resets the connection, and the client could lose the response.
async fn lingering_close<T: Transport>(stream: &mut T) {
    let _ = stream.shutdown().await;
    drain(stream).await;
}

/// Reads and discards until the client closes the connection.
pub async fn drain<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut sink = [0; 4096];
    while matches!(stream.read(&mut sink).await, Ok(count) if count > 0) {}
}
