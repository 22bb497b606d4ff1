import helmet from '@fastify/helmet';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { Refusal } from '../rules/refusal.ts';
import { keepAddresses } from './forwarded.ts';
import { absoluteForm, hostCheck } from './host.ts';
import type { Count } from './limits.ts';
import { repeatedSingleton } from './singleton-fields.ts';

const TWO_YEARS = 63_072_000;

/** Headers of every answer. What carries a token or a user is never stored; the few public documents say otherwise. */
export async function registerHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    hsts: { maxAge: TWO_YEARS, includeSubDomains: true },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store');
    done();
  });
}

/** What two readers could take two ways: neither answer to it may share a connection with another. */
function ambiguityOf(
  { raw, originalUrl }: FastifyRequest,
  isHost: (text: string) => boolean,
): string | undefined {
  const repeated = repeatedSingleton(raw.rawHeaders);
  if (repeated !== undefined) return `The header ${repeated} may stand once, and is there twice.`;
  const { host } = raw.headers;
  // RFC 9112 section 3.2. Left alone, Node answers past every hook.
  if (host === undefined && raw.httpVersion === '1.1') return 'The request has no Host header.';
  if (host !== undefined && !isHost(host)) return 'The Host header is not a host.';
  if (!originalUrl.startsWith('/') && !isTarget(raw, originalUrl, isHost))
    return 'The target is neither a path nor the address of an http server.';
  // RFC 9112 section 3.2: a target has no fragment. The router would cut it off, where a proxy may not.
  if (originalUrl.includes('#')) return 'The path has a fragment.';
  const coding = raw.headers['transfer-encoding'];
  // RFC 9112 section 6.1. Node unchunks, and leaves every other coding as it came.
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || raw.httpVersion === '1.0'))
    return 'The transfer coding is not one that is taken.';
  return undefined;
}

/** The forms that are no path (RFC 9112 section 3.2): `http://host/path`, and `*`, which only OPTIONS has. */
function isTarget(
  { method }: { method?: string | undefined },
  target: string,
  isHost: (text: string) => boolean,
): boolean {
  const absolute = absoluteForm(target);
  if (absolute !== undefined) return isHost(absolute.authority);
  return target === '*' && method === 'OPTIONS';
}

/** Refuses ambiguous requests, and plain http behind a proxy that says so. */
export function registerTransportChecks(app: FastifyInstance, config: Config, count: Count): void {
  const httpsOnly = config.NODE_ENV === 'production' && config.TRUST_PROXY.length > 0;
  const isHost = hostCheck();
  let warned = false;

  // Left alone, Node answers 417 past every hook. RFC 9110 section 10.1.1 lets a server ignore what it does not know.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));

  app.addHook('onRequest', async (request, reply) => {
    keepAddresses(request);
    const ambiguity = ambiguityOf(request, isHost);
    if (ambiguity !== undefined) {
      reply.header('connection', 'close');
      await count(request, reply);
      throw new Refusal('bad_request', { detail: ambiguity });
    }
    const forwarded = request.headers['x-forwarded-for'] ?? request.headers['forwarded'];
    if (forwarded !== undefined && config.TRUST_PROXY.length === 0 && !warned) {
      warned = true;
      request.log.warn(
        'forwarding headers arrive but are ignored: name the proxies in TRUST_PROXY',
      );
    }
    const plain = request.headers['x-forwarded-proto'] !== undefined && request.protocol === 'http';
    if (!httpsOnly || !plain) return;
    await count(request, reply);
    throw new Refusal('https_required');
  });
}
