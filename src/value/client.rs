//! Who may ask, and how often: networks and rates.

use super::text::{BadValue, text_form};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

const NETWORK: &str = "a network";
const RATE: &str = "a rate";
const NETWORK_FORM: &str = "write it in CIDR notation, as in `10.8.0.0/24` or `2001:db8::/32`";

/// More than this in each period is no limit.
const HIGHEST_RATE: u32 = 1_000_000;

/// A network in CIDR notation; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

/// The address with everything after the first bits at zero.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

impl FromStr for Cidr {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| BadValue::new(NETWORK, text, reason);
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| bad(NETWORK_FORM))?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let plain = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() < 4;
        let bits = match bits {
            None => all,
            Some(digits) => {
                let count = Some(digits).filter(plain).and_then(|digits| digits.parse::<u8>().ok());
                count.filter(|bits| *bits <= all).ok_or_else(|| bad(NETWORK_FORM))?
            }
        };
        let network = Self { address: masked(address, bits), bits };
        if network.address != address {
            // `10.0.0.5/8` may have been meant as one address, and would let in millions.
            let one = Self { address, bits: all };
            return Err(bad(&format!("the address goes on after its {bits} bits: write `{network}` or `{one}`")));
        }
        Ok(network)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

text_form!(Cidr, "cidr", "Network", r"^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$", ["10.8.0.0/24", "2001:db8::/32"]);

/// Who may ask: a network, or `internal` for all that are not of the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    Internal,
    Network(Cidr),
}

/// Loopback, RFC 1918 and RFC 4193.
const INTERNAL: [Cidr; 6] = [
    Cidr { address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), bits: 8 },
    Cidr { address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 },
    Cidr { address: IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), bits: 12 },
    Cidr { address: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), bits: 16 },
    Cidr { address: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
    Cidr { address: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), bits: 7 },
];

impl Client {
    /// The networks it stands for.
    #[must_use]
    pub fn networks(&self) -> &[Cidr] {
        match self {
            Self::Internal => &INTERNAL,
            Self::Network(network) => std::slice::from_ref(network),
        }
    }
}

impl FromStr for Client {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text == "internal" { Ok(Self::Internal) } else { text.parse().map(Self::Network) }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal => f.write_str("internal"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

text_form!(
    Client,
    "client",
    "Network or `internal`",
    r"^(internal|[0-9A-Fa-f.:]+(/[0-9]{1,3})?)$",
    ["10.8.0.0/24", "internal"]
);

/// So many requests in each second or minute: `10/s`, `600/m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rate {
    PerSecond(u32),
    PerMinute(u32),
}

impl FromStr for Rate {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| BadValue::new(RATE, text, reason);
        let form = "write how many requests in a second or minute, as in `10/s` or `600/m`";
        let (count, period) = text.split_once('/').ok_or_else(|| bad(form))?;
        let plain = count.bytes().all(|byte| byte.is_ascii_digit()) && !count.starts_with('0');
        let count = Some(count).filter(|_| plain).and_then(|count| count.parse::<u32>().ok());
        let count = count.ok_or_else(|| bad(form))?;
        if count > HIGHEST_RATE {
            return Err(bad("so many are no limit: leave `rate_limit` out"));
        }
        match period {
            "s" => Ok(Self::PerSecond(count)),
            "m" => Ok(Self::PerMinute(count)),
            _ => Err(bad(form)),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerSecond(count) => write!(f, "{count}/s"),
            Self::PerMinute(count) => write!(f, "{count}/m"),
        }
    }
}

text_form!(Rate, "rate", "Rate", "^[1-9][0-9]{0,6}/[sm]$", ["10/s", "600/m"]);
