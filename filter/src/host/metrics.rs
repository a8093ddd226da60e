//! The metrics of a document, as the host numbers them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::abi::{self, Level, MetricType};
use super::log;
use super::status::HostError;
use crate::metrics::{MetricDefinition, MetricIndex, MetricKind};

thread_local! {
    /// Every metric this VM has defined. A VM outlives the documents it serves, and the host makes a new entry for each
    /// definition and never takes one back: a name is defined once.
    static DEFINED: RefCell<BTreeMap<String, u32>> = const { RefCell::new(BTreeMap::new()) };
}

/// The host's number for each metric of one document. One that the host did not define is not counted.
#[derive(Default)]
pub(crate) struct HostMetrics(Vec<Option<u32>>);

impl HostMetrics {
    /// Defines what this VM has not defined before. A failure is told in the log, once: it must not close the gate.
    pub(crate) fn define(definitions: &[MetricDefinition]) -> HostMetrics {
        let mut failure = None;
        let ids = definitions
            .iter()
            .map(|definition| id_of(definition).inspect_err(|error| failure = Some(*error)).ok())
            .collect();
        if let Some(error) = failure {
            log::write(Level::Warn, || format!("some metrics are not counted: {error}"));
        }
        HostMetrics(ids)
    }

    /// Adds one to a counter.
    pub(crate) fn increment(&self, metric: MetricIndex) {
        self.add(metric, 1);
    }

    /// Adds to a counter or a gauge.
    pub(crate) fn add(&self, metric: MetricIndex, amount: i64) {
        if let Some(id) = self.id(metric) {
            let _ = abi::increment_metric(id, amount);
        }
    }

    /// Sets a gauge, or adds a value to a histogram.
    pub(crate) fn record(&self, metric: MetricIndex, value: u64) {
        if let Some(id) = self.id(metric) {
            let _ = abi::record_metric(id, value);
        }
    }

    fn id(&self, MetricIndex(index): MetricIndex) -> Option<u32> {
        self.0.get(index).copied().flatten()
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
