//! What must hold of the attributes of a request: attribute-based access control as it is written.
//!
//! The wire form only. Whether an operator takes the value that stands beside it, and whether an attribute can
//! exist, is for [`crate::condition`] to say, which compiles and evaluates conditions.

use std::borrow::Cow;
use std::ops::ControlFlow;

use deserr::{
    DeserializeError, Deserr, ErrorKind, IntoValue, MergeWithError, Value, ValueKind, ValuePointerRef,
    take_cf_content,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Number;

use super::{Problem, Problems};

/// What must hold of the attributes of a request: one test, or a group of conditions.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, try_from(Fields) = Condition::from_fields -> Misshapen)]
#[schemars(untagged)]
pub enum Condition {
    /// One test of one attribute.
    Test(Test),
    /// At least one of these holds.
    AnyOf(AnyOf),
    /// All of these hold.
    AllOf(AllOf),
    /// None of these holds.
    NoneOf(NoneOf),
}

/// One test of one attribute.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Test {
    /// The attribute that is looked at: `subject.`, `action.`, `resource.` or `context.` and a name. A name with none of
    /// these in front is an attribute of the subject.
    #[schemars(length(min = 1))]
    pub attribute: String,
    /// How it is looked at.
    pub operator: Operator,
    /// What it is compared with.
    pub value: Option<Operand>,
    /// The attribute it is compared with, in place of `value`.
    #[schemars(length(min = 1))]
    pub value_from: Option<String>,
}

/// A group of which at least one must hold.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AnyOf {
    /// At least one of these holds.
    #[schemars(length(min = 1))]
    pub any_of: Vec<Condition>,
}

/// A group of which all must hold.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AllOf {
    /// All of these hold.
    #[schemars(length(min = 1))]
    pub all_of: Vec<Condition>,
}

/// A group of which none may hold.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NoneOf {
    /// None of these holds.
    #[schemars(length(min = 1))]
    pub none_of: Vec<Condition>,
}

/// How a test looks at an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Operator {
    /// The same type and the same value.
    Eq,
    /// The same type and another value.
    Ne,
    /// A smaller number.
    Lt,
    /// The same number or a smaller one.
    Lte,
    /// A greater number.
    Gt,
    /// The same number or a greater one.
    Gte,
    /// A number from the first of two to the second, both included.
    Between,
    /// One of a list.
    In,
    /// None of a list.
    NotIn,
    /// A list that holds the value.
    Contains,
    /// A list that holds at least one of the values.
    ContainsAny,
    /// A list that holds all of the values.
    ContainsAll,
    /// A list that holds none of the values.
    ContainsNone,
    /// A list of which every element is one of the values.
    SubsetOf,
    /// A text that begins so.
    StartsWith,
    /// A text that ends so.
    EndsWith,
    /// A text that has this somewhere in it.
    Includes,
    /// A text that the regular expression describes from its first character to its last.
    Matches,
    /// The same text, where the letters A to Z count as a to z. Other alphabets are compared as they are.
    EqIgnoreCase,
    /// An address in one of these networks.
    InCidr,
    /// An address in none of these networks.
    NotInCidr,
    /// A moment before this one.
    Before,
    /// A moment after this one.
    After,
    /// A moment within these hours of its day, such as `09:00-17:00`.
    TimeBetween,
    /// A moment on one of these days of the week, such as `mon`.
    WeekdayIn,
    /// The attribute is there.
    Present,
    /// The attribute is not there.
    Absent,
}

/// What an attribute is compared with: a text, a number, true or false, or a list of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// One value.
    One(Scalar),
    /// A list of values.
    List(Vec<Scalar>),
}

/// One value that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `true` or `false`.
    Boolean(bool),
    /// A number, as precise as the document's reader had it: whole within 64 bits, or a double.
    Number(Number),
    /// A text.
    Text(String),
}

impl Condition {
    fn from_fields(fields: Fields) -> Result<Self, Misshapen> {
        match fields {
            Fields {
                attribute: Some(attribute),
                operator: Some(operator),
                value,
                value_from,
                any_of: None,
                all_of: None,
                none_of: None,
            } => match (&value, &value_from) {
                (Some(_), Some(_)) => Err(Misshapen::TwoOperands),
                (Some(_) | None, Some(_) | None) => {
                    Ok(Self::Test(Test { attribute, operator, value, value_from }))
                }
            },
            Fields {
                attribute: None,
                operator: None,
                value: None,
                value_from: None,
                any_of,
                all_of,
                none_of,
            } => match (any_of, all_of, none_of) {
                (Some(any_of), None, None) => Ok(Self::AnyOf(AnyOf { any_of })),
                (None, Some(all_of), None) => Ok(Self::AllOf(AllOf { all_of })),
                (None, None, Some(none_of)) => Ok(Self::NoneOf(NoneOf { none_of })),
                (Some(_) | None, Some(_) | None, Some(_) | None) => Err(Misshapen::NotOneShape),
            },
            Fields { any_of: None, all_of: None, none_of: None, .. } => Err(Misshapen::HalfATest),
            Fields { .. } => Err(Misshapen::NotOneShape),
        }
    }
}

impl Operator {
    /// Every operator, in the order of the reference.
    pub const ALL: [Operator; 27] = [
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::Between,
        Self::In,
        Self::NotIn,
        Self::Contains,
        Self::ContainsAny,
        Self::ContainsAll,
        Self::ContainsNone,
        Self::SubsetOf,
        Self::StartsWith,
        Self::EndsWith,
        Self::Includes,
        Self::Matches,
        Self::EqIgnoreCase,
        Self::InCidr,
        Self::NotInCidr,
        Self::Before,
        Self::After,
        Self::TimeBetween,
        Self::WeekdayIn,
        Self::Present,
        Self::Absent,
    ];

    /// The name as the document has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Between => "between",
            Self::In => "in",
            Self::NotIn => "not_in",
            Self::Contains => "contains",
            Self::ContainsAny => "contains_any",
            Self::ContainsAll => "contains_all",
            Self::ContainsNone => "contains_none",
            Self::SubsetOf => "subset_of",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
            Self::Includes => "includes",
            Self::Matches => "matches",
            Self::EqIgnoreCase => "eq_ignore_case",
            Self::InCidr => "in_cidr",
            Self::NotInCidr => "not_in_cidr",
            Self::Before => "before",
            Self::After => "after",
            Self::TimeBetween => "time_between",
            Self::WeekdayIn => "weekday_in",
            Self::Present => "present",
            Self::Absent => "absent",
        }
    }
}

impl Deserr<Problems> for Operator {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        let name: String = Deserr::<Problems>::deserialize_from_value(value, location)?;
        Self::ALL.into_iter().find(|operator| operator.as_str() == name).ok_or_else(|| {
            let accepted = Self::ALL.map(Self::as_str);
            let error: ErrorKind<'_, V> = ErrorKind::UnknownValue { value: &name, accepted: &accepted };
            take_cf_content(Problems::error(None, error, location))
        })
    }
}

impl Deserr<Problems> for Operand {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        match value {
            list @ Value::Sequence(_) => {
                Deserr::<Problems>::deserialize_from_value(list, location).map(Self::List)
            }
            one @ (Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::NegativeInteger(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Map(_)) => Scalar::deserialize_from_value(one, location).map(Self::One),
        }
    }
}

impl JsonSchema for Operand {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Operand".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let scalar = ["string", "number", "boolean"];
        json_schema!({
            "type": ["string", "number", "boolean", "array"],
            "items": { "type": scalar },
        })
    }
}

impl Deserr<Problems> for Scalar {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        let float = |value| Number::from_f64(value).map(Self::Number);
        let kind = value.kind();
        let scalar = match value {
            Value::Boolean(value) => Some(Self::Boolean(value)),
            Value::Integer(value) => Some(Self::Number(value.into())),
            Value::NegativeInteger(value) => Some(Self::Number(value.into())),
            Value::Float(value) => float(value),
            Value::String(text) => Some(Self::Text(text)),
            Value::Null | Value::Sequence(_) | Value::Map(_) => None,
        };
        scalar.ok_or_else(|| {
            let accepted = [ValueKind::String, ValueKind::Integer, ValueKind::Float, ValueKind::Boolean];
            Problem::wrong_kind(kind, &accepted, location).into()
        })
    }
}

/// The fields of every shape of condition, before it is known which one is meant.
#[derive(Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct Fields {
    #[deserr(default)]
    attribute: Option<String>,
    #[deserr(default)]
    operator: Option<Operator>,
    #[deserr(default)]
    value: Option<Operand>,
    #[deserr(default)]
    value_from: Option<String>,
    #[deserr(default)]
    any_of: Option<Vec<Condition>>,
    #[deserr(default)]
    all_of: Option<Vec<Condition>>,
    #[deserr(default)]
    none_of: Option<Vec<Condition>>,
}

/// Why fields do not make a condition.
#[derive(Clone, Copy)]
enum Misshapen {
    HalfATest,
    TwoOperands,
    NotOneShape,
}

impl MergeWithError<Misshapen> for Problems {
    fn merge(
        earlier: Option<Self>,
        other: Misshapen,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let problem = match other {
            Misshapen::HalfATest => {
                Problem::new(location, "half a test").expected("`attribute` and `operator`, both")
            }
            Misshapen::TwoOperands => Problem::new(location.push_key("value_from"), "a second operand")
                .expected("`value` or `value_from`, not both"),
            Misshapen::NotOneShape => Problem::new(location, "not one condition").expected(
                "a test (`attribute`, `operator`, and `value` or `value_from`), or one of `any_of`, `all_of`, `none_of`",
            ),
        };
        ControlFlow::Continue(Self::from(problem).after(earlier))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Result<Condition, Vec<String>> {
        deserr::deserialize::<Condition, _, Problems>(value)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_test_and_a_group_read_as_they_are_written() {
        let test = Condition::Test(Test {
            attribute: "subject.level".into(),
            operator: Operator::Gte,
            value: Some(Operand::One(Scalar::Number(3.into()))),
            value_from: None,
        });
        let written = json!({"attribute": "subject.level", "operator": "gte", "value": 3});
        assert_eq!(read(written.clone()), Ok(test.clone()));
        assert_eq!(
            read(json!({"none_of": [{"all_of": [written.clone()]}, {"any_of": [written]}]})),
            Ok(Condition::NoneOf(NoneOf {
                none_of: vec![
                    Condition::AllOf(AllOf { all_of: vec![test.clone()] }),
                    Condition::AnyOf(AnyOf { any_of: vec![test] }),
                ],
            }))
        );
    }

    #[test]
    fn a_list_keeps_the_type_of_each_element() {
        let read = read(json!({"attribute": "a", "operator": "in", "value": ["1", 1, 1.0, true]})).unwrap();
        let Condition::Test(Test { value: Some(Operand::List(list)), .. }) = read else { panic!("{read:?}") };
        assert_eq!(
            list,
            [
                Scalar::Text("1".into()),
                Scalar::Number(1.into()),
                Scalar::Number(Number::from_f64(1.0).unwrap()),
                Scalar::Boolean(true)
            ]
        );
    }

    #[test]
    fn what_is_no_condition_says_why() {
        let test = json!({"attribute": "a", "operator": "present"});
        for (written, found) in [
            (
                json!({}),
                "document: not one condition; expected a test (`attribute`, `operator`, and `value` or `value_from`), or one of `any_of`, `all_of`, `none_of`",
            ),
            (
                json!({"any_of": [test], "all_of": [test]}),
                "document: not one condition; expected a test (`attribute`, `operator`, and `value` or `value_from`), or one of `any_of`, `all_of`, `none_of`",
            ),
            (
                json!({"any_of": [test], "attribute": "a"}),
                "document: not one condition; expected a test (`attribute`, `operator`, and `value` or `value_from`), or one of `any_of`, `all_of`, `none_of`",
            ),
            (json!({"attribute": "a"}), "document: half a test; expected `attribute` and `operator`, both"),
            (
                json!({"operator": "eq", "value": 1}),
                "document: half a test; expected `attribute` and `operator`, both",
            ),
            (
                json!({"attribute": "a", "operator": "eq", "value": 1, "value_from": "b"}),
                "/value_from: a second operand; expected `value` or `value_from`, not both",
            ),
            (
                json!({"attribute": "a", "operator": "equals", "value": 1}),
                "/operator: unknown value; expected one of",
            ),
            (
                json!({"attribute": "a", "operator": "start_with", "value": "a"}),
                "did you mean `starts_with`?",
            ),
            (
                json!({"attribute": "a", "operator": "in", "value": [[1]]}),
                "/value/0: found a list; expected a text or a whole number or a decimal number or true or false",
            ),
            (json!({"attribute": "a", "operator": "in", "value": [null]}), "/value/0: found null"),
            (json!({"attribute": "a", "operator": "eq", "value": {}}), "/value: found an object"),
            (
                json!({"attribute": "a", "operator": "eq", "values": []}),
                "/values: unknown field; did you mean `value`?",
            ),
            (
                json!({"any_of": [{"attribute": 1}]}),
                "/any_of/0/attribute: found a whole number; expected a text",
            ),
            (json!([]), "document: found a list; expected an object"),
        ] {
            let problems = read(written.clone()).unwrap_err();
            assert!(problems.iter().any(|problem| problem.contains(found)), "{written}: {problems:?}");
        }
    }

    /// The names of reading and those of printing are one set.
    #[test]
    fn operators_print_as_they_are_read() {
        let schema = schemars::schema_for!(Operator).to_value();
        let names: Vec<&str> =
            schema["oneOf"].as_array().unwrap().iter().map(|one| one["const"].as_str().unwrap()).collect();
        assert_eq!(names, Operator::ALL.map(Operator::as_str));
        for (number, operator) in Operator::ALL.into_iter().enumerate() {
            assert_eq!(operator as usize, number, "each is listed once");
            let read = deserr::deserialize::<Operator, _, Problems>(json!(operator.as_str()));
            assert_eq!(read, Ok(operator));
        }
    }
}
