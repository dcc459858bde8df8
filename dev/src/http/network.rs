//! What a connection meets before there is any HTTP.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::connection::{drain, drip};

/// The state of the network, and of the TLS before the HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    #[default]
    Fine,
    /// Connections are refused.
    Refuse,
    /// Connections are neither made nor refused: what asks for them is lost.
    Silent,
    /// A reset once the connection is made.
    Reset,
    /// An orderly end once the connection is made.
    Close,
    /// A connection on which nothing is ever said.
    Hang,
    /// The first TLS record, a byte at a time and without an end.
    Drip,
    /// Bytes that are no TLS.
    Garbage,
    /// A certificate for another name, over HTTPS.
    WrongName,
    /// A certificate that was valid until 2001, over HTTPS.
    Expired,
}

/// As many connections as the standard library lets wait.
const BACKLOG: u32 = 128;

impl Network {
    /// What is done with a connection in place of serving it. Gives it back where it is to be served.
    pub(super) async fn spoil(self, mut stream: TcpStream) -> Option<TcpStream> {
        match self {
            Self::Fine | Self::Refuse | Self::Silent | Self::WrongName | Self::Expired => return Some(stream),
            Self::Close => {}
            Self::Reset => {
                let _ = stream.set_zero_linger();
            }
            Self::Hang => drain(&mut stream).await,
            Self::Drip => {
                // A handshake record of 16 KiB, which nobody can read before its end.
                let record = [&[0x16, 3, 3, 0x40, 0][..], &[2; 0x4000]].concat();
                let _ = drip(&mut stream, &record, Duration::from_millis(20)).await;
            }
            Self::Garbage => {
                use tokio::io::AsyncWriteExt;
                let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").await;
                drain(&mut stream).await;
            }
        }
        None
    }
}

/// A process that another thread has forked holds what it inherited until it is another program, the
/// last listener of this port too.
async fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    loop {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        match socket.bind(address) {
            Ok(()) => return Ok(socket),
            Err(error) if error.kind() == ErrorKind::AddrInUse => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(error) => return Err(error),
        }
    }
}

pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    bound(address).await?.listen(BACKLOG)
}

/// Keeps the port, and no one listens: every connection is refused.
pub async fn refuse(address: SocketAddr) -> std::io::Result<TcpSocket> {
    bound(address).await
}

/// Listens with a queue that is full, and never takes anything from it: Linux drops what asks for
/// more.
pub async fn fall_silent(address: SocketAddr) -> std::io::Result<(TcpListener, Vec<TcpStream>)> {
    let listener = bound(address).await?.listen(1)?;
    let mut waiting = Vec::new();
    while let Ok(connection) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(connection?);
    }
    Ok((listener, waiting))
}
