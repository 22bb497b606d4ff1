import { membersOf } from './site.ts';
import { type Check, ok, textsOf, verdictOf, warning, wrong } from './verdict.ts';

const GROUP = 'Documents';

/** Without the lines that the configuration changes. */
const comparable = (yaml: string): string =>
  yaml.replace(/^(info:\n {2}title:|servers:\n {2}- url:| {2}contact:\n {4}name:).*$/gm, '$1');

const METHOD = /^ {4}(get|put|post|delete|options|head|patch|trace):$/;

/**
 * The method and path of each endpoint. Read by lines, in the form in which every version writes its document: a parser
 * of YAML would let the deployment choose how long it works (aliases, duplicate keys, references), and what it prints.
 */
export function endpointsIn(yaml: string): Set<string> {
  const found = new Set<string>();
  let path: string | undefined;
  const [, paths = ''] = yaml.split(/^paths:$/m, 2);
  for (const line of paths.split('\n')) {
    if (/^\S/.test(line)) break;
    path = /^ {2}(\/\S*):$/.exec(line)?.[1] ?? path;
    const method = METHOD.exec(line)?.[1];
    if (path !== undefined && method !== undefined) found.add(`${method.toUpperCase()} ${path}`);
  }
  return found;
}

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
    const [theirs, ours] = [endpointsIn(text), endpointsIn(own)];
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
    // Text: what else a deployment may send does not even turn into one.
    const issuer =
      typeof members['issuer'] === 'string' ? members['issuer'] : JSON.stringify(members['issuer']);
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
