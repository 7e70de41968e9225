//! The words that lines are made of.

use super::Sort;

#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "a", "b", "abc", "ABC", "x y", "", " ", "foo", "bar", "yes", "no", "true", "fail", "0", "1",
    "a=1 b=2", "k=\"v w\" z", "user@example.com", "Some One <u@h.org>", "a:b:c", "x,y", "1:22:3",
    "=", "@", ",", ":", "::", ";", "-", "+", "%41", "#", "~", "^", "*", "'q'", "\"", "a\\x20b",
    "\\t", "\\n", "\\xe9", "\\xc3\\xa9", "\\xff", "\\$", "\\}", "\\{", "\\\\", "\\N$x\\N", "\\101",
    "long text with several words in it, and a comma", "10.1.2.3", "::1", "{", "(", ")", "[]",
    "example.com", "é", "=?utf-8?q?x?=", "SRS0=a=b=c=d", "aGVsbG8=", "00ff", "\\r", "<", ">", "|",
];

#[rustfmt::skip]
pub(super) const VARIABLES: &[&str] = &[
    "$value", "$item", "$0", "$1", "$2", "${1}", "$acl_m_x", "$acl_c1", "$local_part", "$domain",
    "$sender_address", "$primary_hostname", "$h_subject:", "$h_x", "$rh_to:", "$nosuch",
    "${nosuch}", "$auth1", "$recipients_count", "$sender_host_address", "$runrc", "${domain}",
    "$message_size", "$tls_in_cipher", "$sn1", "$n0", "$r_x", "$", "${", "$h_a}", "${h_b:}",
    "$acl_x", "$regex1", "$acl_arg1", "$sender_helo_name",
];

#[rustfmt::skip]
pub(super) const PLAIN_OPERATORS: &[(&str, Sort)] = &[
    ("address", Sort::Address), ("addresses", Sort::Address), ("base32", Sort::Number),
    ("base32d", Sort::Key), ("base62", Sort::Number), ("base62d", Sort::Key),
    ("base64", Sort::Any), ("base64d", Sort::Any), ("domain", Sort::Address),
    ("escape", Sort::Any), ("escape8bit", Sort::Any), ("eval", Sort::Number),
    ("eval10", Sort::Number), ("expand", Sort::Any), ("from_utf8", Sort::Any), ("hash", Sort::Any),
    ("h", Sort::Any), ("headerwrap", Sort::Any), ("hex2b64", Sort::Hex), ("hexquote", Sort::Any),
    ("ipv6denorm", Sort::Ip), ("ipv6norm", Sort::Ip), ("l", Sort::Any), ("lc", Sort::Any),
    ("length", Sort::Any), ("listcount", Sort::List), ("listnamed", Sort::Key),
    ("local_part", Sort::Address), ("mask", Sort::Ip), ("md5", Sort::Any), ("nh", Sort::Any),
    ("quote", Sort::Any), ("quote_local_part", Sort::Any), ("reverse_ip", Sort::Ip),
    ("rfc2047", Sort::Any), ("rfc2047d", Sort::Any), ("rxquote", Sort::Any), ("s", Sort::Any),
    ("sha1", Sort::Any), ("sha2", Sort::Any), ("sha256", Sort::Any), ("sha3", Sort::Any),
    ("str2b64", Sort::Any), ("strlen", Sort::Any), ("substr", Sort::Any), ("time_eval", Sort::Key),
    ("time_interval", Sort::Number), ("uc", Sort::Any), ("utf8clean", Sort::Any),
    ("utf8_domain_from_alabel", Sort::Domain), ("utf8_domain_to_alabel", Sort::Domain),
    ("utf8_localpart_from_alabel", Sort::Domain), ("utf8_localpart_to_alabel", Sort::Domain),
    ("nosuchop", Sort::Any),
];

#[rustfmt::skip]
pub(super) const PARAMETERS: &[&str] = &[
    "length_3", "length_0", "length_40", "l_2", "length_x", "length_", "substr_1", "substr_1_2",
    "substr_-2", "substr_-2_1", "s_0_3", "s_9", "substr_1_", "hash_3", "hash_4_62", "hash_2_5",
    "h_5", "hash_1_64", "nhash_8", "nhash_8_64", "nh_3", "nhash_100_7", "headerwrap_10",
    "headerwrap_20_40", "headerwrap__30", "mask_n", "sha2_256", "sha2_384", "sha2_512", "sha2_1",
    "sha3_224", "sha3_512", "quote_mysql", "quote_pgsql", "quote_ldap", "quote_ldap_dn",
    "quote_sqlite", "quote_lsearch", "quote_nosuch", "listnamed_d", "listnamed_x", "lc_1",
    "eval_2", "md5_x", "base64_3", "h_x", "nhash_1_1",
];

#[rustfmt::skip]
pub(super) const TWO: &[(&str, Sort, Sort)] = &[
    ("eq", Sort::Any, Sort::Any), ("eqi", Sort::Any, Sort::Any), ("ge", Sort::Any, Sort::Any),
    ("gei", Sort::Any, Sort::Any), ("gt", Sort::Any, Sort::Any), ("gti", Sort::Any, Sort::Any),
    ("le", Sort::Any, Sort::Any), ("lei", Sort::Any, Sort::Any), ("lt", Sort::Any, Sort::Any),
    ("lti", Sort::Any, Sort::Any), ("=", Sort::Number, Sort::Number),
    ("==", Sort::Number, Sort::Number), (">", Sort::Number, Sort::Number),
    (">=", Sort::Number, Sort::Number), ("<", Sort::Number, Sort::Number),
    ("<=", Sort::Number, Sort::Number), ("match", Sort::Any, Sort::Regex),
    ("match_address", Sort::Address, Sort::Address), ("match_domain", Sort::Domain, Sort::List),
    ("match_ip", Sort::Ip, Sort::Ip), ("match_local_part", Sort::Key, Sort::List),
    ("inlist", Sort::Key, Sort::List), ("inlisti", Sort::Key, Sort::List),
    ("inbound_srs", Sort::Address, Sort::Key),
];

#[rustfmt::skip]
pub(super) const ONE: &[(&str, Sort)] = &[
    ("bool", Sort::Key), ("bool_lax", Sort::Key), ("exists", Sort::Key), ("isip", Sort::Ip),
    ("isip4", Sort::Ip), ("isip6", Sort::Ip),
];

/// What an argument of a sort may be.
#[rustfmt::skip]
pub(super) fn table(sort: Sort) -> &'static [&'static str] {
    match sort {
        Sort::Any | Sort::Small => WORDS,
        Sort::List => &[
            "a:b:c", "<, x,y,,z", "<;1;2;10", "", ":", "a::b:c", " a : b ", "3:1:2", ": :",
            "*.com:foo", "!abc:*", "<\\n a\\nb", "one", "1:2:3:4:5", "^a:b", "*b", "<- p-q",
            "example.com : *.org",
        ],
        Sort::Address => &[
            "u@h", "A B <a.b@c.d>", "<>", "u", "\"a b\"@c", "x@[1.2.3.4]", "a@b, c@d",
            "a (c) <d@e> (f)", "@x", "a@", "<u@h", "g: a@b, c@d;", "u@h.", "*@h", "@@x", "u@H.Org",
            "<@r:u@h>", "a b@c", "\"q\\\\\"q\"@x", "u@@h", ".a@b", "a..b@c", "SRS0=9wjy=AA=b.c=a",
            "U@h:u@h", "^u@",
        ],
        Sort::Ip => &[
            "10.0.0.1", "10.1.2.3/8", "::1", "2001:db8::1", "2001:DB8::1/32", "1.2.3", "256.1.1.1",
            "::ffff:1.2.3.4", "*", "", "10.0.0.0/33", "fe80::/10", "1.2.3.4/24",
            "10.0.0.0/8 : 1.2.3.4", "x/3", "1:2:3:4:5:6:7:8", "1.2.3.4/",
            "<; 2001:db8::/32 ; 10.0.0.1", "!10.0.0.1 : *", "01.2.3.4", "::/0",
        ],
        Sort::Regex => &[
            "a", "^a(.)", "(b)|(c)", "\\N^(\\w+)\\s*$\\N", ".*", "", "(?i)ABC", "[a-c]+",
            "\\N(\\d+)\\N", "^\\$", "(", "[", "x?", "(a)(b)?(c)", "\\N\\bfoo\\b\\N", "a|b|",
        ],
        Sort::Json => &[
            "\\{\"a\":1,\"b\":\"two\"\\}", "[1,\"x\",\\{\"k\":[2]\\}]", "[]", "\\{\\}", "[",
            "\\{\"a\":\\{\"b\":\"c d\"\\}\\}", "[\"a,b\",\"c\"]", "x", "[ 1 , 2 ]", "\"s\"",
            "\\{ \"a\" : \"q\\\\\"q\" , \"b\" : null \\}",
        ],
        Sort::Key => &[
            "a", "b", "1", "2", "-1", "0", "gid", "root", "yes", "NO", "false", "1h", "2d3s", "5b",
            "z", " a ", "", "+x", "/nosuch", "/etc/passwd", "A",
        ],
        Sort::Hex => &[
            "00ff", "616263", "6", "zz", "DEAD", "",
        ],
        Sort::Domain => &[
            "example.com", "xn--mnchen-3ya.de", "a..b", "x", "a.B.C", "", "ab--cd", "-a-",
            "mail.example.org", "EXAMPLE.com", "a_b.c", "xn--",
        ],
        Sort::Number => &[
            "", "10M", "2k", "1+2*3", "(7-2)<<2", "0x1f & 0x3", "99999999999", "012", "-5%3", "x1",
            "1.5", " 7 ",
        ],
    }
}
