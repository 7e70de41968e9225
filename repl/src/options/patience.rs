//! `-or`, `-os`: how long others are waited for.

use std::time::Duration;

use eximious::stdlib::interval::seconds;

use super::Parser;
use crate::refusal::Stop;

impl Parser<'_> {
    /// `-or5m`, `-os 5m`: how long to wait for a message, or for an SMTP client.
    pub(super) fn time(&mut self, arg: &[u8], attached: &[u8]) -> Result<(), Stop> {
        let shown = match attached {
            b"" => self.next().map_or(arg, Vec::as_slice),
            _ => arg,
        };
        let value = if attached.is_empty() { shown } else { attached };
        if let Some(seconds) = seconds(value) {
            let time = Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
            match arg.starts_with(b"-os") {
                true => self.given.patience.client = time,
                false => self.given.patience.message = time,
            }
            return Ok(());
        }
        Err(Stop::exim([b"bad time value ", shown, b": abandoned"].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CalledAs, Job, parse};
    use super::*;

    #[test]
    fn times_go_to_whoever_waits() {
        let parsed = |args: &[&str]| {
            let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
            parse(CalledAs::Exim, &args).options
        };
        let job = |args: &[&str]| parsed(args).unwrap().action;
        let Job::Submit(request) = job(&["-or", "1s", "-or5s", "-os0s", "x"]) else { panic!() };
        let patience = request.setup.patience;
        assert_eq!(patience.message, Some(Duration::from_secs(5)));
        assert_eq!(patience.client, Some(Duration::ZERO));
        let Job::Session(request) = job(&["-bs", "-os", "2m"]) else { panic!() };
        assert_eq!(request.setup.patience.client, Some(Duration::from_secs(120)));
        let Job::Daemon(_, request) = job(&["-os", "2m", "-bd"]) else { panic!() };
        assert_eq!(request.patience.client, Some(Duration::from_secs(120)));
        for args in [&["-or", "1", "x"][..], &["-or", "", "x"], &["-or"], &["-os", "-or", "x"]] {
            assert!(parsed(args).is_err(), "{args:?}");
        }
    }
}
