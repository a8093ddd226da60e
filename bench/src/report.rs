//! Medians and ratios of all rounds, as JSON.

use crate::comparison::{COMPARISONS, Comparison, is_measured};
use crate::lane::Lane;
use crate::measured::{Cost, Ratio, Spread};
use crate::place::Place;
use crate::rounds::Round;
use crate::traffic::Traffic;

/// What every lane costs.
pub(crate) fn costs(rounds: &[Round]) -> Vec<Cost> {
    let pairs = Traffic::ALL.into_iter().flat_map(|traffic| Lane::ALL.map(|lane| (lane, traffic)));
    pairs
        .filter(|(lane, traffic)| is_measured(*lane, *traffic))
        .map(|(lane, traffic)| Cost {
            lane: lane.name().to_owned(),
            traffic: traffic.name().to_owned(),
            cpu_us: Spread::of(rounds.iter().map(|round| above_bare(round, lane, traffic)).collect()),
            per_second: Spread::of(
                rounds
                    .iter()
                    .map(|round| round.get(&Place { lane, traffic }).map_or(f64::NAN, |s| s.per_second))
                    .collect(),
            ),
        })
        .collect()
}

/// How the comparisons came out.
pub(crate) fn ratios(rounds: &[Round]) -> Vec<Ratio> {
    COMPARISONS.iter().map(|comparison| ratio(comparison, rounds)).collect()
}

fn ratio(comparison: &Comparison, rounds: &[Round]) -> Ratio {
    let Comparison { name, ours, against, traffic, bar, with_server } = *comparison;
    let server = |round: &Round| {
        round.get(&Place { lane: against, traffic }).map_or(f64::NAN, |sample| sample.server_us)
    };
    let in_round = |round: &Round| {
        let other = above_bare(round, against, traffic) + if with_server { server(round) } else { 0.0 };
        above_bare(round, ours, traffic) / other
    };
    let ratio = Spread::of(rounds.iter().map(in_round).collect());
    Ratio {
        name: name.to_owned(),
        ours: ours.name().to_owned(),
        against: against.name().to_owned(),
        ratio,
        bar,
        kept: bar.map(|bar| ratio.median <= bar),
    }
}

fn above_bare(round: &Round, lane: Lane, traffic: Traffic) -> f64 {
    let of = |lane| round.get(&Place { lane, traffic }).map_or(f64::NAN, |sample| sample.cpu_us);
    if lane == Lane::Bare { of(lane) } else { of(lane) - of(Lane::Bare) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::Sample;

    #[test]
    fn a_ratio_is_of_what_comes_above_the_bare_listener_in_the_same_round() {
        let sample = |cpu_us| Sample { cpu_us, server_us: 30.0, per_second: 1.0 };
        let round = Round::from([
            (Place::warm(Lane::Bare), sample(20.0)),
            (Place::warm(Lane::Ours), sample(30.0)),
            (Place::warm(Lane::NativeCachedRbac), sample(40.0)),
        ]);
        let warm = ratio(&COMPARISONS[0], std::slice::from_ref(&round));
        assert_eq!((warm.ratio.median, warm.kept), (0.5, Some(true)));
        let asked = Comparison { with_server: true, ..COMPARISONS[0] };
        assert_eq!(
            ratio(&asked, std::slice::from_ref(&round)).ratio.median,
            0.2,
            "10 of 20 and the server's 30"
        );
    }

    #[test]
    fn what_was_not_measured_keeps_no_bar() {
        assert_eq!(ratio(&COMPARISONS[0], &[Round::new()]).kept, Some(false));
    }
}
