//! `redis`: commands for a Redis server.

use eximious_core::grammar::expansion::LookupStyle;
use eximious_core::grammar::is_space;
use eximious_core::world::{RedisReply, Server, ServerAddress, ServerError};
use eximious_core::{
    Call, Effects, Example, LookupDef, LookupFail, LookupFind, LookupQuery, Meta, Str, TaintRule,
};

use super::cache::Cache;
use super::quoting;
use super::servers::{self, Attempt, Kind};

use crate::options::opt;

/// `${lookup redis{get key}}`.
pub static REDIS: LookupDef = LookupDef {
    meta: Meta::new("redis", Effects::LOOKUP.union(Effects::NET), TaintRule::Clean)
        .syntax("${lookup redis,servers=<servers>{<command>}}")
        .summary("A command for a Redis or Valkey server.")
        .docs(
            "The command is any that the server knows, not only `get` and `set`. It is split at \
             white space. A backslash makes the next character part of a word, whatever it is: \
             `${quote_redis:…}` writes text from outside so. Quotes have no meaning, and a word is \
             never empty. Without a command the lookup fails.\n\n\
             The servers are those of `redis_servers`, or of the option `servers=`: \
             `host::port/database/password`, or `(/path/of/a/socket)/database/password`. The port \
             is 6379 if it is not given; the number of the database and the password may be \
             empty, but not their slashes. The servers are tried in turn, until one does what it is \
             asked: the next one where one can't be reached or breaks off, and also where one \
             refuses the command, as those of a cluster do that do not have a key. So all servers \
             of a cluster are to be listed, and no others beside them. The last refusal is the \
             lookup's.\n\n\
             A string or a status is given as it is, a number as `true`, or `false` where it is \
             zero. An array, with all arrays in it, is given as its elements with a newline \
             between them, numbers as they are; `<\\n ${lookup redis{smembers …}}` makes a list of \
             a set. What is not there is empty, and found nevertheless: the lookup does not fail, and \
             as an element of a list it matches.\n\n\
             Results are kept like those of other lookups, but only of commands that do nothing \
             but read: after any other, what is known of Redis is forgotten. A connection is used \
             again; after a command that changes the connection itself, such as `select` or \
             `multi`, only in the same thread.",
        )
        .examples(&[
            Example::new(
                "${lookup redis{get ${quote_redis:a key}}}",
                "Failed: lookup of \"get a\\ key\" gave DEFER: no Redis servers defined \
                 (redis_servers option)",
            ),
            Example::new(
                "${lookup redis,servers=kv.example {get key}}",
                "Failed: lookup of \"get key\" gave DEFER: Redis server \"kv.example\" not found \
                 in redis_servers",
            ),
            Example::new("${lookup redis,servers=127.0.0.1/0/ {}{found}{nothing}}", "nothing"),
        ])
        .source("specification 9.4.8, 9.13.1, 9.13.2, 9.13.6"),
    style: LookupStyle::Query,
    wants_file: false,
    quote: Some(quoting::redis),
    find: LookupFind::Plain(run),
};

static KIND: Kind = Kind { name: "Redis", option: opt::REDIS_SERVERS, named_in_queries: true };

/// How many words a command has at the most: a server takes no more.
const MOST_WORDS: usize = 1 << 20;

fn run(call: &mut Call<'_>, query: &LookupQuery) -> Result<Option<Str>, LookupFail> {
    servers::ask(call, &KIND, query, |call, server, command| {
        let server = server_of(server)?;
        let words = words(command);
        if words.is_empty() {
            return Ok(None);
        }
        if words.len() > MOST_WORDS {
            return Err(Attempt::Stop(b"REDIS: too many words in a command".to_vec()));
        }
        let client = call.redis()?;
        let within = call.bounds().command;
        if !only_reads(&words[0]) {
            call.memory::<Cache>().written = true;
        }
        let reply = client.command(&server, &words, within).map_err(broken)?;
        text_of(reply).map(|text| Some(Str::from(text)))
    })
}

/// The server that an element of a list describes.
fn server_of(element: &[u8]) -> Result<Server, Attempt> {
    let unusable =
        |what: &[u8], shown: &[u8]| Attempt::Stop([what, b" Redis server data: ", shown].concat());
    let (host, [database, password]) =
        servers::parts(element).map_err(|shown| unusable(b"incomplete", shown))?;
    Ok(Server {
        address: address(host).ok_or_else(|| unusable(b"wrong", host))?,
        database: database.to_vec(),
        user: Vec::new(),
        password: password.to_vec(),
        group: None,
        environment: Vec::new(),
    })
}

/// Where a server listens; a socket in parentheses counts more than a host
/// before it.
fn address(text: &[u8]) -> Option<ServerAddress> {
    if let Some(open) = memchr::memchr(b'(', text) {
        let path = text[open + 1..].strip_suffix(b")")?;
        return (!path.is_empty()).then(|| ServerAddress::Unix(path.to_vec()));
    }
    let (host, port) = servers::host_and_port(text);
    let port = match port {
        Some(digits) => Some(std::str::from_utf8(digits).ok()?.parse().ok()?),
        None => None,
    };
    let host = std::str::from_utf8(host).ok().filter(|host| !host.is_empty())?;
    Some(ServerAddress::Tcp { host: host.to_owned(), port })
}

/// Splits a command at white space that no backslash stands before.
fn words(command: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word = Vec::new();
    let mut bytes = command.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            // One that nothing follows stands for itself.
            b'\\' => word.push(*bytes.next().unwrap_or(byte)),
            byte if !is_space(*byte) => word.push(*byte),
            _ if word.is_empty() => {}
            _ => words.push(std::mem::take(&mut word)),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Why there is no reply, in Exim's form.
fn broken(error: ServerError) -> Attempt {
    match error {
        ServerError::Connect(why) => {
            Attempt::Next(format!("REDIS connection failed: {why}").into_bytes())
        }
        ServerError::Broken(why) => failed(why.as_bytes()),
        ServerError::Refused(why) => failed(&why),
        ServerError::TooMuch => failed(b"the reply is too long"),
        ServerError::Unavailable => servers::no_client(&KIND),
    }
}

/// As for all types that ask servers, whatever goes wrong at one of them is no
/// reason not to ask the next: so the server of a cluster is found that has a
/// key.
fn failed(why: &[u8]) -> Attempt {
    Attempt::Next([b"REDIS: lookup result failed: ", why, b"\n"].concat())
}

/// A reply as text.
fn text_of(reply: RedisReply) -> Result<Vec<u8>, Attempt> {
    Ok(match reply {
        RedisReply::Nil => Vec::new(),
        RedisReply::Integer(0) => b"false".to_vec(),
        RedisReply::Integer(_) => b"true".to_vec(),
        RedisReply::Status(text) | RedisReply::Bulk(text) => text,
        RedisReply::Error(words) => return Err(failed(&words)),
        RedisReply::Array(elements) => {
            let mut out = Vec::new();
            push_elements(elements, &mut out);
            out
        }
    })
}

/// The elements of an array and of those in it. How deep they stand in each
/// other is bounded by the client.
fn push_elements(elements: Vec<RedisReply>, out: &mut Vec<u8>) {
    for (index, element) in elements.into_iter().enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        match element {
            RedisReply::Nil => {}
            RedisReply::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            RedisReply::Status(text) | RedisReply::Bulk(text) | RedisReply::Error(text) => {
                out.extend_from_slice(&text);
            }
            RedisReply::Array(elements) => push_elements(elements, out),
        }
    }
}

/// Whether a command changes nothing, and would be answered in the same way
/// again as long as nothing else does.
fn only_reads(name: &[u8]) -> bool {
    READING.binary_search(&&name.to_ascii_uppercase()[..]).is_ok()
}

/// Commands that only read, sorted.
const READING: &[&[u8]] = &[
    b"BITCOUNT",
    b"BITFIELD_RO",
    b"BITPOS",
    b"EVALSHA_RO",
    b"EVAL_RO",
    b"EXISTS",
    b"EXPIRETIME",
    b"FCALL_RO",
    b"GEODIST",
    b"GEOHASH",
    b"GEOPOS",
    b"GEORADIUSBYMEMBER_RO",
    b"GEORADIUS_RO",
    b"GEOSEARCH",
    b"GET",
    b"GETBIT",
    b"GETRANGE",
    b"HEXISTS",
    b"HGET",
    b"HGETALL",
    b"HKEYS",
    b"HLEN",
    b"HMGET",
    b"HSTRLEN",
    b"HVALS",
    b"KEYS",
    b"LCS",
    b"LINDEX",
    b"LLEN",
    b"LPOS",
    b"LRANGE",
    b"MGET",
    b"PEXPIRETIME",
    b"PFCOUNT",
    b"SCARD",
    b"SDIFF",
    b"SINTER",
    b"SINTERCARD",
    b"SISMEMBER",
    b"SMEMBERS",
    b"SMISMEMBER",
    b"SORT_RO",
    b"STRLEN",
    b"SUBSTR",
    b"SUNION",
    b"TYPE",
    b"XLEN",
    b"XRANGE",
    b"XREVRANGE",
    b"ZCARD",
    b"ZCOUNT",
    b"ZDIFF",
    b"ZINTER",
    b"ZINTERCARD",
    b"ZLEXCOUNT",
    b"ZMSCORE",
    b"ZRANGE",
    b"ZRANGEBYLEX",
    b"ZRANGEBYSCORE",
    b"ZRANK",
    b"ZREVRANGE",
    b"ZREVRANGEBYLEX",
    b"ZREVRANGEBYSCORE",
    b"ZREVRANK",
    b"ZSCORE",
    b"ZUNION",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check_words(command: &str, wanted: &[&str]) {
        let words = words(command.as_bytes());
        let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
        assert_eq!(words, wanted, "{command}");
    }

    #[test]
    fn a_command_is_split_at_white_space() {
        check_words("", &[]);
        check_words(" \t\r\n\x0b\x0c ", &[]);
        check_words("get key", &["get", "key"]);
        check_words("  get\t\n key ", &["get", "key"]);
        check_words("set k \"two words\"", &["set", "k", "\"two", "words\""]);
        check_words("set k 'it''s'", &["set", "k", "'it''s'"]);
        check_words("set k a\\ b\\\\c", &["set", "k", "a b\\c"]);
        check_words("set k \\ ", &["set", "k", " "]);
        check_words("set k \\\n\\x\\\"", &["set", "k", "\nx\""]);
        check_words("set k a\\", &["set", "k", "a\\"]);
        check_words("\\", &["\\"]);
    }

    #[test]
    fn what_is_quoted_is_one_word() {
        for byte in 0..=u8::MAX {
            for text in [vec![byte], vec![b'\\', byte], vec![byte, b'a', byte]] {
                let command = [b"set k ", &quoting::redis(&text)[..], b" x"].concat();
                assert_eq!(words(&command), [&b"set"[..], b"k", &text, b"x"]);
            }
        }
    }

    fn check_address(text: &str, wanted: Option<(&str, Option<u16>)>) {
        let wanted = wanted.map(|(host, port)| match host.strip_prefix("unix:") {
            Some(path) => ServerAddress::Unix(path.into()),
            None => ServerAddress::Tcp { host: host.to_owned(), port },
        });
        assert_eq!(address(text.as_bytes()), wanted, "{text}");
    }

    #[test]
    fn a_server_listens_at_a_port_or_a_path() {
        check_address("127.0.0.1", Some(("127.0.0.1", None)));
        check_address("127.0.0.1:6380", Some(("127.0.0.1", Some(6380))));
        check_address("::1.6380", Some(("::1", Some(6380))));
        check_address("(/run/redis/redis.sock)", Some(("unix:/run/redis/redis.sock", None)));
        check_address("localhost(/run/r)", Some(("unix:/run/r", None)));
        for text in ["", ":1", "h:", "h:x", "h:65536", "h:-1", "(", "()", "(/run/r", "(/run/r)x"] {
            check_address(text, None);
        }
    }

    #[test]
    fn reading_commands_are_sorted() {
        assert!(READING.is_sorted());
        assert!(only_reads(b"hGet") && !only_reads(b"HSET") && !only_reads(b""));
    }
}
