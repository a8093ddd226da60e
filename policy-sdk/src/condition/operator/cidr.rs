//! Addresses and networks: RFC 4632 for IPv4, RFC 4291 section 2.3 for IPv6.
//!
//! An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2) is the IPv4 address, in
//! attributes and in operands: otherwise one of two spellings would evade. `::/0` is every IPv6 address and no IPv4 one.
//! Nothing here knows names of hosts.

use std::net::IpAddr;

use super::{Count, Fault, Kind, Misfit, Predicate, Row, Steps, Takes, Value, only};
use crate::document::Operator;

pub(super) const IN_CIDR: Row = Row {
    operator: Operator::InCidr,
    attribute: Some(Takes { count: Count::One, kinds: &[Kind::Address, Kind::Text] }),
    operand: Some(Takes { count: Count::Either, kinds: &[Kind::Text, Kind::Address] }),
    from_attribute: true,
    alike: false,
    negated: false,
    prepare: |values| {
        let networks = values.iter().enumerate().map(|(index, value)| {
            let expected = "a network such as `10.0.0.0/8` or `2001:db8::/32` with no bit set behind its prefix, or one address";
            Network::of(value).ok_or_else(|| Misfit::at(index, expected))
        });
        Ok(Box::new(Networks(networks.collect::<Result<_, _>>()?)))
    },
};

pub(super) const NOT_IN_CIDR: Row = Row { operator: Operator::NotInCidr, negated: true, ..IN_CIDR };

struct Networks(Box<[Network]>);

impl Predicate for Networks {
    fn holds(&self, values: &[Value<'_>], steps: &mut Steps) -> Result<bool, Fault> {
        let address = match only(values)? {
            Value::Address(address) => *address,
            Value::Text(text) => text.parse().map_err(|_| Fault::Malformed)?,
            Value::Boolean(_) | Value::Number(_) | Value::Inexact | Value::Structure => {
                return Err(Fault::WrongType);
            }
        };
        let address = address.to_canonical();
        steps.spend(self.0.len())?;
        Ok(self.0.iter().any(|network| network.contains(address)))
    }
}

/// A network by its address and the number of bits that count.
#[derive(Clone, Copy)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    fn of(value: &Value<'_>) -> Option<Network> {
        match value {
            Value::Address(address) => Some(Network::host(*address)),
            Value::Text(text) => Network::parse(text),
            Value::Boolean(_) | Value::Number(_) | Value::Inexact | Value::Structure => None,
        }
    }

    fn host(address: IpAddr) -> Network {
        let address = address.to_canonical();
        Network { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }

    fn parse(text: &str) -> Option<Network> {
        let Some((address, prefix)) = text.split_once('/') else {
            return text.parse().ok().map(Network::host);
        };
        let written: IpAddr = address.parse().ok()?;
        let digits =
            prefix.bytes().all(|byte| byte.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
        let prefix: u8 = prefix.parse().ok().filter(|_| digits)?;
        let network = match (written, written.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) => {
                Network { address: mapped.into(), prefix: prefix.checked_sub(96)? }
            }
            (IpAddr::V4(_) | IpAddr::V6(_), address) => Network { address, prefix },
        };
        let fits = network.prefix <= Network::host(network.address).prefix;
        (fits && network.bits(network.address)? == whole_bits(network.address)).then_some(network)
    }

    fn contains(self, address: IpAddr) -> bool {
        self.bits(address).is_some_and(|bits| Some(bits) == self.bits(self.address))
    }

    /// The bits of `address` that count, the others cleared; `None` for an address of the other version.
    fn bits(self, address: IpAddr) -> Option<u128> {
        let width = match (self.address, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) => 32_u32,
            (IpAddr::V6(_), IpAddr::V6(_)) => 128,
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
        };
        let behind = width.checked_sub(u32::from(self.prefix))?;
        // A shift by the whole width clears everything.
        let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
        Some(whole_bits(address) & mask)
    }
}

fn whole_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is::*, holds_of_source, refused, table};
    use crate::condition::Fault::*;
    use serde_json::json;

    #[test]
    fn in_cidr() {
        table(
            "in_cidr",
            vec![
                (json!("10.1.2.3"), json!("10.0.0.0/8"), True),
                (json!("11.0.0.0"), json!("10.0.0.0/8"), False),
                (json!("10.0.0.0"), json!("10.0.0.0/8"), True),
                (json!("10.255.255.255"), json!("10.0.0.0/8"), True),
                (json!("9.255.255.255"), json!("10.0.0.0/8"), False),
                (json!("192.0.2.7"), json!("192.0.2.7"), True),
                (json!("192.0.2.7"), json!("192.0.2.7/32"), True),
                (json!("192.0.2.6"), json!("192.0.2.6/31"), True),
                (json!("203.0.113.9"), json!("0.0.0.0/0"), True),
                (json!("2001:db8::1"), json!("0.0.0.0/0"), False),
                (json!("203.0.113.9"), json!("::/0"), False),
                (json!("2001:db8::1"), json!("::/0"), True),
                (json!("2001:db8:1::"), json!("2001:db8::/32"), True),
                (json!("2001:db9::"), json!("2001:db8::/32"), False),
                (json!("2001:0DB8:0:0::1"), json!("2001:db8::1/128"), True),
                // The same address in its other spelling, on either side.
                (json!("::ffff:10.1.2.3"), json!("10.0.0.0/8"), True),
                (json!("::ffff:a01:203"), json!("10.0.0.0/8"), True),
                (json!("10.1.2.3"), json!("::ffff:10.0.0.0/104"), True),
                (json!("10.1.2.3"), json!("::ffff:0:0/96"), True),
                (json!("::10.1.2.3"), json!("10.0.0.0/8"), False),
                (json!("192.0.2.7"), json!(["10.0.0.0/8", "192.0.2.0/24"]), True),
                (json!("198.51.100.1"), json!(["10.0.0.0/8", "192.0.2.0/24"]), False),
                (json!(["10.1.2.3"]), json!("10.0.0.0/8"), True),
                (json!(["10.1.2.3", "10.1.2.4"]), json!("10.0.0.0/8"), Unknown(Several)),
                // What is no address, or only to some readers.
                (json!("010.1.2.3"), json!("10.0.0.0/8"), Unknown(Malformed)),
                (json!("10.1"), json!("10.0.0.0/8"), Unknown(Malformed)),
                (json!("167838211"), json!("10.0.0.0/8"), Unknown(Malformed)),
                (json!("10.1.2.3:80"), json!("10.0.0.0/8"), Unknown(Malformed)),
                (json!("10.1.2.3, 1.1.1.1"), json!("10.0.0.0/8"), Unknown(Malformed)),
                (json!("fe80::1%eth0"), json!("fe80::/10"), Unknown(Malformed)),
                (json!("[::1]"), json!("::1"), Unknown(Malformed)),
                (json!(""), json!("::1"), Unknown(Malformed)),
                (json!(167_838_211), json!("10.0.0.0/8"), Unknown(WrongType)),
                (json!({}), json!("10.0.0.0/8"), Unknown(WrongType)),
                (json!(null), json!("10.0.0.0/8"), Unknown(Missing)),
            ],
        );
    }

    #[test]
    fn not_in_cidr() {
        table(
            "not_in_cidr",
            vec![
                (json!("192.0.2.7"), json!("10.0.0.0/8"), True),
                (json!("10.1.2.3"), json!("10.0.0.0/8"), False),
                (json!("::ffff:10.1.2.3"), json!("10.0.0.0/8"), False),
                (json!("10.1.2.3"), json!(["192.0.2.0/24", "10.0.0.0/8"]), False),
                (json!("not an address"), json!("10.0.0.0/8"), Unknown(Malformed)),
                (json!(1), json!("10.0.0.0/8"), Unknown(WrongType)),
                (json!(null), json!("10.0.0.0/8"), Unknown(Missing)),
            ],
        );
    }

    #[test]
    fn the_source_is_canonical() {
        assert!(holds_of_source("in_cidr", "::ffff:10.0.0.1", "10.0.0.0/8"));
        assert!(holds_of_source("in_cidr", "10.0.0.1", "10.0.0.1"));
        assert!(!holds_of_source("in_cidr", "2001:db8::1", "10.0.0.0/8"));
    }

    #[test]
    fn what_is_no_network_does_not_load() {
        for operand in [
            json!("10.0.0.1/8"),
            json!("10.0.0.0/33"),
            json!("10.0.0.0/"),
            json!("10.0.0.0/08"),
            json!("10.0.0.0/+8"),
            json!("10.0.0.0/255.0.0.0"),
            json!("10.0.0/8"),
            json!("010.0.0.0/8"),
            json!("2001:db8::/129"),
            json!("2001:db8::1/32"),
            json!("::ffff:10.0.0.0/8"),
            json!("localhost"),
            json!(""),
            json!([]),
            json!(8),
            json!(["10.0.0.0/8", "10.0.0.1/8"]),
        ] {
            refused("in_cidr", &operand);
            refused("not_in_cidr", &operand);
        }
    }
}
