//! One run, from the first connection to the verdict.

use super::{
    dialect::Dialect,
    driver::Driver,
    figures::{Counters, Slice, Times},
    ground::Ground,
    options::Options,
    procfs::{self, Usage, Watched},
    profile::Profile,
    rollout::Rolled,
    schedule::SECOND,
    shared::{Asked, Newest, Order, Reply, Room, Shared},
    text::Run,
};
use std::{
    sync::{Arc, mpsc},
    thread::{JoinHandle, sleep},
    time::{Duration, Instant},
};

/// How often the run is looked at.
pub(super) const TICK: u64 = SECOND;
/// How long the last deliveries may take, and the last of a storm.
const SETTLE: u64 = 10 * SECOND;
pub(super) const BACK: u64 = 60 * SECOND;
/// Clients of a rollout that have two connections at the same time, at most.
const MOVING: usize = 2000;
/// How often it is looked whether they are there.
const LOOK: Duration = Duration::from_millis(50);
/// From the last connection to the figures of a server that does nothing.
const CALM: Duration = Duration::from_secs(1);
/// How long a thread may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// What was seen at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    /// Nanoseconds since the beginning.
    pub(super) at: u64,
    pub(super) counters: Counters,
    pub(super) live: u64,
    /// Of each process that is watched; none, if it is gone.
    pub(super) processes: Vec<Option<Usage>>,
    /// Of this one.
    pub(super) ours: Usage,
}

/// What became of one tick.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) sample: Sample,
    pub(super) delivery: Times,
}

/// All that was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) about: String,
    pub(super) watched: Vec<Watched>,
    /// The messages a second that were asked for.
    pub(super) messages: Option<f64>,
    /// Before the first connection, when all were there, and after a second of calm.
    pub(super) empty: Sample,
    pub(super) connected: Sample,
    pub(super) calm: Sample,
    /// When measuring began and ended.
    pub(super) begin: Sample,
    pub(super) end: Sample,
    /// When all was over.
    pub(super) last: Slice,
    pub(super) points: Vec<Point>,
    pub(super) delivery: Times,
    pub(super) ack: Times,
    pub(super) lasts: Times,
    pub(super) setup: Times,
    pub(super) back: Times,
    /// Of those whom the storm left alone, while it lasted.
    pub(super) others: Times,
    /// Whether there was a storm.
    pub(super) storm: bool,
    /// The rollout.
    pub(super) rolled: Option<Rolled>,
}

/// The threads, and what is known of them.
pub(super) struct Crew {
    pub(super) shared: Arc<Shared>,
    threads: Vec<(mpsc::Sender<Order>, mpsc::Receiver<Reply>, JoinHandle<()>)>,
    pub(super) watched: Vec<Watched>,
    pub(super) total: Totals,
}

#[derive(Default)]
pub(super) struct Totals {
    delivery: Times,
    ack: Times,
    lasts: Times,
    pub(super) setup: Times,
    back: Times,
    others: Times,
    pub(super) moving: Times,
    pub(super) handover: Times,
    pub(super) away: Times,
}

/// What was seen before anything was sent.
pub(super) struct Arrival {
    empty: Sample,
    connected: Sample,
    pub(super) calm: Sample,
}

/// What was seen from then on.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) begin: Sample,
    pub(super) end: Sample,
    pub(super) last: Slice,
    pub(super) points: Vec<Point>,
    pub(super) storm: bool,
    pub(super) rolled: Option<Rolled>,
}

/// Runs it. `tell` gets a line each second.
pub(super) fn measure(options: &Options, tell: &mut dyn FnMut(&str)) -> Result<Measured, String> {
    // Two connections of each client that moves, at the worst.
    let load = &options.load;
    let moves = if load.profile == Profile::Rollout { MOVING } else { 0 };
    let wanted = (load.connections() + moves.min(load.clients)) as u64 + 100;
    let limit = rlimit::increase_nofile_limit(u64::MAX).map_err(|e| format!("the limit of open files: {e}"))?;
    if limit < wanted {
        return Err(format!("this process may have {limit} open files, and needs {wanted} (ulimit -n, as root)"));
    }
    let mut ground = Ground::find(options, tell)?;
    let done = Crew::start(options, &ground).and_then(|mut crew| {
        let arrival = crew.arrive(tell);
        let done = arrival.and_then(|arrival| {
            let seen = match options.load.profile {
                Profile::Rollout => crew.roll(&mut ground, &arrival, tell),
                _ => crew.carry_out(&mut ground, &arrival, tell),
            };
            seen.map(|seen| crew.measured(&ground, arrival, seen))
        });
        crew.end();
        done
    });
    ground.stop();
    done
}

impl Crew {
    fn start(options: &Options, ground: &Ground) -> Result<Self, String> {
        let load = options.load.clone();
        let seats = load.seats();
        let shared = Arc::new(Shared {
            run: Run::new(load.seed ^ u64::from(std::process::id())),
            base: Instant::now(),
            targets: ground.targets.clone(),
            rooms: (0..load.all_rooms()).map(|_| Room::default()).collect(),
            senders: (0..load.senders).map(|_| Newest::default()).collect(),
            seats,
            load,
        });
        if shared.load.dialect == Dialect::SocketIo {
            // Its rooms need not be made: they are whatever somebody is in.
            shared.rooms.iter().zip(0..).for_each(|(room, id)| room.exists(id + 1));
        }
        let mut threads = Vec::new();
        for index in 0..shared.load.threads {
            let (orders, theirs) = mpsc::channel();
            let (replies, reply) = mpsc::channel();
            let driver = Driver::new(shared.clone(), index).map_err(|e| format!("epoll: {e}"))?;
            let named = std::thread::Builder::new().name(format!("load-{index}"));
            let thread = named.spawn(move || {
                if let Err(error) = driver.run(&theirs, &replies) {
                    eprintln!("load-test: epoll: {error}");
                }
            });
            threads.push((orders, reply, thread.map_err(|e| format!("a thread: {e}"))?));
        }
        Ok(Self { shared, threads, watched: ground.watched.clone(), total: Totals::default() })
    }

    fn end(self) {
        for (orders, replies, thread) in self.threads {
            let _ = orders.send(Order::End);
            drop(replies);
            let _ = thread.join();
        }
    }

    pub(super) fn order(&self, order: Order) {
        for (orders, _, _) in &self.threads {
            // A thread that has ended is noticed when it does not answer.
            let _ = orders.send(order);
        }
    }

    /// Asks all threads, and notes what they say.
    pub(super) fn ask(&mut self, asked: Asked) -> Result<Slice, String> {
        self.order(Order::Report(asked));
        let mut all = Slice::default();
        for (_, replies, _) in &self.threads {
            all.add(
                &replies.recv_timeout(ANSWER).map_err(|_| "a thread of the load tester does not answer".to_owned())?,
            );
        }
        let total = &mut self.total;
        total.delivery.add(&all.delivery);
        total.ack.add(&all.ack);
        total.lasts.add(&all.last);
        total.setup.add(&all.setup);
        total.back.add(&all.back);
        total.others.add(&all.others);
        total.moving.add(&all.moving);
        total.handover.add(&all.handover);
        total.away.add(&all.away);
        Ok(all)
    }

    pub(super) fn sample(&self, slice: &Slice) -> Sample {
        Sample {
            at: self.shared.now(),
            counters: slice.counters,
            live: slice.live,
            processes: self.watched.iter().map(|process| procfs::look(process.pid)).collect(),
            ours: procfs::look_at_oneself(),
        }
    }

    pub(super) fn sleep_until(&self, at: u64) {
        sleep(Duration::from_nanos(at.saturating_sub(self.shared.now())));
    }

    /// All come, and nothing is said yet.
    fn arrive(&mut self, tell: &mut dyn FnMut(&str)) -> Result<Arrival, String> {
        let slice = self.ask(Asked::Briefly)?;
        let empty = self.sample(&slice);
        let connected = self.connect(&empty, tell)?;
        sleep(CALM);
        let slice = self.ask(Asked::Briefly)?;
        Ok(Arrival { empty, connected, calm: self.sample(&slice) })
    }

    fn measured(&mut self, ground: &Ground, arrival: Arrival, seen: Seen) -> Measured {
        let total = std::mem::take(&mut self.total);
        let Arrival { empty, connected, calm } = arrival;
        let Seen { begin, end, last, points, storm, rolled } = seen;
        Measured {
            about: ground.about.clone(),
            watched: self.watched.clone(),
            messages: self.shared.load.messages(&self.shared.seats),
            empty,
            connected,
            calm,
            begin,
            end,
            last,
            points,
            delivery: total.delivery,
            ack: total.ack,
            lasts: total.lasts,
            setup: total.setup,
            back: total.back,
            others: total.others,
            storm,
            rolled,
        }
    }

    fn carry_out(
        &mut self,
        ground: &mut Ground,
        arrival: &Arrival,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Seen, String> {
        let load = self.shared.load.clone();
        let start = self.shared.now() + SECOND / 20;
        let begin_at = start + load.warmup.as_nanos() as u64;
        let end_at = begin_at + load.duration.as_nanos() as u64;
        let storm_at = (load.profile == Profile::Storm).then(|| begin_at + (end_at - begin_at) / 4);
        self.order(Order::Send { start, measured: begin_at, end: end_at });
        // Ticks of a second, and whatever has to be at its own time.
        let mut points: Vec<Point> = Vec::new();
        let (mut begin, mut end, mut storm) = (None, None, false);
        let mut apart = Times::default();
        let mut last = arrival.calm.clone();
        let mut tick = start + TICK;
        while end.is_none() {
            let storm_next = storm_at.filter(|_| !storm).unwrap_or(u64::MAX);
            let begin_next = if begin.is_none() { begin_at } else { u64::MAX };
            let at = tick.min(begin_next).min(storm_next).min(end_at);
            self.sleep_until(at);
            if at == storm_next {
                storm = true;
                tell(if load.kill {
                    "storm: a node is killed, with all clients but those who stay"
                } else {
                    "storm: all connections are cut"
                });
                self.order(Order::Storm { cut: !load.kill });
                // Once they answer, all threads know that what is lost now is to come back.
                apart = self.ask(Asked::Briefly)?.delivery;
                if load.kill {
                    ground.kill();
                }
                continue;
            }
            let mut slice = self.ask(Asked::Briefly)?;
            slice.delivery.add(&std::mem::take(&mut apart));
            let sample = self.sample(&slice);
            if at == begin_next {
                begin = Some(sample.clone());
            }
            if at == end_at {
                end = Some(sample.clone());
            }
            tick = if at == tick { tick + TICK } else { tick };
            // A tick just beside another one would only be noise.
            if sample.at - last.at > TICK / 4 {
                tell(&progress(start, &sample, &last, &slice, &self.watched, begin.is_some()));
                points.push(Point { sample: sample.clone(), delivery: slice.delivery.clone() });
                last = sample;
            } else {
                apart = slice.delivery;
            }
        }
        let last = self.settle(storm, &mut points, tell)?;
        let (begin, end) = (begin.unwrap_or_default(), end.unwrap_or_default());
        Ok(Seen { begin, end, last, points, storm, rolled: None })
    }

    /// Connects all, and waits until they are in their rooms, or will not be.
    fn connect(&mut self, empty: &Sample, tell: &mut dyn FnMut(&str)) -> Result<Sample, String> {
        let clients = self.shared.load.first();
        self.order(Order::Connect);
        let mut tick = self.shared.now() + TICK;
        loop {
            sleep(LOOK / 5);
            let slice = self.ask(Asked::Briefly)?;
            if slice.busy == 0 || self.shared.now() >= tick {
                let sample = self.sample(&slice);
                let seconds = (sample.at - empty.at) as f64 / 1e9;
                let failed = slice.counters.failed + slice.counters.dropped;
                tell(&format!("{seconds:4.0} s  {} of {clients} connected, {failed} failed", slice.live));
                tick += TICK;
                if slice.busy == 0 {
                    return if slice.live > 0 { Ok(sample) } else { Err(nobody(&slice)) };
                }
            }
        }
    }

    /// Waits for what is still to come. What has not come by then is lost.
    pub(super) fn settle(
        &mut self,
        storm: bool,
        points: &mut Vec<Point>,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Slice, String> {
        let begin = self.shared.now();
        let deadline = begin + if storm { BACK } else { SETTLE };
        let mut tick = begin + TICK;
        loop {
            // The first look makes known how far each room is.
            self.ask(Asked::Briefly)?;
            let slice = self.ask(Asked::Briefly)?;
            let now = self.shared.now();
            let settled = slice.lacking == 0 && slice.outstanding == 0 && slice.busy == 0;
            if settled || now > deadline {
                let mut last = self.ask(Asked::Fully)?;
                last.counters.lost += last.lacking;
                last.counters.failed += last.busy;
                return Ok(last);
            }
            if now >= tick {
                tick += TICK;
                tell(&format!(
                    "       waiting for {} deliveries, {} answers, {} connections",
                    slice.lacking, slice.outstanding, slice.busy
                ));
                let sample = self.sample(&slice);
                points.push(Point { sample, delivery: slice.delivery });
            }
            sleep(LOOK);
        }
    }
}

fn nobody(slice: &Slice) -> String {
    let reasons: Vec<_> = slice.reasons.iter().map(|(reason, count)| format!("{reason} ({count} times)")).collect();
    format!("no connection came about: {}", reasons.join("; "))
}

pub(super) fn progress(
    start: u64,
    now: &Sample,
    before: &Sample,
    slice: &Slice,
    watched: &[Watched],
    measuring: bool,
) -> String {
    use std::fmt::Write as _;
    let seconds = (now.at - before.at) as f64 / 1e9;
    let counters = now.counters.since(&before.counters);
    let rate = counters.delivered as f64 / seconds;
    let mut line = format!("{:4.0} s  {} connections  {rate:.0} deliveries/s", (now.at - start) as f64 / 1e9, now.live);
    if slice.delivery.is_empty() {
        line += if measuring { "" } else { "  warming up" };
    } else {
        let (p50, p99) = (slice.delivery.quantile(0.5), slice.delivery.quantile(0.99));
        let _ = write!(line, "  p50 {p50:.2} p99 {p99:.2} ms");
    }
    let bad = slice.counters.lost + slice.counters.doubled + slice.counters.reordered + slice.counters.dropped;
    if bad > 0 {
        let Counters { lost, doubled, reordered, dropped, .. } = slice.counters;
        let _ = write!(line, "  lost {lost} doubled {doubled} reordered {reordered} dropped {dropped}");
    }
    line += "  CPU";
    let share = |now: &Usage, before: &Usage| now.since(before).cpu_nanoseconds as f64 / seconds / 1e7;
    for (n, process) in watched.iter().enumerate() {
        if let (Some(Some(now)), Some(Some(before))) = (now.processes.get(n), before.processes.get(n)) {
            let share = share(now, before);
            if share >= 0.5 {
                let _ = write!(line, " {} {share:.0} %", process.name);
            }
        }
    }
    let _ = write!(line, " load {:.0} %", share(&now.ours, &before.ours));
    line
}
