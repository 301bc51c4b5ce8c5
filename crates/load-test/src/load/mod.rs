//! The load tester: thousands of WebSockets from one process, what each delivery costs, and whether one was lost.
//!
//! | part | what |
//! | --- | --- |
//! | [`options`], [`profile`] | what is asked for: pure |
//! | [`frame`], [`text`] | the wire, by byte position: nothing is parsed for a delivery |
//! | [`dialect`], [`packet`], `foreign` | the same for servers that speak something else |
//! | [`line`](mod@line), [`schedule`], [`figures`] | whether a timeline is whole, when what is due, how long it took |
//! | `socket`, `connection`, `driver`, `dialogue` | sockets on one epoll a thread, and what is said on them |
//! | `ground`, `procfs`, `run` | the server, what its processes cost, and a run from its beginning to its end |
//! | `moving`, `replace`, `rollout` | clients that change connections, nodes that are replaced, and both measured |
//! | [`report`] | text, JSON, and a page with plots |
//!
//! It measures from the outside, as the auditor does, but believes what it may to stay cheap: a server that lied in an
//! acknowledgement would be found by the auditor.

mod connection;
pub mod dialect;
mod dialogue;
mod driver;
pub mod figures;
mod foreign;
pub mod frame;
pub(crate) mod ground;
pub mod line;
mod moving;
pub mod options;
pub mod packet;
pub mod procfs;
pub mod profile;
mod replace;
pub mod report;
mod rollout;
mod run;
pub mod schedule;
mod shared;
mod socket;
pub mod text;

use options::{Command, Options};
use report::Report;
use std::{fs, path::Path, process::ExitCode};

/// It could not be carried out.
const VOID: u8 = 2;
/// The options are wrong; as all programs of the project say it.
const USAGE: u8 = 64;

/// Runs it as a program, with the arguments after `load`.
#[must_use]
pub fn program(args: impl IntoIterator<Item = String>) -> ExitCode {
    let options = match options::read(args) {
        Ok(Command::Help) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Load(options)) => options,
        Err(faults) => {
            eprintln!(
                "load-test: {}\n\n`load-test load --help` lists the options.",
                faults.replace('\n', "\nload-test: ")
            );
            return ExitCode::from(USAGE);
        }
    };
    let report = match run(&options, &mut |line| println!("{line}")) {
        Ok(report) => report,
        Err(fault) => {
            eprintln!("load-test: {fault}");
            return ExitCode::from(VOID);
        }
    };
    println!("\n{}", report.text());
    let written = [(&options.json, report.json()), (&options.html, report.page())];
    for (path, text) in written.iter().filter_map(|(path, text)| Some((path.as_ref()?, text))) {
        if let Err(error) = write(path, text) {
            eprintln!("load-test: {}: {error}", path.display());
            return ExitCode::from(VOID);
        }
        println!("{}", path.display());
    }
    if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Carries it out. `tell` gets a line each second.
///
/// # Errors
/// When there is no server, or no connection to it.
pub fn run(options: &Options, tell: &mut dyn FnMut(&str)) -> Result<Report, String> {
    run::measure(options, tell).map(|measured| Report::new(&options.load, &measured))
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, text)
}
