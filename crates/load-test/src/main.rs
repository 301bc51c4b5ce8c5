//! `load-test`: what a cluster is worth, from the outside.

mod options;

use load_test::{
    Audit,
    audit::Outcome,
    ground::{Ground, LOG_MAX, compose::Compose, foreign::Foreign, own::Own},
    judge::Terms,
    plan::Plan,
    report::Report,
    workload::Settings,
};
use options::{Command, Options, Shape};
use std::{process::ExitCode, time::Instant};
use tokio::runtime::{Handle, Runtime};

/// The audit could not be carried out: nothing was proved either way.
const VOID: u8 = 2;
/// What an image may have above its base, in bytes.
const HEAVIEST: u64 = 60_000_000;
/// The options are wrong; as all programs of the project say it.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if(|first| first == "load").is_some() {
        return load_test::load::program(args);
    }
    if args.next_if(|first| first == "bench").is_some() {
        return load_test::bench::program(args);
    }
    let options = match options::read(args) {
        Ok(Command::Help) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Audit(options)) => options,
        Err(fault) => {
            eprintln!("load-test: {fault}\n\n{}", options::HELP);
            return ExitCode::from(USAGE);
        }
    };
    let done = Runtime::new().map_err(|e| e.to_string()).and_then(|runtime| runtime.block_on(audit(&options)));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("load-test: the audit is void: {fault}");
            ExitCode::from(VOID)
        }
    }
}

/// Whether all was well.
async fn audit(options: &Options) -> Result<bool, String> {
    let begin = Instant::now();
    let tell = |line: &str| println!("{line}");
    let mut terms = Terms { log_max: options.log_max, ..Terms::default() };
    let (audit, cluster, outcome) = if let Some(root) = &options.compose {
        terms.log_max = Some(LOG_MAX);
        let mut ground = Compose::start(root, options.nodes, &tell).await?;
        let done = carry_out(options, terms, &mut ground, &tell).await;
        let weighed = weigh(&ground, &tell).await;
        ground.stop().await;
        weighed?;
        done?
    } else if options.urls.is_empty() {
        terms.log_max = Some(LOG_MAX);
        tell(&format!("starting a cluster of {} nodes", options.nodes));
        let mut ground = Own::start(options.nodes, &options.binaries, &options.out.join("cluster"), &tell).await?;
        let done = carry_out(options, terms, &mut ground, &tell).await;
        ground.stop().await;
        done?
    } else {
        let mut ground = Foreign::new(&options.urls, &Handle::current())?;
        carry_out(options, terms, &mut ground, &tell).await?
    };
    let report = Report::new(&audit, cluster, &outcome);
    println!("\n{}", report.text());
    report.write(&options.out, &outcome.records).map_err(|e| format!("{}: {e}", options.out.display()))?;
    let found = outcome.verdict.violations.len();
    let (seed, out) = (options.seed, options.out.display());
    let verdict = if found == 0 { "all zero".to_owned() } else { format!("{found} VIOLATIONS") };
    println!("seed {seed}: {verdict}, in {:.0} s; {out}/audit.json and {out}/audit.md", begin.elapsed().as_secs_f64());
    Ok(found == 0)
}

async fn carry_out(
    options: &Options,
    terms: Terms,
    ground: &mut dyn Ground,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<(Audit, Vec<String>, Outcome), String> {
    let (seed, duration, nodes) = (options.seed, options.duration, ground.nodes());
    let plan = match options.shape {
        _ if options.compose.is_some() => Plan::deploys(nodes),
        Shape::Full => Plan::full(seed, duration, nodes, |fault| ground.possible(fault)),
        Shape::Storm => Plan::storm(seed, duration, nodes, |fault| ground.possible(fault)),
        Shape::Short => Plan::short(seed, nodes),
        Shape::Calm => Plan::calm(duration),
    };
    let faults = plan.steps.iter().map(|step| 1 + usize::from(step.also.is_some())).sum::<usize>();
    tell(&format!("seed {seed}: {} clients, {faults} faults", options.clients));
    let settings = Settings { seed, clients: options.clients, grace: terms.grace, ..Settings::default() };
    let audit = Audit { plan, settings, terms };
    let outcome = audit.run(ground, tell).await?;
    Ok((audit, ground.describe(), outcome))
}

/// Images that are too heavy take long to start where they are not yet.
async fn weigh(stack: &Compose, tell: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    for (image, size, above) in stack.weights().await? {
        tell(&format!("{image}: {:.1} MB, of which {:.1} above its base", megabytes(size), megabytes(above)));
        if above > HEAVIEST {
            return Err(format!("{image}: at most {:.0} MB above its base are wanted", megabytes(HEAVIEST)));
        }
    }
    Ok(())
}
