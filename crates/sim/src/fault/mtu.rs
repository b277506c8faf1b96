//! Large datagrams vanish.

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::lot::Paths;
use crate::network::mtu::Mtu;
use crate::plan::Setting;

/// What a datagram may carry over links of these: IPv6's least, PPPoE in a tunnel, and what RFC 791 asks of
/// every host.
const SIZES: [usize; 4] = [1232, 1400, 1024, 548];

/// Of some machines or everywhere.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let (paths, bytes) = (Paths::draw(chance), *chance.pick(&SIZES).unwrap_or(&SIZES[0]));
    Weather::of(Mtu { paths, bytes }, format!("datagrams above {bytes} bytes vanish {paths}"))
}
