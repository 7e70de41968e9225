//! The server of the Language Server Protocol.
