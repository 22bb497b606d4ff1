import type { LightMyRequestResponse } from 'fastify';
import { mailCode } from '../src/parts/mail-codes/mail-code.ts';
import { codeState } from '../src/rules/mail-codes.ts';
import type { User } from '../src/schemas/user.ts';
import type { Mailbox } from './mailbox.ts';
import type { TestApp } from './test-app.ts';

/** Asks for a code, as a browser does, and returns the half that it keeps. */
export const asked = async ({ post }: Pick<TestApp, 'post'>, email: string, more: object = {}) =>
  (await post('/v1/login/code', { email, ...more })).json<{ code_token: string }>().code_token;

/** The code in the next letter to this address. */
export async function mailedCode(box: Pick<Mailbox, 'next'>, email: string): Promise<string> {
  for (;;) {
    const code = /^Your code is (\d{8})$/m.exec((await box.next(email)).mail.text ?? '')?.[1];
    if (code !== undefined) return code;
  }
}

/** The code that a letter has now, for tests that are not about the letter. */
export async function codeFor(
  { context }: Pick<TestApp, 'context'>,
  email: string,
  token: string,
): Promise<string> {
  const user = (await context.users.findByEmail(email)) as User;
  const claims = context.ownTokens.read('mail-code', token);
  if (claims === undefined) throw new Error('not a token of a code');
  return mailCode(context.keys, { ...claims, state: codeState(user) });
}

/** A code that was asked for: the half of the browser, and the digits. */
export async function coded(app: TestApp, email: string) {
  const token = await asked(app, email);
  return { token, code: await codeFor(app, email, token) };
}

export const rowOf = async ({ context }: Pick<TestApp, 'context'>, email: string) =>
  (await context.users.findByEmail(email)) as User;

/** Another code of eight digits. */
export const wrongMailCode = (code: string): string =>
  String((Number(code) + 1) % 100_000_000).padStart(8, '0');

export const verifyCode = (
  { post }: Pick<TestApp, 'post'>,
  code_token: string,
  code: string,
  more: object = {},
): Promise<LightMyRequestResponse> => post('/v1/login/code/verify', { code_token, code, ...more });
