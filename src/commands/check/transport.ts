import { once } from 'node:events';
import { connect } from 'node:tls';
import { exchange } from './exchange.ts';
import { NoAnswer, PATIENCE } from './odd-answer.ts';
import { hostOf, portOf, serverNameOf } from './site.ts';
import { type Check, ok, skipped, verdictOf, warning, wrong } from './verdict.ts';

const GROUP = 'TLS';
const DAY = 86_400_000;
/** Days before its end at which a certificate should have been renewed. */
const RENEWED = 14;

/** Looks at the certificate without trusting it. Nothing is sent over this connection. */
async function certificateOf(url: URL, ca: string | undefined) {
  const socket = connect({
    host: hostOf(url),
    port: portOf(url),
    servername: serverNameOf(url),
    ...(ca && { ca }),
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) }).catch((error) => {
    socket.destroy();
    throw new NoAnswer(error);
  });
  const end = Date.parse(socket.getPeerCertificate().valid_to);
  const { authorizationError } = socket;
  socket.destroy();
  return { end, refusal: authorizationError };
}

/** The first check of all: with a certificate that nobody trusts, nothing is sent. */
export const certificate: Check = {
  group: GROUP,
  name: 'certificate',
  async run({ site }) {
    const { url, ca, clock } = site.options;
    if (!site.isHttps) return ok('there is none: the URL is http');
    const { end, refusal } = await certificateOf(url, ca);
    if (refusal)
      return wrong(
        `clients refuse the certificate: ${refusal}`,
        'Serve the whole chain of a certificate for this name that has not expired. For a private authority, give --ca.',
      );
    const days = Math.floor((end - clock()) / DAY);
    const said = `valid, ${days} days left`;
    return days >= RENEWED ? ok(said) : warning(said, 'Find out why it was not renewed.');
  },
};

export const plainHttp: Check = {
  group: GROUP,
  name: 'plain-http',
  async run({ site, options }) {
    const { url } = site.options;
    const asked = options.plainHttp ?? (url.port ? undefined : new URL(`http://${url.hostname}`));
    if (!site.isHttps)
      return site.isLocal
        ? skipped('the URL is http on this machine')
        : wrong('the URL is http', 'Passwords and tokens can be read on the way: use https.');
    if (asked === undefined) return skipped('the URL has a port of its own: give --plain-http');
    const address = new URL(`${site.base}/livez`, asked);
    const answer = await exchange(address, {}, site.options).catch((error) => {
      if (!(error instanceof NoAnswer)) throw error;
    });
    const status = answer?.status ?? 403;
    return verdictOf(
      status === 403
        ? []
        : [
            `${address.href} answers ${status}${status < 400 && status > 299 ? ', a redirect' : ''}`,
          ],
      answer === undefined ? 'nothing answers to plain http' : 'plain http is refused with 403',
      'Do not redirect: the first request of a client with a wrong URL carries its password or token in the clear, and a redirect hides that. Let the proxy pass X-Forwarded-Proto and set TRUST_PROXY, and Latchkey refuses it; or close the port.',
    );
  },
};
