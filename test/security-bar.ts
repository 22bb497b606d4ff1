/**
 * The security bar: what a service of this kind is held to, each row with its sources. ASVS is OWASP's
 * Application Security Verification Standard 5.0, 63B is NIST SP 800-63B-4; a CVE or GHSA is what a peer was
 * caught at. A test that shows a row has its id at the front of its title.
 */
export const SECURITY_BAR = {
  // Access tokens: form and verification.
  'TOK-01': 'the signature is verified before any claim is used (ASVS 9.1.1; RFC 7515 5.2)',
  'TOK-02':
    'the algorithm comes from the configuration, not from the header (ASVS 9.1.2; RFC 8725 3.1)',
  'TOK-03': 'each key has one algorithm, and the header must name it (RFC 8725 3.1)',
  'TOK-04':
    'keys come from the configuration alone, and nobody is asked for one (ASVS 9.1.3; RFC 8725 3.10)',
  'TOK-05': 'kid is opaque; an unknown one costs no look-up (RFC 7515 4.1.4; RFC 8725 3.10)',
  'TOK-06':
    'crit and b64 are refused, whatever their value (RFC 7515 4.1.11; RFC 7797 7; CVE-2026-35042)',
  'TOK-07':
    'typ is that of an access token; kinds exclude each other (RFC 9068 4; RFC 8725 3.11, 3.12)',
  'TOK-08': 'no required claim may be absent (RFC 9068 2.2; RFC 7519 4.1)',
  'TOK-09': 'claims have the right type and range (RFC 7519 4.1; ASVS 15.3.5)',
  'TOK-10': 'a token has expired at its exp, not after it (RFC 7519 4.1.4)',
  'TOK-11': 'a life has an upper limit; iat and nbf are not in the future (ASVS 9.2.1)',
  'TOK-12': 'iss is compared exactly, as one string (RFC 9068 4; CVE-2025-30144)',
  'TOK-13': 'aud is exactly this service (RFC 7519 4.1.3; ASVS 9.2.3)',
  'TOK-14':
    'compact serialisation in canonical base64url, nothing else (RFC 7515 7.1; RFC 4648 3.5)',
  'TOK-15':
    'header and claims are JSON objects in UTF-8, without duplicate members (RFC 7519 4; RFC 8725 3.7)',
  'TOK-16': 'the length is bounded before anything is parsed (ASVS 2.2.1)',
  'TOK-17': 'another form of a signature makes no other token (RFC 7518 3.4)',
  'TOK-18':
    'what is remembered of a token dies with the key and with exp (CVE-2026-35039, CVE-2026-107719)',
  'TOK-19': 'nothing that a request says is signed (ASVS 15.3.3)',
  'TOK-20': 'a token holds nothing personal and no secret (ASVS 14.2.6)',
  'TOK-21': 'jti has 128 random bits (ASVS 11.5.1)',
  'TOK-22': 'what changes security asks the row, not the token (ASVS 7.4.2, 8.3.2)',
  'TOK-23': 'any fault of a token is 401 (ASVS 16.5.3)',
  // Keys.
  'KEY-01': 'the key set holds public members only (RFC 7517 4, 5; ASVS 13.3.1)',
  'KEY-02': 'kid is the thumbprint of the key (RFC 7638 3)',
  'KEY-03': 'a shared secret is long, random and never published (RFC 7518 3.2; RFC 8725 3.5)',
  'KEY-04': 'RSA of 2048 bits or more, P-256, Ed25519, nothing else (RFC 7518 3.3; ASVS 11.2)',
  'KEY-05':
    'a key is published before it signs, and verifies after it has (RFC 7517 5; ASVS 13.3.4)',
  'KEY-06': 'a key that is removed is dead at once (ASVS 9.1.3)',
  'KEY-07': 'the key set is kept for less long than a rotation takes (RFC 9111)',
  'KEY-08': 'each purpose has a key of its own (RFC 8725 3.12; ASVS 9.2.2)',
  'KEY-09': 'private keys are in no answer and no log (ASVS 13.3.1)',
  // Bearer use.
  'BEA-01': 'a token is taken from the Authorization header alone (RFC 6750 2; ASVS 14.2.1)',
  'BEA-02': 'without credentials the challenge has no error (RFC 6750 3.1; RFC 9110 11.6.1)',
  'BEA-03': 'every bad token gets the same answer (RFC 6750 3.1)',
  'BEA-04': 'a malformed credential is 400 invalid_request (RFC 6750 3.1)',
  'BEA-05': 'not allowed is 403, and what belongs to others is 404 (RFC 6750 3.1; RFC 9110 15.5.4)',
  'BEA-06': 'the scheme in any case, one space, one token (RFC 9110 11.1; RFC 6750 2.1)',
  'BEA-07': 'a challenge holds nothing of the request (RFC 6750 3; ASVS 1.2)',
  'BEA-08': 'answers with tokens, and to callers, are kept by nobody (RFC 6749 5.1; ASVS 14.3.2)',
  'BEA-09': 'the answer with tokens says their type and life (RFC 6749 5.1)',
  // Refresh tokens and sessions.
  'REF-01':
    'each use gives a new token, in one atomic step (RFC 9700 4.14.2; ASVS 10.4.5; CVE-2026-1035)',
  'REF-02': 'reuse ends the whole family, and no other (RFC 9700 4.14.2; ASVS 10.4.5)',
  'REF-03': 'that outlives a crash and is known to every process (CVE-2026-9802)',
  'REF-04': 'a retry gets the same successor, until that was used (RFC 9700 4.14.2)',
  'REF-05': 'a session has an idle and an absolute end (ASVS 7.3.1, 7.3.2, 10.4.8)',
  'REF-06': 'a copy of the table is no token (ASVS 11.5.1; RFC 6819 5.1.4)',
  'REF-07':
    'a refresh token opens no route, an access token renews nothing (ASVS 9.2.2; RFC 8725 3.12)',
  'REF-08': 'roles and state are read again at each refresh (RFC 9700 4.14.2; ASVS 7.4.2)',
  'REF-09': 'a sign-out ends the session at once, and may be repeated (ASVS 7.4.1; RFC 7009 2.2)',
  'REF-10': 'after it the access token is refused too, of the same second as well (ASVS 7.4.1)',
  'REF-11': 'a change of a factor ends the other sessions (ASVS 7.4.3, 7.2.4)',
  'REF-12': 'a sign-in always opens a session of its own (ASVS 7.2.4)',
  'REF-13': 'the number of sessions is bounded (ASVS 7.1.2)',
  'REF-14':
    'users see and end their own sessions, administrators all of a user (ASVS 7.5.2, 7.4.5)',
  'REF-15': 'a passing fault spends no token (ASVS 2.3.3)',
  'REF-16': 'the owner and the log hear of reuse (ASVS 6.3.5, 16.3.3)',
  // Cookies, CSRF, CORS.
  'COO-01':
    'cookies are Secure, HttpOnly, SameSite=Strict, with a prefix and no Domain (ASVS 3.3; RFC 6265bis)',
  'COO-02': 'each transport refuses the token of the other (ASVS 3.3.4)',
  'COO-03':
    'a cookie needs what no form of another site can send (ASVS 3.5.1, 3.5.2; CVE-2022-41919)',
  'COO-04': 'GET and HEAD change nothing (ASVS 3.5.3)',
  'COO-05': 'CORS by an exact list, never reflected, never * (ASVS 3.4.2)',
  'COO-06': 'a cookie is deleted under its own name and attributes (RFC 6265bis)',
  'COO-07': 'two cookies of one name are refused (ASVS 15.3.7)',
  // Passwords.
  'PWD-01':
    'length is counted in code points, and nothing is cut (ASVS 6.2.1, 6.2.8, 6.2.9; 63B 3.1.1.2)',
  'PWD-02': 'no rules of composition, no forced change (ASVS 6.2.5, 6.2.10; 63B 3.1.1.2)',
  'PWD-03': 'common and contextual passwords are refused (ASVS 6.2.4, 6.2.11, 6.2.12; 63B 3.1.1.2)',
  'PWD-04': 'every character counts; Unicode is normalised once (ASVS 6.2.8; 63B 3.1.1.2)',
  'PWD-05': 'ill-formed UTF-16 is refused (a replacement character would stand for it)',
  'PWD-06': 'Argon2id, and rehashed when its parameters have grown (ASVS 11.4.2)',
  'PWD-07': 'hash work is bounded (ASVS 15.4.4, 2.4.1)',
  'PWD-08':
    'a change needs the current password, guessed no oftener than at sign-in (ASVS 6.2.2, 6.2.3, 7.5.1)',
  'PWD-09': 'a damaged hash is a no (ASVS 16.5.3)',
  'PWD-10': 'a password is nowhere to be read (ASVS 16.2.5, 14.2.1)',
  // Sign-in and guessing.
  'AUT-01': 'a stranger cannot tell accounts apart, by bytes or by time (ASVS 6.3.8)',
  'AUT-02': 'an unknown address costs a hash (ASVS 6.3.8)',
  'AUT-03': 'a registration does not tell who has an account (ASVS 6.3.8)',
  'AUT-04': 'parallel guesses do not exceed the budget (63B 3.2.2; CVE-2024-4629)',
  'AUT-05': 'each factor has a count of its own, with growing waits (63B 3.2.2)',
  'AUT-06': 'nobody can lock another out (ASVS 6.1.1)',
  'AUT-07': 'every path that proves a factor is counted (ASVS 6.3.4; CVE-2026-9798)',
  // Here: 429 to both, for unknown addresses too.
  'AUT-08': 'while an account waits, the right password is as good as a wrong one (ASVS 6.3.8)',
  'AUT-09': 'an address has one canonical form and bounded length (RFC 5321 4.5.3.1; ASVS 2.2.1)',
  'AUT-10': 'who registers the address of another keeps nothing (GHSA-qq9h-g4jm-xgf3)',
  'AUT-11': 'there are no default accounts (ASVS 6.3.2)',
  'AUT-12': 'every sign-in, good or bad, is logged (ASVS 16.3.1)',
  // Second factor.
  'MFA-01': 'the password alone gives a challenge, and nothing that opens (ASVS 2.3.1, 6.6.2)',
  'MFA-02': 'every path to tokens asks for the factor (ASVS 6.3.4, 6.4.3; CVE-2024-45042)',
  'MFA-03': 'a code is good once (ASVS 6.5.1; RFC 6238 5.2)',
  'MFA-04': 'the window is the step and the one before (RFC 6238 5.2; ASVS 6.5.5)',
  'MFA-05': 'the secret is long, encrypted, and shown once (RFC 4226 4; ASVS 6.5.3, 13.3.1)',
  'MFA-06': 'an enrolment needs the password and one good code (ASVS 7.5.1)',
  'MFA-07': 'a removal needs the factor, ends other sessions, is told (ASVS 7.5.1, 7.4.3)',
  'MFA-08': 'tries are bounded for a challenge and for a user (ASVS 6.6.3; 63B 3.2.2)',
  'MFA-09': 'recovery codes are random, hashed, good once (ASVS 6.5.1-6.5.4)',
  'MFA-10': 'a code is six digits of text (ASVS 15.3.5)',
  'MFA-11':
    'tokens say how their owner signed in; what is sensitive asks again (RFC 9068 2.2.1; RFC 9470)',
  'MFA-12': 'an address adds nothing to the otpauth URI (ASVS 1.2)',
  // Passkeys.
  'PKY-01': 'a challenge is random, bound and good once (ASVS 6.7.2; WebAuthn 13.4.3)',
  'PKY-02': 'origin, party, type and flags are checked (WebAuthn 7.1, 7.2)',
  'PKY-03': 'a credential has one owner (WebAuthn 7.1, 14.6)',
  'PKY-04': 'adding a passkey is a change of a factor (ASVS 7.5.1; CVE-2026-37982)',
  // Mailed links.
  'EML-01': 'asking for a link answers all alike (ASVS 6.3.8)',
  'EML-02': 'a mailed token is bound to what it changes, and short-lived (ASVS 6.4.1, 6.6.2)',
  'EML-03': 'it is good once (ASVS 6.5.1, 15.4.2; CVE-2026-4325)',
  // Here: both are bound to the state that they change, so the first one used ends the other.
  'EML-04': 'any change ends the links of before (OWASP Forgot Password)',
  'EML-05': 'a reset signs nobody in and switches no factor off (ASVS 6.4.3, 7.4.3)',
  'EML-06': 'links come from the configuration (GHSA-3529-5m8x-rpv3, CVE-2025-71401)',
  'EML-07': 'no redirect comes from a request (CVE-2025-53535)',
  'EML-08': 'a token travels in the fragment and the body (ASVS 14.2.1, 3.4.5)',
  'EML-09': 'mail to one address is limited, in silence (ASVS 2.4.1)',
  'EML-10': 'a new address is proven before it counts; the old one is told (ASVS 7.5.1, 6.3.7)',
  'EML-11': 'an address adds no header and no recipient (ASVS 1.3.11)',
  'EML-12': 'an administrator neither sees a link nor sets a password (ASVS 6.4.6)',
  // Authorisation.
  'AZN-01': 'a route that does not say who may call it does not start (ASVS 8.2.1, 8.3.1)',
  'AZN-02': 'what belongs to others is not found (ASVS 8.2.2)',
  'AZN-03': 'a field that is not declared is refused (ASVS 15.3.3, 8.2.3)',
  'AZN-04': 'answers are built from a list (ASVS 15.3.1)',
  'AZN-05': 'the last administrator stays, and nobody raises himself (ASVS 8.3.2, 8.4.2)',
  'AZN-06': 'who is disabled or deleted is out at once (ASVS 7.4.2, 10.3.3)',
  'AZN-07': 'pages and cursors are bounded and checked (ASVS 2.4.1; GHSA-hgx2-28f8-6g2r)',
  'AZN-08': 'what an administrator does is logged (ASVS 16.3.2, 16.2.1)',
  // The HTTP surface.
  'API-01': 'bodies are JSON in UTF-8 (ASVS 1.5.3, 3.5.2)',
  'API-02': 'bodies are bounded in size and depth (ASVS 2.2.1)',
  'API-03': 'no prototype is reached, no member is there twice (ASVS 15.3.6, 1.5.3)',
  'API-04': 'invalid UTF-8 is refused (RFC 8259 8.1)',
  'API-05': 'ambiguous framing is refused (ASVS 4.2.1; RFC 9112 3.2, 6.1)',
  'API-06': 'headers, bodies and idle sockets have time limits',
  'API-07': 'a method that is not taken is 405 (ASVS 13.4.4; RFC 9110 15.5.6)',
  'API-08': 'forwarding headers count from named proxies alone (ASVS 4.1.3, 15.3.4; CVE-2026-3635)',
  'API-09': 'every answer has the security headers (ASVS 3.4)',
  'API-10': 'the content type is that of the body (ASVS 4.1.1)',
  'API-11': 'plain http is refused, not redirected (ASVS 4.1.2)',
  'API-12': 'nothing is public that was not meant to be (ASVS 13.4.5)',
  'API-13': 'a path has one spelling (GHSA-x732-6j76-qmhm, GHSA-p68q-wchp-6fh7)',
  'API-14': 'parameters are checked like bodies (ASVS 15.3.5, 15.3.7)',
  // Errors and limits.
  'ERR-01': 'every error is a problem document (RFC 9457 3)',
  'ERR-02': 'no error tells how the service is made (ASVS 16.5.1; RFC 9457 5)',
  'ERR-03': 'no error tells the value that was sent (ASVS 16.2.5; RFC 9457 3.2)',
  'ERR-04': 'the last handlers keep the form and the process (ASVS 16.5.4)',
  'ERR-05': 'nothing hostile is a 5xx (ASVS 16.5.3)',
  'RAT-01': 'every route has a limit (ASVS 2.4.1, 6.1.1, 6.3.1)',
  'RAT-02': '429 says when to come back (RFC 6585 4)',
  // Here: the three fields of an earlier draft, and Retry-After.
  'RAT-03': 'limits are told in fields that tell nobody apart (RateLimit draft)',
  'RAT-04':
    'a client is his network, an account is itself (ASVS 15.3.4; CVE-2026-15144, CVE-2026-30827)',
  'RAT-05': 'no spelling of a request gets around a limit',
  'RAT-06':
    'an account is counted in its row, and a fault of the database lets nobody in (ASVS 16.5.3)',
  'RAT-07': 'unknown paths and broken requests count too',
  // Log, configuration, data.
  'LOG-01': 'no secret is ever logged (ASVS 16.2.5)',
  'LOG-02': 'an event is a line of JSON under an id of ours (ASVS 16.2.1, 16.2.2, 16.2.4)',
  'LOG-03': 'no input makes a line (ASVS 16.4.1)',
  'LOG-04': 'each act has one event (ASVS 16.3.1-16.3.4)',
  'CFG-01': 'what would be unsafe does not start (ASVS 13.3.1, 13.4.2, 16.5.3)',
  'CFG-02': 'no dependency has a known hole',
  'DAT-01': 'every query is parameterised (ASVS 1.2.4)',
  'DAT-02': 'each check and its act are one step (ASVS 15.4.2, 2.3.3)',
  'DAT-03': 'the table alone lets nobody in (ASVS 11.4.2, 6.5.2)',
  'DAT-04': 'what is deleted is gone (ASVS 14.2.7)',
  // Tokens bound to a key of the client (DPoP).
  'DPO-01': 'a proof is of its own type and signed by the key that it shows (RFC 9449 4.2, 4.3)',
  'DPO-02':
    'it is for this method, this address and this minute, and good once (RFC 9449 4.3, 11.1)',
  'DPO-03': 'it goes with the token, and the token with it (RFC 9449 4.2, 6.1, 7.1)',
  'DPO-04': 'a bound token alone is none (RFC 9449 7.1, 7.2)',
  'DPO-05': 'a bound session is renewed with the same key (RFC 9449 5; RFC 9700 2.2.2)',
} as const;
export type Row = keyof typeof SECURITY_BAR;

const NO_PASSKEYS = 'there are no passkeys';

/** Rows that no test shows, and why: this service settles them otherwise, or has nothing that they are about. */
export const SETTLED: Partial<Record<Row, string>> = {
  'BEA-04': 'every bad credential gets one and the same 401; a token elsewhere is not looked at',
  'PKY-01': NO_PASSKEYS,
  'PKY-02': NO_PASSKEYS,
  'PKY-03': NO_PASSKEYS,
  'PKY-04': NO_PASSKEYS,
};
