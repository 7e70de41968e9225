//! RADIUS: asks a server whether a password is right (RFC 2865), for the
//! condition `radius`.

pub mod config;
pub mod packet;
