//! Whoever runs the program, as the sender of what is tested.
//!
//! The sender's address has the domain that local names get, and without a
//! configuration that is the host's name, for which name servers may have to be
//! asked. So nothing of it is put together before a line asks for it.

use eximious::stdlib::options::server_ids;
use eximious::{
    Call, Context, Effects, Fail, Meta, Opt, Settings, Str, TaintRule, Variable, VariableSource,
    World, opt, var,
};
use eximious_mta::smtp::Submitter;

/// Variables that speak of the caller, until something else is set.
pub static VARIABLES: &[Variable] = &[
    variable(
        "sender_address",
        "$sender_address",
        "The envelope's sender: here, whoever runs the program.",
        "`-f` says otherwise; so does a \"From \" line in front of a message. It is empty for a \
         bounce.",
        address,
    ),
    variable(
        "authenticated_sender",
        "$authenticated_sender",
        "The sender that an authenticated client gave with AUTH=: here, whoever runs the program.",
        "`-oMas` says otherwise.",
        address,
    ),
    variable(
        "authenticated_id",
        "$authenticated_id",
        "The name that a client authenticated with: here, that of whoever runs the program.",
        "`-oMai` says otherwise.",
        login,
    ),
    variable(
        "sender_ident",
        "$sender_ident",
        "Who a client says runs it: here, whoever runs the program.",
        "`-oMt` says otherwise.",
        login,
    ),
];

const fn variable(
    name: &'static str,
    syntax: &'static str,
    summary: &'static str,
    docs: &'static str,
    run: fn(&mut Call<'_>) -> Result<Str, Fail>,
) -> Variable {
    Variable {
        meta: Meta::new(name, Effects::HOST, TaintRule::Clean)
            .syntax(syntax)
            .summary(summary)
            .docs(docs)
            .source("specification 11.9"),
        source: VariableSource::Computed(run),
    }
}

/// Who the caller is does not change while the program runs.
#[derive(Default)]
struct Known(Option<Str>);

fn login(call: &mut Call<'_>) -> Result<Str, Fail> {
    if let Some(known) = &call.memory::<Known>().0 {
        return Ok(known.clone());
    }
    let (uid, _) = call.host()?.caller();
    let user = call.users()?.user_by_id(uid);
    let unknown = !matches!(user, Ok(Some(_)));
    let mut name = Str::from(named(user, uid));
    // Until it is known, it may be asked for.
    call.memory::<Known>().0 = Some(name.clone());
    if let Some(text) = call.settings().text(opt::UNKNOWN_LOGIN).filter(|_| unknown)
        && let Ok(login) = call.expand(&text)
    {
        name = login;
        call.memory::<Known>().0 = Some(name.clone());
    }
    Ok(name)
}

fn address(call: &mut Call<'_>) -> Result<Str, Fail> {
    let login = login(call)?;
    let domain = call.value_of(var::QUALIFY_DOMAIN)?;
    Ok(Str::from([login.bytes(), b"@", domain.bytes()].concat()))
}

/// A user's name; the number will do where there is none.
fn named(user: std::io::Result<Option<eximious::world::User>>, uid: u32) -> Vec<u8> {
    match user {
        Ok(Some(user)) => user.name,
        _ => uid.to_string().into_bytes(),
    }
}

/// Whoever runs the program, where the system knows; a user that is only a number
/// has no home.
pub fn user(world: &World) -> Option<eximious::world::User> {
    let (uid, _) = world.host.caller();
    world.users.user_by_id(uid).ok()?
}

/// The full name of whoever runs the program, where it has one.
pub fn full_name(cx: &mut Context) -> Option<Vec<u8>> {
    let Some(user) = user(cx.engine().world()) else {
        return unknown(cx, opt::UNKNOWN_LOGIN).and_then(|_| unknown(cx, opt::UNKNOWN_USERNAME));
    };
    Some(eximious_mta::submission::full_name(cx, &user))
}

/// What an option says of a caller whom the system does not know.
fn unknown(cx: &mut Context, option: Opt<Str>) -> Option<Vec<u8>> {
    let engine = cx.engine().clone();
    let text = engine.settings().text(option)?;
    let value = engine.expand_once(text.bytes(), cx).ok()?;
    Some(value.bytes().to_vec())
}

/// Whoever runs the program, as the one who hands messages in. Where the system does
/// not know who that is, and no option says it, the logs are told so.
pub fn sender(cx: &mut Context) -> Option<Submitter> {
    let world = cx.engine().world();
    let (uid, _) = world.host.caller();
    if user(world).is_none() && unknown(cx, opt::UNKNOWN_LOGIN).is_none() {
        let line = format!("Failed to get user name for uid {uid}");
        cx.engine().world().log.panic(line.as_bytes());
        return None;
    }
    Some(submitter(cx))
}

/// Whoever runs the program, as the one who hands in what is tested: nobody needs a
/// name for that.
pub fn submitter(cx: &mut Context) -> Submitter {
    let name = full_name(cx).unwrap_or_default();
    let named = match user(cx.engine().world()) {
        Some(user) => Some(user.name),
        None => unknown(cx, opt::UNKNOWN_LOGIN),
    };
    let (settings, world) = (cx.engine().settings(), cx.engine().world());
    let (uid, gid) = world.host.caller();
    let login = named.unwrap_or_else(|| uid.to_string().into_bytes());
    let trusted = is_trusted(settings, world);
    Submitter { login, uid, gid, name, called: None, trusted }
}

/// Whether whoever runs the program may say who hands a message in.
pub fn is_trusted(settings: &Settings, world: &World) -> bool {
    let (uid, gid) = world.host.caller();
    uid == 0
        || uid == server_ids(settings, &*world.users, &*world.host).0
        || settings.get(opt::TRUSTED_USERS).0.contains(&uid)
        || settings.get(opt::TRUSTED_GROUPS).0.iter().any(|one| *one == gid || has_group(*one))
}

/// Whether whoever runs the program administrates the mail server: the superuser does, the
/// mail server's user and group do, and who has one of `admin_groups` beside its own.
pub fn is_admin(settings: &Settings, world: &World) -> bool {
    let (uid, gid) = server_ids(settings, &*world.users, &*world.host);
    let own = world.host.caller();
    own.0 == 0
        || own.0 == uid
        || own.1 == gid
        || has_group(gid)
        || settings.get(opt::ADMIN_GROUPS).0.iter().any(|group| has_group(*group))
}

/// Whether whoever runs the program is the superuser, or the mail server's user.
pub fn is_server(settings: &Settings, world: &World) -> bool {
    let (uid, _) = server_ids(settings, &*world.users, &*world.host);
    let (own, _) = world.host.caller();
    own == 0 || own == uid
}

/// Whether what the program has it do is none of whoever runs it: it has the mail server's
/// rights for it, and was not called by who administrates that.
pub fn is_told_little(settings: &Settings, world: &World) -> bool {
    world.host.ids().0 != world.host.caller().0 && !is_admin(settings, world)
}

/// What is said to whoever may not name a file for the daemon's process (`-oP`, `-oPX`): only
/// the superuser and the mail server's user may.
pub fn refused_pid_file(settings: &Settings, world: &World) -> Option<Vec<u8>> {
    let (server, _) = server_ids(settings, &*world.users, &*world.host);
    let own = world.host.caller().0;
    let lent = eximious_world::rights::caller().is_lent_rights;
    let effective = if lent { 0 } else { own };
    let line = format!(
        "exim: only uid=0 or uid={server} can use -oP and -oPX \
         (uid={own} euid={effective} | {own})"
    );
    (own != 0 && own != server).then(|| line.into_bytes())
}

/// Whether the process that runs the program has a group beside its own. Who is a member of
/// it by the list of groups may have given it up.
fn has_group(group: u32) -> bool {
    eximious_world::rights::caller().groups.contains(&group)
}
