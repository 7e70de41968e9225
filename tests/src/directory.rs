//! A directory for the lookup types of LDAP, with a server of its own.

use std::net::TcpStream;

use crate::fixtures::replace;
use crate::root;
use crate::servers::{Home, Server, free_port, program};

/// What stands in texts for something that is another in each run.
pub type Names = Vec<(&'static str, String)>;

/// A text with what its names stand for.
pub fn fill(names: &Names, text: &[u8]) -> Vec<u8> {
    let fill = |text: Vec<u8>, (name, value): &(&str, String)| {
        replace(&text, name.as_bytes(), value.as_bytes())
    };
    names.iter().fold(text.to_vec(), fill)
}

/// A directory, with TLS.
pub struct Directory {
    /// The process.
    pub server: Server,
    /// What stands in suites for where it is.
    pub names: Names,
}

impl Directory {
    /// Starts one, which refers to another; nothing where no server is installed.
    pub fn start(other: Option<&Self>) -> Option<Self> {
        let (daemon, slapadd) = (program("slapd")?, program("slapadd")?);
        let home = Home::new("openldap");
        let (port, tls, nobody) = (free_port(), free_port(), free_port());
        let path = home.path().display().to_string();
        let names = vec![
            ("LDAPDIR", path.clone()),
            ("LDAPSOCKET", format!("{path}/ldapi").replace('/', "%2F")),
            ("LDAPPORT", port.to_string()),
            ("TLSPORT", tls.to_string()),
            ("NOPORT", nobody.to_string()),
            ("OTHERPORT", other.map_or(nobody, Self::port).to_string()),
        ];
        let data = root().join("tests/data/ldap");
        let read = |name: &str| std::fs::read(data.join(name)).expect("the directory's files");
        home.write("slapd.conf", read("slapd.conf"));
        home.write("entries.ldif", fill(&names, &read("entries.ldif")));
        certificates(&home);
        home.run(home.command("mkdir".as_ref()).arg("data"));
        home.run(home.command(&slapadd).args(["-q", "-f", "slapd.conf", "-l", "entries.ldif"]));
        let listen = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls} ldapi://LDAPSOCKET");
        let listen = String::from_utf8(fill(&names, listen.as_bytes())).expect("UTF-8");
        let mut command = home.command(&daemon);
        command.args(["-d", "0", "-f", "slapd.conf", "-h", &listen]);
        let ready =
            || [port, tls].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok());
        Some(Self { server: Server::start(home, &mut command, ready), names })
    }

    fn port(&self) -> u16 {
        let port = self.names.iter().find(|(name, _)| *name == "LDAPPORT").expect("a port");
        port.1.parse().expect("a port")
    }
}

/// A certificate for the server, one for a client, and who vouches for them.
fn certificates(home: &Home) {
    let openssl = |args: &str| {
        let mut command = home.command("openssl".as_ref());
        home.run(command.args(args.split(' ')));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    home.write("server.ext", "subjectAltName=IP:127.0.0.1\n");
    home.write("client.ext", "basicConstraints=CA:FALSE\n");
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 30 -subj /CN=Test"));
    for name in ["server", "client"] {
        openssl(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
             -extfile {name}.ext -out {name}.pem"
        ));
    }
    home.run(home.command("mkdir".as_ref()).arg("authorities"));
    home.run(home.command("cp".as_ref()).args(["ca.pem", "authorities"]));
    openssl("rehash authorities");
}
