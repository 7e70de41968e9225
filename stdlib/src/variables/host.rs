//! Variables of this host and process.

use eximious_core::trace::{Happening, TraceKinds};
use eximious_core::{Call, Fail, Settings, Str, Variable};

use super::record::computed;

use crate::options::{self, opt};

/// The records.
pub static ALL: &[Variable] = &[
    computed!(
        "caller_gid",
        HOST,
        Clean,
        "The group of the user that started the program, as a number.",
        |call| Ok(Str::from(call.host()?.caller().1.to_string()))
    ),
    computed!(
        "caller_uid",
        HOST,
        Clean,
        "The user that started the program, as a number.",
        |call| Ok(Str::from(call.host()?.caller().0.to_string()))
    ),
    computed!(
        "exim_gid",
        HOST,
        Clean,
        "The group that a mail server runs as, as a number.",
        |call| { Ok(Str::from(server_ids(call)?.1.to_string())) }
    ),
    computed!(
        "exim_uid",
        HOST,
        Clean,
        "The user that a mail server runs as, as a number.",
        |call| Ok(Str::from(server_ids(call)?.0.to_string())),
        docs(
            "What `exim_user` says; without it the user `Debian-exim`, where there is one, else \
             the user that the program runs as."
        )
    ),
    computed!(
        "initial_cwd",
        HOST,
        Clean,
        "The working directory at the start of the program, as a full path.",
        |call| Ok(Str::from(call.host()?.directory()))
    ),
    computed!(
        "load_average",
        HOST,
        Clean,
        "The load average of the last minute, times 1000.",
        |call| {
            let load = call.host()?.load();
            if call.watched(TraceKinds::LOAD) {
                let text = format!("system load average = {load}");
                let kind = TraceKinds::LOAD;
                call.trace().tell(Happening::Note { kind, text: text.as_bytes() });
            }
            Ok(Str::from(load.to_string()))
        },
        docs(
            "A whole number: 210 for a load of 0.21. It is read anew at each reference: \
             `defer condition = ${if >{$load_average}{8000}}`."
        )
    ),
    computed!(
        "log_inodes",
        HOST,
        Clean,
        "Free inodes where the log files lie; -1 where they are not counted.",
        |call| Ok(number(room(call, options::log_directory)?.map(|room| room.inodes)))
    ),
    computed!(
        "log_space",
        HOST,
        Clean,
        "Free kilobytes where the log files lie; -1 where nobody knows.",
        |call| Ok(number(room(call, options::log_directory)?.map(|room| room.kilobytes)))
    ),
    computed!(
        "originator_gid",
        HOST,
        Clean,
        "The group of the user that the message came from, as a number.",
        |call| Ok(Str::from(call.host()?.caller().1.to_string()))
    ),
    computed!(
        "originator_uid",
        HOST,
        Clean,
        "The user that the message came from, as a number.",
        |call| Ok(Str::from(call.host()?.caller().0.to_string())),
        docs(
            "`$caller_uid` as it was when the message was received. For a message that came \
             over the network it is mostly the server's own user."
        )
    ),
    computed!("pid", HOST, Clean, "The number of this process.", |call| {
        Ok(Str::from(call.host()?.pid().to_string()))
    }),
    computed!(
        "primary_hostname",
        HOST,
        Clean,
        "The name of this host, as configured or as the system says.",
        primary_hostname,
        docs(
            "The option `primary_hostname`, else what the system calls itself; where that is a \
             single word, the name service is asked for the full name. It is what HELO says and \
             what message ids end in, unless options say otherwise; `$qualify_domain` defaults \
             to it. A host with several names uses `$smtp_active_hostname`."
        )
    ),
    computed!(
        "qualify_domain",
        HOST,
        Clean,
        "The domain that is added to a sender's address without one.",
        qualify_domain,
        docs("The option `qualify_domain`, else `$primary_hostname`.")
    ),
    computed!(
        "qualify_recipient",
        HOST,
        Clean,
        "The domain that is added to a recipient's address without one.",
        |call| match call.settings().given(opt::QUALIFY_RECIPIENT) {
            Some(domain) => Ok(domain),
            None => qualify_domain(call),
        },
        docs("The option `qualify_recipient`, else `$qualify_domain`.")
    ),
    computed!(
        "queue_size",
        HOST,
        Clean,
        "How many messages are queued, as the daemon says; empty without a daemon.",
        queue_size,
        since("4.94"),
        docs(
            "The daemon is asked at each reference, through its `notifier_socket`, and counts \
             once in a minute at the most. Where it does not answer within a second, the value \
             is empty, too."
        )
    ),
    computed!(
        "smtp_active_hostname",
        HOST,
        Clean,
        "The name by which this host goes in the SMTP connection at hand.",
        primary_hostname,
        docs(
            "The option `smtp_active_hostname`, expanded when a connection comes in, so that a \
             host with several addresses has a name for each; else `$primary_hostname`. It is \
             saved with the message."
        )
    ),
    computed!(
        "spool_inodes",
        HOST,
        Clean,
        "Free inodes where the queue lies; -1 where they are not counted.",
        |call| Ok(number(room(call, spool_directory)?.map(|room| room.inodes)))
    ),
    computed!(
        "spool_space",
        HOST,
        Clean,
        "Free kilobytes where the queue lies; -1 where nobody knows.",
        |call| Ok(number(room(call, spool_directory)?.map(|room| room.kilobytes))),
        docs(
            "Read anew at each reference: `defer condition = ${if <{$spool_space}{50000}}` \
             refuses mail while less than 50 megabytes are free. `check_spool_space` does so \
             without an ACL."
        )
    ),
];

fn primary_hostname(call: &mut Call<'_>) -> Result<Str, Fail> {
    match call.settings().given(opt::PRIMARY_HOSTNAME) {
        Some(name) => Ok(name),
        None => Ok(Str::from(call.host()?.name())),
    }
}

fn qualify_domain(call: &mut Call<'_>) -> Result<Str, Fail> {
    match call.settings().given(opt::QUALIFY_DOMAIN) {
        Some(domain) => Ok(domain),
        None => primary_hostname(call),
    }
}

fn queue_size(call: &mut Call<'_>) -> Result<Str, Fail> {
    let name = call.settings().get(opt::NOTIFIER_SOCKET);
    // Where that is wrong, there is no socket either.
    let name = call.expand(&name).unwrap_or_default();
    if name.is_empty() {
        return Ok(Str::EMPTY);
    }
    let (server, _) = server_ids(call)?;
    let queued = call.host()?.queued(name.bytes(), server);
    Ok(queued.map(|count| Str::from(count.to_string())).unwrap_or_default())
}

fn server_ids(call: &mut Call<'_>) -> Result<(u32, u32), Fail> {
    let (users, host) = (call.users()?, call.host()?);
    Ok(options::server_ids(call.settings(), &*users, &*host))
}

fn spool_directory(settings: &Settings) -> Option<Vec<u8>> {
    Some(settings.get(opt::SPOOL_DIRECTORY).bytes().to_vec())
}

fn room(
    call: &mut Call<'_>,
    directory: fn(&Settings) -> Option<Vec<u8>>,
) -> Result<Option<eximious_core::world::Room>, Fail> {
    let host = call.host()?;
    Ok(directory(call.settings()).and_then(|path| host.room(&path).ok()))
}

fn number(value: Option<i64>) -> Str {
    Str::from(value.unwrap_or(-1).to_string())
}
