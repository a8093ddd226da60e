//! What is compared with what, and the bar that each comparison must keep: one row for each.

use crate::lane::Lane;
use crate::traffic::Traffic;

/// Two lanes under the same traffic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    /// Its name in tables.
    pub(crate) name: &'static str,
    pub(crate) ours: Lane,
    pub(crate) against: Lane,
    pub(crate) traffic: Traffic,
    /// What the ratio of CPU above the bare listener may be at most; none where it is only told.
    pub(crate) bar: Option<f64>,
    /// Whether the CPU of the server that the other asks counts, too.
    pub(crate) with_server: bool,
}

const fn row(
    name: &'static str,
    ours: Lane,
    against: Lane,
    traffic: Traffic,
    bar: Option<f64>,
) -> Comparison {
    Comparison { name, ours, against, traffic, bar, with_server: false }
}

/// All comparisons.
pub(crate) const COMPARISONS: [Comparison; 19] = [
    row("warm", Lane::Ours, Lane::NativeCachedRbac, Traffic::Warm, Some(0.85)),
    row("warm, with the guard", Lane::OursGuarded, Lane::NativeCachedRbac, Traffic::Warm, None),
    row("warm, audit on", Lane::OursAudited, Lane::NativeCachedRbac, Traffic::Warm, Some(1.0)),
    row("cold RS256", Lane::Ours, Lane::NativeRbac, Traffic::ColdRs256, Some(0.80)),
    row("cold ES256", Lane::Ours, Lane::NativeRbac, Traffic::ColdEs256, Some(0.90)),
    row("no token", Lane::Ours, Lane::NativeCachedRbac, Traffic::Missing, Some(1.0)),
    row("expired", Lane::Ours, Lane::NativeCachedRbac, Traffic::Expired, Some(1.0)),
    row("forged, each new", Lane::Ours, Lane::NativeCachedRbac, Traffic::Forged, Some(1.0)),
    row("forged, a flood from one source", Lane::Ours, Lane::NativeCachedRbac, Traffic::Flood, Some(1.0)),
    row("warm, against ext_authz", Lane::Ours, Lane::ExtAuthz, Traffic::Warm, Some(0.2)),
    Comparison {
        with_server: true,
        ..row("warm, against ext_authz and its server", Lane::Ours, Lane::ExtAuthz, Traffic::Warm, None)
    },
    row("warm, against an empty filter", Lane::Ours, Lane::Empty, Traffic::Warm, None),
    row("warm, 100 000 rules against ten", Lane::OursLarge, Lane::Ours, Traffic::Warm, Some(1.5)),
    row("warm between new tokens", Lane::Ours, Lane::NativeCachedRbac, Traffic::Mixed, None),
    row("warm, authentication alone", Lane::OursAuthentication, Lane::NativeCached, Traffic::Warm, None),
    row("cold RS256, authentication alone", Lane::OursAuthentication, Lane::Native, Traffic::ColdRs256, None),
    row("RS256 without the host", Lane::OursAlone, Lane::Native, Traffic::ColdRs256, Some(12.0)),
    row("ES256 without the host", Lane::OursAlone, Lane::Native, Traffic::ColdEs256, Some(7.0)),
    row("EdDSA without the host", Lane::OursAlone, Lane::Native, Traffic::ColdEdDsa, Some(1.4)),
];

/// Whether anything needs this lane under this traffic; warm traffic goes through all.
pub(crate) fn is_measured(lane: Lane, traffic: Traffic) -> bool {
    let compared = |row: &Comparison| row.ours == lane || row.against == lane;
    lane == Lane::Bare
        || traffic == Traffic::Warm
        || COMPARISONS.iter().any(|row| row.traffic == traffic && compared(row))
}
