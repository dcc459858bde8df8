//! The passage from pending states to their ends.

use std::time::{Duration, Instant};

use super::world::{After, World};

pub const PENDING_DEPROVISION: &str = "pending-deprovision";
pub const PENDING_DISASSOCIATION: &str = "pending-disassociation";

/// The end of an association that then disappears from the list.
const GONE: &str = "gone";

/// How long something has been pending.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    since: Instant,
    looks: u32,
}

impl Pending {
    pub fn now() -> Self {
        Self { since: Instant::now(), looks: 0 }
    }

    pub fn look(&mut self) {
        self.looks += 1;
    }

    fn is_over(self, after: After) -> bool {
        match after {
            After::Looks(looks) => self.looks >= looks,
            After::Seconds(seconds) => self.since.elapsed() >= Duration::from_secs_f64(seconds),
        }
    }
}

impl World {
    /// Brings everything to the state it has by now. What was given as pending from the start
    /// counts from the first time this is called.
    pub(super) fn settle(&mut self) {
        for asn in &mut self.asns {
            if asn.state != PENDING_DEPROVISION {
                continue;
            }
            if asn.pending.get_or_insert_with(Pending::now).is_over(asn.after) {
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
                if pending.is_over(association.after) {
                    association.state.clone_from(&association.ends_in);
                    association.pending = None;
                }
            }
            cidr.associations.retain(|association| association.state != GONE);
        }
    }
}
