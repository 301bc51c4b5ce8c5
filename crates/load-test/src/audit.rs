//! One audit: clients work, faults happen, all goes quiet, everything is read, and the judge has the last word.

use crate::{
    figures::Figures,
    ground::Ground,
    journal::{Journal, NOBODY, Phase, Record, What},
    judge::{Kind, Terms, Verdict, Violation, judge},
    plan::{Fault, Plan},
    workload::{Settings, Workload, inspector},
};
use serde::Serialize;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often the progress is told.
const PROGRESS: Duration = Duration::from_secs(5);
/// How long it may take until everybody is content, once nothing is wrong any more.
const SETTLE: Duration = Duration::from_secs(30);

/// What is to be done.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// What happens to the cluster.
    pub plan: Plan,
    /// What clients do.
    pub settings: Settings,
    /// What they are promised.
    pub terms: Terms,
}

/// A fault as it happened.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    /// Its place in the plan.
    pub number: usize,
    /// What it was.
    pub fault: Fault,
    /// When it began.
    #[serde(serialize_with = "crate::report::seconds")]
    pub begin: Duration,
    /// When it was undone.
    #[serde(serialize_with = "crate::report::seconds")]
    pub end: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// All that was done and seen.
    pub records: Vec<Record>,
    /// What the judge says.
    pub verdict: Verdict,
    /// What was measured.
    pub figures: Figures,
    /// The faults.
    pub faults: Vec<Happened>,
}

impl Audit {
    /// Does it.
    ///
    /// # Errors
    /// When a fault could not be done or undone: then nothing was proved either way.
    pub async fn run(&self, ground: &mut dyn Ground, tell: &(dyn Fn(&str) + Sync)) -> Result<Outcome, String> {
        let journal = Arc::new(Journal::default());
        let workload = Workload::start(journal.clone(), ground.urls(), self.settings.clone());
        let faults = watched(&workload, tell, self.busy(&journal, ground, tell)).await?;

        tell(&line(&workload, "quiet: nothing new is begun, some go for good"));
        workload.phase(Phase::Quiet);
        let calm = faults.last().map_or(Duration::ZERO, |fault| fault.end + self.terms.heal).max(journal.now());
        let settled = watched(&workload, tell, async {
            let settled = workload.settle(SETTLE).await;
            let ghosts_gone = calm + self.terms.ghosts + self.terms.promptness;
            sleep(ghosts_gone.saturating_sub(journal.now())).await;
            settled
        })
        .await;
        workload.phase(Phase::Settled);
        tell(&line(&workload, "settled: reading every room's log"));
        let inspected =
            inspector::inspect(&workload.desk, ground.api().as_deref(), self.terms.promptness * 5 / 4).await;
        let moods = workload.desk.moods();
        let end = journal.now();
        workload.end().await;

        tell("judging");
        let records = journal.take();
        let mut verdict = judge(&records, &self.terms);
        if let Err(fault) = inspected {
            verdict.violations.push(Violation::new(Kind::Unanswered, end, fault));
        }
        if !settled {
            let [away, waiting, ..] = moods;
            let text = format!("{SETTLE:?} after the last fault {away} clients were away and {waiting} not answered");
            verdict.violations.push(Violation::new(Kind::Unanswered, end, text));
        }
        let figures = Figures::new(&records, &faults);
        Ok(Outcome { records, verdict, figures, faults })
    }

    /// Lets the plan happen.
    async fn busy(
        &self,
        journal: &Journal,
        ground: &mut dyn Ground,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<Vec<Happened>, String> {
        let mut faults: Vec<Happened> = Vec::new();
        for step in &self.plan.steps {
            // What took longer than planned moves all that follows.
            let healed = faults.last().map_or(Duration::ZERO, |fault| fault.end + self.plan.pause);
            sleep(step.at.max(healed).saturating_sub(journal.now())).await;
            let mut under_way = Vec::new();
            for fault in [Some(step.fault), step.also].into_iter().flatten() {
                let number = faults.len() + under_way.len();
                tell(&format!("{} fault {}: {fault}", clock(journal.now()), number + 1));
                under_way.push((number, fault, journal.now()));
                note(journal, number, fault, true);
                ground.begin(fault).await.map_err(|e| format!("{fault}: {e}"))?;
            }
            sleep(step.hold).await;
            for (number, fault, begin) in under_way {
                ground.end(fault).await.map_err(|e| format!("{fault}, undoing it: {e}"))?;
                note(journal, number, fault, false);
                let end = journal.now();
                tell(&format!(
                    "{} fault {}: undone after {:.1} s",
                    clock(end),
                    number + 1,
                    (end - begin).as_secs_f64()
                ));
                faults.push(Happened { number, fault, begin, end });
            }
        }
        let healed = faults.last().map_or(Duration::ZERO, |f| f.end + self.terms.heal + self.terms.promptness);
        sleep(self.plan.busy.max(healed).saturating_sub(journal.now())).await;
        Ok(faults)
    }
}

fn note(journal: &Journal, number: usize, fault: Fault, begins: bool) {
    let what = What::Fault { number, begins, expels: fault.expels(), text: fault.to_string() };
    journal.note(NOBODY, 0, what);
}

/// Tells the progress while something lasts.
async fn watched<T>(workload: &Workload, tell: &(dyn Fn(&str) + Sync), work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    let mut tick = interval(PROGRESS);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.tick().await;
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = tick.tick() => tell(&line(workload, "")),
        }
    }
}

fn clock(at: Duration) -> String {
    format!("[{:5.1} s]", at.as_secs_f64())
}

fn line(workload: &Workload, what: &str) -> String {
    let desk = &workload.desk;
    let [away, waiting, content, gone] = desk.moods();
    let (records, connections) = (desk.journal.read(<[Record]>::len), desk.journal.connections());
    let gone = if gone == 0 { String::new() } else { format!(", {gone} gone") };
    let what = if what.is_empty() { String::new() } else { format!(" {what};") };
    format!(
        "{}{what} {} clients connected ({waiting} waiting), {away} away{gone}; {} rooms, {connections} connections so \
         far, {records} things seen",
        clock(desk.journal.now()),
        waiting + content,
        desk.open_rooms(),
    )
}
