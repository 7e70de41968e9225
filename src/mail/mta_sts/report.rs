//! Where reports of what came of TLS are wanted (RFC 8460, section 3).

use eximious_stdlib::dns::{self, How, kind};

use super::{META, plain};
use crate::Context;

/// The most places that a report is sent to.
const MOST: usize = 16;

/// Where a domain wants reports: URIs, `mailto:` and `https:`; none where it wants none, or
/// says several things.
pub fn report_places(cx: &mut Context, domain: &[u8]) -> Vec<String> {
    let Some(domain) = plain(domain) else { return Vec::new() };
    let name = format!("_smtp._tls.{domain}");
    let asked =
        cx.call(&META, |call| dns::query(call, name.as_bytes(), kind::TXT, &How::default()));
    let Ok(reply) = asked else { return Vec::new() };
    let texts: Vec<Vec<u8>> = reply.records().iter().map(super::text).collect();
    places(texts.iter().map(Vec::as_slice))
}

/// What the texts there say.
pub fn places<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> Vec<String> {
    let mut found = texts.into_iter().filter_map(|text| {
        let (version, rest) = std::str::from_utf8(text).ok()?.split_once(';')?;
        (version.trim_end() == "v=TLSRPTv1").then_some(rest)
    });
    let Some(only) = found.next().filter(|_| found.next().is_none()) else { return Vec::new() };
    let mut lists = only.split(';').filter_map(|field| field.trim().strip_prefix("rua="));
    let list = lists.next().unwrap_or_default();
    let is_place = |place: &&str| {
        let known = ["mailto:", "https:"].iter().any(|scheme| place.starts_with(scheme));
        known && place.bytes().all(|byte| byte.is_ascii_graphic())
    };
    list.split(',').map(str::trim).filter(is_place).take(MOST).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_says_where_reports_are_wanted() {
        let said = |texts: &[&str]| places(texts.iter().map(|text| text.as_bytes()));
        let one = "v=TLSRPTv1; rua=mailto:a@b.example , https://b.example/x;";
        assert_eq!(said(&["x", one]), ["mailto:a@b.example", "https://b.example/x"]);
        assert_eq!(said(&["v=TLSRPTv1;rua=ftp://x,mailto:é@b,mailto:a@b"]), ["mailto:a@b"]);
        for texts in [&[one, one][..], &["v=TLSRPTv2; rua=mailto:a@b"], &["v=TLSRPTv1;"], &[]] {
            assert_eq!(said(texts), [""; 0], "{texts:?}");
        }
    }
}
