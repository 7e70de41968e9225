//! What the library does with servers: each test starts its own, or plays one.

mod dns;
mod hostfind;
mod ibase;
mod ldap;
mod nis;
mod oracle_servers;
mod pam;
mod radius;
mod real_scanners;
mod redis;
mod scanners;
mod sockets;
mod sql;
mod sql_hostile;
mod sql_proofs;
