import type { ProblemCode } from '../schemas/problem.ts';

export interface CatalogueEntry {
  status: number;
  title: string;
  /** The `detail` of an answer, where the refusal has none of its own. */
  detail: string;
  /** For the page of the code: when this happens. */
  cause: string;
  /** For the page of the code: what the caller should do. */
  remedy: string;
}

/** Every code that a request can be refused with. A code that is missing here does not compile. */
export const problems = {
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    detail: 'The body is not one well-formed JSON document in UTF-8, without duplicate members.',
    cause:
      'The body could not be parsed, is not UTF-8, is nested too deeply, or has a member twice. Some parsers take the first of two members and some the last, so a body that has both is refused.',
    remedy:
      'Send what your JSON library writes (in JavaScript: JSON.stringify). The member "errors" says where the fault is.',
  },
  ambiguous_credentials: {
    status: 400,
    title: 'Ambiguous credentials',
    detail: 'The request carries more than one token of the same kind. Send one.',
    cause:
      'The request has the same kind of token in two places, for example a refresh token in the body and another one in the cookie.',
    remedy: 'Send the token in one place: in the body or in the cookie.',
  },
  bad_request: {
    status: 400,
    title: 'Bad request',
    detail: 'The request is not well-formed HTTP.',
    cause:
      'The request breaks the rules of HTTP, or two programs could read it in two ways: no Host header, a header twice that may appear once, a path that cannot be decoded.',
    remedy: 'Use an HTTP library, and check what proxies on the way add to the request.',
  },
  token_missing: {
    status: 401,
    title: 'Token missing',
    detail: 'This route needs a token. Send the access token as "Authorization: Bearer ...".',
    cause: 'The request has no Authorization header with a bearer token.',
    remedy:
      'Sign in with POST /v1/login, and send the access_token of the answer as "Authorization: Bearer <access_token>".',
  },
  token_expired: {
    status: 401,
    title: 'Token expired',
    detail: 'The access token has expired. Get a new one from POST /v1/refresh.',
    cause: 'Access tokens are valid for 15 minutes, and this one is older.',
    remedy:
      'Call POST /v1/refresh, and repeat the request with the new token. The member refresh_after of a token answer says how many seconds later to refresh, so that this does not happen.',
  },
  token_revoked: {
    status: 401,
    title: 'Token revoked',
    detail:
      'The session of this access token has ended, or a role was removed. Refresh once; if that is refused, sign in again.',
    cause:
      'After the token was issued the user signed out, changed the password or lost a role, or an administrator ended the session.',
    remedy:
      'Call POST /v1/refresh once, and repeat the request. If the refresh is refused too, the user has to sign in again.',
  },
  step_up_required: {
    status: 401,
    title: 'Step-up required',
    detail:
      'This needs a proof of who you are that is at most 15 minutes old. Call POST /v1/me/verify, then repeat the request.',
    cause:
      'The access token is valid, but its `auth_time` is more than 15 minutes ago, and the request would make something that outlives the token.',
    remedy:
      'Ask the user for the password, a code of the authenticator app, a recovery code or a passkey, call POST /v1/me/verify, and repeat the request with the access token that it answers. A user who has none of these signs in again: a new session has a new `auth_time`.',
  },
  token_invalid: {
    status: 401,
    title: 'Token invalid',
    detail: 'The token is not an access token of this service.',
    cause:
      'The token has another form, another issuer or audience, a wrong signature, or is another kind of token, such as a refresh token.',
    remedy:
      'Send the access_token of the latest sign-in or refresh, unchanged. If that is what you send, check that ISSUER and AUDIENCE are the same on every node.',
  },
  token_bound: {
    status: 401,
    title: 'Token bound to a key',
    detail: 'This access token is bound to a key. Send it in the scheme DPoP, with a DPoP proof.',
    cause:
      'The session was started with a DPoP proof (RFC 9449), so its access tokens count only together with a DPoP proof of the same key. This one came as a bearer token.',
    remedy:
      'Send "Authorization: DPoP <access_token>" and a new DPoP proof in the header DPoP. If the service that you call takes bearer tokens only, sign in with the header "Prefer: token_type=Bearer".',
  },
  invalid_dpop_proof: {
    status: 401,
    title: 'Invalid DPoP proof',
    detail: 'The DPoP proof is missing, or is not one of the key to which the token is bound.',
    cause:
      'The token is bound to a key (RFC 9449), and the DPoP header is missing, was used before, is signed by another key, or belongs to another request: its htm, htu or ath does not match. Or the session has no key, and the request has a DPoP proof.',
    remedy:
      'Make a new DPoP proof for each request, with the key of the sign-in. htu is the URL of the request as the clients of ISSUER see it, without its query. If the key is lost, sign in again.',
  },
  use_dpop_nonce: {
    status: 401,
    title: 'DPoP nonce required',
    detail: 'Repeat the request with a new DPoP proof that has the nonce in the header DPoP-Nonce.',
    cause:
      'The nonce of the DPoP proof is missing (DPOP_NONCE=on) or too old, or it has no nonce and its iat is more than 60 seconds ago or in the future: the clock of the client is wrong.',
    remedy:
      'Make a new DPoP proof with the nonce of the DPoP-Nonce header, repeat the request once, and use the newest nonce from then on. Libraries for DPoP do this.',
  },
  second_factor_required: {
    status: 401,
    title: 'Second factor required',
    detail: 'The account has a second factor, so the password alone is not enough. Send a code.',
    cause:
      'The password was sent to POST /v1/me/verify, and the account has a second factor. What a recent proof allows, such as adding a passkey, would go around it.',
    remedy:
      'Ask the user for a code of the authenticator app, a recovery code or a passkey, and send that to POST /v1/me/verify instead of the password.',
  },
  invalid_credentials: {
    status: 401,
    title: 'Invalid credentials',
    detail: 'The email address or the password is wrong.',
    cause:
      'There is no account with this address, the password is wrong, or the account is disabled. The answer is the same in all three cases, so that nobody can find out which addresses have accounts.',
    remedy: 'Let the user try again, or choose a new password with POST /v1/password/forgot.',
  },
  refresh_missing: {
    status: 401,
    title: 'Refresh token missing',
    detail: 'The request carries no refresh token. Sign in.',
    cause:
      'There is no refresh token in the body and no refresh cookie: nobody is signed in here, or the browser did not send the cookie.',
    remedy:
      'Sign in. From a browser, send the request with credentials (fetch: credentials: "include").',
  },
  refresh_invalid: {
    status: 401,
    title: 'Refresh token invalid',
    detail: 'The session is unknown, has ended or has expired. Sign in again.',
    cause:
      'The refresh token is not one of this service, or its session was ended by a sign-out, a new password or an administrator, or was not used for too long.',
    remedy: 'Delete the token, and ask the user to sign in again.',
  },
  refresh_reused: {
    status: 401,
    title: 'Refresh token reused',
    detail:
      'This refresh token was used again after its successor, so two parties have it. The session has ended. Sign in again.',
    cause:
      'Each refresh token is used once. This one came back after its successor had been used, which happens when somebody copied it. To be safe the whole session was ended.',
    remedy:
      'Ask the user to sign in again. If it happens to honest clients, store the new token before the next request, and repeat a lost refresh with the same Idempotency-Key.',
  },
  wrong_password: {
    status: 403,
    title: 'Wrong password',
    detail: 'The current password is wrong. Nothing was changed.',
    cause:
      'This request changes how the account is protected, so it needs the current password, and the password was wrong or missing.',
    remedy: 'Ask the user for the current password again.',
  },
  wrong_code: {
    status: 403,
    title: 'Wrong code',
    detail: 'The code is wrong, too old, or was used before. Nothing was changed.',
    cause:
      'The code does not match the authenticator app, is older than a minute, or was used before. A recovery code can be used once. A passkey gets this answer where `passkey_refused` would say that it does not sign in.',
    remedy:
      'Ask the user for the next code of the app. If codes are always wrong, the clock of the phone may be.',
  },
  invalid_code: {
    status: 401,
    title: 'Invalid code',
    detail: 'The code is wrong, too old, or was used before. A challenge allows five tries.',
    cause:
      'The first step was right, but the code does not match the authenticator app, is older than a minute, or was used before; or the passkey is not one of this account, or has answered an old challenge.',
    remedy:
      'Ask the user for the next code of the app, or for a recovery code. After five wrong codes start again with the first step.',
  },
  challenge_invalid: {
    status: 401,
    title: 'Challenge invalid',
    detail: 'The sign-in took too long, had its five tries, or is complete already. Start again.',
    cause:
      'The mfa_token of the first step is valid for five minutes, five tries and one sign-in. It also ends when the password changes.',
    remedy: 'Start again with POST /v1/login, or with another code by mail.',
  },
  passkey_refused: {
    status: 401,
    title: 'Passkey refused',
    detail: 'This passkey does not sign in here, or the sign-in took too long. Start again.',
    cause:
      'The passkey is unknown or was removed, the account is disabled, or the challenge is older than five minutes or was answered before. The answer is the same in all these cases. It also comes if the page is not of an allowed origin, or the authenticator did not check who uses it.',
    remedy:
      'Start again with POST /v1/login/passkey/options, or sign in in another way. A page must be at a host that PASSKEY_RP_ID covers, and at an allowed origin.',
  },
  passkey_copied: {
    status: 403,
    title: 'Passkey copied',
    detail:
      'The signature counter of this passkey went back, so there may be a copy of it. It was refused, and its owner was told.',
    cause:
      'An authenticator that counts its signatures sent a number that is not above the last one (WebAuthn section 6.1.1). Either the passkey was copied, or the authenticator was set back.',
    remedy: 'Sign in in another way, remove the passkey, and add a new one.',
  },
  passkey_invalid: {
    status: 400,
    title: 'Passkey invalid',
    detail: 'The passkey could not be added: start again with new options.',
    cause:
      'The answer of the authenticator does not belong to the options of this session, is older than five minutes, comes from a page of another origin, lacks the check of its user, or the account has this passkey already.',
    remedy: 'Start again with POST /v1/me/passkeys/options, from a page of an allowed origin.',
  },
  mail_code_refused: {
    status: 401,
    title: 'Code by mail refused',
    detail: 'The code is wrong, too old, or no longer valid. Ask for a new one.',
    cause:
      'The code does not belong to this code_token, is older than ten minutes, or had its five tries; or the user has signed in since, in whatever way. The answer is the same in all these cases, and for an address without an account.',
    remedy:
      'Ask the user for the code of the newest email, or send a new one with POST /v1/login/code. The code works only with the code_token of the request that it was sent for.',
  },
  provider_refused: {
    status: 401,
    title: 'Provider refused',
    detail:
      'The sign-in with the outside provider was cancelled, or its answer is not valid. Start again.',
    cause:
      'The user has cancelled, the sign-in took more than ten minutes or went on in another browser, the ID token is not one that this service asked for or was used before, or the account here is disabled.',
    remedy: 'Start the sign-in again. An app gets a new nonce, and a new ID token with it.',
  },
  link_invalid: {
    status: 400,
    title: 'Link invalid',
    detail:
      'The link has expired, was used before, or was replaced by a newer one. Ask for a new one.',
    cause:
      'Mailed links work once and for a limited time. A newer link, or a change of the password or the address, makes older links invalid.',
    remedy: 'Ask for a new mail, and use the link in the latest one.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    detail: 'The access token does not carry the role that this route needs.',
    cause:
      'The token is valid, but its user does not have the role, or the route is for people and the token is of a service account.',
    remedy: 'Ask an administrator for the role. A new role is in the token after the next refresh.',
  },
  origin_forbidden: {
    status: 403,
    title: 'Origin forbidden',
    detail:
      'A request that carries the token in a cookie must come from an allowed origin (CORS_ORIGINS).',
    cause:
      'The refresh token came in a cookie, and the Origin header is missing or names an origin that is not allowed. This protects against requests that other sites make in the name of the user.',
    remedy: 'Add the origin of your pages to CORS_ORIGINS, or serve them at APP_URL.',
  },
  https_required: {
    status: 403,
    title: 'HTTPS required',
    detail: 'The request came over plain http. There is no redirect: use https.',
    cause:
      'The proxy reports that the client used http. A redirect would come too late: the token has crossed the network unprotected.',
    remedy: 'Use the https address. Treat a token that was sent over http as stolen.',
  },
  sign_up_closed: {
    status: 403,
    title: 'Sign-up closed',
    detail: 'Sign-up is closed. Ask an administrator for an account.',
    cause: 'This service does not let people create accounts by themselves (SIGN_UP=closed).',
    remedy: 'Ask an administrator for an invitation.',
  },
  email_verification_required: {
    status: 403,
    title: 'Email verification required',
    detail: 'Sign up with the address alone: the account is made once the mailbox is confirmed.',
    cause:
      'This service makes an account only after the mailbox is confirmed (SIGN_UP=verified), and the request has a password already.',
    remedy:
      'Send POST /v1/register with the address alone. The mail has a link with which the user chooses a password.',
  },
  email_unverified: {
    status: 403,
    title: 'Address not confirmed',
    detail: 'Confirm the email address of the account first, with the link in the mail.',
    cause:
      'Nobody has proven yet that the address of this account is theirs. Until then, a second way to sign in could lock out the person to whom the address belongs.',
    remedy:
      'Have the user open the link in the mail. PUT /v1/me/email with the same address sends it again. Then repeat the request.',
  },
  provider_unlinked: {
    status: 403,
    title: 'Provider not linked',
    detail:
      'This account at the outside provider signs in to no account here. Sign in in another way, then link it.',
    cause:
      'It is linked to no account here, and it does not make or open one by its address: the provider has not verified the address, it is not one that an account may have, or the account here with this address has not proven it too or has a second factor.',
    remedy:
      'Sign in in another way, or choose a new password with POST /v1/password/forgot, which proves the address. Then link the provider with POST /v1/me/identities/{provider}/redirect.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    detail: 'No such resource.',
    cause:
      'The path is not one of this service, or what it names does not exist or is not yours to see.',
    remedy: 'Check the path against /docs, and the ID in it.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This path does not support this method. The Allow header lists those it supports.',
    cause: 'The path exists, but not with this method.',
    remedy: 'Use one of the methods in the Allow header.',
  },
  request_timeout: {
    status: 408,
    title: 'Request timeout',
    detail: 'The request did not arrive in time.',
    cause: 'The client opened a connection and sent its request too slowly, or not to the end.',
    remedy: 'Send the request again.',
  },
  email_taken: {
    status: 409,
    title: 'Email taken',
    detail: 'There is an account with this address. Sign in instead.',
    cause: 'Each address has one account.',
    remedy: 'Sign in, or choose a new password with POST /v1/password/forgot.',
  },
  mfa_enabled: {
    status: 409,
    title: 'Second factor enabled',
    detail: 'The account has a second factor already. Remove it first.',
    cause: 'An account has at most one authenticator app.',
    remedy: 'Remove the second factor with DELETE /v1/me/mfa/totp, then enrol the new one.',
  },
  mfa_not_enabled: {
    status: 409,
    title: 'No second factor',
    detail: 'The account has no second factor to confirm, use or remove.',
    cause: 'No second factor was enrolled, or the enrolment ended after five wrong codes.',
    remedy: 'Start an enrolment with POST /v1/me/mfa/totp.',
  },
  last_way_in: {
    status: 409,
    title: 'Last way in',
    detail: 'Without it, only a code by mail could sign in to the account. Add another way first.',
    cause: 'The account has no password, no other passkey and no other linked provider.',
    remedy:
      'Add a passkey, or choose a password with POST /v1/password/forgot, then repeat the request.',
  },
  identity_taken: {
    status: 409,
    title: 'Provider linked already',
    detail:
      'This account at the provider is linked to another account here, or yours is linked to another one there.',
    cause:
      'Each account at a provider signs in to one account here, and each account here has at most one at each provider.',
    remedy: 'Remove the other link first, with DELETE /v1/me/identities/{provider}.',
  },
  too_many_passkeys: {
    status: 409,
    title: 'Too many passkeys',
    detail: 'An account can have up to ten passkeys. Remove one first.',
    cause: 'The account has ten passkeys.',
    remedy: 'Remove one with DELETE /v1/me/passkeys/{id}, then add the new one.',
  },
  last_admin: {
    status: 409,
    title: 'Last administrator',
    detail: 'This is the only administrator. Appoint another one first.',
    cause:
      'The request would leave the service without an active administrator, and nobody could repair that through the API.',
    remedy: 'Give another user the role "admin", then repeat the request.',
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    detail: 'A body may have up to 16 KB.',
    cause: 'The body is larger than any request of this API needs.',
    remedy: 'Send less.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send JSON in UTF-8, with "Content-Type: application/json".',
    cause:
      'The Content-Type header is missing or another one, or the body is compressed. Forms are refused because other sites can send them without asking the browser first.',
    remedy:
      'Send "Content-Type: application/json" and a JSON body. The routes below /oauth and the callback of providers take "application/x-www-form-urlencoded".',
  },
  invalid_target: {
    status: 422,
    title: 'Unknown resource',
    detail: 'The resource is not one that this service issues tokens for.',
    cause:
      'The member `resource` (RFC 8707) is neither AUDIENCE nor one of AUDIENCES, compared letter by letter.',
    remedy:
      'Send the URI exactly as it is configured, or leave `resource` out to get a token for this service.',
  },
  invalid_input: {
    status: 422,
    title: 'Invalid input',
    detail: 'Some of the input is invalid. The member "errors" lists what and where.',
    cause: 'The body, the query or the path does not match the schema of the route.',
    remedy:
      'Show each message of "errors" beside the field that its "path" names (a JSON Pointer, RFC 6901).',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail:
      'Too many requests came from your network. The Retry-After header says how many seconds to wait.',
    cause:
      'Requests are counted by network address. The RateLimit headers of every answer say how many are left.',
    remedy: 'Wait as long as Retry-After says (seconds), then send the request again.',
  },
  throttled: {
    status: 429,
    title: 'Too many failures',
    detail:
      'Too many wrong guesses. The Retry-After header says how many seconds to wait; until then even the right password or code is refused.',
    cause:
      'Several passwords or codes in a row were wrong for this account, from this network or session. A device that has signed in before has a count of its own, which strangers cannot use up.',
    remedy:
      'Wait as long as Retry-After says (seconds). Send the device_token of an earlier sign-in, so that guesses of strangers do not make the user wait.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    detail: 'All headers of a request together may have up to 16 KB.',
    cause: 'The headers, mostly cookies, are larger than 16 KB.',
    remedy: 'Send fewer or smaller cookies.',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Internal error. Search the log for the ID in "instance".',
    cause: 'Something unexpected went wrong in the service.',
    remedy:
      'Try again later. If it stays, send the operator the ID in "instance": the log has a line with the same ID and a stack trace.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    detail: 'Too much work is waiting. Try again after Retry-After seconds.',
    cause:
      'More passwords are waiting to be checked than the service takes at a time, or other guesses at the same account are still being checked.',
    remedy: 'Wait as long as Retry-After says (seconds), then send the request again.',
  },
  provider_unavailable: {
    status: 503,
    title: 'Provider unavailable',
    detail:
      'The outside provider does not answer, or not as it should. Other ways to sign in work. Try again after Retry-After seconds.',
    cause:
      'The provider could not be reached within five seconds, answered with an error, or does not know this service (any more). The log has the reason.',
    remedy:
      'Sign in in another way, or wait as long as Retry-After says (seconds). If it stays, check the variables OIDC_… and the registration at the provider.',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    detail:
      'The database did not answer or cannot be written, or the data of this account cannot be read. Try again after Retry-After seconds.',
    cause:
      'The database is down, slow, full or read-only, or the row of this account is damaged. Nothing was changed, unless the answer was lost after the change.',
    remedy:
      'Wait as long as Retry-After says (seconds), then send the request again: a refresh with the same Idempotency-Key. If it stays, the log of the service names the cause.',
  },
} satisfies Record<ProblemCode, CatalogueEntry>;

/** `instance` in the examples. */
const INSTANCE = 'q83vEjRW-3k';

/** The answer of a code as the documentation shows it. */
export const exampleOf = (code: ProblemCode) => ({
  type: `/problems/${code}`,
  title: problems[code].title,
  status: problems[code].status,
  detail: problems[code].detail,
  code,
  instance: INSTANCE,
  ...(code === 'invalid_input' && { errors: [{ path: '/email', message: 'is required' }] }),
  ...(code === 'malformed_json' && { errors: [{ path: '/email', message: 'is there twice' }] }),
});
