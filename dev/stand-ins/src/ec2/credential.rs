//! Parses the `Authorization` header of Signature Version 4. The signature is not verified, because
//! the stand-in has no secret keys.

use super::error::ApiError;

pub struct Credential<'a> {
    pub access_key_id: &'a str,
    pub region: &'a str,
    service: &'a str,
}

impl<'a> Credential<'a> {
    /// Parses the value of an `Authorization` header.
    pub fn parse(header: &'a str) -> Result<Self, ApiError> {
        let incomplete =
            |what: &str| ApiError::client("IncompleteSignature", format!("Authorization header requires {what}."));
        let parts =
            header.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(|| incomplete("the algorithm AWS4-HMAC-SHA256"))?;
        let part = |name: &str| {
            parts
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=').filter(|value| !value.is_empty()))
        };
        let credential = part("Credential").ok_or_else(|| incomplete("'Credential' parameter"))?;
        part("SignedHeaders").ok_or_else(|| incomplete("'SignedHeaders' parameter"))?;
        part("Signature").ok_or_else(|| incomplete("'Signature' parameter"))?;

        // EC2 itself includes the credential in this message.
        let [access_key_id, _date, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..]
        else {
            return Err(auth_failure(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            )));
        };
        Ok(Self { access_key_id, region, service })
    }

    /// Checks service and Region. EC2 rejects every request that it cannot authenticate with
    /// `AuthFailure` and 401. The messages are the ones that all AWS services use for a wrong scope.
    pub fn check_scope(&self, region: &str) -> Result<(), ApiError> {
        if self.service != "ec2" {
            return Err(auth_failure("Credential should be scoped to correct service: 'ec2'."));
        }
        if self.region != region {
            return Err(auth_failure(format!("Credential should be scoped to a valid region, not '{}'.", self.region)));
        }
        Ok(())
    }
}

fn auth_failure(message: impl Into<String>) -> ApiError {
    ApiError::new(401, "AuthFailure", message)
}
