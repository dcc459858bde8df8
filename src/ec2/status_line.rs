//! Notices a 2xx status line as soon as it arrives.
//!
//! hyper reports a response only when all its headers have arrived. If a connection breaks before that, the SDK retries. The
//! retry of a dry run could then pass although the endpoint had already sent a success: it may have ignored `DryRun`.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    task::{Context, Poll, ready},
};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// The length of `HTTP/1.1 200`, and the position of the first digit in it.
const STATUS_LINE_BYTES: usize = 12;
const STATUS_POSITION: usize = 9;

/// The status of the latest 2xx status line on any connection of the client since the last reset.
///
/// One value for all connections is enough: the function handles one invocation at a time, and while a dry run is in progress
/// there is no other call.
#[derive(Clone, Debug, Default)]
pub(super) struct SuccessStatus(Arc<AtomicU16>);

impl SuccessStatus {
    pub(super) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<u16> {
        Some(self.0.load(Ordering::Relaxed)).filter(|status| *status != 0)
    }
}

/// A connection that records the status.
pub(super) struct StatusLineStream<S> {
    stream: S,
    success: SuccessStatus,
    /// The first bytes of the current line. `None` after the status line of the response, until the next write.
    line_start: Option<Vec<u8>>,
}

impl<S> StatusLineStream<S> {
    pub(super) fn new(stream: S, success: SuccessStatus) -> Self {
        Self { stream, success, line_start: Some(Vec::new()) }
    }

    /// Examines the start of every line, because an interim response (1xx) can precede the status line. Only bytes that
    /// arrive are examined, because the end of an idle connection is read too, and says nothing about the current call.
    fn observe(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let Some(line) = &mut self.line_start else { return };
            if matches!(byte, b'\r' | b'\n') {
                line.clear();
            } else if line.len() < STATUS_LINE_BYTES {
                line.push(byte);
                let digits = line.get(STATUS_POSITION..).unwrap_or_default();
                if !line.starts_with(b"HTTP/1.") || matches!(digits.first(), None | Some(b'1')) {
                    continue;
                }
                if digits.starts_with(b"2") {
                    // Until all digits have arrived, the class is enough.
                    let status = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                    self.success.0.store(status.filter(|status| *status >= 200).unwrap_or(200), Ordering::Relaxed);
                }
                if line.len() == STATUS_LINE_BYTES {
                    self.line_start = None;
                }
            }
        }
    }
}

impl<S: Read + Unpin> Read for StatusLineStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut bytes = [0; 8_192];
        let size = bytes.len().min(cursor.remaining());
        let mut read = ReadBuf::new(&mut bytes[..size]);
        ready!(Pin::new(&mut this.stream).poll_read(cx, read.unfilled()))?;
        this.observe(read.filled());
        cursor.put_slice(read.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: Write + Unpin> Write for StatusLineStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.line_start = Some(Vec::new());
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: Connection> Connection for StatusLineStream<S> {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_status_is_recorded_as_soon_as_it_arrives() {
        for (parts, expected) in [
            (["HTTP/1.1 2", ""], Some(200)),
            (["HTTP/1.0", " 204 No Content\r\n"], Some(204)),
            (["\r\nHTTP/1.1 202 OK\r\nConte", ""], Some(202)),
            (["HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTT", "P/1.1 201"], Some(201)),
            (["HTTP/1.1 ", ""], None),
            (["HTTP/1.1 412 Precondition Failed\r\n\r\n<a>2</a>", "2"], None),
            (["HTTP/1.1 412 Precondition Failed\r\n\r\n", "<a>\r\nHTTP/1.1 200 OK</a>"], None),
            (["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 201"], Some(200)),
            (["x HTTP/1.1 200", " HTTP/1.1 200"], None),
        ] {
            let success = SuccessStatus::default();
            let mut stream = StatusLineStream::new((), success.clone());
            for part in parts {
                stream.observe(part.as_bytes());
            }
            assert_eq!(success.get(), expected, "{parts:?}");
            success.reset();
            stream.observe(b"");
            assert_eq!(success.get(), None, "{parts:?}");
        }
    }
}
