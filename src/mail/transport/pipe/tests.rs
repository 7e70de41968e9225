use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eximious_core::world::{
    Child, Command, Finished, Fixture, PipeEnd, PipeFault, PipeOrder, Processes, RunError,
};
use eximious_core::{Header, Message, Str, World};
use eximious_stdlib::variables::var;

use crate::mail::route::{Address, Delivery, DeliveryTarget, FilterPipe, Routes};
use crate::mail::transport::{Consignment, Delivering, Outcome};
use crate::{Config, Engine, Macros};

/// Commands that end as they are told, and keep what they got.
#[derive(Default)]
struct Told {
    end: Mutex<Option<Result<PipeEnd, PipeFault>>>,
    got: Mutex<Vec<(PipeOrder, String)>>,
}

impl Processes for Told {
    fn run(&self, _: &Command, _: Duration, _: u64) -> Result<Finished, RunError> {
        Err(RunError::Timeout)
    }
    fn start(&self, _: &Command) -> io::Result<Box<dyn Child>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn launch(&self, _: &Command, _: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn pipe(&self, order: &PipeOrder, message: &mut dyn Read) -> Result<PipeEnd, PipeFault> {
        let mut text = String::new();
        message.read_to_string(&mut text).unwrap();
        self.got.lock().unwrap().push((order.clone(), text));
        self.end.lock().unwrap().take().unwrap_or_else(|| Ok(PipeEnd::default()))
    }
}

fn to(target: DeliveryTarget, text: &str) -> Delivery {
    let mut address = Address::new(Str::tainted(&b"u@example"[..]));
    if !text.is_empty() {
        address.text = Str::from(text.as_bytes());
    }
    Delivery { target, ..Delivery::new(address, 0, Some(0)) }
}

/// What comes of a message by a transport with these options to a command that ends so.
fn run(
    options: &str,
    delivery: &Delivery,
    end: Result<PipeEnd, PipeFault>,
) -> (Delivering, Option<(PipeOrder, String)>) {
    let options = options.lines().map(|line| format!("  {}\n", line.trim())).collect::<String>();
    let text =
        format!("qualify_domain = q.example\nbegin transports\nT:\n  driver = pipe\n{options}");
    let told = Arc::new(Told { end: Mutex::new(Some(end)), ..Told::default() });
    let fixture = Fixture::new().file("/c", text).file("/bin/cat", "").file("/usr/bin/x", "");
    let world = World { processes: told.clone(), ..fixture.world() };
    let builder = Engine::builder().world(world.clone());
    let config = Config::read(b"/c", Macros::new(), &world, builder.registry()).unwrap();
    let engine = config.build(builder);
    let routes = Routes::new(&config, engine.registry(), &world);
    let mut cx = engine.context();
    cx.set_var(var::RETURN_PATH, Str::tainted(&b"s@sender.example"[..]));
    cx.set_var(var::LOCAL_PART, Str::tainted(&b"u"[..]));
    cx.set_var(var::DOMAIN, Str::tainted(&b"example"[..]));
    let mut message = Message::new(vec![Header::new("Subject: a\n")], "b\n");
    message.id = Str::fixed("1xUxBi-0000000039L-0Eea");
    message.sender = Str::fixed("m@sender.example");
    let deliveries = [delivery];
    let consignment = Consignment {
        return_path: Str::tainted(&b"s@sender.example"[..]),
        now: 1_000_000_000,
        hand_in: &|_, _, _| 0,
        ..Consignment::new(&message, &deliveries)
    };
    let outcome = routes.deliver(&mut cx, 0, consignment).unwrap();
    let got = told.got.lock().unwrap().pop();
    (outcome, got)
}

fn address() -> Delivery {
    to(DeliveryTarget::Address, "")
}

fn said(done: Delivering) -> String {
    match done.outcomes[0].clone() {
        Outcome::Delivered(_) => "=>".to_owned(),
        Outcome::Deferred(why) => {
            let frozen = if why.freezes { " frozen" } else { "" };
            format!("== ({}){frozen} {}", why.number, String::from_utf8_lossy(&why.message))
        }
        Outcome::Failed(why) => {
            let output = String::from_utf8_lossy(&done.output).into_owned();
            format!("** {}{output}", String::from_utf8_lossy(&why.message))
        }
    }
}

fn argv(options: &str, delivery: &Delivery) -> Vec<String> {
    let (outcome, got) = run(options, delivery, Ok(PipeEnd::default()));
    let Some((order, _)) = got else { panic!("{}", said(outcome)) };
    order.argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

#[test]
fn a_command_gets_the_message_and_an_environment() {
    let options = "command = cat a \"b c\"\nenvironment = A=$local_part : B\numask = 077";
    let (outcome, got) = run(options, &address(), Ok(PipeEnd::default()));
    assert_eq!(said(outcome), "=>");
    let (order, text) = got.unwrap();
    assert_eq!(order.argv, [&b"/bin/cat"[..], b"a", b"b c"]);
    assert_eq!((order.umask, &order.directory[..]), (0o77, &b"/"[..]));
    assert_eq!((order.timeout, order.max_output), (Some(Duration::from_secs(3600)), 20_480));
    let date = "Sun Sep 09 01:46:40 2001";
    assert_eq!(text, format!("From s@sender.example {date}\nSubject: a\n\nb\n\n"));
    let mut all: Vec<String> = order
        .environment
        .iter()
        .map(|(name, value)| [&name[..], b"=", value].concat())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect();
    all.sort();
    let should = "A=u DOMAIN=example HOME= LOCAL_PART=u LOCAL_PART_PREFIX= LOCAL_PART_SUFFIX= \
                  LOGNAME=u MESSAGE_ID=1xUxBi-0000000039L-0Eea PATH=/bin:/usr/bin \
                  QUALIFY_DOMAIN=q.example RECIPIENT=u@example SENDER=m@sender.example \
                  SHELL=/bin/sh USER=u";
    assert_eq!(all, should.split_whitespace().collect::<Vec<_>>());
    let (_, got) = run("command = cat\nuse_bsmtp", &address(), Ok(PipeEnd::default()));
    assert_eq!(
        got.unwrap().1,
        "MAIL FROM:<s@sender.example>\nRCPT TO:<u@example>\nDATA\nSubject: a\n\nb\n.\n"
    );
}

#[test]
fn words_stand_for_addresses_and_commands() {
    assert_eq!(argv("command = /a x $pipe_addresses y", &address()), ["/a", "x", "u@example", "y"]);
    let piped = to(DeliveryTarget::Pipe(None), "|x $a 'b c'");
    assert_eq!(argv("", &piped), ["/usr/bin/x", "$a", "b c"]);
    let forced = "command = /a -- $address_pipe\nforce_command";
    assert_eq!(argv(forced, &piped), ["/a", "--", "x", "$a", "b c"]);
    let filter =
        FilterPipe { numeric: vec![Str::fixed("all"), Str::fixed("one")], ..FilterPipe::default() };
    let filtered = to(DeliveryTarget::Pipe(Some(Box::new(filter))), "|x $1 ${uc:b}");
    assert_eq!(argv("", &filtered), ["/usr/bin/x", "one", "B"]);
    assert_eq!(argv("command = a; b\nuse_shell", &address()), ["/bin/sh", "-c", "a; b"]);
}

#[test]
fn what_may_not_be_run_is_said() {
    for (options, text) in [
        ("", "== (0) no command specified for T transport"),
        (
            "command = /a ${nosuch}",
            "== (0) Expansion of \"${nosuch}\" from command \"/a ${nosuch}\" in T transport \
             failed: unknown variable in \"${nosuch}\"",
        ),
        (
            "command = a ${nosuch}\nuse_shell",
            "== (0) Expansion of command \"a ${nosuch}\" in T transport failed: unknown \
             variable in \"${nosuch}\"",
        ),
        ("command = $local_part", "** Tainted arg 0 for T transport command: 'u'"),
        ("command = /a $local_part", "** Tainted arg 1 for T transport command: 'u'"),
        ("command = a $local_part\nuse_shell", "** Tainted arg 2 for T transport command: 'a u'"),
        ("command = nosuch y", "** \"nosuch\" command not found for T transport"),
        (
            "command = /bin/cat\nrestrict_to_path",
            "** \"/\" found in \"/bin/cat\" (command for T transport) - failed for security \
             reasons",
        ),
        ("command = cat\nrestrict_to_path", "=>"),
        (
            "command = /bin/cat\nallow_commands = /bin/echo : cat",
            "** \"/bin/cat\" command not permitted by T transport",
        ),
        ("command = cat\nallow_commands = /bin/echo : cat", "=>"),
        ("command = /x/y\nallow_commands = /x/y\nrestrict_to_path", "=>"),
        (
            "command = /a\nmessage_prefix = ${nosuch}",
            "== (0) Expansion of \"${nosuch}\" (prefix for T transport) failed: unknown variable \
             in \"${nosuch}\"",
        ),
        (
            "command = cat\nenvironment = ${nosuch}",
            "== (0) failed to expand string \"${nosuch}\" for T transport: unknown variable in \
             \"${nosuch}\"",
        ),
    ] {
        let (outcome, _) = run(options, &address(), Ok(PipeEnd::default()));
        assert_eq!(said(outcome), text, "{options}");
    }
}

#[test]
fn how_it_ended_decides() {
    let end =
        |code, output: &str| Ok(PipeEnd { code, output: output.into(), ..PipeEnd::default() });
    let cut = |code| PipeEnd { code, is_cut: true, ..PipeEnd::default() };
    let none = || io::Error::from_raw_os_error(2);
    for (options, end, text) in [
        ("", end(0, "x\n"), "=>"),
        ("", end(1, "x\n"), "** Child process of T transport returned 1 from command: /a"),
        (
            "",
            end(75, ""),
            "== (0) Child process of T transport returned 75 (could mean temporary error) from \
             command: /a",
        ),
        (
            "return_output",
            end(75, ""),
            "== (0) Child process of T transport returned 75 (could mean temporary error) from \
             command: /a",
        ),
        (
            "return_output",
            end(75, "x\n"),
            "** Child process of T transport returned 75 (could mean temporary error) from \
             command: /ax\n",
        ),
        (
            "temp_errors = *",
            end(3, ""),
            "== (0) Child process of T transport returned 3 from command: /a",
        ),
        ("ignore_status", end(3, "x"), "=>"),
        ("return_output", end(0, "x\n"), "** return message generatedx\n"),
        (
            "return_fail_output",
            end(1, "x\n"),
            "** Child process of T transport returned 1 from command: /ax\n",
        ),
        ("return_fail_output", end(0, "x\n"), "=>"),
        (
            "",
            end(-9, ""),
            "** Child process of T transport (running command \"/a \"b c\"\") was terminated by \
             signal 9 (Killed)",
        ),
        (
            "freeze_signal",
            end(-15, ""),
            "== (0) frozen Child process of T transport (running command \"/a \"b c\"\") was \
             terminated by signal 15 (Terminated)",
        ),
        (
            "freeze_signal\nignore_status\ntemp_errors = *",
            end(-9, ""),
            "== (0) frozen Child process of T transport (running command \"/a \"b c\"\") was \
             terminated by signal 9 (Killed)",
        ),
        ("ignore_status", end(-9, ""), "=>"),
        (
            "",
            end(137, ""),
            "** Child process of T transport returned 137 (could mean shell command ended by \
             signal 9 (Killed)) from command: /a",
        ),
        (
            "",
            Err(PipeFault::Execute(none())),
            "** Child process of T transport returned 127 (could mean unable to exec or command \
             does not exist) from command: /a",
        ),
        ("ignore_status", Err(PipeFault::Execute(none())), "=>"),
        (
            "freeze_exec_fail",
            Err(PipeFault::Execute(none())),
            "== (0) frozen pipe process failed to exec \"/a \"b c\"\"",
        ),
        (
            "freeze_exec_fail\nignore_status\ntemp_errors = *",
            end(127, "x\n"),
            "== (0) frozen pipe process failed to exec \"/a \"b c\"\"",
        ),
        (
            "freeze_exec_fail\nreturn_output",
            end(127, "x\n"),
            "** pipe process failed to exec \"/a \"b c\"\"x\n",
        ),
        ("", Err(PipeFault::Timeout(PipeEnd::default())), "** pipe delivery process timed out"),
        (
            "",
            Err(PipeFault::Timeout(cut(0))),
            "** pipe delivery process timed out (preceded by timeout while writing to pipe)",
        ),
        ("", Ok(cut(0)), "** timeout while writing to pipe"),
        ("ignore_status\ntimeout_defer", Ok(cut(3)), "== (0) timeout while writing to pipe"),
        (
            "",
            Ok(cut(68)),
            "** Child process of T transport returned 68 (could mean host nonexistent) from \
             command: /a (preceded by timeout while writing to pipe)",
        ),
        (
            "timeout_defer",
            Err(PipeFault::Timeout(PipeEnd::default())),
            "== (0) pipe delivery process timed out",
        ),
        (
            "timeout_defer\nreturn_output",
            Err(PipeFault::Timeout(PipeEnd { output: b"x\n".to_vec(), ..PipeEnd::default() })),
            "** pipe delivery process timed outx\n",
        ),
        ("", Err(PipeFault::Directory(none())), "== (2) failed to chdir to /"),
    ] {
        let options = format!("command = /a \"b c\"\n{options}");
        let (outcome, _) = run(&options, &address(), end);
        assert_eq!(said(outcome), text, "{options}");
    }
}
