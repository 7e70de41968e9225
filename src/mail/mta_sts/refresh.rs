//! Policies are fetched anew before they come to their end, whether mail goes there or not (RFC
//! 8461, section 3.3): whoever keeps a domain's web server away must do so for as long as its
//! policy lasts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eximious_core::Str;
use eximious_core::world::TlsAuthorities;
use eximious_stdlib::lists::{ListOutcome, Matcher};
use eximious_stdlib::options::opt;
use eximious_stdlib::options::opt::transport::smtp;

use super::{AGAIN, FRESH, StsMode, StsPolicy, announced, renewed, seconds};
use crate::Context;
use crate::mail::hints::{Record, StsRecord, ToldHints};
use crate::mail::route::Routes;
use crate::mail::transport::Transport;

/// How many policies are fetched in one round, at the most.
const MOST: usize = 500;
/// How many are looked at.
const MOST_KEPT: usize = 100_000;
/// How many are read at once.
const PAGE: usize = 100;
/// How long a round may take.
const WITHIN: Duration = Duration::from_secs(15 * 60);
/// After how many seconds without any mail a policy is left to its end.
const UNUSED: i64 = 30 * 24 * 3600;

impl Routes {
    /// Fetches the policies of MTA-STS anew that are kept and will soon be a day old, or half as
    /// old as they may become, of domains that mail went to lately and that a transport asks
    /// for (`mta_sts_domains`). How many were fetched.
    pub fn refresh_policies(&self, cx: &mut Context, stops: &AtomicBool) -> usize {
        let asks = |transport: &Transport| transport.some_text(smtp::MTA_STS_DOMAINS).is_some();
        if !self.transports().iter().any(asks) {
            return 0;
        }
        let Some(now) = seconds(cx) else { return 0 };
        let began = cx.engine().world().clock.elapsed();
        let (mut seen, mut fetched) = (0, 0);
        let mut behind = None;
        while let Some(keys) = page(cx, behind.as_deref()) {
            for key in &keys {
                let took = cx.engine().world().clock.elapsed().saturating_sub(began);
                if fetched >= MOST || took >= WITHIN || stops.load(Ordering::Relaxed) {
                    return fetched;
                }
                fetched += usize::from(self.refresh(cx, key, now));
            }
            seen += keys.len();
            behind = keys.last().cloned();
            if keys.len() < PAGE || seen >= MOST_KEPT {
                break;
            }
        }
        fetched
    }

    /// The same of one domain; whether it was asked for.
    fn refresh(&self, cx: &mut Context, key: &[u8], now: i64) -> bool {
        let hints = ToldHints::open::<StsRecord>(cx, now);
        let Ok(Some((kept, _))) = hints.load::<StsRecord>(cx, key) else { return false };
        let Ok(domain) = std::str::from_utf8(key) else { return false };
        if !is_due(&kept, now) {
            return false;
        }
        let Some(authorities) = self.authorities(cx, key) else { return false };
        // Without a name the policy that is kept stays in force (RFC 8461, section 3.1).
        let Some(id) = announced(cx, domain) else { return false };
        let (record, trouble) = renewed(cx, domain, id, kept, (now, authorities));
        if let Some((trouble, why)) = trouble {
            let name = trouble.name();
            let line = format!("MTA-STS: the policy of {domain} can't be had ({name}): {why}");
            cx.log().main(line.as_bytes());
        }
        let _ = hints.save(cx, &record, key, now);
        true
    }

    /// Who is believed about a domain's web server, as the first transport that asks for its
    /// policy says; nothing where none does.
    fn authorities(&self, cx: &mut Context, domain: &[u8]) -> Option<TlsAuthorities> {
        let domain = Str::tainted(domain);
        let asks = |transport: &&Transport| {
            let Some(list) = transport.some_text(smtp::MTA_STS_DOMAINS) else { return false };
            let name = smtp::MTA_STS_DOMAINS.name();
            let mut matcher = Matcher::domain(&domain).called(name);
            let found = transport.on_behalf_of(cx, name, |cx| cx.is_in(list, &mut matcher));
            matches!(found, Ok(ListOutcome::Matched(_)))
        };
        let transport = self.transports().iter().find(asks)?;
        let path = transport.expand_some(cx, smtp::TLS_VERIFY_CERTIFICATES);
        Some(match path {
            Some(Ok(path))
                if !matches!(path.bytes(), b"" | b"system" | b"system,cache")
                    && !path.taint().is_tainted() =>
            {
                TlsAuthorities::Path(path.bytes().to_vec())
            }
            _ => TlsAuthorities::System,
        })
    }
}

/// Whether it is time for a policy. One that says that there is none is left to its end.
fn is_due(kept: &StsRecord, now: i64) -> bool {
    let lasts = kept.until.saturating_sub(kept.fetched);
    let is_old = now.saturating_sub(kept.fetched) >= FRESH.min(lasts / 2);
    is_old
        && kept.until > now
        && now.saturating_sub(kept.used) < UNUSED
        && now.saturating_sub(kept.tried) >= AGAIN
        && StsPolicy::read(&kept.text).is_some_and(|policy| policy.mode != StsMode::None)
}

/// The next domains whose policies are kept.
fn page(cx: &mut Context, behind: Option<&[u8]>) -> Option<Vec<Vec<u8>>> {
    let spool = cx.engine().settings().get(opt::SPOOL_DIRECTORY);
    let store = cx.engine().world().hint_store(spool.bytes());
    let page = store.page(StsRecord::SPACE.as_bytes(), behind, PAGE).ok()?;
    Some(page.into_iter().map(|(key, _)| key).collect())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use eximious_core::world::{
        Fixed, Fixture, Moment, Net, PageFault, PageOrder, Stream, Target, WebPage,
    };

    use super::*;
    use crate::{Config, Engine, Macros};

    const DAY: i64 = 24 * 3600;
    const NOW: i64 = 1_800_000_000;

    /// A web server that has the same page for everybody; it notes who is asked for.
    #[derive(Default)]
    struct Web {
        page: Mutex<Option<String>>,
        asked: Mutex<Vec<String>>,
    }

    impl Net for Web {
        fn connect(&self, _: &Target, _: Duration) -> io::Result<Box<dyn Stream>> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn resolve(&self, _: &str) -> io::Result<Vec<std::net::IpAddr>> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn service(&self, _: &str) -> Option<u16> {
            None
        }

        fn fetch(&self, order: &PageOrder) -> Result<WebPage, PageFault> {
            self.asked.lock().unwrap().push(order.host.clone());
            let page = self.page.lock().unwrap().clone();
            let page = page.ok_or_else(|| PageFault::Failed("gone".into()))?;
            Ok(WebPage { status: 200, kind: "text/plain".into(), text: page.into_bytes() })
        }
    }

    fn policy(max_age: i64) -> String {
        format!("version: STSv1\nmode: enforce\nmx: mail.x.test\nmax_age: {max_age}\n")
    }

    /// Runs something at a time.
    fn at<T>(
        site: &(Fixture, Arc<Web>),
        now: i64,
        run: impl FnOnce(&Routes, &mut Context) -> T,
    ) -> T {
        let moment = Moment { seconds: now, ..Moment::default() };
        let mut world = site.0.world();
        world.clock = Arc::new(Fixed(moment));
        world.net = site.1.clone();
        let builder = Engine::builder().world(world.clone());
        let config = Config::read(b"/c", Macros::new(), &world, builder.registry()).unwrap();
        let engine = config.build(builder);
        let routes = Routes::new(&config, engine.registry(), &world);
        run(&routes, &mut engine.context())
    }

    fn refreshed(site: &(Fixture, Arc<Web>), now: i64) -> Vec<String> {
        let stops = AtomicBool::new(false);
        let count = at(site, now, |routes, cx| routes.refresh_policies(cx, &stops));
        let asked = std::mem::take(&mut *site.1.asked.lock().unwrap());
        assert_eq!(asked.len(), count);
        asked
    }

    fn kept(site: &(Fixture, Arc<Web>), domain: &str) -> StsRecord {
        at(site, NOW, |_, cx| {
            let hints = ToldHints::open::<StsRecord>(cx, NOW);
            let kept = hints.load::<StsRecord>(cx, domain.as_bytes());
            kept.unwrap().expect("it is kept").0
        })
    }

    fn site() -> (Fixture, Arc<Web>) {
        let mut zone = String::from("$ORIGIN test.\n$TTL 60\n");
        for domain in ["one", "two", "other"] {
            zone += &format!("_mta-sts.{domain} TXT \"v=STSv1; id=1;\"\n");
            zone += &format!("mta-sts.{domain} A 192.0.2.1\n");
        }
        let config = "begin transports\nplain:\n  driver = smtp\nt:\n  driver = smtp\n  \
            mta_sts_domains = !other.test : *\n";
        (Fixture::new().file("/c", config).zone(&zone), Arc::default())
    }

    #[test]
    fn policies_are_fetched_before_they_end() {
        let site = site();
        let use_it = |domain: &str, max_age, now| {
            *site.1.page.lock().unwrap() = Some(policy(max_age));
            at(&site, now, |_, cx| {
                super::super::find(cx, domain.as_bytes(), TlsAuthorities::System)
            });
        };
        use_it("one.test", 10 * DAY, NOW);
        use_it("two.test", 3600, NOW);
        use_it("other.test", 10 * DAY, NOW);
        site.1.asked.lock().unwrap().clear();
        assert!(refreshed(&site, NOW + 1000).is_empty());
        assert_eq!(refreshed(&site, NOW + 2000), ["mta-sts.two.test"], "half of its time is over");
        assert_eq!(kept(&site, "two.test").fetched, NOW + 2000);
        // Nobody asks for the policy of other.test.
        assert_eq!(refreshed(&site, NOW + DAY), ["mta-sts.one.test"], "a day is over");
        let one = kept(&site, "one.test");
        assert_eq!((one.fetched, one.until, one.used), (NOW + DAY, NOW + 11 * DAY, NOW));
        // Without a page the old one stays, and it is asked for again later.
        *site.1.page.lock().unwrap() = None;
        let both = ["mta-sts.one.test", "mta-sts.two.test"];
        assert_eq!(refreshed(&site, NOW + 2 * DAY), both);
        assert!(refreshed(&site, NOW + 2 * DAY + AGAIN - 1).is_empty());
        assert_eq!(refreshed(&site, NOW + 2 * DAY + AGAIN), both);
        let one = kept(&site, "one.test");
        assert_eq!((one.fetched, one.until), (NOW + DAY, NOW + 11 * DAY));
    }

    #[test]
    fn who_gets_no_mail_is_forgotten() {
        let site = site();
        *site.1.page.lock().unwrap() = Some(policy(365 * DAY));
        let find = |now| {
            at(&site, now, |_, cx| super::super::find(cx, b"one.test", TlsAuthorities::System));
            site.1.asked.lock().unwrap().clear();
        };
        find(NOW);
        for day in 1..30 {
            assert_eq!(refreshed(&site, NOW + day * DAY).len(), 1, "{day}");
        }
        assert!(refreshed(&site, NOW + 30 * DAY).is_empty());
        // Mail that goes there makes it due again.
        find(NOW + 29 * DAY + 10);
        assert_eq!(kept(&site, "one.test").used, NOW + 29 * DAY + 10);
        assert_eq!(refreshed(&site, NOW + 31 * DAY).len(), 1);
    }

    #[test]
    fn a_round_has_an_end() {
        let site = site();
        *site.1.page.lock().unwrap() = Some(policy(10 * DAY));
        at(&site, NOW, |_, cx| super::super::find(cx, b"one.test", TlsAuthorities::System));
        let stops = AtomicBool::new(true);
        assert_eq!(at(&site, NOW + DAY, |routes, cx| routes.refresh_policies(cx, &stops)), 0);
    }
}
