//! Permissions.

use super::action::Action;
use super::credential::Credential;
use super::error::ApiError;
use super::world::World;
use crate::unique;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub fn check(world: &World, credential: &Credential, action: Action) -> Result<(), ApiError> {
    let key = credential.access_key_id;
    let denied = world.denied_actions.contains(&action) || world.denied_access_keys.iter().any(|denied| denied == key);
    if !denied {
        return Ok(());
    }
    let action = action.name();
    Err(ApiError::new(
        403,
        "UnauthorizedOperation",
        format!(
            "You are not authorized to perform this operation. User: \
             arn:aws:iam::123456789012:user/{key} is not authorized to perform: ec2:{action} \
             because no identity-based policy allows the ec2:{action} action. \
             Encoded authorization failure message: {}",
            encoded_message()
        ),
    ))
}

/// Random text with the alphabet and the length of the messages that `sts:DecodeAuthorizationMessage`
/// decodes.
fn encoded_message() -> String {
    const WORDS: usize = 80;
    (0..WORDS)
        .flat_map(|_| unique::bits().to_le_bytes())
        .map(|byte| char::from(ALPHABET[usize::from(byte & 63)]))
        .collect()
}
