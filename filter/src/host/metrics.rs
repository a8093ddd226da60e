//! The metrics of a document, as the host numbers them.

use std::cell::RefCell;
use std::hash::BuildHasherDefault;

use hashbrown::HashMap;
use rustc_hash::FxHasher;

use super::abi::{self, Level, MetricType};
use super::log;
use super::status::HostError;
use crate::metrics::{MetricDefinition, MetricIndex, MetricKind};

thread_local! {
    /// Every metric this VM has defined. A VM outlives the documents it serves, and the host makes a new entry for each
    /// definition and never takes one back: a name is defined once.
    static DEFINED: RefCell<HashMap<String, u32, BuildHasherDefault<FxHasher>>> =
        const { RefCell::new(HashMap::with_hasher(BuildHasherDefault::new())) };
}

/// The metrics of one document. Counts are kept here and told to the host at [`HostMetrics::flush`]: a call for each of them
/// in each request would cost more than counting. A metric that the host did not define is not counted.
#[derive(Default)]
pub(crate) struct HostMetrics {
    metrics: Vec<HostMetric>,
    /// Those with something to tell.
    unflushed: Vec<MetricIndex>,
}

/// One metric: the host's number for it, and what has been counted since the host was told.
#[derive(Clone, Copy, Default)]
struct HostMetric {
    id: Option<u32>,
    amount: i64,
    /// Whether it stands among those with something to tell.
    is_listed: bool,
}

impl HostMetrics {
    /// Defines what this VM has not defined before. A failure is told in the log, once: it must not close the gate.
    pub(crate) fn define(definitions: &[MetricDefinition]) -> HostMetrics {
        let mut failure = None;
        let metrics = definitions
            .iter()
            .map(|definition| {
                let id = id_of(definition).inspect_err(|error| failure = Some(*error)).ok();
                HostMetric { id, ..HostMetric::default() }
            })
            .collect();
        if let Some(error) = failure {
            log::write(Level::Warn, || format!("some metrics are not counted: {error}"));
        }
        HostMetrics { metrics, unflushed: Vec::new() }
    }

    /// Adds one to a counter.
    pub(crate) fn increment(&mut self, metric: MetricIndex) {
        self.add(metric, 1);
    }

    /// Adds to a counter or a gauge.
    pub(crate) fn add(&mut self, metric: MetricIndex, amount: i64) {
        let Some(counted) = self.metrics.get_mut(metric.0) else { return };
        if !counted.is_listed {
            counted.is_listed = true;
            self.unflushed.push(metric);
        }
        counted.amount = counted.amount.saturating_add(amount);
    }

    /// Sets a gauge, or adds a value to a histogram, at once.
    pub(crate) fn record(&self, MetricIndex(index): MetricIndex, value: u64) {
        if let Some(id) = self.metrics.get(index).and_then(|metric| metric.id) {
            let _ = abi::record_metric(id, value);
        }
    }

    /// Whether there is something that the host has not been told.
    pub(crate) fn has_unflushed(&self) -> bool {
        !self.unflushed.is_empty()
    }

    /// Tells the host what has been counted.
    pub(crate) fn flush(&mut self) {
        for MetricIndex(index) in self.unflushed.drain(..) {
            let Some(counted) = self.metrics.get_mut(index) else { continue };
            let HostMetric { id, amount, .. } = *counted;
            *counted = HostMetric { id, ..HostMetric::default() };
            if let (Some(id), true) = (id, amount != 0) {
                let _ = abi::increment_metric(id, amount);
            }
        }
    }
}

fn id_of(definition: &MetricDefinition) -> Result<u32, HostError> {
    let name = definition.name.as_str();
    if let Some(id) = DEFINED.with_borrow(|defined| defined.get(name).copied()) {
        return Ok(id);
    }
    let metric_type = match definition.kind {
        MetricKind::Counter => MetricType::Counter,
        MetricKind::Gauge => MetricType::Gauge,
        MetricKind::Histogram => MetricType::Histogram,
    };
    let id = abi::define_metric(metric_type, name.as_bytes())?;
    DEFINED.with_borrow_mut(|defined| defined.insert(name.to_owned(), id));
    Ok(id)
}
