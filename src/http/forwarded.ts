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

/** The trailing run of addresses in a forwarding header. The sender of an invalid entry could have written everything before it. */
export function addressesOf(header: string): string[] {
  const entries = header.split(',').map(addressOf);
  return entries.slice(entries.findLastIndex((entry) => !isAddress(entry)) + 1);
}

/** Keeps only addresses in `X-Forwarded-For`, so that nothing else is counted or logged as a client. */
export function keepAddresses({ raw }: FastifyRequest): void {
  const header = raw.headers[HEADER];
  if (header === undefined) return;
  const addresses = addressesOf(String(header));
  if (addresses.length > 0) raw.headers[HEADER] = addresses.join(', ');
  else delete raw.headers[HEADER];
}
