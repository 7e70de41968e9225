//! What embedders add: records that are made at run time, with state, and that reach what
//! was left in the context.

use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious::acl::{self, AclHost, AclResult, AclState, AclVerdict, Acls, Logs};
use eximious::route::{self, Delivery, Purpose, Report, Request, Routed, RouterVerdict, Routes};
use eximious::syntax::{ConditionShape, ItemShape};
use eximious::transport::{self, Consignment, Delivered, DeliveryCall, Outcome, Undelivered};
use eximious::world::Fixture;
use eximious::{
    AclOptions, AclPhases, Builder, Condition, ConditionRun, Config, Context, DriverDef,
    DriverKind, Effects, Engine, Fail, Header, Item, ItemRun, ListKind, Macros, Message, Meta,
    OptionDef, OptionKind, OptionPlace, Runs, Str, TaintRule, Variable, VariableSource, interned,
};

const fn meta(name: &'static str) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Result)
}

/// What was left in a context.
struct Own(&'static str);

#[test]
fn closures_have_state_and_reach_the_context() {
    let count = Arc::new(AtomicU32::new(0));
    let (one, other) = (count.clone(), count.clone());
    let next = move || Str::from((one.fetch_add(1, Ordering::Relaxed) + 1).to_string());
    let engine = Engine::builder()
        .item(Item {
            meta: meta("next"),
            shape: ItemShape::Braces { min: 0, max: 1 },
            run: ItemRun::lazy(move |call| {
                if call.text_count() > 0 {
                    call.text(0)?;
                }
                Ok(next())
            }),
        })
        .condition(Condition {
            meta: meta("own"),
            shape: ConditionShape::One,
            run: ConditionRun::strict(|call, args| {
                let own = call.user_data::<Own>().ok_or_else(|| Fail::argument("nothing left"))?;
                Ok(args[0].bytes() == own.0.as_bytes())
            }),
        })
        .variables([Variable {
            meta: meta("counted"),
            source: VariableSource::computed(move |_| {
                Ok(Str::from(other.load(Ordering::Relaxed).to_string()))
            }),
        }])
        .build();
    let rule = engine.compile("${next}${next{$counted}}-$counted ${if own{a}{yes}{no}}");
    let mut cx = engine.context();
    assert_eq!(rule.expand(&mut cx).unwrap_err().message(), b"nothing left");
    cx.set_user_data(Arc::new(Own("a")));
    assert_eq!(rule.expand(&mut cx).unwrap().display(), "34-4 yes");
    cx.set_user_data(Arc::new(Own("b")));
    assert_eq!(rule.expand(&mut cx).unwrap().display(), "56-6 no");
    assert!(cx.user_data::<u32>().is_none() && cx.user_data::<Own>().is_some());
    // The records go with the last engine that has them.
    drop((cx, rule, engine));
    assert_eq!(Arc::strong_count(&count), 1);
}

/// Whoever has the conversation.
struct Host;

impl AclHost for Host {
    fn delay(&mut self, _: Duration, _: bool) {}
    fn log(&mut self, _: &[u8]) {}
    fn log_to(&mut self, _: Logs, _: &[u8]) {}
}

fn set_up(text: &str, extend: impl Fn(Builder) -> Builder) -> (Context, Config, Routes) {
    let text = format!("primary_hostname = mail.example\n{text}");
    let world = Fixture::new().file("/c", text).world();
    let builder = extend(Engine::builder().world(world.clone()));
    let config = Config::read(b"/c", Macros::new(), &world, builder.registry());
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let engine = config.build(builder);
    let routes = Routes::new(&config, engine.registry(), &world);
    (engine.context(), config, routes)
}

fn run(text: &str, extend: impl Fn(Builder) -> Builder) -> (AclResult, AclState) {
    let (mut cx, config, routes) = set_up(&format!("begin acl\na:\n{text}"), extend);
    cx.set("sender_host_address", Str::tainted(b"192.0.2.1"));
    cx.set_user_data(Arc::new(Own("a")));
    let mut state = AclState::default();
    let acls = Acls::new(&config, routes);
    let name = Str::from("a");
    (acls.check(&mut cx, &mut Host, &mut state, AclPhases::RCPT, &name), state)
}

#[test]
fn the_policy_holds_for_words_of_acls() {
    for (text, effects) in [
        (" warn logwrite = x\n accept\n", Effects::LOG),
        (" warn set acl_m_x = y\n accept\n", Effects::VARS),
        (" deny ratelimit = 9 / 1h / x\n accept\n", Effects::CLOCK),
        (" deny seen = -1h\n accept\n", Effects::FILES),
        (" warn udpsend = 192.0.2.1 : 9 : x\n accept\n", Effects::NET),
        (" warn control = debug/tag=.x\n accept\n", Effects::LOG),
        (" warn control = cutthrough_delivery\n accept\n", Effects::NET),
        (" warn control = caseful_local_part\n accept\n", Effects::VARS),
        // A list is refused where it asks for something.
        (" accept hosts = 192.0.2.1\n", Effects::FILES),
    ] {
        let (result, _) = run(text, |builder| builder.forbid(effects));
        let said = result.log_message.unwrap_or_default().display().into_owned();
        match text.contains("hosts") {
            true => assert_eq!(result.verdict, AclVerdict::Accept, "{text}"),
            false => assert!(said.ends_with("is not permitted here"), "{text}: {said:?}"),
        }
    }
    let registry = eximious::registry();
    let effects = |name: &[u8]| registry.acl_term(name).expect("a word").meta.effects;
    assert!(effects(b"dnslists").contains(Effects::DNS));
    assert!(effects(b"domains").contains(Effects::LOOKUP));
    assert!(effects(b"endpass").is_empty());
}

#[test]
fn acls_run_words_of_embedders() {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let keeps = noted.clone();
    let extend = move |builder: Builder| {
        let keeps = keeps.clone();
        let near = acl::condition(meta("near"), |call, list| {
            let client = call.value("sender_host_address");
            let near = call.is_in(ListKind::Host, list, &client)?;
            if !near {
                call.say(format!("{} is far", client.display()));
            }
            Ok(near)
        });
        let note = acl::modifier(meta("note"), move |call, text| {
            let own = call.user_data::<Own>().map_or("", |own| own.0);
            keeps.lock().unwrap().push(format!("{own} {} {:?}", text.display(), call.phase()));
            Ok(())
        });
        let breaks = acl::condition(meta("breaks"), |call, text| match text.bytes() {
            b"later" => Err(Fail::defer("not now")),
            b"forced" => Err(Fail::forced("as if it were not there")),
            b"tainted" => {
                let client = call.value("sender_host_address");
                call.expand(&client).map(|_| true)
            }
            // The record declares no effects.
            _ => call.call(|call| call.files()).map(|_| true),
        });
        let control = acl::control(meta("hold"), |_, options| Ok(options.bytes() != b"no"));
        // A name that nobody knew when the program was built.
        let name = interned(&format!("tenant_{}", 7));
        let tenant = acl::verification(meta(name), |_, asked| {
            let quick = asked.options().any(|option| option == b"quick");
            Ok(quick && asked.address().is_some_and(|address| address.bytes() == b"a@b"))
        });
        builder
            .acl_term(near)
            .acl_term(note)
            .acl_term(breaks)
            .acl_verify(tenant.address().options(AclOptions::Names(&["quick"])))
            .acl_control(control.options(AclOptions::Text))
    };
    let (result, _) = run(" require near = 192.0.2.0/24\n note = ${uc:x}\n accept\n", &extend);
    assert_eq!(result.verdict, AclVerdict::Accept);
    assert_eq!(*noted.lock().unwrap(), ["a X AclPhases(RCPT)"]);
    let (result, _) = run(" accept !near = 198.51.100.1\n", &extend);
    assert_eq!(result.verdict, AclVerdict::Accept);
    let far = " require near = 198.51.100.1\n log_message = l: $acl_verify_message\n accept\n";
    let (result, _) = run(far, &extend);
    assert_eq!(result.verdict, AclVerdict::Deny);
    assert_eq!(result.user_message.unwrap().display(), "192.0.2.1 is far");
    for (text, verdict) in [
        ("later", AclVerdict::Defer),
        ("forced", AclVerdict::Accept),
        ("tainted", AclVerdict::Error),
        ("files", AclVerdict::Error),
    ] {
        let (result, _) = run(&format!(" accept breaks = {text}\n"), &extend);
        assert_eq!(result.verdict, verdict, "{text}");
    }
    for (asked, verdict) in [
        ("tenant_7=a@b/quick", AclVerdict::Accept),
        ("tenant_7=a@b", AclVerdict::Deny),
        ("tenant_7/quick", AclVerdict::Deny),
        ("tenant_8", AclVerdict::Error),
    ] {
        let (result, _) = run(&format!(" accept verify = {asked}\n"), &extend);
        assert_eq!(result.verdict, verdict, "{asked}");
    }
    let (result, state) = run(" accept control = hold/some\n", &extend);
    assert!(result.verdict == AclVerdict::Accept && state.has("hold"));
    let (result, state) = run(" accept control = hold/no\n", &extend);
    assert!(result.verdict == AclVerdict::Deny && !state.has("hold"));
}

#[test]
fn what_is_not_there_yet_is_an_error() {
    let (result, _) = run(" deny bmi_optin = x\n accept\n", |builder| builder);
    assert_eq!(result.verdict, AclVerdict::Error);
    let said = result.log_message.unwrap_or_default();
    assert_eq!(said.display(), "ACL condition \"bmi_optin\" is not there yet");
}

static OPTIONS: &[OptionDef] =
    &[OptionDef::new(OptionPlace::Driver(DriverKind::Router, "own"), "verdict", OptionKind::Text)];

#[test]
fn routers_have_drivers_of_embedders() {
    let routed = |verdict: &str, driver: fn() -> DriverDef| {
        let text = format!(
            "begin routers\nr:\n driver = own\n verdict = {verdict}\n transport = t\n\
             begin transports\nt:\n driver = appendfile\n file = /x\n"
        );
        let (mut cx, _, routes) = set_up(&text, |builder| builder.driver(driver()));
        let address = route::Address::new(Str::tainted(b"Ann@mail.example"));
        routes.route(&mut cx, address, Purpose::Delivery)
    };
    let own = || {
        let run = |call: &mut route::RouterCall<'_>| {
            assert_eq!(call.router().bytes(), b"r");
            let other = Str::from(format!("{}@b.example", call.local_part().display()));
            Ok(match call.text("verdict")?.unwrap_or_default().bytes() {
                b"accept" => RouterVerdict::Accept,
                b"redirect" => RouterVerdict::Redirect(vec![other]),
                b"pass" => RouterVerdict::Pass,
                b"discard" => RouterVerdict::Discard,
                b"fail" => RouterVerdict::Fail(Str::fixed("no")),
                b"later" => return Err(Fail::defer("not now")),
                _ => RouterVerdict::Decline,
            })
        };
        route::driver(meta("own"), run).options(OPTIONS)
    };
    assert!(matches!(routed("accept", own).routed, Routed::Delivered(_)));
    let pass = routed("${lc:REDIRECT}", own);
    assert!(matches!(pass.routed, Routed::Redirected));
    let [route::ChildAddress::Address(child)] = &pass.children[..] else {
        panic!("{:?}", pass.children)
    };
    assert_eq!(child.text.bytes(), b"ann@b.example");
    assert!(matches!(routed("discard", own).routed, Routed::Discarded { by_filter: false }));
    for verdict in ["decline", "pass", "fail"] {
        assert!(matches!(routed(verdict, own).routed, Routed::Failed(_)), "{verdict}");
    }
    assert!(matches!(routed("later", own).routed, Routed::Deferred(_)));
    // What is not there accepts nothing.
    let later = || DriverDef::of(DriverKind::Router, meta("own"), Runs::NotYet).options(OPTIONS);
    assert!(matches!(routed("accept", later).routed, Routed::Deferred(_)));
}

static TRANSPORT_OPTIONS: &[OptionDef] = &[OptionDef::new(
    OptionPlace::Driver(DriverKind::Transport, "own"),
    "verdict",
    OptionKind::Text,
)];

/// What came of a message for two addresses by a driver that keeps what it gets.
fn delivered(verdict: &str, general: &str, seen: &Arc<Mutex<String>>) -> Vec<String> {
    let text = format!(
        "begin routers\nr:\n driver = accept\n transport = t\n\
         begin transports\nt:\n driver = own\n verdict = {verdict}\n{general}"
    );
    let kept = seen.clone();
    let run = move |call: &mut DeliveryCall<'_>| {
        assert_eq!((call.transport().bytes(), call.deliveries().len()), (&b"t"[..], 2));
        let verdict = call.text("verdict")?.unwrap_or_default();
        let mut text =
            format!("{} {}: ", call.recipient(1).display(), call.return_path().display());
        call.reader()?.read_to_string(&mut text).map_err(|why| Fail::defer(why.to_string()))?;
        kept.lock().unwrap().push_str(&text);
        Ok(match verdict.bytes() {
            b"one" => vec![Outcome::Delivered(Delivered::default())],
            b"files" => call.call(|call| call.files().map(|_| Vec::new()))?,
            b"never" => vec![Outcome::Failed(Undelivered::new(-9, "never")); 2],
            _ => vec![Outcome::Delivered(Delivered::default()); 3],
        })
    };
    let (mut cx, _, routes) = set_up(&text, |builder| {
        builder.driver(transport::driver(meta("own"), run.clone()).options(TRANSPORT_OPTIONS))
    });
    let mut found = Vec::new();
    for address in ["Ann@a.example", "bob@a.example"] {
        let request = Request::new(Str::tainted(address.as_bytes()), Purpose::Delivery);
        routes.test(&mut cx, &request, &mut |report| match report {
            Report::Delivered(delivery) => found.push((*delivery).clone()),
            other => panic!("{other:?}"),
        });
    }
    let headers = vec![Header::new("Subject: s\n"), Header::new("X-Gone: 1\n")];
    let mut message = Message::new(headers, "text\n");
    (message.sender, message.size) = (Str::fixed("s@x"), 20);
    let deliveries: Vec<&Delivery> = found.iter().collect();
    let done = routes.deliver(&mut cx, 0, Consignment::new(&message, &deliveries)).unwrap();
    let said = done.outcomes.iter().map(|outcome| match outcome {
        Outcome::Delivered(_) => "delivered".to_owned(),
        Outcome::Deferred(why) => format!("later: {}", String::from_utf8_lossy(&why.message)),
        Outcome::Failed(why) => format!("never: {}", String::from_utf8_lossy(&why.message)),
    });
    said.collect()
}

#[test]
fn transports_have_drivers_of_embedders() {
    let seen = Arc::new(Mutex::new(String::new()));
    let general = " headers_remove = x-gone\n headers_add = X-New: ${uc:a}\n";
    assert_eq!(delivered("all", general, &seen), ["delivered"; 2]);
    let whole = "bob@a.example s@x: Subject: s\nX-New: A\n\ntext\n";
    assert_eq!(*seen.lock().unwrap(), whole);
    let silent = "later: t transport did not say what came of the address";
    for (verdict, said) in [
        ("one", ["delivered", silent]),
        ("never", ["never: never"; 2]),
        ("${if eq{a}{b}{x}fail}", ["delivered"; 2]),
        // The record declares no effects.
        ("files", ["later: \"own\" does not declare the effect Effects(FILES)"; 2]),
        ("${bad}", ["later: unknown variable in \"${bad}\""; 2]),
    ] {
        assert_eq!(delivered(verdict, "", &seen), said, "{verdict}");
    }
    // What all transports have holds before the driver is asked.
    seen.lock().unwrap().clear();
    let big = "later: message is too big (transport limit = 5)".replace("later", "never");
    assert_eq!(delivered("all", " message_size_limit = 5\n", &seen), [&big[..]; 2]);
    assert!(seen.lock().unwrap().is_empty());
}
