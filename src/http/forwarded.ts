import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

const HEADER = 'x-forwarded-for';

/** Some proxies add the port: `203.0.113.1:1234`, `[2001:db8::1]:443`. */
const WITH_PORT = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/;

function addressOf(entry: string): string {
  const [, v6, v4] = WITH_PORT.exec(entry.trim()) ?? [];
  return v6 ?? v4 ?? entry.trim();
}

const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%');

/** The addresses at the end of a forwarding header, up to the first entry that is none: whoever wrote that wrote the rest too. */
export function addressesOf(header: string): string[] {
  const entries = header.split(',').map(addressOf);
  return entries.slice(entries.findLastIndex((entry) => !isAddress(entry)) + 1);
}

/** Leaves addresses alone in `X-Forwarded-For`, so that nothing else becomes a client to be counted or logged. */
export function keepAddresses({ raw }: FastifyRequest): void {
  const header = raw.headers[HEADER];
  if (header === undefined) return;
  const addresses = addressesOf(String(header));
  if (addresses.length > 0) raw.headers[HEADER] = addresses.join(', ');
  else delete raw.headers[HEADER];
}
