import type { Entries } from './entry.ts';

/** The access token is missing, is not valid or does not suffice; or none is issued for the resource. */
export const accessTokenProblems = {
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
  forbidden: {
    status: 403,
    title: 'Forbidden',
    detail: 'The access token does not carry the role that this route needs.',
    cause:
      'The token is valid, but its user does not have the role, or the route is for people and the token is of a service account.',
    remedy: 'Ask an administrator for the role. A new role is in the token after the next refresh.',
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
} satisfies Entries;
