import { Secret, TOTP } from 'otpauth';
import type { Test } from 'tap';
import type { User } from '../src/schemas/user.ts';
import { passwordHash, signedIn } from './people.ts';
import { PASSWORD, type TestApp, type Tokens } from './test-app.ts';

const STEP = 30_000;

/** What an authenticator app shows. */
export const codeAt = (secret: string, now: number, steps = 0): string =>
  new TOTP({
    secret: Secret.fromBase32(secret),
    algorithm: 'SHA1',
    digits: 6,
    period: STEP / 1_000,
  }).generate({ timestamp: now + steps * STEP });

/** Six digits that are not the code of any step near. */
export function wrongCode(secret: string, now: number): string {
  const near = new Set([-2, -1, 0, 1, 2].map((steps) => codeAt(secret, now, steps)));
  return ['111111', '222222', '333333', '444444', '555555', '666666'].find(
    (code) => !near.has(code),
  ) as string;
}

export interface Authenticator {
  tokens: Tokens;
  secret: string;
  recoveryCodes: string[];
  /** A code that was not used yet: the clock moves to the next step. */
  code(): string;
}

/** Makes an account with a second factor in force. */
export async function withFactor(
  t: Test,
  app: TestApp,
  email: string,
  changes: Partial<User> = {},
): Promise<Authenticator> {
  const { as, clock } = app;
  const tokens = await signedIn(app, email, { password_hash: passwordHash(app), ...changes });
  const begun = await as(tokens.access_token, {
    method: 'POST',
    url: '/v1/me/mfa/totp',
    payload: { password: PASSWORD },
  });
  t.equal(begun.statusCode, 201, 'enrolment begun');
  const { secret } = begun.json<{ secret: string }>();
  const code = () => {
    clock.advance(STEP);
    return codeAt(secret, clock.now);
  };
  const confirmed = await as(tokens.access_token, {
    method: 'POST',
    url: '/v1/me/mfa/totp/confirm',
    payload: { code: code() },
  });
  t.equal(confirmed.statusCode, 200, 'enrolment confirmed');
  const { recovery_codes: recoveryCodes } = confirmed.json<{ recovery_codes: string[] }>();
  return { tokens, secret, recoveryCodes, code };
}
