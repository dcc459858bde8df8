//! Bytes to a [`Request`].

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::message::Request;

/// Room for a session token and more, and an end for a client that never stops.
const MAX_HEAD: usize = 64 * 1024;
/// Above the 6 MB that Lambda accepts, so that it is the function that has to refuse.
const MAX_BODY: usize = 16 * 1024 * 1024;
const MAX_HEADERS: usize = 100;

#[derive(Debug)]
pub enum ReadError {
    /// What arrived is not HTTP/1.x; the reason is for the 400.
    Malformed(&'static str),
    /// The client went away in the middle, or the network failed.
    Broken,
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

/// Reads one request. `buffer` holds what has arrived and is not used yet, also from one request
/// to the next. `None` when the client closed the connection between two requests.
pub async fn read_request<S>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<Option<Request>, ReadError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut request, framing) = loop {
        if let Some((length, request, framing)) = parse_head(buffer)? {
            buffer.drain(..length);
            break (request, framing);
        }
        if buffer.len() > MAX_HEAD {
            return Err(ReadError::Malformed("the head is too long"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() { Ok(None) } else { Err(ReadError::Broken) };
        }
    };

    let waits = request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
    if waits && buffer.is_empty() {
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

/// `None` while the head is incomplete.
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
        |wanted: &'static str| headers.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let mut lengths = values("content-length");
    let length = lengths.next();
    if lengths.any(|other| Some(other) != length) {
        return Err(ReadError::Malformed("two different lengths"));
    }
    match (values("transfer-encoding").next(), length) {
        (Some(_), Some(_)) => Err(ReadError::Malformed("a length and a transfer coding")),
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (Some(_), None) => Err(ReadError::Malformed("an unknown transfer coding")),
        (None, None) => Ok(Framing::Length(0)),
        (None, Some(length)) => match length.parse() {
            Ok(length) if length <= MAX_BODY => Ok(Framing::Length(length)),
            _ => Err(ReadError::Malformed("the length is no length")),
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
            return Err(ReadError::Broken);
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
                Err(_) => return Err(ReadError::Malformed("a chunk has no size")),
            }
        };
        buffer.drain(..head);
        if size == 0 {
            return skip_trailers(stream, buffer).await.map(|()| body);
        }
        let Some(size) = usize::try_from(size).ok().filter(|size| body.len() + size <= MAX_BODY) else {
            return Err(ReadError::Malformed("the body is too long"));
        };
        fill(stream, buffer, size + 2).await?;
        body.extend(buffer.drain(..size));
        if buffer.drain(..2).ne(*b"\r\n") {
            return Err(ReadError::Malformed("a chunk is longer than its size"));
        }
    }
}

/// The lines after the last chunk, up to the empty one.
async fn skip_trailers<S>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<(), ReadError>
where
    S: AsyncRead + Unpin,
{
    loop {
        let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") else {
            if buffer.len() > MAX_HEAD {
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
