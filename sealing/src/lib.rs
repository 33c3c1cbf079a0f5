//! A second, independent MLS implementation for conclave's tests and bots: the crate `openmls`
//! behind the operations of `web/src/sealing/engine/contract.ts`.
//!
//! It holds keys, so it must never be linked into, or imported by, the server.

mod binding;
mod boxes;
mod credential;
mod encoding;
mod engine;
mod facts;
mod invitation;
mod receive;
mod refusal;
mod rules;
