//! Hash maps whose order an attacker cannot foresee and no code may depend on.

use core::hash::BuildHasher;

use rand_core::Rng;
use siphasher::sip::SipHasher13;

/// A map with a secret hash key. Never iterate it where order could reach an output.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, HashKey>;

/// The secret key of all maps of a node.
#[derive(Clone, Copy)]
pub(crate) struct HashKey(u64, u64);

impl HashKey {
    /// Draws a key.
    pub(crate) fn draw(rng: &mut impl Rng) -> Self {
        Self(rng.next_u64(), rng.next_u64())
    }

    /// A 128-bit keyed hash, for contents that are compared by their fingerprint.
    pub(crate) fn fingerprint(self, parts: &[&[u8]]) -> u128 {
        use core::hash::Hasher;

        use siphasher::sip128::{Hasher128, SipHasher13};

        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }
}

impl BuildHasher for HashKey {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0, self.1)
    }
}
