//! Pages of a list and their tokens.

use super::action::Action;
use super::error::ApiError;
use super::query::Query;
use super::world::MAX_PAGE_SIZE;

/// The entries of one page, as a range of the whole list.
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
                // DescribeVpcs returns this code. EC2 also documents InvalidPaginationToken, but not
                // which actions use which code.
                .ok_or_else(|| ApiError::invalid_value("NextToken", token, "The token is invalid."))?,
        };
        let end = entries.min(start + size);
        Ok(Self { start, end, next_token: (end < entries).then(|| token(action, end)) })
    }
}

fn max_results(query: &Query) -> Result<usize, ApiError> {
    let Some(given) = query.optional("MaxResults") else {
        return Ok(MAX_PAGE_SIZE);
    };
    given
        .parse()
        .ok()
        .filter(|count| (1..=MAX_PAGE_SIZE).contains(count))
        .ok_or_else(|| ApiError::invalid_value("MaxResults", given, "Expecting an integer between 1 and 100."))
}

/// The token has the Base64 characters that a client must escape, like EC2's own tokens.
fn token(action: Action, offset: usize) -> String {
    format!("{}/{offset}+==", action.name())
}

/// Where the page of this token starts, or `None` if the token is not valid for this action.
fn offset(token: &str, action: Action) -> Option<usize> {
    token.strip_prefix(action.name())?.strip_prefix('/')?.strip_suffix("+==")?.parse().ok()
}
