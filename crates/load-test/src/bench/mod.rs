//! Our server against others, in the same run and in turn: A B C D, A B C D. Absolute figures move with the machine and
//! with what else it does; ratios of runs that are a minute apart do not, or show by their spread that they did.
//!
//! | part | what |
//! | --- | --- |
//! | [`options`] | what is asked for |
//! | `system` | the servers, each as two processes and, if it uses one, a Redis |
//! | [`figures`] | what was measured, the ratios, and what was to be reached: pure |
//! | [`report`] | the same as a table and as JSON; `versions` says of what |

pub mod figures;
pub mod options;
pub mod report;
mod system;
mod versions;

use crate::load::{
    self,
    options::{Options as LoadOptions, Place},
    profile::{Load, Profile, Rate},
};
use figures::{Asked, Run, Settings};
use options::{Command, Options};
use report::Report;
use std::{fs, io::Write as _, process::ExitCode, time::Instant};
use system::Servers;
pub use system::System;
use tokio::runtime::Runtime;

/// It could not be carried out.
const VOID: u8 = 2;
/// The options are wrong; as all programs of the project say it.
const USAGE: u8 = 64;

/// Runs it as a program, with the arguments after `bench`.
#[must_use]
pub fn program(args: impl IntoIterator<Item = String>) -> ExitCode {
    let args: Vec<_> = args.into_iter().collect();
    let command = ["load-test bench".to_owned()].into_iter().chain(args.clone()).collect::<Vec<_>>().join(" ");
    let options = match options::read(args) {
        Ok(Command::Help) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Bench(options)) => options,
        Err(faults) => {
            let faults = faults.replace('\n', "\nload-test: ");
            eprintln!("load-test: {faults}\n\n`load-test bench --help` lists the options.");
            return ExitCode::from(USAGE);
        }
    };
    let done = run(&options, command, &mut |line| {
        println!("{line}");
        let _ = std::io::stdout().flush();
    });
    match done.and_then(|report| leave(&options, &report)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("load-test: {fault}");
            ExitCode::from(VOID)
        }
    }
}

/// Prints the report, and writes it where it is wanted.
fn leave(options: &Options, report: &Report) -> Result<(), String> {
    println!("\n{}", report.markdown());
    let json = options.json();
    fs::write(&json, report.json()).map_err(|e| format!("{}: {e}", json.display()))?;
    println!("{}", json.display());
    if let Some(path) = &options.readme {
        let readme = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let readme = report::put_into(&readme, &report.markdown()).map_err(|e| format!("{}: {e}", path.display()))?;
        fs::write(path, readme).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Measures all that was asked for. `tell` gets lines while it runs.
///
/// # Errors
/// When a server cannot be started, or ends before it is told to: with the end of its log.
pub fn run(options: &Options, command: String, tell: &mut dyn FnMut(&str)) -> Result<Report, String> {
    fs::create_dir_all(&options.dir).map_err(|e| format!("{}: {e}", options.dir.display()))?;
    let (about, runtime) = (versions::of(options)?, system::runtime()?);
    let all = options.rounds * options.rates.len() * options.systems.len();
    let begin = Instant::now();
    let mut runs = Vec::new();
    for round in 1..=options.rounds {
        for asked in &options.rates {
            for system in &options.systems {
                let n = runs.len() + 1;
                let spent = begin.elapsed().as_secs_f64();
                let left = (runs.len() > 1).then(|| spent / runs.len() as f64 * (all - runs.len()) as f64 / 60.0);
                let left = left.map_or_else(String::new, |left| format!(", {left:.0} min left"));
                tell(&format!("── {n}/{all}: {} at {asked}, round {round}{left}", system.name()));
                let run = one(options, &runtime, *system, *asked, round, tell)?;
                tell(&format!("   {run}"));
                runs.push(run);
            }
        }
    }
    let settings = Settings {
        clients: options.clients,
        rooms: options.rooms,
        senders: options.senders,
        bytes: options.bytes,
        window: options.window,
        rounds: options.rounds,
        warmup_seconds: options.warmup.as_secs_f64(),
        duration_seconds: options.duration.as_secs_f64(),
        nodes: system::NODES,
    };
    Ok(Report::new(about, command, settings, runs))
}

fn one(
    options: &Options,
    runtime: &Runtime,
    system: System,
    asked: Asked,
    round: usize,
    tell: &mut dyn FnMut(&str),
) -> Result<Run, String> {
    let rate = match asked {
        Asked::Rate(rate) => Rate::Deliveries(rate as f64),
        Asked::Max => Rate::Max,
    };
    let load = Load {
        dialect: system.dialect(),
        clients: options.clients,
        rooms: options.rooms,
        senders: options.senders,
        bytes: options.bytes,
        window: options.window,
        warmup: options.warmup,
        duration: options.duration,
        rate,
        ..Profile::Rooms.load()
    };
    let servers = runtime.block_on(Servers::start(options, system, &load))?;
    let place = Place::Urls { urls: servers.urls(), pids: servers.pids() };
    let wanted = LoadOptions { load, place, direct: false, json: None, html: None };
    let measured = load::run(&wanted, &mut |line| tell(&format!("   {} {line}", system.name())));
    // One that died explains whatever else went wrong.
    let alive = servers.check();
    runtime.block_on(servers.stop());
    alive?;
    measured.map(|report| Run::new(round, system, asked, &report))
}
