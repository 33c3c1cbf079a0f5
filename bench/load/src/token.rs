//! Access tokens: JWT signed with HS256 (RFC 7515, RFC 7519), LiveKit's claims.
//!
//! Must never print or log a key, a secret or a token.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

/// Who may do what in which room.
pub struct Grant<'a> {
    pub room: &'a str,
    pub identity: &'a str,
    pub can_publish: bool,
    pub can_subscribe: bool,
}

/// Mint a token that is valid from a minute before `now` until `now + lifetime`; both in seconds,
/// `now` since the Unix epoch.
pub fn mint(key: &str, secret: &str, grant: &Grant<'_>, now: u64, lifetime: u64) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let claims = json!({
        "iss": key,
        "sub": grant.identity,
        "name": grant.identity,
        "nbf": now.saturating_sub(60),
        "exp": now + lifetime,
        "video": {
            "room": grant.room,
            "roomJoin": true,
            "canPublish": grant.can_publish,
            "canSubscribe": grant.can_subscribe,
            "canPublishData": true,
        },
    });
    let mut token = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
    token.push('.');
    token.push_str(&BASE64URL_NOPAD.encode(claims.to_string().as_bytes()));
    let signer = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&signer, token.as_bytes());
    token.push('.');
    token.push_str(&BASE64URL_NOPAD.encode(signature.as_ref()));
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant<'static> {
        Grant {
            room: "r1",
            identity: "alice",
            can_publish: true,
            can_subscribe: false,
        }
    }

    #[test]
    fn the_signature_verifies_with_the_secret_alone() {
        let token = mint("devkey", "secret", &grant(), 1_000, 600);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        let right = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let wrong = hmac::Key::new(hmac::HMAC_SHA256, b"secres");
        assert!(hmac::verify(&right, signed.as_bytes(), &signature).is_ok());
        assert!(hmac::verify(&wrong, signed.as_bytes(), &signature).is_err());
    }

    #[test]
    fn the_claims_name_room_identity_rights_and_lifetime() {
        let token = mint("devkey", "secret", &grant(), 1_000, 600);
        let claims = BASE64URL_NOPAD
            .decode(token.split('.').nth(1).unwrap().as_bytes())
            .unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["iss"], "devkey");
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["nbf"], 940);
        assert_eq!(claims["exp"], 1_600);
        assert_eq!(claims["video"]["room"], "r1");
        assert_eq!(claims["video"]["roomJoin"], true);
        assert_eq!(claims["video"]["canPublish"], true);
        assert_eq!(claims["video"]["canSubscribe"], false);
    }
}
