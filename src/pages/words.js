const BROKEN = 'Something went wrong on our side. Please try again later.';

/** A number of seconds as people say it: "20 seconds", "2 minutes".
 *
 * @param {number} seconds
 */
function duration(seconds) {
  /** @type {[number, string][]} */
  const units = [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  const [size, unit] = units.find(([length]) => seconds >= length) ?? [1, 'second'];
  const count = Math.max(Math.ceil(seconds / size), 1);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** What the user reads for a code of the service. Others show the problem's own `detail`.
 *
 * @type {Record<string, string>}
 */
const WORDS = {
  invalid_credentials: 'The email address or the password is wrong.',
  wrong_password: 'This is not your current password.',
  wrong_code: 'This code is wrong. Codes change every 30 seconds, and each works once.',
  invalid_code: 'This code is wrong. Codes change every 30 seconds, and each works once.',
  second_factor_required: 'Use a code of your authenticator app, not the password.',
  step_up_required: 'This needs a proof of who you are. Nothing was changed.',
  passkey_refused: 'This passkey does not sign in here. Try another one, or another way.',
  passkey_copied: 'This passkey was refused, because there may be a copy of it.',
  passkey_invalid: 'The passkey could not be added. Please try again.',
  too_many_passkeys: 'You have ten passkeys already. Remove one first.',
  last_way_in: 'Without it, only a code by mail could sign you in. Add another way first.',
  challenge_invalid: 'Please sign in again: it took too long, or there were too many wrong codes.',
  mail_code_refused:
    'This code is wrong, or no longer works. Use the code in the newest email, or ask for another.',
  token_revoked: 'You were signed out in the meantime. Nothing was changed.',
  provider_refused: 'You were not signed in there, or it took too long. Please try again.',
  provider_unlinked:
    'That account is not linked with one here. Sign in another way, then link it on your account page.',
  provider_unavailable:
    'That sign-in does not work at the moment. Use another way, or try again later.',
  identity_taken:
    'That account is linked with another account here, or yours with another one there. Unlink it first.',
  ambiguous_credentials: 'The sign-in was mixed up with another one. Please try again.',
  link_invalid: 'This link has expired or was already used.',
  sign_up_closed: 'New accounts are created by an administrator. Ask yours for an invitation.',
  email_taken: 'There is already an account with this email address.',
  email_unverified: 'Please confirm your email address first, under Profile.',
  email_verification_required: 'Please confirm your email address first. The link is in your mail.',
  forbidden: 'You are not allowed to do this.',
  not_found: 'This no longer exists.',
  last_admin: 'You are the only administrator. Give this role to someone else first.',
  origin_forbidden: 'This page was opened at an address that the service does not know.',
};

/**
 * A sentence for the user about whatever was thrown.
 *
 * @param {unknown} error
 */
export function sentenceOf(error) {
  const { status, code, retryAfter, problem } =
    /** @type {Partial<import('./api.js').ApiError>} */ (error ?? {});
  if (status === undefined)
    return 'The service cannot be reached. Check your connection, then try again.';
  const words = Object.hasOwn(WORDS, code ?? '') ? WORDS[code ?? ''] : undefined;
  const wait = `Please try again in ${duration(retryAfter ?? 30)}.`;
  if (status === 429) return `Too many attempts. ${wait}`;
  if (status === 503) return words ?? `The service is busy. ${wait}`;
  if (status >= 500) return BROKEN;
  return words ?? String(problem?.['detail'] ?? BROKEN);
}

/**
 * Whether the service has refused, so that nothing has changed. Otherwise the answer may have been lost on its way.
 *
 * @param {unknown} error
 */
export function isRefusal(error) {
  const { status = 500, code } = /** @type {Partial<import('./api.js').ApiError>} */ (error ?? {});
  return status < 500 || code === 'overloaded';
}

/**
 * The code with which the service refused; undefined for other errors.
 *
 * @param {unknown} error
 */
export const codeOf = (error) => /** @type {{ code?: string } | undefined} */ (error)?.code;
