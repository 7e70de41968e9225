//! A report as a message (RFC 8460, section 5.3).

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eximious::world::{Clock, Moment};
use flate2::Compression;
use flate2::write::GzEncoder;

/// How long lines of base64 are.
const LINE: usize = 76;

/// A report that is to be sent.
pub struct Letter<'r> {
    /// Whose hosts it is about.
    pub domain: &'r str,
    /// Who sends it: a domain.
    pub submitter: &'r str,
    /// The name of the report.
    pub id: &'r str,
    /// Its day, `2026-11-22`.
    pub day: &'r str,
    /// It, as JSON.
    pub report: &'r str,
    /// Whom it goes to: addresses.
    pub to: &'r [String],
    /// Which characters stand between its parts.
    pub boundary: &'r str,
}

impl Letter<'_> {
    /// The message, with ends of lines of this system.
    ///
    /// # Errors
    /// The report can't be compressed.
    pub fn text(&self, clock: &dyn Clock) -> io::Result<Vec<u8>> {
        let Letter { domain, submitter, id, day, boundary, .. } = self;
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(self.report.as_bytes())?;
        let packed = STANDARD.encode(packer.finish()?);
        let (from, until) = (seconds(clock, day), seconds(clock, day) + 24 * 3600 - 1);
        let mut text = format!(
            "From: postmaster@{submitter}\n\
             To: {}\n\
             Subject: Report Domain: {domain} Submitter: {submitter} Report-ID: <{id}>\n\
             TLS-Report-Domain: {domain}\n\
             TLS-Report-Submitter: {submitter}\n\
             TLS-Required: No\n\
             Auto-Submitted: auto-generated\n\
             MIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=\"tlsrpt\";\n\tboundary=\"{boundary}\"\n\n\
             --{boundary}\n\
             Content-Type: text/plain; charset=us-ascii\n\n\
             This is a report of what came of TLS with the hosts of {domain} on {day},\n\
             as {submitter} saw it (RFC 8460).\n\n\
             --{boundary}\n\
             Content-Type: application/tlsrpt+gzip\n\
             Content-Transfer-Encoding: base64\n\
             Content-Disposition: attachment;\n\t\
             filename=\"{submitter}!{domain}!{from}!{until}.json.gz\"\n\n",
            self.to.join(", "),
        );
        let mut rest = packed.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(LINE));
            text += line;
            text.push('\n');
            rest = more;
        }
        text += &format!("\n--{boundary}--\n");
        Ok(text.into_bytes())
    }
}

/// The addresses of places that begin with `mailto:`, as a header has them; what follows a
/// question mark is of no interest.
pub fn addresses(places: &[String]) -> Vec<String> {
    let address = |place: &String| {
        let text = place.strip_prefix("mailto:")?;
        let text = text.split('?').next().unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-_+=".contains(&byte);
        (text.contains('@') && text.bytes().all(is_plain)).then(|| text.to_owned())
    };
    places.iter().filter_map(address).collect()
}

/// When a day begins, in seconds since 1970.
fn seconds(clock: &dyn Clock, day: &str) -> i64 {
    const DAY: i64 = 24 * 3600;
    let named = |seconds: i64| {
        let at = clock.civil(Moment { seconds, nanos: 0 }, Some("UTC"));
        format!("{:04}-{:02}-{:02}", at.year, at.month, at.day)
    };
    // Days are in order as their names are.
    let (mut low, mut high) = (0, 100_000);
    while low < high {
        let middle = i64::midpoint(low, high);
        match named(middle * DAY).as_str() < day {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low * DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_to_addresses_alone() {
        let places =
            ["mailto:tls@a.example", "https://a.example/x", "mailto:b@c.example?subject=x"];
        let all = places.map(str::to_owned);
        assert_eq!(addresses(&all), ["tls@a.example", "b@c.example"]);
        let odd = ["mailto:nobody", "mailto:a@b,c@d", "mailto:<a@b>", "mailto:%61@b"];
        assert_eq!(addresses(&odd.map(str::to_owned)), [""; 0]);
    }

    #[test]
    fn days_have_their_seconds() {
        let world = eximious_world::system();
        for (day, begins) in
            [("1970-01-01", 0), ("2026-11-22", 1_795_305_600), ("2028-02-29", 1_835_395_200)]
        {
            assert_eq!(seconds(&*world.clock, day), begins, "{day}");
        }
    }
}
