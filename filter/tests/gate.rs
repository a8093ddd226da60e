//! The gate as a state machine: keys that come late or not at all, records that cannot be delivered, clients that leave.
//!
//! What a single request gets is in the corpus; here are the orders of events that a corpus row cannot express.
#![cfg(test)]

#[path = "gate/any_order.rs"]
mod any_order;
#[path = "gate/bodies.rs"]
mod bodies;
#[path = "gate/candidate.rs"]
mod candidate;
#[path = "gate/keys.rs"]
mod keys;
#[path = "gate/paths.rs"]
mod paths;
#[path = "gate/records.rs"]
mod records;
#[path = "gate/scene.rs"]
mod scene;
#[path = "gate/secrecy.rs"]
mod secrecy;
#[path = "gate/sent_again.rs"]
mod sent_again;
