//! The same control over the stand-in that Rust has, for tests in other languages.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::action::Action;
use super::fault::Fault;
use super::service::State;
use super::world::World;
use crate::http::{Request, Response};

/// No action of EC2 lives under this path.
pub const PREFIX: &str = "/_control/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    action: Action,
    faults: Vec<Fault>,
}

pub fn answer(state: &mut State, request: &Request) -> Response {
    let resource = &request.path[PREFIX.len()..];
    let outcome = match (request.method.as_str(), resource) {
        ("GET", "calls") => Ok(Response::json(200, &json!(state.calls))),
        ("DELETE", "calls") => {
            state.calls.clear();
            state.held.clear();
            Ok(Response::empty(204))
        }
        ("GET", "world") => {
            state.world.settle();
            Ok(Response::json(200, &json!(state.world)))
        }
        ("PUT", "world") => put_world(state, &request.body),
        ("POST", "faults") => post_faults(state, &request.body),
        (_, "calls" | "world" | "faults") => return complaint(405, "no such method here"),
        _ => return complaint(404, "there are calls, world and faults"),
    };
    outcome.unwrap_or_else(|message| complaint(400, &message))
}

fn put_world(state: &mut State, body: &[u8]) -> Result<Response, String> {
    let world: World = parse(body)?;
    world.check()?;
    *state = State::new(world);
    Ok(Response::empty(204))
}

fn post_faults(state: &mut State, body: &[u8]) -> Result<Response, String> {
    let Faults { action, faults } = parse(body)?;
    faults.iter().try_for_each(Fault::check)?;
    state.faults.entry(action).or_default().extend(faults);
    Ok(Response::empty(204))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn complaint(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "message": message }))
}
