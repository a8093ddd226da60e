//! Metrics: one set for the whole proxy by name, ids per VM.

use super::Status;
use std::collections::BTreeMap;

/// The three kinds of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Records samples.
    Histogram,
}

impl MetricKind {
    pub(super) fn from_abi(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Counter),
            1 => Some(Self::Gauge),
            2 => Some(Self::Histogram),
            _ => None,
        }
    }
}

/// A metric as the proxy would export it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// What it is.
    pub kind: MetricKind,
    /// The value of a counter or gauge.
    pub value: u64,
    /// The samples of a histogram, in order.
    pub samples: Vec<u64>,
    /// How often any VM defined it. Once per VM is right: each definition is another entry in the host.
    pub definitions: usize,
}

/// Metrics by name.
pub(super) type Metrics = BTreeMap<String, Metric>;

/// The ids one VM has been given: the position is in the upper bits, the kind in the lower two.
#[derive(Debug, Default)]
pub(super) struct MetricIds(Vec<(MetricKind, String)>);

impl MetricIds {
    pub(super) fn define(&mut self, metrics: &mut Metrics, kind: MetricKind, name: String) -> u32 {
        let metric = metrics.entry(name.clone()).or_insert(Metric {
            kind,
            value: 0,
            samples: Vec::new(),
            definitions: 0,
        });
        metric.definitions += 1;
        self.0.push((kind, name));
        (self.0.len() as u32) << 2 | kind as u32
    }

    fn find<'a>(&self, metrics: &'a mut Metrics, id: u32) -> Result<(MetricKind, &'a mut Metric), Status> {
        let position = (id >> 2).checked_sub(1).ok_or(Status::NOT_FOUND)? as usize;
        let (kind, name) = self.0.get(position).ok_or(Status::NOT_FOUND)?;
        if *kind as u32 != id & 3 {
            return Err(Status::NOT_FOUND);
        }
        metrics.get_mut(name).map(|metric| (*kind, metric)).ok_or(Status::NOT_FOUND)
    }

    pub(super) fn get(&self, metrics: &mut Metrics, id: u32) -> Result<u64, Status> {
        match self.find(metrics, id)? {
            (MetricKind::Histogram, _) => Err(Status::BAD_ARGUMENT),
            (_, metric) => Ok(metric.value),
        }
    }

    pub(super) fn record(&self, metrics: &mut Metrics, id: u32, value: u64) -> Result<(), Status> {
        match self.find(metrics, id)? {
            (MetricKind::Counter, metric) => metric.value += value,
            (MetricKind::Gauge, metric) => metric.value = value,
            (MetricKind::Histogram, metric) => metric.samples.push(value),
        }
        Ok(())
    }

    pub(super) fn increment(&self, metrics: &mut Metrics, id: u32, offset: i64) -> Result<(), Status> {
        match self.find(metrics, id)? {
            (MetricKind::Counter, metric) if offset > 0 => metric.value += offset as u64,
            (MetricKind::Gauge, metric) => metric.value = metric.value.saturating_add_signed(offset),
            (MetricKind::Counter | MetricKind::Histogram, _) => return Err(Status::BAD_ARGUMENT),
        }
        Ok(())
    }
}
