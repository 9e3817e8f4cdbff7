//! What is known of a device and of how to reach it: the profile file.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::hooks::{Hooks, check};
use crate::bench::{Networks, Pace, Port, Timing, Unsupported};
use crate::case::Case;
use crate::cases::CASES;

/// A device, how it is reached, and what it can be asked to do.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// What the device is called in reports.
    pub name: String,
    /// What else is to be known of it.
    #[serde(default)]
    pub notes: String,
    /// Where it is.
    pub bench: BenchKind,
    /// By what its links are reached.
    #[serde(default)]
    pub link: LinkKind,
    /// Where `bench` is `interfaces`: which ones.
    #[serde(default)]
    pub interfaces: Option<Interfaces>,
    /// How the networks of the bench are numbered.
    #[serde(default)]
    pub addresses: Addresses,
    /// As what it can be set up.
    #[serde(default = "Role::all")]
    pub roles: Vec<Role>,
    /// The RFCs that it speaks, as in `rfc2205`; nothing said: those that every RSVP speaker may be asked about.
    #[serde(default)]
    pub speaks: Option<Vec<String>>,
    /// Which settings it can be given.
    #[serde(default)]
    pub settings: Settings,
    /// Cases that are not run.
    #[serde(default)]
    pub skip: Vec<Skip>,
    /// How time runs.
    #[serde(default)]
    pub timing: TimingTable,
    /// In which form the device's configuration is written to `{config}`; nothing said: it is not.
    #[serde(default)]
    pub config: Option<ConfigForm>,
    /// Shell commands that make the device do something.
    #[serde(default)]
    pub hooks: Hooks,
}

/// Where the device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BenchKind {
    /// A program of this machine, in a network namespace that is made for it.
    Namespaces,
    /// Behind interfaces of this machine: a device that is there anyway.
    Interfaces,
}

/// By what the tester speaks to the links of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// By whole Ethernet frames: the tester speaks for all stations, and needs no addresses of this machine.
    #[default]
    Packet,
    /// By raw sockets of IPv4: this machine is the only station on each link, with addresses and ARP of its kernel.
    Raw,
}

/// The interfaces of this machine that lead to those of a device.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interfaces {
    /// Towards a, where U1 is.
    pub a: String,
    /// Towards b, where U2 is.
    pub b: String,
    /// Towards c, where D1 is.
    pub c: String,
    /// Towards d, where D2 and D3 are.
    pub d: String,
}

impl Interfaces {
    /// The name of the interface towards a port.
    #[must_use]
    pub fn towards(&self, port: Port) -> &str {
        match port {
            Port::A => &self.a,
            Port::B => &self.b,
            Port::C => &self.c,
            Port::D => &self.d,
        }
    }
}

/// How the networks of the bench are numbered: network n of the plan is `v4`, with n as the third octet, and `v6`, with n
/// behind its 48 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    v4: Option<Prefix4>,
    v6: Option<Prefix6>,
}

/// An IPv4 prefix of 16 bits for hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
struct Prefix4([u8; 2]);

impl TryFrom<String> for Prefix4 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let usable = |address: &Ipv4Addr| (1..224).contains(&address.octets()[0]) && !address.is_loopback();
        match prefix::<Ipv4Addr>(&text, 16).filter(usable).map(|address| address.octets()) {
            Some([a, b, 0, 0]) => Ok(Self([a, b])),
            _ => Err(format!("`{text}` is no prefix of 16 bits for hosts: write 10.0.0.0/16")),
        }
    }
}

/// An IPv6 prefix of 48 bits for hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
struct Prefix6([u16; 3]);

impl TryFrom<String> for Prefix6 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let usable = |address: &Ipv6Addr| {
            !address.is_multicast() && !address.is_unicast_link_local() && address.segments()[0] != 0
        };
        match prefix::<Ipv6Addr>(&text, 48).filter(usable).map(|address| address.segments()) {
            Some([x, y, z, 0, 0, 0, 0, 0]) => Ok(Self([x, y, z])),
            _ => Err(format!("`{text}` is no prefix of 48 bits for hosts: write 2001:db8::/48")),
        }
    }
}

/// The address in front of the prefix length, which has to be this one.
fn prefix<A: FromStr>(text: &str, length: u8) -> Option<A> {
    let (address, bits) = text.split_once('/')?;
    (bits == length.to_string()).then(|| address.parse().ok()).flatten()
}

/// As what a device works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It handles messages in transit.
    Router,
    /// Applications on it send.
    SenderHost,
    /// Applications on it receive and reserve.
    ReceiverHost,
    /// Both of these.
    Host,
}

impl Role {
    fn all() -> Vec<Self> {
        vec![Self::Router, Self::Host]
    }

    /// What the profile calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::SenderHost => "sender-host",
            Self::ReceiverHost => "receiver-host",
            Self::Host => "host",
        }
    }
}

/// The form of a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigForm {
    /// That of `rsvp-cli daemon`.
    RsvpCli,
}

/// Which settings a device can be given, beside those of the stock device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings {
    /// Every one.
    All,
    /// Those with these names.
    Named(Vec<String>),
}

impl Default for Settings {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AllOrNames;

        impl<'de> Visitor<'de> for AllOrNames {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\" or a list of names of settings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Settings, E> {
                if text == "all" {
                    Ok(Settings::All)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(text), &self))
                }
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Settings, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Settings::Named(names))
            }
        }

        deserializer.deserialize_any(AllOrNames)
    }
}

/// A case that is not run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// Its id.
    pub case: String,
    /// Why.
    pub reason: String,
}

/// How time runs with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TimingTable {
    refresh: Span,
    brisk_refresh: Option<Span>,
    at_once: Span,
    patience: Span,
    slack: Span,
}

impl Default for TimingTable {
    fn default() -> Self {
        let millis = |count| Span(Duration::from_millis(count));
        Self {
            refresh: millis(30_000),
            brisk_refresh: None,
            at_once: millis(50),
            patience: millis(1000),
            slack: millis(120),
        }
    }
}

impl TimingTable {
    /// How time runs at a pace.
    #[must_use]
    pub fn at(&self, pace: Pace) -> Timing {
        let brisk = self.brisk_refresh.filter(|_| pace == Pace::Brisk);
        Timing {
            refresh: brisk.unwrap_or(self.refresh).0,
            at_once: self.at_once.0,
            patience: self.patience.0,
            slack: self.slack.0,
        }
    }
}

/// A time span, written as `"30s"` or `"50ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Span(pub(super) Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let units = [("ms", 1), ("s", 1000), ("m", 60_000)];
        let read = |(unit, factor): (&str, u64)| {
            let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
            number.checked_mul(factor).map(Duration::from_millis)
        };
        let time = units.into_iter().find_map(read).filter(|time| !time.is_zero());
        time.map(Self).ok_or_else(|| format!("`{text}` is no time span: write 30s, 50ms or 2m"))
    }
}

/// What is wrong with a profile: one line, with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    /// The file.
    pub file: PathBuf,
    /// The line, where it is one.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map_or_else(String::new, |line| format!("{line}:"));
        write!(f, "{}:{line} {}", self.file.display(), self.message)
    }
}

impl std::error::Error for ProfileError {}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or says something that is not understood.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let text = fs::read_to_string(path).map_err(|error| ProfileError {
            file: path.to_owned(),
            line: None,
            message: error.to_string(),
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a profile; `path` is for messages.
    ///
    /// # Errors
    ///
    /// The text says something that is not understood.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ProfileError> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let profile: Self = toml::from_str(text).map_err(|error| ProfileError {
            file: path.to_owned(),
            line: error.span().map(|span| line(span.start)),
            message: error.message().lines().next().unwrap_or_default().to_owned(),
        })?;
        profile.check().map_err(|(word, message)| ProfileError {
            file: path.to_owned(),
            line: text.find(&word).map(line),
            message,
        })?;
        Ok(profile)
    }

    /// Looks at what spans several settings. An error comes with a word by which its place is found.
    fn check(&self) -> Result<(), (String, String)> {
        if self.bench == BenchKind::Namespaces && self.hooks.start.is_none() {
            return Err(("bench".to_owned(), "bench = \"namespaces\" needs hooks.start".to_owned()));
        }
        if (self.bench == BenchKind::Interfaces) != self.interfaces.is_some() {
            let message = "bench = \"interfaces\" and the table [interfaces] go together";
            return Err(("bench".to_owned(), message.to_owned()));
        }
        if self.roles.is_empty() {
            let message =
                "roles is empty: name router, sender-host or receiver-host, or host for both of these";
            return Err(("roles".to_owned(), message.to_owned()));
        }
        let is_unknown = |skip: &&Skip| !CASES.iter().any(|case| case.id == skip.case);
        if let Some(skip) = self.skip.iter().find(is_unknown) {
            return Err((skip.case.clone(), format!("there is no case {}", skip.case)));
        }
        self.hooks.all().try_for_each(|(name, command)| check(name, command))
    }

    /// How the networks of the bench are numbered.
    pub(super) fn networks(&self) -> Networks {
        let Addresses { v4, v6 } = self.addresses;
        let Networks { v4: stock4, v6: stock6 } = Networks::STOCK;
        Networks { v4: v4.map_or(stock4, |prefix| prefix.0), v6: v6.map_or(stock6, |prefix| prefix.0) }
    }

    /// Whether the device works as one of these.
    ///
    /// # Errors
    ///
    /// It does not.
    pub(super) fn works_as(&self, roles: &[Role]) -> Result<(), Unsupported> {
        let is_host = |role: &Role| *role != Role::Router && self.roles.contains(&Role::Host);
        if roles.iter().any(|role| is_host(role) || self.roles.contains(role)) {
            return Ok(());
        }
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        Err(Unsupported(format!("the device is no {}", names.join(" or "))))
    }

    /// Whether the device keeps its state from one case to the next: it is there anyway, and no hook resets it.
    pub(super) fn remembers(&self) -> bool {
        self.bench == BenchKind::Interfaces && self.hooks.start.is_none() && self.hooks.reset.is_none()
    }

    /// Whether a case is to be run against this device; if not, why.
    ///
    /// # Errors
    ///
    /// Why it is not to be run.
    pub fn selects(&self, case: &Case) -> Result<(), String> {
        let skip = self.skip.iter().find(|skip| skip.case == case.id);
        skip.map_or(Ok(()), |skip| Err(skip.reason.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"x\"\nbench = \"namespaces\"\n[hooks]\nstart = \"exec x {config}\"\n";

    fn parse(text: &str) -> Result<Profile, ProfileError> {
        Profile::parse(text, Path::new("x.toml"))
    }

    #[test]
    fn a_profile_says_little_where_the_defaults_do() {
        let profile = parse(GOOD).expect("a good profile");
        assert_eq!(profile.timing.at(Pace::Brisk), profile.timing.at(Pace::Steady));
        let brisk = parse(&format!("{GOOD}[timing]\nbrisk-refresh = \"500ms\"\n")).expect("a good profile");
        assert_eq!(brisk.timing.at(Pace::Brisk).refresh, Duration::from_millis(500));
        assert_eq!(brisk.timing.at(Pace::Steady).refresh, Duration::from_secs(30));
    }

    #[test]
    fn an_error_is_one_line_with_its_place() {
        for (text, line, words) in [
            ("name = 3\n", Some(1), "invalid type"),
            ("name = \"x\"\nbench = \"namespace\"\n", Some(2), "unknown variant"),
            ("name = \"x\"\nbench = \"namespaces\"\n", Some(2), "hooks.start"),
            ("name = \"x\"\nbench = \"interfaces\"\n", Some(2), "[interfaces]"),
            (&format!("{GOOD}reday = \"x\"\n"), Some(5), "unknown field"),
            (&format!("{GOOD}dump = \"show {{scoket}}\"\n"), Some(5), "{scoket}"),
            (&format!("{GOOD}clear = \"clear {{source}}\"\n"), Some(5), "hooks.clear: {source}"),
            (
                &format!("skip = [{{ case = \"no/such\", reason = \"x\" }}]\n{GOOD}"),
                Some(1),
                "no case no/such",
            ),
            (&format!("roles = []\n{GOOD}"), Some(1), "roles is empty"),
            (&format!("roles = [\"sender\"]\n{GOOD}"), Some(1), "unknown variant `sender`"),
            (&format!("settings = \"some\"\n{GOOD}"), Some(1), "\"all\" or a list"),
            (&format!("{GOOD}[timing]\nslack = \"5\"\n"), Some(6), "write 30s"),
            (&format!("{GOOD}[addresses]\nv4 = \"10.1.0.0/24\"\n"), Some(6), "write 10.0.0.0/16"),
            (&format!("{GOOD}[addresses]\nv4 = \"10.1.2.0/16\"\n"), Some(6), "no prefix of 16 bits"),
            (&format!("{GOOD}[addresses]\nv4 = \"239.1.0.0/16\"\n"), Some(6), "for hosts"),
            (&format!("{GOOD}[addresses]\nv6 = \"fe80::/48\"\n"), Some(6), "write 2001:db8::/48"),
            (
                &format!("link = \"tap\"\n{GOOD}"),
                Some(1),
                "unknown variant `tap`, expected `packet` or `raw`",
            ),
            (&format!("{GOOD}[addresses]\na = \"10.1.0.0/16\"\n"), Some(6), "unknown field `a`"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn networks_are_those_that_the_profile_names() {
        assert_eq!(parse(GOOD).expect("a good profile").networks(), Networks::STOCK);
        let text = format!("{GOOD}[addresses]\nv4 = \"172.20.0.0/16\"\nv6 = \"fd00:77:5::/48\"\n");
        let networks = parse(&text).expect("a good profile").networks();
        assert_eq!(networks, Networks { v4: [172, 20], v6: [0xfd00, 0x77, 5] });
    }

    #[test]
    fn the_shell_has_braces_of_its_own() {
        let text = GOOD.replace("exec x", "f() { echo ${RSVP:-{bin}/x}; }; exec x");
        parse(&text).unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn the_profiles_that_come_along_are_understood() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        let files = fs::read_dir(folder).expect("the folder of the profiles");
        for file in files.map(|file| file.expect("a file").path()) {
            Profile::load(&file).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn a_device_may_be_there_anyway() {
        let text = "name = \"x\"\nbench = \"interfaces\"\n[interfaces]\na = \"w\"\nb = \"x\"\nc = \"y\"\nd = \"z\"\n";
        let interfaces = parse(text).expect("a good profile").interfaces.expect("they are there");
        for (hooks, remembers) in [("", true), ("[hooks]\nreset = \"x\"\n", false)] {
            assert_eq!(parse(&format!("{text}{hooks}")).expect("a good profile").remembers(), remembers);
        }
        assert_eq!(Port::ALL.map(|port| interfaces.towards(port).to_owned()), ["w", "x", "y", "z"]);
    }

    #[test]
    fn a_host_is_a_sender_and_a_receiver() {
        use Role::{ReceiverHost, Router, SenderHost};

        let roles = |text: &str| parse(&format!("roles = {text}\n{GOOD}")).expect("a good profile");
        let works_as = |profile: &Profile| {
            [Router, SenderHost, ReceiverHost].map(|role| profile.works_as(&[role]).is_ok())
        };
        assert_eq!(works_as(&parse(GOOD).expect("a good profile")), [true; 3]);
        assert_eq!(works_as(&roles("[\"host\"]")), [false, true, true]);
        let sender = roles("[\"router\", \"sender-host\"]");
        assert_eq!(works_as(&sender), [true, true, false]);
        assert_eq!(sender.works_as(&[SenderHost, ReceiverHost]), Ok(()));
        let Err(Unsupported(why)) = roles("[\"router\"]").works_as(&[SenderHost, ReceiverHost]) else {
            panic!("it is no host");
        };
        assert_eq!(why, "the device is no sender-host or receiver-host");
    }

    #[test]
    fn cases_are_left_out_with_a_reason() {
        let case = &CASES[0];
        let text = format!("skip = [{{ case = \"{}\", reason = \"broken\" }}]\n{GOOD}", case.id);
        assert_eq!(parse(&text).expect("a good profile").selects(case), Err("broken".to_owned()));
        assert_eq!(parse(GOOD).expect("a good profile").selects(case), Ok(()));
    }
}
