//! The two crypto paths never disagree: random damage to good tokens, both verdicts compared.

use std::sync::LazyLock;

use portcullis_filter::authn::algorithm::Algorithm;
use portcullis_filter::authn::jwk::JwkSet;
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::{NoHostCrypto, SignatureVerifier};
use proptest::prelude::*;

use crate::host::NativeHost;
use crate::signer::Signer;

const TEXT: &[u8] = b"eyJhbGciOiJub25lIn0.e30";

/// The algorithms that both paths know.
static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
    ]
    .map(Signer::generate)
    .into()
});

static PROBE: LazyLock<HostProbe> = LazyLock::new(|| HostProbe::run(&NativeHost::default()));

#[derive(Debug, Clone)]
enum Damage {
    None,
    FlipSignatureBit(prop::sample::Index, u8),
    FlipTextBit(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    Append(Vec<u8>),
    Prepend(u8),
    Fill(u8),
    /// One of the two halves becomes zero, one, or all ones: `r` or `s` at the edge of its range.
    Half {
        second: bool,
        fill: u8,
        last: u8,
    },
    Swap,
    OtherText(Vec<u8>),
    OtherAlgorithm(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    use prop::sample::Index;
    prop_oneof![
        Just(Damage::None),
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::FlipSignatureBit(at, bit)),
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::FlipTextBit(at, bit)),
        any::<Index>().prop_map(Damage::Truncate),
        prop::collection::vec(any::<u8>(), 1..8).prop_map(Damage::Append),
        any::<u8>().prop_map(Damage::Prepend),
        any::<u8>().prop_map(Damage::Fill),
        (any::<bool>(), prop_oneof![Just(0_u8), Just(0xff)], any::<u8>())
            .prop_map(|(second, fill, last)| Damage::Half { second, fill, last }),
        Just(Damage::Swap),
        prop::collection::vec(any::<u8>(), 0..64).prop_map(Damage::OtherText),
        any::<Index>().prop_map(Damage::OtherAlgorithm),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(768))]

    #[test]
    fn both_paths_agree(which in any::<prop::sample::Index>(), damage in damage()) {
        let signer = which.get(&SIGNERS);
        let mut algorithm = signer.algorithm;
        let (mut text, mut signature) = (TEXT.to_vec(), signer.sign(TEXT));
        let half = signature.len() / 2;
        match damage.clone() {
            Damage::None => {}
            Damage::FlipSignatureBit(at, bit) => *at.get_mut(&mut signature) ^= 1 << bit,
            Damage::FlipTextBit(at, bit) => *at.get_mut(&mut text) ^= 1 << bit,
            Damage::Truncate(at) => signature.truncate(at.index(signature.len())),
            Damage::Append(bytes) => signature.extend(bytes),
            Damage::Prepend(byte) => signature.insert(0, byte),
            Damage::Fill(byte) => signature.fill(byte),
            Damage::Half { second, fill, last } => {
                let part = if second { &mut signature[half..] } else { &mut signature[..half] };
                part.fill(fill);
                *part.last_mut().unwrap() = last;
            }
            Damage::Swap => signature.rotate_left(half),
            Damage::OtherText(other) => text = other,
            Damage::OtherAlgorithm(other) => algorithm = other.get(&SIGNERS).algorithm,
        }
        let set = JwkSet::parse(&signer.jwk_set()).unwrap();
        let key = &set.keys().keys()[0];
        let host = NativeHost::default();
        let by_host = SignatureVerifier::new(PROBE.clone());
        let native = SignatureVerifier::default().verify(algorithm, key, &text, &signature, &NoHostCrypto);
        let hosted = by_host.verify(algorithm, key, &text, &signature, &host);
        prop_assert_eq!(native, hosted);
        let untouched = algorithm == signer.algorithm && text == TEXT;
        if matches!(damage, Damage::None) {
            prop_assert!(native.is_ok());
        } else if native.is_ok() {
            // Only damage that changed nothing may pass: the text and the algorithm are what was signed.
            prop_assert!(untouched);
        }
    }
}
