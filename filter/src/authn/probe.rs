//! Which algorithms the host may be trusted with: asked once, over answers we know.
//!
//! A host may lack the function, take other encodings, or answer yes to everything. Only an algorithm for which it
//! accepted the good signature and refused, in as many words, every altered one is used; the rest stays native. The probe
//! decides how fast a token is verified and never whether it is good.

use std::collections::BTreeSet;

use super::algorithm::{Algorithm, HashFunction};
use super::base64url;
use super::signature::HostCrypto;

/// The algorithms that a host verifies as it should.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostProbe {
    sound: BTreeSet<Algorithm>,
}

impl HostProbe {
    /// Puts every known signature to `host`: four calls an algorithm, 24 in all. In Envoy 1.40 they take about 6 ms
    /// together, nearly all of it P-384 and P-521, so run this once for a VM.
    #[must_use]
    pub fn run(host: &dyn HostCrypto) -> Self {
        let sound =
            VECTORS.iter().filter(|vector| vector.is_answered_well_by(host)).map(|vector| vector.algorithm);
        Self { sound: sound.collect() }
    }

    /// A host that is trusted with nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { sound: BTreeSet::new() }
    }

    /// Whether the host's answer for `algorithm` may be taken.
    #[must_use]
    pub fn is_sound(&self, algorithm: Algorithm) -> bool {
        self.sound.contains(&algorithm)
    }

    /// The algorithms whose answers may be taken, in the order of the registry.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.sound.iter().copied()
    }
}

/// A signature over [`TEXT`] whose verification is known. Base64url of DER; the private keys no longer exist.
struct Vector {
    algorithm: Algorithm,
    spki_der: &'static str,
    signature_der: &'static str,
}

impl Vector {
    fn is_answered_well_by(&self, host: &dyn HostCrypto) -> bool {
        let (Some(spki_der), Some(signature)) =
            (base64url::decode(self.spki_der), base64url::decode(self.signature_der))
        else {
            return false;
        };
        let mut altered_text = TEXT.to_vec();
        let mut altered_signature = signature.clone();
        for altered in [&mut altered_text, &mut altered_signature] {
            if let Some(last) = altered.last_mut() {
                *last ^= 1;
            }
        }
        let hash = self.algorithm.hash();
        let other_hash = match hash {
            HashFunction::Sha256 => HashFunction::Sha384,
            HashFunction::Sha384 => HashFunction::Sha512,
            HashFunction::Sha512 => HashFunction::Sha256,
        };
        host.verify_signature(hash, &spki_der, &signature, TEXT) == Some(true)
            && host.verify_signature(hash, &spki_der, &signature, &altered_text) == Some(false)
            && host.verify_signature(hash, &spki_der, &altered_signature, TEXT) == Some(false)
            && host.verify_signature(other_hash, &spki_der, &signature, TEXT) == Some(false)
    }
}

const TEXT: &[u8] = b"Portcullis probes the host's signature verification.";

const RSA_SPKI_DER: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAogf0Vbztb2CmNPT_4GckndUtUdOHrugbUxCbzYZ0\
    JTQH3S3IKETCDZe_S27CYBkyx00sBr72O0uQzWsGwH4_aksboVkI-vchHIFk2RJEndlf7xecFrr485GRd3Vr\
    8RZComZ9gj3C-wkhg6iujrs5_7Xs1NbzkJOPifp-WOLLbzichcBrqweVIstwJK551rupHQP1uz0Ao__ijRuU\
    RTk1vgbqo4ZB_8V9BUIdhykqde3SXrnirLSK6f1G-dW36E4jcm7RvFyEz50wO_3hEg0HcfxuiSaB7kC6SFSS\
    mNj3nF5XNL0N906FBJi4mYuFrCM1ogXDL81Zvl2yDeUU-cyZ7wIDAQAB";

const VECTORS: [Vector; 6] = [
    Vector {
        algorithm: Algorithm::Rs256,
        spki_der: RSA_SPKI_DER,
        signature_der: "llB8IH0IR09oCGYzSFxrkFU2MFqU6RHo6Oe-j0eBmYkp73RNABYKSA8fNqvtbEyBoiVEbCtGzY6yVSGJU77s\
                _K9qfDpAAqNamuD3XVCV8qXB-fZie91LHHXwmMSyvwNdU-794QIHOoDV7uEBvyLgIgMWjFt-GFl92g1VwacI\
                8zXfK6QUm64pziL-EAfgyBGVeKk7F7lnOFFzt-7PX3lIjb4IKvS1le8g_tLEK-YuxpmOzr4l4jnQ3jrnaexC\
                IlHIeeJwaYClUwXGIwEHbOD34m08AlMudcKxMOR86necxvSN4zZPSJiqWLcX_YcTo2ci1wZowtCMXlRfg8Fi\
                uCvlQQ",
    },
    Vector {
        algorithm: Algorithm::Rs384,
        spki_der: RSA_SPKI_DER,
        signature_der: "VuhqVm7GOV0piJSyQdh87I_iWRtv1aJIV0ji0tAbwrsSY_HzSUZg6r1qSpZG_MaOhFeKoHu_RSCg5qbxnspY\
                MF1BV2HoW0bbI5Fg-hrajYSC51heEPC5uP2Wr_bDskGGeZ__S27NWaRYf7iL97Pp_5L9WgekE-zlDt3IOY37\
                nlkzdmwj-nWedl5Knf3v8QHIZKBD9rc10BZdQutLmx5CK7QfR_6rb3Y8ywl4_OCwNhjOKE0Zh-X7uSaI3_m0\
                Vlb8RF7iu23HOHOJAWwT8zDqCLndaKqhjwvuw_SOvSaYQ3siOpR_MBYI6U37V6hmI5x8WazwpE0gf7NK4C7M\
                kovVBA",
    },
    Vector {
        algorithm: Algorithm::Rs512,
        spki_der: RSA_SPKI_DER,
        signature_der: "k2rRfQ7BADKfuDAXxYBoiLTHzGmsHi3zd9M8LdxHaqRx2qeJMZDAGsQRGUXQ9_HDQMJYrWADihYISiVhvsn9\
                c52yvk_PNN-GuJtBl9EgoxbqiZ9DHAoc39RknW4SkWi7S54kKxsjYTzmwiOrxRC1P63h7HbkIw-GVhPKq7zH\
                q7zAwAExDTQ0KGH3Ba3af4kjfGa1Nvjjcga4hMJ_WVeOB6jE_pfvZGPivSwIN7cNU3m7OjxnUAtNVWLI8xsU\
                eznuyjf5eXA053r1qJ3jN8AImvUsP6svneZz4Snsj9Xs7md5UT988kMCQ7QgfAf2-PF0e4bGsTc8kzB6Cw5T\
                w3L2_Q",
    },
    Vector {
        algorithm: Algorithm::Es256,
        spki_der: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoawxyky4ZqcbTY9GFWx_YvcKeWcHjlmcHxcQp_HTQ0lRUogL\
                0sfQyKgLbWGMKnm-PIW5ca8xuSa6HnMeaUB-eA",
        signature_der: "MEYCIQCfIZfF_JzruQta1G4z0LZxN4HrJwp2Bau-ZyxYLCNBnAIhAIX3RJ5ySKcuya9FKIAOjZmkVJxo45NG\
                98OruX8z-ENY",
    },
    Vector {
        algorithm: Algorithm::Es384,
        spki_der: "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEjCpIPJoqXyrn6vn5kB0TFViLtGgLJTW7o5QXrT-UV8Db-cySkDUs\
                y04mgQDMLCyrOJwGPypc2twPVsyYsvJKRPwEJlIns2Ul5o80y2xhsMnAVMNWY8T1tjVyq8I6jxdF",
        signature_der: "MGQCMDpX1YZWnxNBwNOep6BEq7Lmytl_wbxV-wVsuci78MifW1nPHUnkPZWJPt-0sY2jQgIwZme5bqUsaJnY\
                su6oKbCQD6KiuzVQmU2XiP76D7GtH0QIhWgsuUvfFENGaYMLhGoo",
    },
    Vector {
        algorithm: Algorithm::Es512,
        spki_der: "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB2bByASoG9nE4UunRf0PmqUhIu8dB-_vaa8RaTifJszY44cxx\
                Eg5jigizl4uAnrNEGZBVd4JoySE3BIV2JHKsn9cAxgGHvNVziLBmWg6di773eQVezE2SU4Rl93mjTh1cOVHV\
                -cgICe1fadRoEwLBDEOlOfocrtrBZguj08AM5o2tFuM",
        signature_der: "MIGHAkEtFn_6_nDTFVEIvfyXn6-48CrmlhTn_XhtQUiUdOSduxuwSufNhu7_PjkhrTYzusTrGJQW4BUl0Wan\
                tzXU28GhkQJCAS9hh1yb9gsorvqGeLOgiaKUEARHeWGZXJpE5yT9mepCh_eRMYOFwv3zqX22c3rzVoTyqT7t\
                7fNS2d7_q0MoWSds",
    },
];

#[cfg(test)]
mod tests {
    use super::super::signature::NoHostCrypto;
    use super::*;

    struct Constant(Option<bool>);

    impl HostCrypto for Constant {
        fn verify_signature(&self, _: HashFunction, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
            self.0
        }
    }

    /// Says yes to the unaltered text, whatever the signature.
    struct IgnoresSignature;

    impl HostCrypto for IgnoresSignature {
        fn verify_signature(&self, _: HashFunction, _: &[u8], _: &[u8], text: &[u8]) -> Option<bool> {
            Some(text == TEXT)
        }
    }

    #[test]
    fn a_host_that_says_yes_to_all_is_trusted_with_nothing() {
        assert_eq!(HostProbe::run(&Constant(Some(true))), HostProbe::nothing());
    }

    #[test]
    fn a_host_that_says_no_or_cannot_say_is_trusted_with_nothing() {
        assert_eq!(HostProbe::run(&Constant(Some(false))), HostProbe::nothing());
        assert_eq!(HostProbe::run(&NoHostCrypto), HostProbe::nothing());
    }

    #[test]
    fn a_host_that_does_not_read_the_signature_is_trusted_with_nothing() {
        assert_eq!(HostProbe::run(&IgnoresSignature), HostProbe::nothing());
    }
}
