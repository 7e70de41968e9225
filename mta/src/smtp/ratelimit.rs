//! `smtp_ratelimit_hosts` and its kin: within a connection, those commands that are
//! too many are answered later and later (specification 14.11).

use eximious::opt;

use std::time::Duration;

use super::stage::Stage;
use super::{Event, SmtpSession};

/// How long the next command has to wait.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// In seconds; none where nobody had to wait so far.
    wait: Option<f64>,
}

/// What an option says: `2,0.5s,1.05,4m`.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Rate {
    threshold: i64,
    initial: f64,
    factor: f64,
    most: f64,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Paced {
    Mail,
    Rcpt,
}

impl SmtpSession {
    /// Makes a client wait whose command is one of too many.
    pub(super) fn slow_down(&mut self, what: Paced, count: i64) -> Result<(), Stage> {
        let option = match what {
            Paced::Mail => opt::SMTP_RATELIMIT_MAIL,
            Paced::Rcpt => opt::SMTP_RATELIMIT_RCPT,
        };
        let text = self.text(option);
        let Some(rate) = Rate::read(text.bytes()).filter(|rate| count > rate.threshold) else {
            return Ok(());
        };
        if !self.client_in(opt::SMTP_RATELIMIT_HOSTS)? {
            return Ok(());
        }
        let pace = match what {
            Paced::Mail => &mut self.connection.counts.mail_pace,
            Paced::Rcpt => &mut self.connection.counts.rcpt_pace,
        };
        let wait = pace.wait.map_or(rate.initial, |wait| (wait * rate.factor).min(rate.most));
        pace.wait = Some(wait);
        if !self.setup.is_test
            && let Ok(time) = Duration::try_from_secs_f64(wait)
        {
            self.events.push_back(Event::Delay { time, sends: true });
        }
        Ok(())
    }
}

impl Rate {
    fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut parts = text.split(',').map(str::trim);
        let mut part = || parts.next();
        let (threshold, initial) = (part()?.parse().ok()?, seconds(part()?)?);
        let (factor, most) = (part()?.parse().ok()?, seconds(part()?)?);
        Some(Self { threshold, initial, factor, most })
    }
}

/// A time, which may have a fraction: `0.25s`, `4m`.
fn seconds(text: &str) -> Option<f64> {
    let (number, unit) = match text.as_bytes().last()? {
        b's' => (&text[..text.len() - 1], 1.0),
        b'm' => (&text[..text.len() - 1], 60.0),
        b'h' => (&text[..text.len() - 1], 3600.0),
        _ => (text, 1.0),
    };
    let number: f64 = number.parse().ok()?;
    (number >= 0.0 && number.is_finite()).then_some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        let rate = Rate { threshold: 2, initial: 0.5, factor: 1.05, most: 240.0 };
        assert_eq!(Rate::read(b"2,0.5s, 1.05,4m"), Some(rate));
        for wrong in ["", "2", "2,x,1,1", "2,-1s,1,4m", "2,infs,1,4m", "2,1s,1"] {
            assert_eq!(Rate::read(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
