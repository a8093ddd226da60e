//! Tokens that are the same in every run. What looks like a signature is filling: nobody holds a key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The issuer of all tokens.
pub(super) const ISSUER: &str = "https://auth.example.com";

/// The audience of all tokens.
pub(super) const AUDIENCE: &str = "api.example.com";

/// What a token is signed with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signature {
    Rs256,
    Es256,
}

impl Signature {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// As long as the public key's, and a number below its modulus or order.
    fn filling(self, number: u32) -> Vec<u8> {
        let mut filling = match self {
            Self::Rs256 => vec![0x5a; 256],
            Self::Es256 => vec![0x5a; 64],
        };
        let length = filling.len();
        filling[length - 4..].copy_from_slice(&number.to_be_bytes());
        filling
    }
}

/// Token number `number`: no two are alike, and all are equally long. It expires at `expires`, in seconds since 1970.
pub(super) fn token(signature: Signature, number: u32, expires: u64) -> String {
    let name = signature.name();
    let header = json!({"alg": name, "kid": name, "typ": "JWT"});
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": format!("user-{number:05}"), "tenant": "acme",
        "roles": ["viewer", "member"], "jti": format!("{number:032x}"), "iat": expires - 43_200, "exp": expires
    });
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode(signature.filling(number));
    format!("{}.{}.{signature}", encode(header), encode(claims))
}

/// The public keys of the examples in RFC 7515 (appendices A.2 and A.3), and of RFC 8037 (appendix A.2).
pub(super) fn jwks() -> Value {
    json!({"keys": [
        {"kty": "RSA", "kid": "RS256", "alg": "RS256", "use": "sig", "e": "AQAB", "n": concat!(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ",
            "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2",
            "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD",
            "TW9gb54h4FRWyuXpoQ")},
        {"kty": "EC", "kid": "ES256", "alg": "ES256", "use": "sig", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        {"kty": "OKP", "kid": "EdDSA", "alg": "EdDSA", "use": "sig", "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    ]})
}

/// The signed examples in RFC 7515 (appendices A.2 and A.3) and RFC 8037 (appendix A.4): real signatures over what is no
/// claim of ours, for hosts that leave cryptography to the module.
pub(super) fn examples() -> [(&'static str, String); 3] {
    let joe =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    [
        ("RS256", ["eyJhbGciOiJSUzI1NiJ9", joe, concat!(
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU",
            "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d",
            "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig",
            "cN_IoypGlUPQGe77Rw")].join(".")),
        ("ES256", ["eyJhbGciOiJFUzI1NiJ9", joe,
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"].join(".")),
        ("EdDSA", ["eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"].join(".")),
    ]
}
