//! What a server needs of the system: sockets that listen, connections that can be
//! told to end, signals, and another user's rights.

mod bell;
mod listener;
mod notifier;
mod pages;
mod peer;
mod process;
mod signals;
mod tally;

pub use bell::Bell;
pub use eximious_exec::receive_signals;
pub use listener::{Listener, Listeners, Spare, Woken};
pub use notifier::{Notifier, notify};
pub use pages::{BadPagePlace, PageMaker, PagePlace, PageServer};
pub use peer::{Heard, Peer};
pub use process::{
    PidFile, detach, keep_name, open_files, raise_open_files, remove_pid_file_of_parent, run_again,
    share_memory, spawn, start_again, start_listening, thread_number, with_room,
    write_process_line,
};
pub use signals::{Signals, Told, survive_asking, when_asked};
pub use tally::{Tally, queued};
