//! Transitions from pending states to their final states.

use std::time::{Duration, Instant};

use super::world::{After, World};

pub const PENDING_DEPROVISION: &str = "pending-deprovision";
pub const PENDING_DISASSOCIATION: &str = "pending-disassociation";

/// The final state of an association that is then removed from the list.
const GONE: &str = "gone";

/// How long an entry has been pending.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    since: Instant,
    describes: u32,
}

impl Pending {
    pub fn now() -> Self {
        Self { since: Instant::now(), describes: 0 }
    }

    /// Counts one describe response that showed the entry as pending.
    pub fn count_describe(&mut self) {
        self.describes += 1;
    }

    fn is_due(self, after: After) -> bool {
        match after {
            After::Describes(describes) => self.describes >= describes,
            After::Seconds(seconds) => self.since.elapsed() >= Duration::from_secs_f64(seconds),
        }
    }
}

impl World {
    /// Moves pending entries to their final state if it is time. For an entry that was pending from
    /// the start, time counts from the first call of this function.
    pub(super) fn apply_due_transitions(&mut self) {
        for asn in &mut self.asns {
            if asn.state != PENDING_DEPROVISION {
                continue;
            }
            if asn.pending.get_or_insert_with(Pending::now).is_due(asn.after) {
                asn.state.clone_from(&asn.ends_in);
                asn.status_message.clone_from(&asn.end_message);
                asn.pending = None;
            }
        }
        for cidr in &mut self.cidrs {
            for association in &mut cidr.associations {
                if association.state != PENDING_DISASSOCIATION {
                    continue;
                }
                let pending = association.pending.get_or_insert_with(Pending::now);
                if pending.is_due(association.after) {
                    association.state.clone_from(&association.ends_in);
                    association.pending = None;
                }
            }
            cidr.associations.retain(|association| association.state != GONE);
        }
    }
}
