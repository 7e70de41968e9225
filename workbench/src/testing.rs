//! `eximious test`: tests of a configuration, in a world that is given.

mod faults;
pub mod file;
mod recorder;
mod report;
mod run;
mod suite;
mod world;

pub use recorder::{RecordedTest, SessionToRecord, record};
pub use report::{FileResult, json_report, junit};
pub use run::{Mismatch, TestResult};
pub use suite::{ConfigTest, Suite, Tested};
pub use world::TestMachine;
