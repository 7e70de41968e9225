//! What domains say of how mail comes to them (MTA-STS, RFC 8461): a policy, which is
//! fetched by HTTPS and kept for as long as it says.

mod policy;
mod refresh;
mod report;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eximious_core::world::{DnsRecord, PageFault, PageOrder, TlsAuthorities};
use eximious_core::{Effects, Meta, TaintRule};
use eximious_stdlib::dns::find::{DnsSearch, by_dns};
use eximious_stdlib::dns::{self, How, kind};
use eximious_stdlib::idn;
use eximious_stdlib::options::opt::transport::smtp;

use crate::Context;
use crate::mail::hints::{StsRecord, ToldHints};

pub use policy::{StsMode, StsPolicy, sts_id};
pub use report::{places, report_places};

static META: Meta = Meta::new(
    smtp::MTA_STS_DOMAINS.name(),
    Effects::DNS.union(Effects::NET).union(Effects::CLOCK),
    TaintRule::Tainted,
);

/// The port of HTTPS.
const PORT: u16 = 443;
/// How long a policy may be.
const LONGEST: usize = 64 * 1024;
/// How long it may take to fetch one (RFC 8461, section 3.3).
const WITHIN: Duration = Duration::from_secs(60);
/// After how many seconds one is fetched again though its name is the same.
const FRESH: i64 = 24 * 3600;
/// After how many seconds one is asked for again that could not be had.
const AGAIN: i64 = 5 * 60;
/// How much of what is wrong is kept.
const LONGEST_TROUBLE: usize = 256;

/// Why a policy can't be had, as RFC 8460, section 4.3, names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StsTrouble {
    /// It can't be fetched.
    Fetch,
    /// Nobody vouches for who gives it.
    Untrusted,
    /// It is none.
    Invalid,
}

impl StsTrouble {
    /// The name that reports have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fetch => "sts-policy-fetch-error",
            Self::Untrusted => "sts-webpki-invalid",
            Self::Invalid => "sts-policy-invalid",
        }
    }

    /// The number that hints have for it.
    fn number(self) -> u8 {
        match self {
            Self::Fetch => 0,
            Self::Untrusted => 1,
            Self::Invalid => 2,
        }
    }
}

/// What is known of a domain's policy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct StsFound {
    /// The policy that is in force, unless it says that there is none.
    pub(crate) policy: Option<StsPolicy>,
    /// Why there is none, or an old one: in a word, and in words.
    pub(crate) trouble: Option<(StsTrouble, String)>,
}

/// Finds the policy of a domain.
pub(crate) fn find(cx: &mut Context, domain: &[u8], authorities: TlsAuthorities) -> StsFound {
    let Some(domain) = plain(domain) else { return StsFound::default() };
    let Some(now) = seconds(cx) else { return StsFound::default() };
    let hints = ToldHints::open::<StsRecord>(cx, now);
    let kept = hints.load::<StsRecord>(cx, domain.as_bytes()).ok().flatten();
    let mut kept = kept.map(|(kept, _)| kept).unwrap_or_default();
    let in_force = |record: &StsRecord, trouble| {
        let policy = Some(record).filter(|record| record.until > now);
        let policy = policy.and_then(|record| StsPolicy::read(&record.text));
        StsFound { policy: policy.filter(|policy| policy.mode != StsMode::None), trouble }
    };
    // That mail goes there is kept once a day.
    let is_late = now.saturating_sub(kept.used) >= FRESH;
    if is_late {
        kept.used = now;
    }
    let known = |cx: &mut Context, trouble| {
        if is_late && !kept.text.is_empty() {
            let _ = hints.save(cx, &kept, domain.as_bytes(), now);
        }
        in_force(&kept, trouble)
    };
    let Some(id) = announced(cx, &domain) else { return known(cx, None) };
    if kept.id == id && kept.until > now && now.saturating_sub(kept.fetched) < FRESH {
        return known(cx, None);
    }
    if kept.tried_id == id && now.saturating_sub(kept.tried) < AGAIN {
        let all = [StsTrouble::Fetch, StsTrouble::Untrusted, StsTrouble::Invalid];
        let trouble = all.into_iter().find(|one| one.number() == kept.trouble);
        let trouble = trouble.map(|trouble| (trouble, kept.why.clone()));
        return known(cx, trouble);
    }
    let (record, trouble) = renewed(cx, &domain, id, kept, (now, authorities));
    // One that can't be kept is fetched the next time.
    let _ = hints.save(cx, &record, domain.as_bytes(), now);
    in_force(&record, trouble)
}

/// What time it is, in seconds since 1970.
fn seconds(cx: &mut Context) -> Option<i64> {
    cx.call(&META, |call| call.clock().map(|clock| clock.now().seconds)).ok()
}

/// What is to be kept of a domain whose policy has a name, once that was fetched; and why that
/// could not be.
fn renewed(
    cx: &mut Context,
    domain: &str,
    id: String,
    kept: StsRecord,
    (now, authorities): (i64, TlsAuthorities),
) -> (StsRecord, Option<(StsTrouble, String)>) {
    match fetch(cx, domain, authorities) {
        Ok((text, policy)) => {
            let until = now.saturating_add(policy.max_age.max(1));
            let used = kept.used;
            let record = StsRecord { id, text, fetched: now, until, used, ..StsRecord::default() };
            (record, None)
        }
        Err((trouble, mut why)) => {
            why.truncate(why.floor_char_boundary(LONGEST_TROUBLE));
            let number = trouble.number();
            let tried = StsRecord { tried_id: id, tried: now, trouble: number, ..kept };
            (StsRecord { why: why.clone(), ..tried }, Some((trouble, why)))
        }
    }
}

/// A domain as a name of a host is made of it.
fn plain(domain: &[u8]) -> Option<String> {
    let domain = idn::domain_to_alabel(domain).ok()?;
    let domain = String::from_utf8(domain).ok()?.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    (domain.len() <= 240 && domain.split('.').all(is_label)).then_some(domain)
}

/// What a domain calls its policy now.
fn announced(cx: &mut Context, domain: &str) -> Option<String> {
    let name = format!("_mta-sts.{domain}");
    let asked =
        cx.call(&META, |call| dns::query(call, name.as_bytes(), kind::TXT, &How::default()));
    let reply = asked.ok()?;
    let texts: Vec<Vec<u8>> = reply.records().iter().map(text).collect();
    sts_id(texts.iter().map(Vec::as_slice))
}

/// A record's text.
fn text(record: &DnsRecord) -> Vec<u8> {
    dns::strings(record).collect::<Vec<_>>().concat()
}

fn fetch(
    cx: &mut Context,
    domain: &str,
    authorities: TlsAuthorities,
) -> Result<(Vec<u8>, StsPolicy), (StsTrouble, String)> {
    let host = format!("mta-sts.{domain}");
    let search = DnsSearch::for_host();
    let found = cx.call(&META, |call| by_dns(call, host.as_bytes(), &search));
    let failed = |why: String| (StsTrouble::Fetch, why);
    let found = found.map_err(|fail| failed(String::from_utf8_lossy(fail.message()).into()))?;
    let addresses = found.hosts.iter().filter_map(|host| host.address);
    let places = addresses.map(|address: IpAddr| SocketAddr::new(address, PORT)).collect();
    let path = "/.well-known/mta-sts.txt".to_owned();
    let order = PageOrder { host, path, places, authorities, most: LONGEST, within: WITHIN };
    let fetched = cx.call(&META, |call| call.net().map(|net| net.fetch(&order)));
    let fetched = fetched.map_err(|fail| failed(String::from_utf8_lossy(fail.message()).into()))?;
    let page = fetched.map_err(|fault| match fault {
        PageFault::Failed(why) => failed(why),
        PageFault::Untrusted(why) => (StsTrouble::Untrusted, why),
    })?;
    if page.status != 200 {
        return Err(failed(format!("the server said {}", page.status)));
    }
    if page.kind != "text/plain" {
        return Err(failed(format!("that is \"{}\", and not text/plain", page.kind)));
    }
    let policy = StsPolicy::read(&page.text);
    let policy = policy.ok_or((StsTrouble::Invalid, "it makes no sense".to_owned()))?;
    Ok((page.text, policy))
}
