//! How the C library shares out memory.

/// Has the threads of this process share so many arenas, in place of eight for each
/// processor. Each arena keeps a range of addresses for itself, and what was freed in it:
/// a server with a thread for each client would reserve far more than it uses. Where the
/// C library has no arenas, nothing is done.
pub fn limit_arenas(count: u16) {
    #[cfg(target_env = "gnu")]
    // SAFETY: `mallopt` takes two numbers and no pointers; with one that it does not know,
    // it does nothing.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, i32::from(count));
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = count;
}
