//! What must hold of the attributes of a request: attribute-based access control as it is written.
//!
//! The wire form only. Whether an operator takes the value that stands beside it, and whether an attribute can
//! exist, is for [`crate::condition`] to say, which compiles and evaluates conditions.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValueKind, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Number, Value as Json};

use super::{Problem, Problems};

/// What must hold of the attributes of a request: one test, or a group of conditions.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
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
#[schemars(deny_unknown_fields, inline)]
pub struct Test {
    /// The attribute that is looked at: `subject.`, `action.`, `resource.` or `context.` and a name. A name with none of
    /// these in front is an attribute of the subject.
    pub attribute: String,
    /// How it is looked at.
    pub operator: Operator,
    /// What it is compared with.
    pub value: Option<Operand>,
    /// The attribute it is compared with, in place of `value`.
    pub value_from: Option<String>,
}

/// A group of which at least one must hold.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct AnyOf {
    /// At least one of these holds.
    #[schemars(length(min = 1))]
    pub any_of: Vec<Condition>,
}

/// A group of which all must hold.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct AllOf {
    /// All of these hold.
    #[schemars(length(min = 1))]
    pub all_of: Vec<Condition>,
}

/// A group of which none may hold.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
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

impl JsonSchema for Operand {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Operand".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string" },
                { "type": "number" },
                { "type": "boolean" },
                {
                    "type": "array",
                    "items": { "anyOf": [{ "type": "string" }, { "type": "number" }, { "type": "boolean" }] },
                },
            ],
        })
    }
}

/// Read by hand: what the derived code of three recursive types would add to the module is a hundredth of it.
impl Deserr<Problems> for Condition {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        let value: Json = Deserr::<Problems>::deserialize_from_value(value, location)?;
        let mut problems = Vec::new();
        let condition = read(value, location, &mut problems);
        match (condition, Problems::from_list(problems)) {
            (Some(condition), None) => Ok(condition),
            (Some(_) | None, Some(problems)) => Err(problems),
            (None, None) => Err(Problem::new(location, NOT_ONE_SHAPE).into()),
        }
    }
}

/// The fields of every shape of condition, before it is known which one is meant.
#[derive(Default)]
struct Fields {
    attribute: Option<String>,
    operator: Option<Operator>,
    value: Option<Operand>,
    value_from: Option<String>,
    any_of: Option<Vec<Condition>>,
    all_of: Option<Vec<Condition>>,
    none_of: Option<Vec<Condition>>,
}

const FIELDS: [&str; 7] = ["attribute", "operator", "value", "value_from", "any_of", "all_of", "none_of"];

const NOT_ONE_SHAPE: &str = "not one condition";

/// Reads one condition, or adds what is wrong with it. How deep groups nest is bounded by the reader of JSON.
fn read(value: Json, location: ValuePointerRef<'_>, problems: &mut Vec<Problem>) -> Option<Condition> {
    let Json::Object(members) = value else {
        problems.push(Problem::wrong_kind(value.kind(), &[ValueKind::Map], location));
        return None;
    };
    let before = problems.len();
    let mut fields = Fields::default();
    for (name, value) in members {
        let here = location.push_key(&name);
        match name.as_str() {
            known if value.is_null() && FIELDS.contains(&known) => {}
            "attribute" => fields.attribute = text(value, here, problems),
            "operator" => {
                fields.operator = text(value, here, problems).and_then(|name| operator(&name, here, problems))
            }
            "value" => fields.value = operand(value, here, problems),
            "value_from" => fields.value_from = text(value, here, problems),
            "any_of" => fields.any_of = group(value, here, problems),
            "all_of" => fields.all_of = group(value, here, problems),
            "none_of" => fields.none_of = group(value, here, problems),
            unknown => problems.push(Problem::unknown_field(unknown, &FIELDS, location)),
        }
    }
    if problems.len() > before {
        return None;
    }
    fields.shaped(location).map_err(|problem| problems.push(problem)).ok()
}

fn text(value: Json, location: ValuePointerRef<'_>, problems: &mut Vec<Problem>) -> Option<String> {
    match value {
        Json::String(text) => Some(text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            problems.push(Problem::wrong_kind(value.kind(), &[ValueKind::String], location));
            None
        }
    }
}

fn operator(name: &str, location: ValuePointerRef<'_>, problems: &mut Vec<Problem>) -> Option<Operator> {
    let operator = Operator::ALL.into_iter().find(|operator| operator.as_str() == name);
    if operator.is_none() {
        problems.push(Problem::unknown_value(name, &Operator::ALL.map(Operator::as_str), location));
    }
    operator
}

fn operand(value: Json, location: ValuePointerRef<'_>, problems: &mut Vec<Problem>) -> Option<Operand> {
    let Json::Array(elements) = value else { return scalar(value, location, problems).map(Operand::One) };
    let mut scalars = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        scalars.extend(scalar(element, location.push_index(index), problems));
    }
    Some(Operand::List(scalars))
}

fn scalar(value: Json, location: ValuePointerRef<'_>, problems: &mut Vec<Problem>) -> Option<Scalar> {
    match value {
        Json::Bool(value) => Some(Scalar::Boolean(value)),
        Json::Number(number) => Some(Scalar::Number(number)),
        Json::String(text) => Some(Scalar::Text(text)),
        Json::Null | Json::Array(_) | Json::Object(_) => {
            let accepted = [ValueKind::String, ValueKind::Integer, ValueKind::Float, ValueKind::Boolean];
            problems.push(Problem::wrong_kind(value.kind(), &accepted, location));
            None
        }
    }
}

fn group(value: Json, location: ValuePointerRef<'_>, problems: &mut Vec<Problem>) -> Option<Vec<Condition>> {
    let Json::Array(elements) = value else {
        problems.push(Problem::wrong_kind(value.kind(), &[ValueKind::Sequence], location));
        return None;
    };
    if elements.is_empty() {
        problems.push(Problem::new(location, "a group of nothing").expected("at least one condition"));
    }
    let mut conditions = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        conditions.extend(read(element, location.push_index(index), problems));
    }
    Some(conditions)
}

impl Fields {
    /// The one shape that these are the fields of.
    fn shaped(self, location: ValuePointerRef<'_>) -> Result<Condition, Problem> {
        let Fields { attribute, operator, value, value_from, any_of, all_of, none_of } = self;
        let of_test = [attribute.is_some(), operator.is_some(), value.is_some(), value_from.is_some()];
        match (of_test, any_of, all_of, none_of) {
            ([false, false, false, false], Some(any_of), None, None) => Ok(Condition::AnyOf(AnyOf { any_of })),
            ([false, false, false, false], None, Some(all_of), None) => Ok(Condition::AllOf(AllOf { all_of })),
            ([false, false, false, false], None, None, Some(none_of)) => Ok(Condition::NoneOf(NoneOf { none_of })),
            ([true, true, true, true], None, None, None) => {
                Err(Problem::new(location.push_key("value_from"), "a second operand")
                    .expected("`value` or `value_from`, not both"))
            }
            (given, None, None, None) if given.contains(&true) => match attribute.zip(operator) {
                Some((attribute, operator)) => {
                    Ok(Condition::Test(Test { attribute, operator, value, value_from }))
                }
                None => Err(Problem::new(location, "half a test").expected("`attribute` and `operator`, both")),
            },
            _several_or_none => Err(Problem::new(location, NOT_ONE_SHAPE).expected(
                "a test (`attribute`, `operator`, and `value` or `value_from`), or one of `any_of`, `all_of`, `none_of`",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
