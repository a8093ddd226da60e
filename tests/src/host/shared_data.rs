//! Shared data: one store for every VM with the same `vm_id`.

use super::Status;
use std::collections::BTreeMap;

/// Values by key, each with its compare-and-swap number. Nothing can be deleted, as in Envoy.
#[derive(Clone, Debug, Default)]
pub struct SharedData {
    values: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    last_cas: u32,
}

impl SharedData {
    /// The value and its number.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<(&[u8], u32)> {
        self.values.get(key.as_ref()).map(|(value, cas)| (value.as_slice(), *cas))
    }

    /// Every key, in order.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.values.keys().map(Vec::as_slice)
    }

    /// Writes. `cas` 0 always writes; another must be the present number. A key that does not exist takes any `cas`,
    /// so a number nobody can hold is an atomic create-if-absent.
    ///
    /// # Errors
    /// `CasMismatch` when the key exists under another number.
    pub fn set(&mut self, key: &[u8], value: &[u8], cas: u32) -> Result<(), Status> {
        if cas != 0 && self.values.get(key).is_some_and(|(_, present)| *present != cas) {
            return Err(Status::CAS_MISMATCH);
        }
        self.last_cas = self.last_cas.checked_add(1).unwrap_or(1);
        self.values.insert(key.to_vec(), (value.to_vec(), self.last_cas));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_nobody_holds_creates_once() {
        let mut data = SharedData::default();
        assert_eq!(data.set(b"lease", b"a", u32::MAX), Ok(()));
        assert_eq!(data.set(b"lease", b"b", u32::MAX), Err(Status::CAS_MISMATCH));
        assert_eq!(data.get("lease"), Some((&b"a"[..], 1)));
        assert_eq!(data.set(b"lease", b"c", 1), Ok(()));
        assert_eq!(data.set(b"lease", b"d", 0), Ok(()), "0 always writes");
    }
}
