//! What the command line gives, and what each action takes of it.

use std::net::SocketAddr;

use eximious::Macros;
use eximious::debugging::DebugSelector;
use eximious::route::Purpose;
use eximious::world::spool::is_message_id;
use eximious_mta::delivery::{Handling, QueueRun, QueueText};
use eximious_mta::spool::queue::Listing;
use eximious_mta::submission::{DsnRequest, Errors};

use super::Job;
use crate::configured::{Patience, SyslogName, Whose};
use crate::daemon::DaemonRun;
use crate::deliver::DeliveryWork;
use crate::handover::{DeliveryTime, HandOver};
use crate::message::Reading;
use crate::pretence::Pretence;
use crate::prompt::PromptRequest;
use crate::queue::MessagePart;
use crate::rights::{Claim, Rights};
use crate::session::{Setup, StoredMessage};
use crate::usual;
use crate::{
    commands, daemon, deliver, filter, malware, queue, rewrite, route, show, smtp, submit,
};

/// What is to be done, as far as it is known while options are read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Version,
    Usage,
    Start,
    Dscp,
    BuildAliases,
    Expand,
    Information,
    SieveExtensions,
    RemovePidFile(Option<Vec<u8>>),
    Show,
    Command(commands::CommandWork),
    Page(String),
    Rewrite,
    Retry,
    Route(Purpose),
    Filter,
    Daemon,
    Host(SocketAddr),
    Session,
    /// The provider, and the domains.
    Fetch(Vec<u8>, Vec<u8>),
    Batch,
    Queue(Listing),
    View(MessagePart, Vec<u8>),
    /// The file.
    Scan(Vec<u8>),
    Deliver,
    Runner,
    Submit,
    /// The line, and whether it is shown.
    Log(Vec<u8>, bool),
}

/// The values of all options, whoever takes them.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// `-bV`
    pub(super) tells_version: bool,
    /// `-C`
    pub(crate) config: Option<Vec<u8>>,
    /// `-D`
    pub(crate) macros: Macros,
    /// `-oM…`, `-p`
    pub(super) variables: Pretence,
    /// `-f`
    pub(super) sender: Option<Vec<u8>>,
    /// `-F`
    pub(super) full_name: Option<Vec<u8>>,
    /// `-bem`
    pub(super) message: Option<Vec<u8>>,
    /// `-bm`, `--`, or another option that says that there is a message.
    pub(super) takes_message: bool,
    /// `-oA`
    pub(super) aliases: Option<Vec<u8>>,
    /// `-t`
    pub(super) recipients_in_header: bool,
    /// `-bnq`
    pub(super) leaves_unqualified: bool,
    /// `-i`
    pub(super) dot_is_text: bool,
    /// `-oe…`
    pub(super) errors: Errors,
    /// `-oee`, whatever follows it: that an error was mailed is no failure.
    pub(super) is_quiet: bool,
    /// `-E`
    pub(super) is_error: bool,
    /// `-G`
    pub(super) leaves_header: bool,
    /// `-N`
    pub(super) pretends: bool,
    /// `-oB`
    pub(super) most_messages: Option<i64>,
    /// `-od…`
    pub(super) when: Option<DeliveryTime>,
    /// Whether it is called as `rmail`.
    pub(super) by_rmail: bool,
    /// `-oMm`
    pub(super) about: Option<Vec<u8>>,
    /// `-oDSN`
    pub(super) reports: DsnRequest,
    /// `-bf` and its kin
    pub(super) filters: filter::Filters,
    /// `-n`
    pub(super) values_only: bool,
    /// `-Mset`
    pub(super) stored: Option<Vec<u8>>,
    /// `-qG`
    pub(super) queue: Vec<u8>,
    /// Runs of queues, in the order in which they were asked for.
    pub(super) runs: Vec<DaemonRun>,
    /// `-R`
    pub(super) run_recipient: Option<QueueText>,
    /// `-S`
    pub(super) run_sender: Option<QueueText>,
    /// What stands right behind `-q`: the messages that a run begins and ends with.
    pub(super) run_range: (Option<Vec<u8>>, Option<Vec<u8>>),
    /// `-M` and its kin
    pub(super) work: Option<DeliveryWork>,
    /// `-bmalware`
    pub(super) scanned: Option<Vec<u8>>,
    /// `-v`
    pub(super) verbose: bool,
    /// `-L`
    pub(super) syslog_name: SyslogName,
    /// `-or`, `-os`
    pub(super) patience: Patience,
    /// `-d`
    pub(super) debug: Option<DebugSelector>,
    /// `-bhc`
    pub(super) calls_out: bool,
    /// `-bd`, `-bw`
    pub(super) listens: bool,
    /// What else is said of the daemon.
    pub(super) daemon: daemon::DaemonRequest,
    /// `-z`
    pub(super) log_line: Option<Vec<u8>>,
    /// Whether what is wrong with the configuration goes to the panic log, too.
    pub(super) keeps_faults: bool,
    /// Whether `-bI:` names nothing that there is.
    pub(super) unknown_topic: bool,
    /// Whether the action needs the main section of the configuration alone.
    pub(super) only_main: bool,
    /// Whether it takes a configuration of anybody's.
    pub(super) of_anybody: bool,
    /// For whom it is done.
    pub(super) whose: Whose,
    /// Whether whoever calls needs a full name, and brings none.
    pub(super) needs_name: bool,
    /// Whose rights the action wants.
    pub(super) rights: Rights,
    /// What is no option.
    pub(super) arguments: Vec<Vec<u8>>,
}

impl Asked {
    /// Whose rights it wants.
    fn rights(&self) -> Rights {
        match self {
            Self::Usage
            | Self::Start
            | Self::Dscp
            | Self::BuildAliases
            | Self::Expand
            | Self::Information
            | Self::SieveExtensions
            | Self::RemovePidFile(_)
            | Self::Page(_)
            | Self::Filter => Rights::Caller,
            Self::Command(work) => work.rights(),
            Self::Version
            | Self::Show
            | Self::Rewrite
            | Self::Retry
            | Self::Host(_)
            | Self::Session
            | Self::Fetch(..)
            | Self::Batch
            | Self::Submit
            | Self::Log(..)
            | Self::Queue(_)
            | Self::View(..)
            | Self::Scan(_)
            | Self::Route(Purpose::VerifyRecipient | Purpose::VerifySender) => Rights::Server,
            Self::Route(_) => Rights::Superuser,
            Self::Daemon | Self::Runner | Self::Deliver => Rights::Delivery,
        }
    }

    /// Whether it only tests something, so that mistakes leave nothing in logs.
    fn is_test(&self) -> bool {
        match self {
            Self::Command(work) => work.is_test(),
            Self::Version | Self::Expand | Self::Route(_) | Self::Filter | Self::Host(_) => true,
            _ => false,
        }
    }

    /// Whether it is done in the name of whoever calls.
    fn is_in_name(&self) -> bool {
        let is_test = matches!(self, Self::Expand | Self::Rewrite | Self::Route(_) | Self::Filter);
        let is_session = matches!(self, Self::Host(_) | Self::Session | Self::Fetch(..));
        is_test || is_session || matches!(self, Self::Version | Self::Batch | Self::Submit)
    }

    /// Whether it is for `-bI:`, which gives way to everything but a test of filters.
    pub(super) fn lists(&self) -> bool {
        matches!(self, Self::Information | Self::SieveExtensions | Self::Dscp)
    }

    /// Whether it tells of the program, whatever else is asked for.
    pub(super) fn is_information(&self) -> bool {
        matches!(
            self,
            Self::Version
                | Self::Usage
                | Self::Start
                | Self::Dscp
                | Self::Information
                | Self::SieveExtensions
                | Self::RemovePidFile(_)
                | Self::Page(_)
        )
    }

    /// Whether it reads the site's configuration for the mail server. What only shows the
    /// caller something reads what that one may read.
    fn reads_configuration(&self) -> bool {
        match self {
            Self::Command(work) => work.reads_configuration(),
            Self::Start
            | Self::Dscp
            | Self::Page(_)
            | Self::Information
            | Self::SieveExtensions
            | Self::Expand
            | Self::Filter
            | Self::RemovePidFile(_) => false,
            _ => true,
        }
    }
}

impl Given {
    /// Notes that a message is a report of an error, and what it is about where that is the
    /// name of a message.
    pub(super) fn note_error(&mut self, about: &[u8]) {
        self.is_error = true;
        if is_message_id(about) {
            self.about = Some(about.to_vec());
        }
    }

    /// What decides about the rights of an action.
    pub(super) fn claim(&self, asked: &Asked) -> Claim {
        let macros = self.macros.iter();
        Claim {
            reads_configuration: asked.reads_configuration(),
            config: self.config.as_deref().map(usual::absolute),
            macros: macros.map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
            names_pid_file: self.daemon.pid_file.is_some(),
        }
    }

    /// What an action takes.
    pub(super) fn action(mut self, asked: Asked) -> Job {
        self.rights = asked.rights();
        self.whose = match asked {
            Asked::Deliver => match self.work {
                None => Whose::Prodders,
                Some(DeliveryWork::GiveUp(_)) => Whose::Admins,
                Some(_) => Whose::Anybody,
            },
            Asked::Scan(_) => Whose::Admins,
            Asked::Submit if self.leaves_header => Whose::Trusted,
            _ => Whose::Anybody,
        };
        self.needs_name = self.full_name.is_none() && asked.is_in_name();
        self.keeps_faults = !asked.is_test();
        self.only_main = self.needs_only_main(&asked);
        self.of_anybody = matches!(asked, Asked::Command(_));
        match asked {
            Asked::Usage => Job::Usage(self.setup()),
            Asked::Start => Job::Start,
            Asked::Dscp => Job::Dscp,
            Asked::BuildAliases => {
                let argument = self.aliases.take();
                Job::BuildAliases(super::AliasRequest { argument, setup: self.setup() })
            }
            Asked::Version => Job::Version(self.setup()),
            Asked::Expand => Job::Expand(self.expand()),
            Asked::RemovePidFile(path) => Job::RemovePidFile(path),
            Asked::Information => Job::Information,
            Asked::SieveExtensions => Job::SieveExtensions,
            Asked::Show => Job::Show(show::ShowRequest {
                config: self.config,
                macros: self.macros,
                values_only: self.values_only,
                verbose: self.verbose,
                syslog_name: self.syslog_name,
                words: self.arguments,
            }),
            Asked::Command(work) => {
                let setup = if work.is_test() { self.check() } else { self.setup() };
                Job::Command(commands::CommandRequest { work, setup })
            }
            Asked::Page(page) => Job::Page(page),
            Asked::Rewrite => Job::Rewrite(self.rules()),
            Asked::Retry => Job::Retry(self.rules()),
            Asked::Route(purpose) => Job::Route(route::RouteRequest {
                purpose,
                addresses: std::mem::take(&mut self.arguments),
                setup: self.check(),
            }),
            Asked::Filter => Job::Filter(filter::FilterRequest {
                filters: std::mem::take(&mut self.filters),
                setup: self.check(),
            }),
            Asked::Daemon | Asked::Runner => {
                let request = daemon::DaemonRequest {
                    only_runs: asked == Asked::Runner,
                    verbose: self.verbose,
                    debug: self.debug,
                    pretends: self.pretends,
                    patience: self.patience,
                    runs: self.daemon_runs(),
                    mistake: self.variables.into_mistake(),
                    ..self.daemon
                };
                let (config, name) = (self.config, self.syslog_name);
                Job::Daemon(daemon::Source::new(config, &self.macros, name), request)
            }
            Asked::Host(host) => Job::Host(smtp::HostRequest {
                host,
                calls_out: self.calls_out,
                setup: self.check(),
            }),
            Asked::Session => Job::Session(smtp::local::LocalRequest {
                full_name: self.full_name.clone(),
                leaves_unqualified: self.leaves_unqualified,
                pretends: self.pretends,
                is_error: self.is_error,
                begins_with_tls: self.daemon.begins_with_tls,
                about: self.about.take(),
                hand_over: self.hand_over(),
                setup: self.setup(),
            }),
            Asked::Fetch(host, domains) => Job::Fetch(smtp::customer::CustomerRequest {
                host,
                domains,
                hand_over: self.hand_over(),
                setup: self.setup(),
            }),
            Asked::Batch => Job::Batch(smtp::batch::BatchRequest {
                full_name: self.full_name.clone(),
                leaves_unqualified: self.leaves_unqualified,
                pretends: self.pretends,
                is_error: self.is_error,
                about: self.about.take(),
                hand_over: self.hand_over(),
                setup: self.setup(),
            }),
            Asked::Queue(listing) => Job::Queue(queue::ListRequest {
                queue: std::mem::take(&mut self.queue),
                listing,
                named: std::mem::take(&mut self.arguments),
                setup: self.setup(),
            }),
            Asked::View(view, id) => Job::View(queue::ViewRequest {
                queue: std::mem::take(&mut self.queue),
                view,
                id,
                names_others: !self.arguments.is_empty(),
                setup: self.setup(),
            }),
            Asked::Scan(file) => Job::Scan(malware::ScanRequest { file, setup: self.check() }),
            Asked::Deliver => Job::Deliver(deliver::DeliverRequest {
                when: self.when,
                most_messages: self.most_messages,
                pretends: self.pretends,
                queue: std::mem::take(&mut self.queue),
                work: self.work.take().unwrap_or_else(|| {
                    let range = std::mem::take(&mut self.run_range);
                    let run = self.runs.pop().map(|one| self.selecting(one.run));
                    DeliveryWork::Run(QueueRun { range, ..run.unwrap_or_default() })
                }),
                setup: self.setup(),
            }),
            Asked::Submit => Job::Submit(self.submit()),
            Asked::Log(line, shown) => {
                Job::Log(super::LogRequest { line, shown, setup: self.setup() })
            }
        }
    }

    /// A run of the messages that are asked for.
    fn selecting(&self, run: QueueRun) -> QueueRun {
        let (recipient, sender) = (self.run_recipient.clone(), self.run_sender.clone());
        QueueRun { recipient, sender, ..run }
    }

    /// What the daemon runs. They are told, and begin, by how often they run.
    fn daemon_runs(&mut self) -> Vec<DaemonRun> {
        let runs = std::mem::take(&mut self.runs).into_iter().rev();
        let mut runs: Vec<DaemonRun> =
            runs.map(|one| DaemonRun { run: self.selecting(one.run), ..one }).collect();
        runs.sort_by_key(|one| one.every);
        runs
    }

    fn hand_over(&self) -> HandOver {
        let macros = self.macros.iter();
        HandOver {
            when: self.when,
            config: self.config.clone(),
            macros: macros.map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
            shown: self.verbose,
            starter: None,
        }
    }

    /// Whether an action needs no more than the main section of the configuration: what stands
    /// behind it may be wrong.
    fn needs_only_main(&self, asked: &Asked) -> bool {
        match asked {
            Asked::Queue(_)
            | Asked::BuildAliases
            | Asked::View(..)
            | Asked::Log(..)
            | Asked::Scan(_) => true,
            Asked::Deliver => match &self.work {
                Some(DeliveryWork::Handle(_, handling)) => *handling != Handling::Remove,
                _ => false,
            },
            _ => false,
        }
    }

    fn setup(self) -> Setup {
        Setup {
            reading: Reading {
                knows_sender: self.sender.is_some(),
                full_name: self.full_name,
                recipients_in_header: self.recipients_in_header,
                dot_is_text: self.dot_is_text,
            },
            config: self.config,
            macros: self.macros,
            variables: self.variables,
            sender: self.sender,
            stored: self.stored.map(|id| StoredMessage { queue: self.queue, id }),
            message: self.message,
            verbose: self.verbose,
            debug: self.debug,
            keeps_faults: self.keeps_faults,
            only_main: self.only_main,
            of_anybody: self.of_anybody,
            is_test: false,
            is_check: false,
            whose: self.whose,
            needs_name: self.needs_name,
            rights: self.rights,
            syslog_name: self.syslog_name,
            patience: self.patience,
        }
    }

    /// What checks something, which may be for administrators.
    fn check(self) -> Setup {
        Setup { is_check: true, ..self.setup() }
    }

    fn expand(mut self) -> super::ExpandRequest {
        let texts = std::mem::take(&mut self.arguments);
        super::ExpandRequest { setup: self.check(), texts, prompt: PromptRequest::default() }
    }

    fn rules(mut self) -> rewrite::RulesRequest {
        let arguments = std::mem::take(&mut self.arguments);
        rewrite::RulesRequest { setup: self.check(), arguments }
    }

    fn submit(mut self) -> submit::SubmitRequest {
        submit::SubmitRequest {
            full_name: self.full_name.clone(),
            arguments: std::mem::take(&mut self.arguments),
            recipients_in_header: self.recipients_in_header,
            dot_is_text: self.dot_is_text,
            leaves_unqualified: self.leaves_unqualified,
            errors: match self.errors {
                Errors::Mailed if self.is_quiet => Errors::MailedQuietly,
                errors => errors,
            },
            is_error: self.is_error,
            leaves_header: self.leaves_header,
            pretends: self.pretends,
            by_rmail: self.by_rmail,
            hand_over: self.hand_over(),
            about: self.about.take(),
            reports: std::mem::take(&mut self.reports),
            setup: self.setup(),
        }
    }
}
