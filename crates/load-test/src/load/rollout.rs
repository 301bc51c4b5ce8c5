//! A rollout, measured: messages flow, all chat-nodes are replaced, new clients come, and it is looked where all are.

use super::{
    figures::{Slice, Times},
    ground::Ground,
    procfs::Watched,
    replace::{Drained, Step},
    run::{Arrival, BACK, Crew, Point, Sample, Seen, TICK, progress},
    schedule::SECOND,
    shared::{Asked, Order},
};
use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// What was seen of it.
#[derive(Debug, Default)]
pub(super) struct Rolled {
    /// Nanoseconds from the first step to the last.
    pub(super) took: u64,
    pub(super) drain_window: Duration,
    pub(super) drained: Vec<Drained>,
    /// Deliveries before it, and while it lasted.
    pub(super) before: Times,
    pub(super) during: Times,
    pub(super) moving: Times,
    pub(super) handover: Times,
    pub(super) away: Times,
    /// Clients by node in the end: those who were there, and those who came afterwards.
    pub(super) nodes: BTreeMap<String, [u64; 2]>,
    /// How long it took these.
    pub(super) fresh: Times,
}

/// Where the run is.
struct Log<'a> {
    start: u64,
    next: u64,
    last: Sample,
    points: Vec<Point>,
    measuring: bool,
    tell: &'a mut dyn FnMut(&str),
}

impl Crew {
    /// Sends messages, has the nodes replaced meanwhile, and has new clients come.
    pub(super) fn roll(
        &mut self,
        ground: &mut Ground,
        arrival: &Arrival,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Seen, String> {
        let load = self.shared.load.clone();
        let start = self.shared.now() + SECOND / 20;
        let begin_at = start + load.warmup.as_nanos() as u64;
        self.order(Order::Send { start, measured: begin_at, end: u64::MAX });
        let last = arrival.calm.clone();
        let mut log = Log { start, next: start + TICK, last, points: Vec::new(), measuring: false, tell };
        let mut rolled = Rolled { drain_window: ground.drain_window, ..Rolled::default() };

        self.until(begin_at, &mut log)?;
        log.measuring = true;
        let begin = log.last.clone();
        rolled.before = self.until(begin_at + load.duration.as_nanos() as u64, &mut log)?;

        let from = self.shared.now();
        self.order(Order::Roll);
        // Once they answer, all threads know that whoever is told to move is to do so.
        rolled.before.add(&self.ask(Asked::Briefly)?.delivery);
        self.replace(ground, &mut rolled, &mut log)?;
        let end = log.last.clone();
        rolled.took = end.at - from;

        // From here on setups are those of the new clients.
        let setup = std::mem::take(&mut self.total.setup);
        (log.tell)(&format!("{} new clients come", load.fresh));
        self.order(Order::Fresh);
        let slice = self.until_all_are_there(&mut log, &mut Times::default())?;
        rolled.nodes = slice.nodes;
        rolled.fresh = std::mem::replace(&mut self.total.setup, setup);

        self.order(Order::Finish(self.shared.now()));
        let mut points = std::mem::take(&mut log.points);
        let last = self.settle(true, &mut points, log.tell)?;
        for node in self.nodes_of(&rolled) {
            rolled.nodes.entry(node).or_default();
        }
        let total = &mut self.total;
        rolled.moving = std::mem::take(&mut total.moving);
        rolled.handover = std::mem::take(&mut total.handover);
        rolled.away = std::mem::take(&mut total.away);
        // Nodes came while it ran; every sample has a place for each.
        points.iter_mut().for_each(|point| point.sample.processes.resize(self.watched.len(), None));
        Ok(Seen { begin, end, last, points, storm: false, rolled: Some(rolled) })
    }

    /// Those who are there in the end: one without clients is among them.
    fn nodes_of(&self, rolled: &Rolled) -> Vec<String> {
        let nodes = self.watched.iter().filter(|process| process.name.starts_with("chat-node"));
        let gone = |name: &str| !self.shared.load.in_place && rolled.drained.iter().any(|old| old.node == name);
        nodes.map(|process| process.name.clone()).filter(|name| !gone(name)).collect()
    }

    /// Has the nodes replaced, and waits until all clients are in their rooms.
    fn replace(&mut self, ground: &mut Ground, rolled: &mut Rolled, log: &mut Log<'_>) -> Result<(), String> {
        let in_place = self.shared.load.in_place;
        let (steps, done) = channel();
        thread::scope(|scope| {
            // On a thread of its own, for this one looks each second. Each of its waits has an end, and so it has.
            let replacing = scope.spawn(move || ground.replace(in_place, &steps));
            while !replacing.is_finished() {
                rolled.during.add(&self.tick(log)?.delivery);
                self.take_steps(&done, rolled, log);
            }
            replacing.join().map_err(|_| "whoever replaces the nodes panicked".to_owned())?
        })?;
        self.take_steps(&done, rolled, log);
        self.until_all_are_there(log, &mut rolled.during)?;
        Ok(())
    }

    fn take_steps(&mut self, steps: &Receiver<Step>, rolled: &mut Rolled, log: &mut Log<'_>) {
        for step in steps.try_iter() {
            match step {
                Step::Started(node) => {
                    (log.tell)(&format!("{} takes clients", node.name));
                    self.watch(node);
                }
                Step::Asked(node) => (log.tell)(&format!("{node} is asked to end")),
                Step::Ended(drained) => {
                    let status = drained.status.map_or("by a signal".to_owned(), |status| format!("with {status}"));
                    (log.tell)(&format!(
                        "{} has ended {status} after {:.1} s",
                        drained.node,
                        drained.took.as_secs_f64()
                    ));
                    rolled.drained.push(drained);
                }
            }
        }
    }

    fn watch(&mut self, node: Watched) {
        match self.watched.iter_mut().find(|known| known.name == node.name) {
            Some(known) => *known = node,
            None => self.watched.push(node),
        }
    }

    /// Goes on until then, and gives what was delivered meanwhile.
    fn until(&mut self, at: u64, log: &mut Log<'_>) -> Result<Times, String> {
        let mut delivered = Times::default();
        while self.shared.now() < at {
            log.next = log.next.min(at);
            delivered.add(&self.tick(log)?.delivery);
        }
        Ok(delivered)
    }

    fn until_all_are_there(&mut self, log: &mut Log<'_>, delivered: &mut Times) -> Result<Slice, String> {
        let deadline = self.shared.now() + BACK;
        loop {
            let slice = self.tick(log)?;
            delivered.add(&slice.delivery);
            // Who is not there by then is missing in the end, and told as such.
            if slice.busy == 0 && slice.moves == 0 || self.shared.now() > deadline {
                return Ok(slice);
            }
        }
    }

    /// The next second.
    fn tick(&mut self, log: &mut Log<'_>) -> Result<Slice, String> {
        self.sleep_until(log.next);
        let slice = self.ask(Asked::Briefly)?;
        let sample = self.sample(&slice);
        (log.tell)(&progress(log.start, &sample, &log.last, &slice, &self.watched, log.measuring));
        log.points.push(Point { sample: sample.clone(), delivery: slice.delivery.clone() });
        log.last = sample;
        log.next = self.shared.now().max(log.next) + TICK;
        Ok(slice)
    }
}
