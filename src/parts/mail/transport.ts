import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { type Letter, render } from './letter.ts';

/** `send` sends one letter, or rejects. */
export interface MailTransport {
  send(to: string, letter: Letter): Promise<void>;
  close(): void;
}

/** `from` is the From header, `product` the signature. */
export interface Sender {
  from: string;
  product: string;
}

/** Milliseconds. */
const PATIENCE = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 10_000 };

/** `to` is passed as an object, so that it is never parsed as a list of recipients. */
const envelope = ({ from, product }: Sender, to: string, letter: Letter) => ({
  from,
  to: { name: '', address: to },
  subject: letter.subject,
  ...render(letter, product),
  headers: { 'Auto-Submitted': 'auto-generated' },
});

function smtp(url: string, sender: Sender): MailTransport {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...PATIENCE,
  });
  return {
    send: async (to, letter) => {
      await transport.sendMail(envelope(sender, to, letter));
    },
    close: () => transport.close(),
  };
}

function folder(path: string, sender: Sender): MailTransport {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  accessSync(path, constants.W_OK);
  const transport = createTransport({ streamTransport: true, buffer: true });
  return {
    send: async (to, letter) => {
      const { message } = await transport.sendMail(envelope(sender, to, letter));
      const name = `${new Date().toISOString().replaceAll(':', '-')}-${randomBytes(3).toString('hex')}.eml`;
      await writeFile(join(path, name), message as Buffer, { mode: 0o600 });
    },
    close: () => {},
  };
}

/** `url`: `smtp://…`, `smtps://…`, or `file:FOLDER`, where each mail becomes one `.eml` file. */
export const openMail = (url: string, sender: Sender): MailTransport =>
  url.startsWith('file:') ? folder(url.slice('file:'.length), sender) : smtp(url, sender);
