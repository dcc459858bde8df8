//! Faults on new connections, before the first HTTP byte.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::connection::{drain, drip};

/// What happens to new connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// They are served.
    #[default]
    Normal,
    /// They are refused.
    Refuse,
    /// They are neither accepted nor refused: SYN packets are dropped.
    Silent,
    /// They are accepted and then reset (RST).
    Reset,
    /// They are accepted and then closed (FIN).
    Close,
    /// They are accepted, and nothing is ever sent.
    Hang,
    /// They receive a TLS record one byte at a time, without end.
    Drip,
    /// They receive bytes that are not TLS.
    Garbage,
    /// Over HTTPS, the certificate is for another host name.
    WrongCertificateName,
    /// Over HTTPS, the certificate expired in 2001.
    ExpiredCertificate,
}

/// The length of the accept queue, the same as in the standard library.
const ACCEPT_QUEUE_LENGTH: u32 = 128;

impl Network {
    /// Applies the fault to a new connection. Returns the connection if it is to be served.
    pub(super) async fn apply(self, mut stream: TcpStream) -> Option<TcpStream> {
        match self {
            Self::Normal | Self::Refuse | Self::Silent | Self::WrongCertificateName | Self::ExpiredCertificate => {
                return Some(stream);
            }
            Self::Close => {}
            Self::Reset => {
                let _ = stream.set_zero_linger();
            }
            Self::Hang => drain(&mut stream).await,
            Self::Drip => {
                // A handshake record of 16 KiB. A client cannot process it before its end.
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

/// Binds a socket, and retries while the address is in use: a child process that another thread
/// has just forked holds a copy of the previous listener until it calls `exec`.
async fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
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
    bind(address).await?.listen(ACCEPT_QUEUE_LENGTH)
}

/// Holds the port without listening, so that connections are refused.
pub async fn refuse(address: SocketAddr) -> std::io::Result<TcpSocket> {
    bind(address).await
}

/// Listens with a full accept queue and never accepts, so that Linux drops further SYN packets.
pub async fn drop_connections(address: SocketAddr) -> std::io::Result<(TcpListener, Vec<TcpStream>)> {
    let listener = bind(address).await?.listen(1)?;
    let mut queued = Vec::new();
    while let Ok(connection) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        queued.push(connection?);
    }
    Ok((listener, queued))
}
