import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import type { Test } from 'tap';
import { folder } from '../databases.ts';
import { tokenOf } from '../mailbox.ts';
import { type Options, type TestApp, testApp } from '../test-app.ts';

interface Posted {
  to: string;
  subject: string | undefined;
  /** The token in its link, if it has one. */
  token: string | undefined;
}

/** The service with its own mail folder. `posted` reads and empties it: the letters by address. `told`: without tokens. */
export async function appWithLetters(
  t: Test,
  { env, pace }: Options = {},
): Promise<
  TestApp & { posted: () => Promise<Posted[]>; told: () => Promise<Omit<Posted, 'token'>[]> }
> {
  const path = folder(t);
  const app = await testApp(t, {
    env: { MAIL_URL: `file:${path}`, ...env },
    ...(pace && { pace }),
  });
  const posted = async () => {
    // Sends queued letters at once.
    await app.context.outbox.close();
    const letters = readdirSync(path).map(async (name) => {
      const raw = readFileSync(join(path, name), 'utf8');
      rmSync(join(path, name));
      const mail = await simpleParser(raw);
      const { to = [], subject } = mail;
      const recipients = [to].flat().map(({ text }) => text);
      const token = tokenOf({ recipients, from: '', raw, mail });
      return { to: recipients.join(), subject, token };
    });
    return (await Promise.all(letters)).sort((a, b) =>
      a.to.toLowerCase().localeCompare(b.to.toLowerCase()),
    );
  };
  const told = async () => (await posted()).map(({ to, subject }) => ({ to, subject }));
  return { ...app, posted, told };
}
