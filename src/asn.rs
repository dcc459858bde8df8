//! The Autonomous System Number: accepts every textual form, writes one.

use std::{fmt, ops::RangeInclusive, str::FromStr};

/// An Autonomous System Number from 1 to 4294967294.
///
/// 0 is reserved by RFC 7607 and 4294967295 by RFC 7300. EC2 decides which of the others it accepts.
///
/// `Display` writes asplain (RFC 5396), the form in which an ASN is sent and returned.
///
/// ```
/// use deprovision_ipam_byoasn::asn::Asn;
///
/// let asn: Asn = "AS1.10".parse()?;
/// assert_eq!(asn.to_string(), "65546");
/// # Ok::<(), deprovision_ipam_byoasn::asn::ParseAsnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asn(u32);

impl Asn {
    const RANGE: RangeInclusive<u32> = 1..=4_294_967_294;
}

/// Why a text is not an ASN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAsnError {
    /// It has none of the accepted forms.
    #[error(
        "expected asplain (\"64500\" or 64500), a prefix (\"AS64500\") or asdot (\"1.10\"), without leading zeros, signs \
         or blanks"
    )]
    Form,
    /// It has an accepted form, but its number is not in the range of ASNs.
    #[error("expected an ASN from 1 to 4294967294")]
    Range,
}

impl FromStr for Asn {
    type Err = ParseAsnError;

    /// Parses asplain, asdot and asdot+ (RFC 5396), each with or without the prefix `AS` in any case.
    ///
    /// # Errors
    ///
    /// [`ParseAsnError`], for everything else, such as leading zeros, signs, blanks and digits that are not ASCII.
    fn from_str(text: &str) -> Result<Self, ParseAsnError> {
        let number = match text.get(..2) {
            Some(prefix) if prefix.eq_ignore_ascii_case("AS") => &text[2..],
            _ => text,
        };
        let value = match number.split_once('.') {
            None => decimal(number)?,
            Some((high, low)) => {
                let half = |digits| u16::try_from(decimal(digits)?).map_err(|_| ParseAsnError::Range);
                (u32::from(half(high)?) << 16) + u32::from(half(low)?)
            }
        };
        if Self::RANGE.contains(&value) { Ok(Self(value)) } else { Err(ParseAsnError::Range) }
    }
}

/// Parses a decimal number. `str::parse` would also accept `+1` and `01`.
fn decimal(digits: &str) -> Result<u32, ParseAsnError> {
    let canonical = digits == "0" || !digits.starts_with('0');
    if digits.is_empty() || !canonical || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ParseAsnError::Form);
    }
    digits.parse().map_err(|_| ParseAsnError::Range)
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_written_as_asplain() {
        for (text, asplain) in [
            ("64500", "64500"),
            ("1", "1"),
            ("4294967294", "4294967294"),
            ("AS64500", "64500"),
            ("as64500", "64500"),
            ("aS64500", "64500"),
            ("1.10", "65546"),
            ("AS1.10", "65546"),
            ("0.64500", "64500"),
            ("1.0", "65536"),
            ("65535.65534", "4294967294"),
        ] {
            assert_eq!(text.parse::<Asn>().map(|asn| asn.to_string()), Ok(asplain.into()), "{text}");
        }
    }

    #[test]
    fn other_forms_are_rejected() {
        for text in [
            "", " ", "AS", "AS ", "AS AS1", "ASAS1", "A64500", "ASN64500", "064500", "00", "AS064500", "+64500",
            "-64500", " 64500", "64500 ", "64 500", "64_500", "64,500", "6.45e4", "0x1", "1.", ".1", "1.1.1", "01.1",
            "1.01", "1.-1", "64500\n", "٦٤٥٠٠", "６４５００", "ＡＳ1", "é1",
        ] {
            assert_eq!(text.parse::<Asn>(), Err(ParseAsnError::Form), "{text}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_rejected() {
        for text in [
            "0", "AS0", "0.0", "4294967295", "4294967296", "65535.65535", "65536.0", "1.65536",
            "99999999999999999999999",
        ] {
            assert_eq!(text.parse::<Asn>(), Err(ParseAsnError::Range), "{text}");
        }
    }
}
