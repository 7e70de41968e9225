//! The interpreted MTA core. An empty room: SMTP as a state machine, routing,
//! delivery, the queue and the daemon come here once the language can read a
//! whole configuration.
#![forbid(unsafe_code)]
