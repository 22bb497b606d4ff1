import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Test } from 'tap';
import type { Outbox } from '../src/parts/mail/outbox.ts';

export interface Mail {
  /** The envelope: who was really sent to. */
  recipients: string[];
  from: string;
  raw: string;
  mail: ParsedMail;
}

export interface Mailbox {
  /** What `MAIL_URL` takes. */
  url: string;
  /** Every mail that arrived, in order. */
  mails: Mail[];
  /** Waits until so many mails are there, and hands them out. */
  arrived(count: number): Promise<Mail[]>;
  /** Waits for a mail that is not there yet: of this address, if one is told. */
  next(to?: string): Promise<Mail>;
  /** The token in the link of the last mail to an address that has one. */
  token(to: string): Promise<string>;
  /** Waits for so many mails, then long enough for whatever else was to be sent; answers how many there are. */
  settled(atLeast?: number): Promise<number>;
  close(): Promise<void>;
}

/** How long a mail may take (ms). */
const PATIENCE = 5_000;

/** For senders that cannot be asked what they still have: the outbox waits 50 ms before it sends. */
const SETTLING = 200;

const outboxes = new Map<string, Pick<Outbox, 'length'>[]>();

/** Tells the mailbox with this URL who sends to it. */
export function follow(url: string, outbox: Pick<Outbox, 'length'>): void {
  outboxes.set(url, [...(outboxes.get(url) ?? []), outbox]);
}

export const tokenOf = (mail: Mail): string | undefined =>
  /#token=([\w.-]+)/.exec(mail.mail.text ?? '')?.[1];

/** The case of a domain is lost on the way. */
const isTo = ({ recipients }: Mail, to: string) =>
  recipients.some((recipient) => recipient.toLowerCase() === to.toLowerCase());

/** A real SMTP server on a free port, closed when the test ends. */
export async function mailbox(t: Test, options: SMTPServerOptions = {}): Promise<Mailbox> {
  const mails: Mail[] = [];
  const seen = new Set<Mail>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    hideSTARTTLS: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks).toString();
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          recipients: rcptTo.map(({ address }) => address),
          from: mailFrom === false ? '' : mailFrom.address,
          raw,
          mail: await simpleParser(raw),
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(resolve));
  t.teardown(close);

  const until = async <T>(what: string, look: () => T | undefined): Promise<T> => {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error(`${what} did not arrive`);
      await sleep(1);
    }
  };
  const next = (to?: string) =>
    until(`a mail to ${to ?? 'anybody'}`, () => {
      const found = mails.find((mail) => !seen.has(mail) && (to === undefined || isTo(mail, to)));
      if (found !== undefined) seen.add(found);
      return found;
    });

  const url = `smtp://127.0.0.1:${port}`;
  return {
    url,
    mails,
    arrived: (count) =>
      until(`mail ${count}`, () => (mails.length >= count ? mails.slice() : undefined)),
    next,
    token: async (to) => {
      for (;;) {
        const token = tokenOf(await next(to));
        if (token !== undefined) return token;
      }
    },
    settled: async (atLeast = 0) => {
      await until(`mail ${atLeast}`, () => (mails.length >= atLeast ? true : undefined)).catch(
        () => {},
      );
      const senders = outboxes.get(url) ?? [];
      if (senders.length > 0)
        await until('an end', () => senders.every(({ length }) => length === 0) || undefined);
      else
        for (let before = -1; before < mails.length; ) {
          before = mails.length;
          await sleep(SETTLING);
        }
      return mails.length;
    },
    close,
  };
}
