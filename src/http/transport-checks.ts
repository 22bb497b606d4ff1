import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { Refusal } from '../rules/refusal.ts';
import { keepAddresses } from './forwarded.ts';
import { absoluteForm, hostCheck } from './host.ts';
import type { Count } from './limits.ts';
import { repeatedSingleton } from './singleton-fields.ts';

/** Why two HTTP implementations could read the request differently (request smuggling), or undefined. The connection must close. */
function ambiguityOf(
  { raw, originalUrl }: FastifyRequest,
  isHost: (text: string) => boolean,
): string | undefined {
  const repeated = repeatedSingleton(raw);
  if (repeated !== undefined) return `The request has the header ${repeated} more than once.`;
  const { host } = raw.headers;
  // RFC 9112 section 3.2. By default Node responds without running any hook.
  if (host === undefined && raw.httpVersion === '1.1') return 'The request has no Host header.';
  if (host !== undefined && !isHost(host)) return 'The Host header is not a valid host.';
  if (!originalUrl.startsWith('/') && !isTarget(raw, originalUrl, isHost))
    return 'The request target is neither a path nor an http or https URL.';
  // RFC 9112 section 3.2: a target has no fragment. The router would strip it; a proxy might not.
  if (originalUrl.includes('#')) return 'The request target contains a fragment (#).';
  const coding = raw.headers['transfer-encoding'];
  // RFC 9112 section 6.1. Node decodes chunked and ignores every other coding.
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || raw.httpVersion === '1.0'))
    return 'Unsupported transfer coding.';
  return undefined;
}

/** Whether the target is in one of the forms without a leading slash (RFC 9112 section 3.2): `http://host/path`, or `*` for OPTIONS. */
function isTarget(
  { method }: { method?: string | undefined },
  target: string,
  isHost: (text: string) => boolean,
): boolean {
  const absolute = absoluteForm(target);
  if (absolute !== undefined) return isHost(absolute.authority);
  return target === '*' && method === 'OPTIONS';
}

const isForwarded = (headers: IncomingHttpHeaders): boolean =>
  headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined;

/** Refuses ambiguous requests and, in production behind a trusted proxy, requests that arrived over plain http. */
export function registerTransportChecks(app: FastifyInstance, config: Config, count: Count): void {
  const httpsOnly = config.NODE_ENV === 'production' && config.TRUST_PROXY.length > 0;
  const ignoresForwarding = config.TRUST_PROXY.length === 0;
  const isHost = hostCheck();
  let warned = false;

  // By default Node responds 417 without running any hook. RFC 9110 section 10.1.1 lets a server ignore unknown expectations.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));

  /** Counts the request before it refuses it: a flood of these must be limited too. */
  const refuse = (request: FastifyRequest, reply: FastifyReply, refusal: Refusal) =>
    count(request, reply).then(() => Promise.reject(refusal));

  app.addHook('onRequest', (request, reply, done) => {
    keepAddresses(request);
    const ambiguity = ambiguityOf(request, isHost);
    if (ambiguity !== undefined) {
      reply.header('connection', 'close');
      refuse(request, reply, new Refusal('bad_request', { detail: ambiguity })).catch(done);
      return;
    }
    const { headers } = request;
    if (ignoresForwarding && !warned && isForwarded(headers)) {
      warned = true;
      request.log.warn(
        'ignoring forwarding headers: to use them, list your proxies in TRUST_PROXY',
      );
    }
    if (httpsOnly && headers['x-forwarded-proto'] !== undefined && request.protocol === 'http')
      refuse(request, reply, new Refusal('https_required')).catch(done);
    else done();
  });
}
