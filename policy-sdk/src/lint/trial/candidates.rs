//! The values that stand for all, family by family of operators.

use serde_json::{Value, json};

use super::Candidate;
use crate::document::{Condition, Operand, Operator, Scalar, Test};
use crate::moment::Moment;

/// Conditions that belong together, and values one of which makes all of them true if any value does.
type Family<'c> = (Vec<&'c Condition>, Vec<Candidate>);

/// The families that all of `conditions` have among them.
pub(super) fn families<'c>(conditions: &[&'c Condition]) -> Vec<Family<'c>> {
    let mut all = Vec::new();
    // Where values are listed, or where there is to be none, nothing else needs to be tried.
    if let Some(values) = conditions.iter().find_map(|condition| listed(condition)) {
        all.push((conditions.to_vec(), values));
        return all;
    }
    for (operators, values) in FAMILIES {
        let of_family: Vec<(&Condition, &Test)> = conditions
            .iter()
            .filter_map(|condition| match condition {
                Condition::Test(test) if operators.contains(&test.operator) => Some((*condition, test)),
                Condition::Test(_) | Condition::AnyOf(_) | Condition::AllOf(_) | Condition::NoneOf(_) => None,
            })
            .collect();
        let tests: Vec<&Test> = of_family.iter().map(|(_, test)| *test).collect();
        if !tests.is_empty()
            && let Some(values) = values(&tests)
        {
            all.push((of_family.into_iter().map(|(condition, _)| condition).collect(), values));
        }
    }
    all
}

/// Whether the condition is about hours and days alone, which come back every week.
pub(super) fn is_periodic(condition: &Condition) -> bool {
    match condition {
        Condition::Test(test) => PERIODIC.contains(&test.operator),
        Condition::AnyOf(_) | Condition::AllOf(_) | Condition::NoneOf(_) => false,
    }
}

/// Every minute of a week: hours begin and end with a minute, wherever clocks are.
pub(super) fn a_week() -> Vec<Candidate> {
    (0..MINUTES_OF_A_WEEK).map(|minute| one(json!(minute.saturating_mul(60)))).collect()
}

type Values = fn(&[&Test]) -> Option<Vec<Candidate>>;

const FAMILIES: [(&[Operator], Values); 8] = [
    (&[Operator::Lt, Operator::Lte, Operator::Gt, Operator::Gte, Operator::Between], numbers),
    (&[Operator::Before, Operator::After], moments),
    (PERIODIC, |_| Some(a_week())),
    (&[Operator::StartsWith], bounds_themselves),
    (&[Operator::EndsWith], bounds_themselves),
    (&[Operator::EqIgnoreCase], bounds_themselves),
    (&[Operator::InCidr], addresses),
    (
        &[
            Operator::Contains,
            Operator::ContainsAny,
            Operator::ContainsAll,
            Operator::ContainsNone,
            Operator::SubsetOf,
        ],
        lists,
    ),
];

const PERIODIC: &[Operator] = &[Operator::TimeBetween, Operator::WeekdayIn];

/// The only values that can make the condition true, where it lists them.
fn listed(condition: &Condition) -> Option<Vec<Candidate>> {
    match condition {
        Condition::Test(test) if matches!(test.operator, Operator::Eq | Operator::In) => {
            Some(operands(test).map(one).collect())
        }
        Condition::Test(test) => {
            // An empty list is as good as nothing.
            (test.operator == Operator::Absent).then(|| vec![None, Some(Value::Array(Vec::new()))])
        }
        Condition::AnyOf(group) => {
            let lists: Option<Vec<Vec<Candidate>>> = group.any_of.iter().map(listed).collect();
            lists.map(|lists| lists.into_iter().flatten().collect())
        }
        Condition::AllOf(group) => group.all_of.iter().find_map(listed),
        Condition::NoneOf(_) => None,
    }
}

/// Every bound, and a number on either side of each.
fn numbers(tests: &[&Test]) -> Option<Vec<Candidate>> {
    let bounds: Option<Vec<f64>> =
        tests.iter().flat_map(|test| operands(test)).map(|value| value.as_f64()).collect();
    let mut bounds = bounds?;
    // Of larger numbers doubles do not know the neighbours well enough.
    if bounds.iter().any(|bound| bound.abs() > LARGEST_BOUND) {
        return None;
    }
    bounds.sort_by(f64::total_cmp);
    let middles = bounds.windows(2).filter_map(|pair| Some(f64::midpoint(*pair.first()?, *pair.last()?)));
    let outer = [bounds.first()? - 1.0, bounds.last()? + 1.0];
    Some(bounds.iter().copied().chain(middles).chain(outer).map(|number| one(json!(number))).collect())
}

/// The bounds, of which none fulfils the test it stands in: where the earliest end comes after the latest begin, there is a
/// moment between them, and nothing is said.
fn moments(tests: &[&Test]) -> Option<Vec<Candidate>> {
    let (mut latest_begin, mut earliest_end): (Option<Moment>, Option<Moment>) = (None, None);
    for test in tests {
        for value in operands(test) {
            let moment: Moment = match &value {
                Value::String(text) => text.parse().ok()?,
                Value::Number(seconds) => Moment::from_unix_seconds(seconds.as_i64()?),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
            };
            if test.operator == Operator::After {
                latest_begin = latest_begin.max(Some(moment));
            } else {
                earliest_end = Some(earliest_end.map_or(moment, |end| end.min(moment)));
            }
        }
    }
    (latest_begin? >= earliest_end?).then(|| bounds_themselves(tests))?
}

/// What the tests are held against.
fn bounds_themselves(tests: &[&Test]) -> Option<Vec<Candidate>> {
    Some(tests.iter().flat_map(|test| operands(test)).map(one).collect())
}

/// The first address of each network: of two networks that share one, one lies within the other.
fn addresses(tests: &[&Test]) -> Option<Vec<Candidate>> {
    let networks = tests.iter().flat_map(|test| operands(test));
    let first = networks.map(|network| Some(one(json!(network.as_str()?.split('/').next()?))));
    first.collect()
}

/// The smallest lists that hold what is asked for: one value of every choice. What is forbidden is forbidden of larger ones
/// too.
fn lists(tests: &[&Test]) -> Option<Vec<Candidate>> {
    let mut all: Vec<Vec<Value>> = vec![Vec::new()];
    for test in tests {
        if matches!(test.operator, Operator::Contains | Operator::ContainsAll) {
            all.iter_mut().for_each(|list| list.extend(operands(test)));
        } else if test.operator == Operator::ContainsAny {
            let choices: Vec<Value> = operands(test).collect();
            if all.len().saturating_mul(choices.len()) > MAX_CHOICES {
                return None;
            }
            let with = |list: &Vec<Value>, choice: &Value| list.iter().chain([choice]).cloned().collect();
            all = all.iter().flat_map(|list| choices.iter().map(|choice| with(list, choice))).collect();
        }
    }
    Some(all.into_iter().map(|list| Some(Value::Array(list))).collect())
}

/// A value that operators on one value and operators on lists take alike.
fn one(value: Value) -> Candidate {
    Some(Value::Array(vec![value]))
}

fn operands(test: &Test) -> impl Iterator<Item = Value> {
    let scalars = match &test.value {
        None => &[],
        Some(Operand::One(scalar)) => std::slice::from_ref(scalar),
        Some(Operand::List(scalars)) => scalars.as_slice(),
    };
    scalars.iter().map(|scalar| match scalar {
        Scalar::Boolean(value) => Value::Bool(*value),
        Scalar::Number(number) => Value::Number(number.clone()),
        Scalar::Text(text) => Value::String(text.clone()),
    })
}

const MINUTES_OF_A_WEEK: u64 = 7 * 24 * 60;

/// 2^40: doubles have more than ten bits behind the point there.
const LARGEST_BOUND: f64 = 1_099_511_627_776.0;

/// Most lists that one set of tests is tried with.
const MAX_CHOICES: usize = 256;
