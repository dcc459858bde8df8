//! Parses requests.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::message::Request;

/// Larger than any head with a session token.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Larger than the 6 MB that Lambda accepts, so that tests can send more than the function accepts.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
const MAX_HEADERS: usize = 100;

#[derive(Debug)]
pub enum ReadError {
    /// The bytes are not a valid HTTP/1.x request. The reason is the body of the 400 response.
    Malformed(&'static str),
    /// The connection ended in the middle of a request.
    Disconnected,
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Disconnected
    }
}

/// Reads one request. `buffer` keeps bytes that were received but not parsed yet, also between two
/// requests. Returns `None` if the client closes the connection between two requests.
pub async fn read_request<S>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<Option<Request>, ReadError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut request, framing) = loop {
        if let Some((length, request, framing)) = parse_head(buffer)? {
            buffer.drain(..length);
            break (request, framing);
        }
        if buffer.len() > MAX_HEAD_BYTES {
            return Err(ReadError::Malformed("the head is too long"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() { Ok(None) } else { Err(ReadError::Disconnected) };
        }
    };

    let expects_continue = request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
    if expects_continue && buffer.is_empty() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        stream.flush().await?;
    }

    request.body = match framing {
        Framing::Length(length) => {
            fill(stream, buffer, length).await?;
            buffer.drain(..length).collect()
        }
        Framing::Chunked => read_chunks(stream, buffer).await?,
    };
    Ok(Some(request))
}

enum Framing {
    Length(usize),
    Chunked,
}

/// Returns the length of the head, the request without its body and the body's framing, or `None` while the head is
/// incomplete.
fn parse_head(buffer: &[u8]) -> Result<Option<(usize, Request, Framing)>, ReadError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(ReadError::Malformed("the head is not HTTP/1.1")),
    };

    let target = head.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let connection = headers.iter().find(|(name, _)| name == "connection").map_or("", |(_, value)| value);
    let keep_alive = if head.version == Some(1) {
        !connection.eq_ignore_ascii_case("close")
    } else {
        connection.eq_ignore_ascii_case("keep-alive")
    };

    let framing = framing(&headers)?;
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
        keep_alive,
    };
    Ok(Some((length, request, framing)))
}

fn framing(headers: &[(String, String)]) -> Result<Framing, ReadError> {
    let values =
        |header: &'static str| headers.iter().filter(move |(name, _)| name == header).map(|(_, value)| value.as_str());
    let mut lengths = values("content-length");
    let length = lengths.next();
    if lengths.any(|other| Some(other) != length) {
        return Err(ReadError::Malformed("Content-Length is given twice with different values"));
    }
    match (values("transfer-encoding").next(), length) {
        (Some(_), Some(_)) => Err(ReadError::Malformed("Content-Length and Transfer-Encoding are both given")),
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (Some(_), None) => Err(ReadError::Malformed("Transfer-Encoding is not chunked")),
        (None, None) => Ok(Framing::Length(0)),
        (None, Some(length)) => match length.parse() {
            Ok(length) if length <= MAX_BODY_BYTES => Ok(Framing::Length(length)),
            _ => Err(ReadError::Malformed("Content-Length is not a number or too large")),
        },
    }
}

/// Reads until `buffer` holds at least `length` bytes.
async fn fill<S>(stream: &mut S, buffer: &mut Vec<u8>, length: usize) -> Result<(), ReadError>
where
    S: AsyncRead + Unpin,
{
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(ReadError::Disconnected);
        }
    }
    Ok(())
}

async fn read_chunks<S>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<Vec<u8>, ReadError>
where
    S: AsyncRead + Unpin,
{
    let mut body = Vec::new();
    loop {
        let (head, size) = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete((head, size))) => break (head, size),
                Ok(httparse::Status::Partial) => fill(stream, buffer, buffer.len() + 1).await?,
                Err(_) => return Err(ReadError::Malformed("a chunk has no valid size")),
            }
        };
        buffer.drain(..head);
        if size == 0 {
            return skip_trailers(stream, buffer).await.map(|()| body);
        }
        let Some(size) = usize::try_from(size).ok().filter(|size| body.len() + size <= MAX_BODY_BYTES) else {
            return Err(ReadError::Malformed("the body is too long"));
        };
        fill(stream, buffer, size + 2).await?;
        body.extend(buffer.drain(..size));
        if buffer.drain(..2).ne(*b"\r\n") {
            return Err(ReadError::Malformed("a chunk is longer than its size"));
        }
    }
}

/// Skips the lines after the last chunk, up to and including the empty line.
async fn skip_trailers<S>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<(), ReadError>
where
    S: AsyncRead + Unpin,
{
    loop {
        let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") else {
            if buffer.len() > MAX_HEAD_BYTES {
                return Err(ReadError::Malformed("the trailers are too long"));
            }
            fill(stream, buffer, buffer.len() + 1).await?;
            continue;
        };
        buffer.drain(..end + 2);
        if end == 0 {
            return Ok(());
        }
    }
}
