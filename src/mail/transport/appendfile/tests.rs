use std::sync::Arc;

use eximious_core::world::Fixture;
use eximious_core::world::mailbox::{
    MailboxDone, MailboxFault, MailboxFaultKind, MailboxFile, MailboxForm, MailboxOrder,
    MailboxSupply, Mailboxes, fault,
};
use eximious_core::{Header, Message, Str};
use eximious_stdlib::variables::var;

use crate::mail::route::{Address, Delivery, DeliveryTarget, HomeDirectory, Routes};
use crate::mail::transport::{Consignment, Delivered, Outcome};
use crate::{Config, Engine, Macros};

fn message() -> Message {
    let mut message = Message::new(vec![Header::new("Subject: a\n")], "From here\nb\n");
    message.size = 24;
    message.id = Str::fixed("1xUxBi-0000000039L-0Eea");
    message.sender = Str::tainted(&b"s@sender.example"[..]);
    message
}

fn to(address: &str, target: DeliveryTarget) -> Delivery {
    let address = Address::new(Str::tainted(address.as_bytes()));
    let home = Some(HomeDirectory::Known(Str::fixed("/home/u")));
    Delivery { target, home, ..Delivery::new(address, 0, Some(0)) }
}

/// Mailboxes that begin in the first way that an order knows.
struct Begun(Arc<dyn Mailboxes>);

impl Mailboxes for Begun {
    fn write(
        &self,
        order: &MailboxOrder,
        supply: &mut dyn MailboxSupply,
    ) -> Result<MailboxDone, MailboxFault> {
        if let MailboxForm::File(MailboxFile { formats: Some(formats), .. }) = &order.form {
            let kind = match formats.first() {
                None => MailboxFaultKind::Any,
                Some((_, false)) => return self.0.write(order, supply),
                Some((_, true)) => MailboxFaultKind::Format(0),
            };
            return Err(MailboxFault { kind, ..MailboxFault::new(fault::NO_FORMAT, "begun") });
        }
        self.0.write(order, supply)
    }
}

/// What comes of a message to two addresses by a transport with these options.
fn deliver_to(fixture: &Fixture, options: &str, deliveries: &[&Delivery]) -> Vec<Outcome> {
    let options = options.lines().map(|line| format!("  {}\n", line.trim())).collect::<String>();
    let text = format!(
        "primary_hostname = mx.example\nbegin transports\nT:\n  driver = appendfile\n{options}"
    );
    let mut world = fixture.clone().file("/c", text).world();
    world.mailboxes = Arc::new(Begun(world.mailboxes));
    let builder = Engine::builder().world(world.clone());
    let config = Config::read(b"/c", Macros::new(), &world, builder.registry()).unwrap();
    let engine = config.build(builder);
    let routes = Routes::new(&config, engine.registry(), &world);
    let mut cx = engine.context();
    cx.set_var(var::RETURN_PATH, Str::tainted(&b"s@sender.example"[..]));
    cx.set_var(var::LOCAL_PART, deliveries[0].address.local_part.clone());
    cx.set_var(var::MESSAGE_SIZE, "24");
    let message = message();
    let consignment = Consignment {
        return_path: Str::tainted(&b"s@sender.example"[..]),
        now: 1_000_000_000,
        hand_in: &|_, _, _| 0,
        ..Consignment::new(&message, deliveries)
    };
    routes.deliver(&mut cx, 0, consignment).unwrap().outcomes
}

fn deliver(fixture: &Fixture, options: &str) -> Result<Delivered, String> {
    let address = to("u@example", DeliveryTarget::Address);
    match deliver_to(fixture, options, &[&address]).remove(0) {
        Outcome::Delivered(delivered) => Ok(delivered),
        Outcome::Deferred(why) => {
            Err(format!("{} {}", why.number, String::from_utf8_lossy(&why.message)))
        }
        Outcome::Failed(why) => panic!("{why:?}"),
    }
}

/// What a file says.
fn file(fixture: &Fixture, path: &str) -> String {
    let bytes = fixture.world().files.read(path.as_bytes(), 1 << 20).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The file that a transport with these options writes.
fn written(options: &str, path: &str) -> String {
    let fixture = Fixture::new();
    deliver(&fixture, options).unwrap();
    file(&fixture, path)
}

#[test]
fn a_file_has_what_surrounds_messages() {
    let fixture = Fixture::new();
    let one = "From s@sender.example Sun Sep 09 01:46:40 2001\nSubject: a\n\n>From here\nb\n\n";
    for number in 1..3 {
        let delivered = deliver(&fixture, "file = /box/mbox").unwrap();
        assert_eq!(delivered.size, Some(one.len() as u64));
        assert_eq!(file(&fixture, "/box/mbox"), one.repeat(number));
    }
    assert_eq!(
        written(
            "file = /f\nmessage_prefix = A\\n\nmessage_suffix = \ncheck_string = b\nescape_string = c",
            "/f"
        ),
        "A\nSubject: a\n\nFrom here\nc\n"
    );
    assert_eq!(
        written("file = /f\nuse_bsmtp\nuse_crlf\nreturn_path_add\nenvelope_to_add", "/f"),
        "MAIL FROM:<s@sender.example>\r\nRCPT TO:<u@example>\r\nDATA\r\nReturn-path: \
         <s@sender.example>\r\nEnvelope-to: u@example\r\nSubject: a\r\n\r\nFrom here\r\nb\r\n.\r\n"
    );
    assert_eq!(
        written("file = /f\nmbx_format\nmessage_prefix =\nmessage_suffix =", "/f"),
        " 9-Sep-2001 01:46:40 +0000,29;000000000000-00000000\r\nSubject: a\r\n\r\n>From here\r\nb\r\n"
    );
}

#[test]
fn directories_have_files_with_names() {
    let plain = "Subject: a\n\nFrom here\nb\n";
    assert_eq!(written("directory = /d\nmaildir_format", "/d/new/1.mx.example"), plain);
    let tag = "directory = /d\nmaildir_format\nmaildir_tag = ,S=$message_size";
    assert_eq!(written(tag, "/d/new/1.mx.example,S=24"), plain);
    let tag = "directory = /d\nmaildir_format\nmaildir_tag = a /b\\n";
    assert_eq!(written(tag, "/d/new/1.mx.example:ab"), plain);
    assert_eq!(written("directory = /d/", "/d/q15ftgG-1"), plain);
    assert_eq!(written("directory = /d\ndirectory_file = x$inode", "/d/x1"), plain);
    let store = "directory = /d\nmailstore_format\nmailstore_prefix = pre\n\
                 mailstore_suffix = $mailstore_basename";
    let base = "/d/1xUxBi-0000000039L-0Eea";
    assert_eq!(written(store, &format!("{base}.msg")), plain);
    assert_eq!(
        written(store, &format!("{base}.env")),
        format!("pre\ns@sender.example\nu@example\n{base}\n")
    );
}

#[test]
fn what_makes_no_sense_is_said() {
    for (options, said) in [
        ("", "-1 Mandatory file or directory option missing from T transport"),
        (
            "file = /x/$local_part",
            "-1 Tainted '/x/u' (file or directory name for T transport) not permitted",
        ),
        ("file = box/x", "-21 appendfile: file or directory name \"box/x\" is not absolute"),
        (
            "file = ${nosuch}",
            "-1 Expansion of \"${nosuch}\" (file or directory name for T transport) failed: \
             unknown variable in \"${nosuch}\"",
        ),
        (
            "file = /x\nmessage_prefix = ${nosuch}",
            "-27 Expansion of \"${nosuch}\" (prefix for T transport) failed",
        ),
        (
            "file = /x\nquota = abc",
            "-1 Malformed value \"abc\" (expansion of \"abc\") in T transport",
        ),
        (
            "file = /x\nquota = 50%",
            "-1 Malformed value \"50%\" (expansion of \"50%\") in T transport",
        ),
        (
            "directory = /x\nquota = 1K\nquota_filecount = 2147483648",
            "-1 quota_filecount value 2147483648 is too large (overflow) in T transport",
        ),
        (
            "directory = /x\nmaildir_format\nquota = 900\nquota_directory =",
            "-21 appendfile: quota_directory name \"\" is not absolute",
        ),
        (
            "directory = /x\ndirectory_file = ${if eq{a}{b}{x}fail}",
            "0 Expansion of \"${if eq{a}{b}{x}fail}\" (directory_file for T transport) failed: \
             \"if\" failed and \"fail\" requested",
        ),
        (
            "file = /x\nquota = ${nosuch}",
            "-1 Expansion of \"${nosuch}\" in T transport failed: unknown variable in \
             \"${nosuch}\"",
        ),
        (
            "directory = /x\nmaildir_format\nmaildir_tag = ${nosuch}",
            "-1 Expansion of \"${nosuch}\" (maildir_tag for T transport) failed: unknown \
             variable in \"${nosuch}\"",
        ),
        (
            "directory = /x\ndirectory_file = ${nosuch}",
            "0 Expansion of \"${nosuch}\" (directory_file for T transport) failed: unknown \
             variable in \"${nosuch}\"",
        ),
        (
            "directory = /x\nmailstore_format\nmailstore_prefix = ${nosuch}",
            "-1 Expansion of \"${nosuch}\" (mailstore prefix for T transport) failed: unknown \
             variable in \"${nosuch}\"",
        ),
        (
            "directory = /x\nmaildir_format\nmaildirfolder_create_regex = (",
            "-1 regular expression error in \"(\": missing closing parenthesis at offset 1",
        ),
    ] {
        assert_eq!(deliver(&Fixture::new(), options).unwrap_err(), said, "{options}");
    }
    // What has to be below a directory may come from anybody.
    for word in ["belowhome", "/home/u"] {
        let below = format!("create_file = {word}\nfile = /home/u");
        assert!(deliver(&Fixture::new(), &format!("{below}/$local_part")).is_ok());
        assert!(deliver(&Fixture::new(), &format!("{below}/../$local_part")).is_err());
    }
    assert!(deliver(&Fixture::new(), "create_file = inhome\nfile = /home/u/$local_part").is_err());
    for (word, place) in [("belowhome", "/home/u/../"), ("inhome", "/home/u/"), ("/a", "/b/")] {
        let options = format!("create_file = {word}\ndirectory = {place}$local_part");
        let said = format!(
            "-34 tried to create file in {place}u, but file creation outside the home directory is \
             not permitted"
        );
        assert_eq!(deliver(&Fixture::new(), &options).unwrap_err(), said);
    }
}

#[test]
fn an_address_may_be_a_file() {
    let target = || DeliveryTarget::File { mode: Some(0o640) };
    let mut address = to("x", target());
    address.address.text = Str::fixed("/home/u/mail/a");
    let fixture = Fixture::new();
    let done = deliver_to(&fixture, "", &[&address]);
    assert!(matches!(done[..], [Outcome::Delivered(_)]), "{done:?}");
    assert!(file(&fixture, "/home/u/mail/a").starts_with("From s@"));
    address.address.text = Str::fixed("/home/u/mail/");
    deliver_to(&fixture, "maildir_format", &[&address]);
    assert!(fixture.asked().contains(&"write /home/u/mail".to_owned()));
    // The transport may say another one, which is told then.
    address.address.text = Str::fixed("/home/u/mail/");
    for (options, told) in [
        ("file = /f", Some("/f")),
        ("directory = /d\nmaildir_format", Some("/d")),
        ("directory = /d/", Some("/d/")),
        ("directory = /home/u/mail", Some("/home/u/mail")),
        ("directory = /home/u/mail/", None),
    ] {
        let done = deliver_to(&Fixture::new(), options, &[&address]).remove(0);
        let Outcome::Delivered(done) = done else { panic!("{done:?}") };
        assert_eq!(done.file.as_deref(), told.map(str::as_bytes), "{options}");
    }
    let store = Fixture::new();
    deliver_to(&store, "directory = /d\nmailstore_format", &[&address]);
    assert!(file(&store, "/d/1xUxBi-0000000039L-0Eea.env").ends_with("\n/d\n"));
    // Several at once have one file, and the same outcome.
    let two = [to("u@example", DeliveryTarget::Address), to("v@example", DeliveryTarget::Address)];
    let done = deliver_to(&fixture, "file = /b\nuse_bsmtp", &[&two[0], &two[1]]);
    assert_eq!(done.len(), 2);
    assert!(file(&fixture, "/b").contains("RCPT TO:<u@example>\nRCPT TO:<v@example>\n"));
    // The envelope's lines are no part of what ends as MBX files have it.
    deliver_to(&fixture, "file = /m\nuse_bsmtp\nmbx_format", &[&two[0]]);
    assert!(file(&fixture, "/m").contains("RCPT TO:<u@example>\nDATA\nSubject: a\r\n"));
}

#[test]
fn an_owner_is_warned_once() {
    let fixture = Fixture::new();
    let options = "file = /b\nquota = 1K\nquota_warn_threshold = 9%\n\
                   quota_warn_message = To: $local_part\\n\\nfull\\n";
    let warnings = [(); 4].map(|()| deliver(&fixture, options).unwrap().warning);
    let warning = Some(b"To: u\n\nfull\n".to_vec());
    assert_eq!(warnings, [None, warning, None, None]);
    let fixture = Fixture::new();
    let options = "file = /b\nquota_warn_threshold = 9\nquota_warn_message =";
    assert_eq!(deliver(&fixture, options).unwrap().warning, Some(Vec::new()));
}

#[test]
fn a_format_may_be_another_transports() {
    let deliver = |other: &str| {
        let options = "file = /b\ntransport_filter = /nowhere\nfile_format";
        deliver(&Fixture::new(), &format!("{options} = From : U\n\nU:\ndriver = {other}"))
    };
    // Whatever the other one is, it is asked, where it needs no host.
    for (other, said) in [
        ("appendfile", "-1 Mandatory file or directory option missing from U transport"),
        ("lmtp\ncommand =", "-1 LMTP connection closed after initial connection"),
        (
            "autoreply\nto = a@b.example\nnever_mail = lsearch;/nowhere",
            "-1 failed to open /nowhere for linear search: No such file or directory",
        ),
        ("smtp\nhosts = x", "-30 U transport (for From format) not found"),
    ] {
        assert_eq!(deliver(other).unwrap_err(), said, "{other}");
    }
    // What the message goes through stays the first one's command.
    let said = deliver("appendfile\nfile = /o").unwrap_err();
    assert_eq!(said, "32 error while writing");
    // No format at all is none that is known.
    let none = super::tests::deliver(&Fixture::new(), "file = /b\nfile_format =");
    assert_eq!(none.unwrap_err(), "-33 begun");
}
