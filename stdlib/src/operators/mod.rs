//! Operators: `${name:…}` (specification 11.6).

pub(crate) mod addresses;
mod bases;
mod case;
mod encodings;
mod escapes;
mod expand;
mod hashes;
mod headerwrap;
mod hosts;
mod named;
mod numbers;
mod quotes;
mod rfc2047;
mod stat;
mod substrings;
mod time;
mod utf8;

use eximious_core::Operator;

/// All operators.
pub static ALL: &[&Operator] = &[
    &addresses::ADDRESS,
    &addresses::ADDRESSES,
    &addresses::DOMAIN,
    &addresses::LOCAL_PART,
    &addresses::QUOTE_LOCAL_PART,
    &bases::BASE32,
    &bases::BASE32D,
    &bases::BASE62,
    &bases::BASE62D,
    &case::LC,
    &case::UC,
    &encodings::BASE64,
    &encodings::BASE64D,
    &encodings::HEX2B64,
    &encodings::STR2B64,
    &encodings::XTEXTD,
    &escapes::ESCAPE,
    &escapes::ESCAPE8BIT,
    &escapes::HEXQUOTE,
    &expand::EXPAND,
    &hashes::MD5,
    &hashes::SHA1,
    &hashes::SHA2,
    &hashes::SHA256,
    &hashes::SHA3,
    &headerwrap::HEADERWRAP,
    &hosts::IPV6DENORM,
    &hosts::IPV6NORM,
    &hosts::MASK,
    &hosts::REVERSE_IP,
    &named::LISTCOUNT,
    &named::LISTNAMED,
    &numbers::EVAL,
    &numbers::EVAL10,
    &numbers::RANDINT,
    &quotes::QUOTE,
    &quotes::QUOTE_FOR,
    &quotes::RXQUOTE,
    &rfc2047::RFC2047,
    &rfc2047::RFC2047D,
    &stat::STAT,
    &substrings::H,
    &substrings::LENGTH,
    &substrings::NH,
    &substrings::S,
    &substrings::STRLEN,
    &time::TIME_EVAL,
    &time::TIME_INTERVAL,
    &utf8::DOMAIN_FROM_ALABEL,
    &utf8::DOMAIN_TO_ALABEL,
    &utf8::FROM_UTF8,
    &utf8::LOCALPART_FROM_ALABEL,
    &utf8::LOCALPART_TO_ALABEL,
    &utf8::UTF8CLEAN,
];
