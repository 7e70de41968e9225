bitflags::bitflags! {
    /// What a built-in does besides computing: the line in its page, the badge
    /// in the prompt, the key at run time. A built-in is handed a piece of the
    /// [`crate::World`] only for an effect that it declares and that the policy
    /// in force allows.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub struct Effects: u16 {
        /// Reads files or directories.
        const FILES = 1;
        /// Asks the DNS.
        const DNS = 1 << 1;
        /// Opens sockets.
        const NET = 1 << 2;
        /// Looks data up in files or databases.
        const LOOKUP = 1 << 3;
        /// Starts processes.
        const RUN = 1 << 4;
        /// Reads the clock.
        const CLOCK = 1 << 5;
        /// Draws random numbers.
        const RANDOM = 1 << 6;
        /// Sets variables that outlive it.
        const VARS = 1 << 7;
        /// Writes to a log.
        const LOG = 1 << 8;
        /// Runs code in another language, in this process or another.
        const FOREIGN = 1 << 9;
        /// Reads facts of this host or process: names, users, load.
        const HOST = 1 << 10;
        /// Expands text that is known only at run time.
        const EXPAND = 1 << 11;
    }
}

impl Effects {
    /// No effect at all.
    pub const NONE: Self = Self::empty();
}
