//! The control API: what [`StandIn`](super::StandIn) offers to Rust, over HTTP, for tests in other languages.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::action::Action;
use super::fault::Fault;
use super::service::State;
use super::world::World;
use crate::http::{Request, Response};

/// EC2 itself serves no path with this prefix.
pub const PREFIX: &str = "/_control/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    action: Action,
    faults: Vec<Fault>,
}

pub fn respond(state: &mut State, request: &Request) -> Response {
    let resource = &request.path[PREFIX.len()..];
    let outcome = match (request.method.as_str(), resource) {
        ("GET", "calls") => Ok(Response::json(200, &json!(state.calls))),
        ("DELETE", "calls") => {
            state.calls.clear();
            state.handling_times.clear();
            Ok(Response::empty(204))
        }
        ("GET", "world") => {
            state.world.apply_due_transitions();
            Ok(Response::json(200, &json!(state.world)))
        }
        ("PUT", "world") => put_world(state, &request.body),
        ("POST", "faults") => post_faults(state, &request.body),
        (_, "calls" | "world" | "faults") => return error_response(405, "this method is not allowed here"),
        _ => return error_response(404, "the resources are calls, world and faults"),
    };
    outcome.unwrap_or_else(|message| error_response(400, &message))
}

fn put_world(state: &mut State, body: &[u8]) -> Result<Response, String> {
    let world: World = parse(body)?;
    world.validate()?;
    *state = State::new(world);
    Ok(Response::empty(204))
}

fn post_faults(state: &mut State, body: &[u8]) -> Result<Response, String> {
    let Faults { action, faults } = parse(body)?;
    faults.iter().try_for_each(Fault::validate)?;
    state.faults.entry(action).or_default().extend(faults);
    Ok(Response::empty(204))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn error_response(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "message": message }))
}
