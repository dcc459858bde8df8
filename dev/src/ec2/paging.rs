//! Pages and their tokens.

use super::action::Action;
use super::error::ApiError;
use super::query::Query;
use super::world::MAX_PAGE;

/// A part of a list that has more entries than a page.
pub struct Page {
    pub start: usize,
    pub end: usize,
    pub next_token: Option<String>,
}

impl Page {
    pub fn new(query: &Query, action: Action, entries: usize, page_size: usize) -> Result<Self, ApiError> {
        let size = max_results(query)?.min(page_size);
        let start = match query.optional("NextToken") {
            None => 0,
            Some(token) => offset(token, action)
                .filter(|offset| *offset <= entries)
                // The code is the one that DescribeVpcs was seen to answer with. The documented
                // list has InvalidPaginationToken too, and says of neither who uses it.
                .ok_or_else(|| ApiError::invalid_value("NextToken", token, "The token is invalid."))?,
        };
        let end = entries.min(start + size);
        Ok(Self { start, end, next_token: (end < entries).then(|| token(action, end)) })
    }
}

fn max_results(query: &Query) -> Result<usize, ApiError> {
    let Some(given) = query.optional("MaxResults") else {
        return Ok(MAX_PAGE);
    };
    given
        .parse()
        .ok()
        .filter(|count| (1..=MAX_PAGE).contains(count))
        .ok_or_else(|| ApiError::invalid_value("MaxResults", given, "Expecting an integer between 1 and 100."))
}

/// Like EC2's own tokens it has the characters of Base64 that a client must escape.
fn token(action: Action, offset: usize) -> String {
    format!("{}/{offset}+==", action.name())
}

/// Where the page of this token starts; `None` for a token that this action never gave out.
fn offset(token: &str, action: Action) -> Option<usize> {
    token.strip_prefix(action.name())?.strip_prefix('/')?.strip_suffix("+==")?.parse().ok()
}
