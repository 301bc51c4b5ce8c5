//! Who is let in now. Coming in is what costs a cluster most: a handful of scripts, and a room read from its beginning.
//! When thousands come back at once, only so many of them are served at a time, in the order in which they came, and
//! whoever cannot be served soon is told when to ask again. So a storm is served at the pace of the store, nobody's
//! time-out begins the same work anew, and what is said in the rooms meanwhile does not wait behind it.

use engine::clock::Entropy;
use prometheus::{IntCounter, IntGauge};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// Nobody is sent away for longer. The store may be better long before the line would have been through, and asking again
/// costs next to nothing.
const LONGEST: Duration = Duration::from_secs(5);
/// Nor for a shorter time: it would be back before anything has changed.
const SHORTEST: Duration = Duration::from_millis(100);
/// What one admission is taken to cost before the first has shown it.
const FIRST_GUESS: Duration = Duration::from_millis(20);
/// How many of the newest admissions say what the next will cost.
const MEMORY: u32 = 16;
/// So much quicker than it looks the line may become, and those who were sent away are back in time: it looks slowest in
/// the very moment in which thousands are sent away, for all of them shake hands just then.
const HOPE: u32 = 2;

/// How many may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Served at once.
    pub at_once: usize,
    /// Waiting behind them, at most.
    pub waiting: usize,
    /// How long, at most.
    pub patience: Duration,
}

/// What Prometheus is told.
#[derive(Clone)]
pub(crate) struct Gauges {
    pub(crate) under_way: IntGauge,
    pub(crate) waiting: IntGauge,
    pub(crate) refused: IntCounter,
}

/// The one door of a node, for all of its workers.
pub(crate) struct Gate {
    settings: Admission,
    /// Fair: a turn that is given back goes to whoever waits longest.
    turns: Arc<Semaphore>,
    line: Mutex<Line>,
    entropy: Arc<dyn Entropy>,
    gauges: Gauges,
}

/// Somebody is being served, until this is dropped.
pub(crate) struct Pass {
    gate: Arc<Gate>,
    since: Instant,
    /// Whether it had to wait, so that its client may have gone meanwhile.
    pub(crate) waited: bool,
    _turn: OwnedSemaphorePermit,
}

/// There is no place, and it will be worth asking again after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) Duration);

impl Gate {
    pub(crate) fn new(settings: Admission, entropy: Arc<dyn Entropy>, gauges: Gauges) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(settings.at_once.clamp(1, Semaphore::MAX_PERMITS)));
        Arc::new(Self { settings, turns, line: Mutex::new(Line::new(settings)), entropy, gauges })
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Full`] at once when the line is too long, and later when it was slower than it looked.
    pub(crate) async fn enter(self: &Arc<Self>) -> Result<Pass, Full> {
        if let Ok(turn) = self.turns.clone().try_acquire_owned() {
            return Ok(self.pass(turn, false));
        }
        let Some(place) = self.line_up() else { return Err(self.send_away()) };
        let turn = timeout(self.settings.patience, self.turns.clone().acquire_owned()).await;
        drop(place);
        match turn {
            Ok(Ok(turn)) => Ok(self.pass(turn, true)),
            // It took too long. (The semaphore is never closed.)
            Ok(Err(_)) | Err(_) => Err(self.send_away()),
        }
    }

    fn pass(self: &Arc<Self>, turn: OwnedSemaphorePermit, waited: bool) -> Pass {
        self.gauges.under_way.inc();
        Pass { gate: self.clone(), since: Instant::now(), waited, _turn: turn }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line_up(self: &Arc<Self>) -> Option<Place> {
        self.line().join().then(|| {
            self.gauges.waiting.inc();
            Place(self.clone())
        })
    }

    fn send_away(&self) -> Full {
        self.gauges.refused.inc();
        Full(self.line().book(Instant::now(), self.entropy.as_ref()))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.gauges.under_way.dec();
        self.gate.line().served(self.since.elapsed());
    }
}

/// A place in the line, also of somebody who gives up.
struct Place(Arc<Gate>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.gauges.waiting.dec();
        self.0.line().leave();
    }
}

/// How long the line is, and how quick.
struct Line {
    settings: Admission,
    waiting: usize,
    /// What an admission has taken lately.
    each: Duration,
    /// Until when the door is taken by those who were sent away and will be back. Each gets a time of its own behind
    /// the one before, so that they come back at the pace at which they can be served, and not all at once.
    booked: Option<Instant>,
}

impl Line {
    fn new(settings: Admission) -> Self {
        Self { settings, waiting: 0, each: FIRST_GUESS, booked: None }
    }

    /// Between two who are let in.
    fn step(&self) -> Duration {
        self.each / u32::try_from(self.settings.at_once).unwrap_or(u32::MAX).max(1)
    }

    /// How long one more would wait.
    fn wait(&self) -> Duration {
        self.step() * u32::try_from(self.waiting + 1).unwrap_or(u32::MAX)
    }

    /// One more, if there is a place and it would be served in time.
    fn join(&mut self) -> bool {
        let there_is = self.waiting < self.settings.waiting && self.wait() <= self.settings.patience;
        self.waiting += usize::from(there_is);
        there_is
    }

    fn leave(&mut self) {
        self.waiting -= 1;
    }

    fn served(&mut self, took: Duration) {
        self.each = (self.each * (MEMORY - 1) + took) / MEMORY;
    }

    /// When somebody who is sent away now is to be back.
    fn book(&mut self, now: Instant, entropy: &dyn Entropy) -> Duration {
        // The line must not run dry while thousands wait elsewhere: with some luck it is half as long by then.
        let soonest = now + (self.wait() / HOPE).max(SHORTEST);
        let at = self.booked.map_or(soonest, |booked| (booked + self.step() / HOPE).max(soonest));
        let after = at - now;
        if after <= LONGEST {
            self.booked = Some(at);
            return after;
        }
        // More than fit into that time: over the second half of it, by chance.
        let half = LONGEST / 2;
        half + Duration::from_millis(entropy.below(u32::try_from(half.as_millis()).unwrap_or(u32::MAX)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::clock::SystemEntropy;
    use futures_util::{FutureExt, future::BoxFuture};

    const SETTINGS: Admission = Admission { at_once: 2, waiting: 3, patience: Duration::from_secs(3) };
    const MS: Duration = Duration::from_millis(1);

    fn gauges() -> Gauges {
        Gauges {
            under_way: IntGauge::new("u", "u").unwrap(),
            waiting: IntGauge::new("w", "w").unwrap(),
            refused: IntCounter::new("r", "r").unwrap(),
        }
    }

    fn gate(settings: Admission) -> Arc<Gate> {
        Gate::new(settings, Arc::new(SystemEntropy), gauges())
    }

    fn figures(gate: &Gate) -> (i64, i64, u64) {
        (gate.gauges.under_way.get(), gate.gauges.waiting.get(), gate.gauges.refused.get())
    }

    /// Somebody at the door, who has been heard.
    fn knock(gate: &Arc<Gate>) -> BoxFuture<'static, Result<Pass, Full>> {
        let gate = gate.clone();
        let mut waits = async move { gate.enter().await }.boxed();
        assert!((&mut waits).now_or_never().is_none(), "there is a place at once");
        waits
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_bounded_and_in_order() {
        let gate = gate(SETTINGS);
        let mut inside = vec![gate.enter().await.ok().unwrap(), gate.enter().await.ok().unwrap()];
        assert!(inside.iter().all(|pass| !pass.waited));
        let mut line: Vec<_> = (0..3).map(|_| knock(&gate)).collect();
        assert_eq!(figures(&gate), (2, 3, 0));
        assert!(gate.enter().now_or_never().unwrap().is_err(), "the line is full");
        assert_eq!(figures(&gate), (2, 3, 1));
        for _ in 0..3 {
            inside.remove(0);
            assert!(line.iter_mut().skip(1).all(|waits| waits.now_or_never().is_none()), "the first is the first");
            inside.push(line.remove(0).await.ok().unwrap());
            assert!(inside.last().unwrap().waited);
        }
        assert_eq!(figures(&gate), (2, 0, 1));
        inside.clear();
        assert_eq!(figures(&gate), (0, 0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_the_line() {
        let gate = gate(SETTINGS);
        let inside = [gate.enter().await, gate.enter().await];
        let (one, two) = (knock(&gate), knock(&gate));
        drop(one);
        assert_eq!(figures(&gate), (2, 1, 0));
        drop(inside);
        assert!(two.await.is_ok());
        assert_eq!(figures(&gate), (0, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_that() {
        let gate = gate(SETTINGS);
        let _inside = [gate.enter().await, gate.enter().await];
        let asked = Instant::now();
        assert!(knock(&gate).await.is_err());
        assert_eq!(asked.elapsed(), SETTINGS.patience);
        assert_eq!(figures(&gate), (2, 0, 1));
    }

    #[test]
    fn who_would_wait_too_long_is_told_at_once() {
        let mut line = Line::new(Admission { waiting: 1000, ..SETTINGS });
        (0..200).for_each(|_| line.served(MS * 1000));
        let waits = (0..100).take_while(|_| line.join()).count();
        assert!((5..=6).contains(&waits), "{waits} at half a second each, for three seconds");
    }

    #[test]
    fn those_sent_away_come_back_one_after_the_other() {
        let mut line = Line::new(SETTINGS);
        (0..200).for_each(|_| line.served(MS * 200));
        while line.join() {}
        let now = Instant::now();
        let times: Vec<_> = (0..5).map(|_| line.book(now, &SystemEntropy)).collect();
        // Half of the three who wait, and itself; each after the one before.
        assert!(times[0].abs_diff(MS * 200) < MS * 5, "{times:?}");
        for pair in times.windows(2) {
            assert!((pair[1] - pair[0]).abs_diff(MS * 50) < MS * 2, "{times:?}");
        }
        // Later the booked times are over.
        assert!(line.book(now + MS * 60_000, &SystemEntropy).abs_diff(MS * 200) < MS * 5);
    }

    #[test]
    fn nobody_is_sent_away_for_long() {
        let mut line = Line::new(SETTINGS);
        (0..200).for_each(|_| line.served(MS * 2000));
        while line.join() {}
        let now = Instant::now();
        let times: Vec<_> = (0..1000).map(|_| line.book(now, &SystemEntropy)).collect();
        assert!(times.iter().all(|time| *time <= LONGEST), "{times:?}");
        let late: Vec<_> = times.iter().skip(50).collect();
        let (first, last) = (late.iter().min().unwrap(), late.iter().max().unwrap());
        assert!(**first >= LONGEST / 2 && **last - **first > LONGEST / 4, "{first:?} to {last:?}");
    }
}
