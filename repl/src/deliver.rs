//! Messages of the spool are delivered, or changed: `-M` and its kin, `-q` (specification
//! 5.2).

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use eximious::{Config, Context, opt};
use eximious_mta::delivery::{AttemptManner, Deliverer, Handled, Handling, QueueRun, RemoteManner};
use eximious_mta::smtp::SmtpServer;
use eximious_mta::spool;

use crate::handover::DeliveryTime;
use crate::refusal::Refusal;
use crate::session::{Session, Setup};
use crate::{activity, caller, debug, print};

/// Messages are to be delivered, or changed.
#[derive(Debug)]
pub struct DeliverRequest {
    /// What the session begins with.
    pub setup: Setup,
    /// `-qG`: the named queue.
    pub queue: Vec<u8>,
    /// What is to be done.
    pub work: DeliveryWork,
    /// `-odqs`: deliveries to other hosts wait; `-odf`, `-odi`: reports are delivered before the
    /// messages are done with that they are about.
    pub when: Option<DeliveryTime>,
    /// `-oB`: how many messages go along a connection.
    pub most_messages: Option<i64>,
    /// `-N`: deliveries are only pretended.
    pub pretends: bool,
}

/// What is to be done with messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveryWork {
    /// `-M`, `-Mc`: these are delivered; whether their time counts.
    Deliver(Vec<Vec<u8>>, bool),
    /// `-Mg`: these are given up.
    GiveUp(Vec<Vec<u8>>),
    /// `-Mf` and its kin.
    Handle(Vec<Vec<u8>>, Handling),
    /// `-q`: all are tried.
    Run(QueueRun),
}

/// Does it.
pub fn run(request: DeliverRequest) -> Result<ExitCode, Refusal> {
    let DeliverRequest { setup, queue, work, when, most_messages, pretends } = request;
    let world = eximious_world::system();
    let session = Session::start_logging(setup, world)?;
    session.work_in_spool();
    let (config, mut cx) = session.into_parts();
    let settings = cx.engine().settings();
    let is_run = matches!(work, DeliveryWork::Run(_));
    let only_delivers = is_run || matches!(work, DeliveryWork::Deliver(..));
    let prods_freely = !settings.get(opt::PROD_REQUIRES_ADMIN);
    let needs_admin = !only_delivers || !prods_freely;
    let is_admin = caller::is_admin(settings, cx.engine().world());
    // Whoever handed a message in may take it back.
    let removes = matches!(&work, DeliveryWork::Handle(_, Handling::Remove)) && queue.is_empty();
    if needs_admin && !is_admin && !removes {
        return deny(&work, &queue, prods_freely);
    }
    if pretends && !caller::is_server(settings, cx.engine().world()) {
        let why = b"exim: Permission denied; not exim user or root";
        return Err(Refusal::Said(why.to_vec()));
    }
    let place = spool::place(&cx, &queue).map_err(Refusal::Logged)?;
    let deliverer = deliverer(config.unwrap_or_default(), &cx)
        .with_most_messages(most_messages)
        .pretending(pretends);
    let deliverer = debug::watched(deliverer, &mut cx);
    let watched = deliverer.clone();
    activity::tell(cx.engine().settings(), move || activity::deliveries(&watched));
    if !cx.engine().world().log.opens() {
        // Whoever reads the standard error was told.
        return Ok(ExitCode::FAILURE);
    }
    let by = caller::submitter(&mut cx).login;
    let owner = i64::from(cx.engine().world().host.caller().0);
    let awaits_reports = when == Some(DeliveryTime::Foreground);
    let overrides = awaits_reports && cx.engine().settings().get(opt::QUEUE_ONLY_OVERRIDE);
    let usual =
        AttemptManner { awaits_reports, overrides, by_caller: true, ..AttemptManner::default() };
    match work {
        DeliveryWork::Run(run) => {
            let run = QueueRun { by_caller: true, awaits_reports, overrides, ..run };
            let ended = deliverer.run_queue(&place, &run, &AtomicBool::new(false));
            Ok(ended.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
        }
        DeliveryWork::Deliver(ids, waits) => {
            let remote = match when == Some(DeliveryTime::RemoteQueued) && waits {
                true => RemoteManner::Queued,
                false => RemoteManner::Made,
            };
            let manner = AttemptManner {
                forced: !waits,
                thaws: !waits,
                remote,
                queues_reports: when == Some(DeliveryTime::RemoteQueued),
                ..usual
            };
            ids.iter().for_each(|id| {
                deliverer.deliver_all(&place, id, &manner);
            });
            Ok(ExitCode::SUCCESS)
        }
        DeliveryWork::GiveUp(ids) => {
            let manner = AttemptManner { gives_up: Some(by), ..usual };
            ids.iter().for_each(|id| {
                deliverer.deliver_all(&place, id, &manner);
            });
            Ok(ExitCode::SUCCESS)
        }
        DeliveryWork::Handle(ids, handling) => {
            let mut code = ExitCode::SUCCESS;
            for id in &ids {
                let Handled { said, done } = match is_admin {
                    true => deliverer.handle(&place, id, &handling, &by),
                    false => deliverer.remove_for(&place, id, owner, &by),
                };
                print(&said);
                if !done {
                    code = ExitCode::FAILURE;
                }
            }
            if matches!(handling, Handling::Requeue(_) | Handling::MarkAll) {
                print(b"\n");
            }
            Ok(code)
        }
    }
}

/// Tells who is no administrator that nothing is done: of messages that were to be handled, for
/// each on the standard output. Of a named queue nothing is told where not all may have mail
/// delivered (`prods_freely`).
fn deny(work: &DeliveryWork, queue: &[u8], prods_freely: bool) -> Result<ExitCode, Refusal> {
    let why: &[u8] = match work {
        DeliveryWork::Deliver(..) if queue.is_empty() => b"exim: Permission denied",
        DeliveryWork::Handle(ids, handling)
            if prods_freely || queue.is_empty() && !matches!(handling, Handling::Requeue(_)) =>
        {
            for _ in ids {
                print(b"Permission denied\n");
            }
            if matches!(handling, Handling::Requeue(_) | Handling::MarkAll) {
                print(b"\n");
            }
            return Ok(ExitCode::FAILURE);
        }
        _ => b"exim: permission denied; not admin",
    };
    Err(Refusal::Said(why.to_vec()))
}

/// What delivers by a configuration.
pub fn deliverer(config: Arc<Config>, cx: &Context) -> Deliverer {
    let server = Arc::new(SmtpServer::new(&config, cx.engine()));
    Deliverer::new(config, cx.engine(), server)
}
