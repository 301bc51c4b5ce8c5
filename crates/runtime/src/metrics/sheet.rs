//! Figures that somebody else keeps, as Prometheus wants to see them: written down anew for each scrape, so that keeping
//! them costs nothing more, and so that what keeps them need not know of Prometheus.

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::{BTreeMap, btree_map::Entry};

/// Labels and their values. A value comes from a set that nobody outside can make longer.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// One scrape's figures, by name.
#[derive(Debug, Default)]
pub struct Sheet(BTreeMap<String, MetricFamily>);

impl Sheet {
    /// What goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, labels: Labels<'_>, value: f64) {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        self.metric(name, help, MetricType::GAUGE, labels).set_gauge(gauge);
    }

    /// What only goes up. Its name ends with `_total`.
    #[allow(clippy::cast_precision_loss)] // as everywhere in Prometheus
    pub fn count(&mut self, name: &str, help: &str, labels: Labels<'_>, value: u64) {
        self.counter(name, help, labels, value as f64);
    }

    /// The same, of what is no whole number.
    pub fn counter(&mut self, name: &str, help: &str, labels: Labels<'_>, value: f64) {
        let mut counter = Counter::default();
        counter.set_value(value);
        self.metric(name, help, MetricType::COUNTER, labels).set_counter(counter);
    }

    /// How often values up to each bound were seen, and above the one before it; the last bound is infinite. `sum` is
    /// that of all values.
    pub fn histogram(&mut self, name: &str, help: &str, labels: Labels<'_>, buckets: &[(f64, u64)], sum: f64) {
        let mut seen = 0;
        let cumulative = buckets.iter().map(|(bound, count)| {
            seen += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(seen);
            bucket
        });
        let mut histogram = Histogram::default();
        let cumulative: Vec<_> = cumulative.collect();
        histogram.set_sample_count(seen);
        // The infinite one is the count; prometheus's encoder would spell its bound otherwise than Prometheus does.
        histogram.set_bucket(cumulative.into_iter().filter(|bucket| bucket.upper_bound().is_finite()).collect());
        histogram.set_sample_sum(sum);
        self.metric(name, help, MetricType::HISTOGRAM, labels).set_histogram(histogram);
    }

    /// A place for one value. The parts of a process may write down the same name, each with labels of its own.
    fn metric(&mut self, name: &str, help: &str, kind: MetricType, labels: Labels<'_>) -> &mut Metric {
        let family = self.0.entry(name.to_owned()).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(name.to_owned());
            family.set_help(help.to_owned());
            family.set_field_type(kind);
            family
        });
        let pair = |(name, value): &(&str, &str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        let metrics = family.mut_metric();
        metrics.push(Metric::from_label(labels.iter().map(pair).collect()));
        let last = metrics.len() - 1;
        &mut metrics[last]
    }

    /// Adds what a registry has.
    pub(super) fn add(&mut self, families: Vec<MetricFamily>) {
        for mut family in families {
            match self.0.entry(family.name().to_owned()) {
                Entry::Vacant(place) => _ = place.insert(family),
                Entry::Occupied(mut same) => same.get_mut().mut_metric().extend(family.take_metric()),
            }
        }
    }

    /// All families, in the order of their names.
    pub(super) fn into_families(self) -> Vec<MetricFamily> {
        self.0.into_values().collect()
    }
}
