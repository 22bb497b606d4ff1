import { Contract } from './contract.ts';
import { membersOf } from './site.ts';
import { type Check, ok, textsOf, verdictOf, warning, wrong } from './verdict.ts';

const GROUP = 'Documents';

/** Without the lines that the configuration changes. */
const comparable = (yaml: string): string =>
  yaml.replace(/^(info:\n {2}title:|servers:\n {2}- url:| {2}contact:\n {4}name:).*$/gm, '$1');

const endpointsOf = (contract: Contract): Set<string> =>
  new Set(contract.endpoints.map(({ method, path }) => `${method} ${path}`));

const listed = (what: string, names: Set<string>): string =>
  names.size === 0 ? '' : `; ${what}: ${[...names].slice(0, 5).join(', ')}`;

/** Compares the served document with the one of this version, whose text is `own`. */
export const openapi = (own: string): Check => ({
  group: GROUP,
  name: 'openapi',
  needs: ['live'],
  async run({ site }) {
    const { status, text } = await site.ask('/openapi.yaml');
    if (status === 200 && comparable(text) === comparable(own))
      return ok('the document is that of this version');
    if (status !== 200 || !/^openapi: 3/.test(text))
      return wrong(
        `/openapi.yaml answers ${status}, without the document`,
        'Let the proxy pass it.',
      );
    const [theirs, ours] = [endpointsOf(new Contract(text)), endpointsOf(new Contract(own))];
    const differences =
      listed('only there', theirs.difference(ours)) + listed('only here', ours.difference(theirs));
    return warning(
      `the deployment has another version, or a changed document${differences}`,
      'Run the check of the version that is deployed: this one compares the answers with its own document.',
    );
  },
});

export const metadata: Check = {
  group: GROUP,
  name: 'metadata',
  needs: ['live'],
  async run({ site }) {
    const path = `/.well-known/oauth-authorization-server${site.base}`;
    const answer = await site.askAt(path);
    const members = membersOf(answer);
    const issuer = members['issuer'];
    const key = `${issuer}/.well-known/jwks.json`;
    return verdictOf(
      textsOf([
        answer.status !== 200 && `${path} answers ${answer.status}`,
        answer.status === 200 && issuer !== site.url && `the issuer is ${issuer}, not ${site.url}`,
        answer.status === 200 && members['jwks_uri'] !== key && 'jwks_uri is not below the issuer',
      ]),
      `the issuer is ${site.url}`,
      'Set ISSUER to the URL that clients use, letter by letter, without a slash at the end. If it has a path, the proxy must also lead the address of RFC 8414 (before that path) to Latchkey.',
    );
  },
};
