import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { encode, segmentsOf } from '../attacks/forger.ts';
import { asList, guarded, LIST } from '../clients/guarded.ts';
import { folder } from '../databases.ts';
import { signedIn } from '../people.ts';
import { debianLibraries, ENV, isInstalled } from './debian-libraries.ts';
import { badTokens, boundToken } from './issuer.ts';

interface Recipe {
  /** Of the library, in `debianLibraries`. */
  row: string;
  file: string;
  /** Asks the recipe what the test asks. */
  main: string;
  build?: [string, ...string[]];
  command: [string, ...string[]];
}

const recipes: Recipe[] = [
  {
    row: 'Python: PyJWT 2 with cryptography',
    file: 'revoked.py',
    main: 'revoked_main.py',
    command: ['python3', 'revoked_main.py'],
  },
  {
    row: 'Go: golang-jwt 4 with go-jose 2',
    file: 'revoked.go',
    main: 'revoked_main.go',
    build: ['go', 'build', '-o', 'revoked', 'revoked.go', 'revoked_main.go'],
    command: ['./revoked'],
  },
];

const page = readFileSync('.github/VERIFYING.md', 'utf8');
const textOf = (file: string) =>
  String(new RegExp(`^(#|//) ${file}\\n[\\s\\S]*?(?=^\`\`\`$)`, 'm').exec(page)?.[0]);

/** A folder with the recipe of the page, as it is, ready to run. */
function built(t: Test, { file, main, build }: Recipe): string {
  const cwd = folder(t);
  writeFileSync(join(cwd, file), textOf(file));
  copyFileSync(join('test/verifiers', main), join(cwd, main));
  if (build) execFileSync(build[0], build.slice(1), { cwd, env: ENV });
  return cwd;
}

/** The recipe in a process that follows this issuer. */
function started(
  t: Test,
  { command: [program, ...words] }: Recipe,
  { cwd, issuer, whenAway = 'closed' }: { cwd: string; issuer: string; whenAway?: string },
) {
  const env = { ...ENV, ISSUER: issuer, AUDIENCE: issuer, WHEN_AWAY: whenAway };
  const child = spawn(program, words, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<string> => {
    child.stdin.write(`${line}\n`);
    return String((await answers.next()).value);
  };
  return { listen: () => ask('listen'), verify: (token: string) => ask(`verify ${token}`) };
}

for (const recipe of recipes) {
  t.test(`the recipe ${recipe.file} refuses a revoked token, and no other`, async (t) => {
    const library = debianLibraries.find(({ row }) => row === recipe.row);
    if (library === undefined || !(await isInstalled(library))) {
      t.comment(`NOT RUN: ${recipe.row} is not installed here, so ${recipe.file} was not tried`);
      return;
    }
    // First, because a list is valid for a minute.
    const cwd = built(t, recipe);
    const { node, network, ada, forger, list, instead } = await guarded(t);
    const bob = await signedIn(node, 'bob@example.com');
    const eve = await signedIn(node, 'eve@example.com');
    const place = { cwd, issuer: network.origin };
    const { listen, verify } = started(t, recipe, place);
    const open = started(t, recipe, { ...place, whenAway: 'open' });

    const seconds = Math.floor(node.clock.now / 1_000);
    const unheard = { 'no list': 'no list', 'an old list': list({ iat: seconds - 61 }) };
    for (const [name, document] of Object.entries(unheard)) {
      instead(LIST, asList(document));
      t.match(await listen(), name === 'no list' ? /^refused \w/ : 'heard', name);
      t.equal(await verify(ada.access_token), 'refused no news of revocations', name);
      t.equal(await open.verify(ada.access_token), `sub ${ada.id}`, `${name}, by choice`);
    }
    instead(LIST, undefined);

    t.equal(await listen(), 'heard', 'the whole list');
    for (const { id, access_token } of [ada, bob, eve])
      t.equal(await verify(access_token), `sub ${id}`);
    const now = Math.floor(node.clock.now / 1_000);
    for (const [name, token] of Object.entries(badTokens(forger, ada, now)))
      t.match(await verify(token), /^refused \w/, name);
    t.equal(await verify(boundToken(forger)), 'refused bound to a key');
    t.match(await verify(list()), /^refused \w/, 'a list is no access token');

    const aboutAda = { sessions: [forger.claims['sid']], users: { [ada.id]: 9 } };
    const [header, , signature] = segmentsOf(list());
    const forged = {
      'other claims under the signature': `${header}.${segmentsOf(list(aboutAda))[1]}.${signature}`,
      'no signature': `${encode({ ...forger.header, alg: 'none' })}.${segmentsOf(list(aboutAda))[1]}.`,
      'an access token': list(aboutAda, { typ: 'at+jwt' }),
      'for another audience': list({ ...aboutAda, aud: network.origin }),
      'of another issuer': list({ ...aboutAda, iss: 'https://other.example.com' }),
      expired: list({ ...aboutAda, iat: now - 120, exp: now - 60 }),
      'without an end': list({ ...aboutAda, exp: undefined }),
      'a part for another cursor': list({ ...aboutAda, since: 'another' }),
    };
    for (const [name, document] of Object.entries(forged)) {
      instead(LIST, asList(document));
      t.match(await listen(), /^refused \w/, name);
      t.equal(await verify(ada.access_token), `sub ${ada.id}`, `${name}: nothing was learned`);
    }
    instead(LIST, { status: 503, body: '' });
    t.match(await listen(), /^refused \w/, 'the issuer is away');
    instead(LIST, undefined);

    await node.as(bob.access_token, { method: 'POST', url: '/v1/logout' });
    await node.as(eve.access_token, { method: 'DELETE', url: '/v1/me/sessions' });
    t.equal(await listen(), 'heard', 'what came later');
    for (const { access_token } of [bob, eve])
      t.equal(await verify(access_token), 'refused revoked');
    t.equal(await verify(ada.access_token), `sub ${ada.id}`);

    for (const ver of [9, 0]) {
      instead(LIST, asList(list({ users: { [ada.id]: ver } })));
      t.equal(await listen(), 'heard');
      t.equal(await verify(ada.access_token), 'refused revoked', 'a lower number changes nothing');
    }
  });
}
