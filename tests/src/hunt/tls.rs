//! TLS on both sides: what a server offers, demands and tells of it, and what becomes of messages
//! to hosts that have it, with clients and hosts that do odd things.

mod client;
mod server;

use std::sync::LazyLock;

use fastrand::Rng;
use regex::Regex;

use super::Quarry;
use crate::daemons::without_library;
use crate::dice::Dice;

/// Fields of certificates, with what may stand behind them.
const FIELDS: &[&str] = &[
    "version",
    "serial_number",
    "subject",
    "subject,CN",
    "subject,O",
    "subject,OU,>+",
    "subject,>;",
    "subject, EMAIL",
    "subject,C,>,",
    "subject,emailAddress",
    "subject,DC",
    "subject,UID",
    "subject,L",
    "subject,",
    "issuer",
    "issuer,CN",
    "issuer,>/",
    "notbefore,int",
    "notafter,int",
    "notafter",
    "sig_algorithm",
    "subj_altname",
    "subj_altname,dns",
    "subj_altname,mail",
    "subj_altname,uri,>:",
    "subj_altname,dns,>.",
    "subj_altname,>;",
    "subj_altname,ip",
    "ocsp_uri",
    "ocsp_uri,>+",
    "crl_uri",
    "crl_uri,>:",
];

/// What says which side: `in` or `out`.
const VALUES: &[&str] = &[
    "ver=$tls_SIDE_ver",
    "bits=$tls_SIDE_bits",
    "cipher=${if def:tls_SIDE_cipher{set}{unset}}",
    "std=${if def:tls_SIDE_cipher_std{set}{unset}}",
    "cv=$tls_SIDE_certificate_verified",
    "dn=$tls_SIDE_peerdn",
    "sni=$tls_SIDE_sni",
    "ocsp=$tls_SIDE_ocsp",
    "peer=${if def:tls_SIDE_peercert{yes}{no}}",
    "own=${if def:tls_SIDE_ourcert{yes}{no}}",
    "own=${certextract{subject}{$tls_SIDE_ourcert}{$value}{none}}",
    "sha=${sha256:$tls_SIDE_peercert}",
    "md5=${md5:$tls_SIDE_peercert}",
    "sha1=${sha1:$tls_SIDE_ourcert}",
    "p=$received_protocol",
];

/// What each library knows of a session that came to nothing, and whether there is no proof or
/// none that is good.
const OF_LIBRARIES: &[&str] = &[
    "ver=$tls_out_ver",
    "bits=$tls_out_bits",
    "cipher=${if def:tls_out_cipher{set}{unset}}",
    "std=${if def:tls_out_cipher_std{set}{unset}}",
    "ocsp=$tls_out_ocsp",
];

/// Some of what is known of TLS, as it is written in a configuration.
fn values(rng: &mut Rng, side: &str) -> String {
    let text = rng.some(1, 4, " ", |rng| match rng.chance(3) {
        true => {
            let field = rng.pick(FIELDS);
            let whose = rng.pick(&["peer", "peer", "peer", "our"]);
            let rest = rng.pick(&["", "", "{$value}{none}", "{<$value>}fail", "{$value}{}"]);
            let name = field.replace([' ', ','], "_");
            format!("{name}=${{certextract{{{field}}}{{$tls_SIDE_{whose}cert}}{rest}}}")
        }
        false => rng.pick(VALUES).to_owned(),
    });
    let text = text.replace("SIDE", side);
    OF_LIBRARIES.iter().fold(text, |text, one| text.replace(one, "x"))
}

pub(super) fn make(rng: &mut Rng) -> Quarry {
    match rng.chance(2) {
        true => server::make(rng),
        false => client::make(rng),
    }
}

/// Lines without what belongs to the library that each program has.
pub(super) fn unlettered(lines: Vec<String>) -> Vec<String> {
    static FORMS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (
                r"(\(certificate verification failed\))(?:: [^()]*?)??(: del|: callout| h=|$)",
                "$1$2",
            ),
            (r"\((tls_crl|gnutls_certificate_set_x509_crl_file)\): [A-Za-z ]*\.?", "(crl): WHY"),
            (r"\((alert|reset|end)\)$", "(gone)"),
            (r"(tls_cipher TLS1\.\d):.*", "$1"),
            (
                r"\((tls_ocsp_file|gnutls_certificate_set_ocsp_status_request_file2)\): .*",
                "(ocsp): WHY",
            ),
            // A file that is not there: the real one has no words for it then.
            (
                r"(\]|session:) (NULL|\(tls_verify_certificates\): No such file or directory)",
                "$1 WHY",
            ),
            // Names of ciphers are long or short.
            (r"^\d+(P Received: )", "N$1"),
            // Who proves who he is has a secret.
            (r"(last command was .AUTH \S+) .*?(,  C=|$)", "$1$2"),
        ]
        .map(|(form, with)| (Regex::new(form).expect("a pattern"), with))
        .into()
    });
    let plain = |line: String| {
        let mut line = without_library(&line);
        for (form, with) in FORMS.iter() {
            line = form.replace_all(&line, *with).into_owned();
        }
        line
    };
    // The real one has empty lines in its log behind events that can't be expanded. Alerts in
    // clear text are the library's.
    let is_said = |line: &String| {
        let is_alert = line.contains(['\x15', '\x02']);
        !line.is_empty() && !line.starts_with("-tls_resumption") && !is_alert
    };
    lines.into_iter().filter(is_said).map(plain).collect()
}
