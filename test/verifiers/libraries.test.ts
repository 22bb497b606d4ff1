import { readFileSync } from 'node:fs';
import t from 'tap';
import type { SigningAlgorithm } from '../../src/schemas/jwk.ts';
import { debianLibraries, isInstalled, verdicts } from './debian-libraries.ts';
import { badTokens, issuing } from './issuer.ts';
import { nodeLibraries } from './node-libraries.ts';

const ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] satisfies SigningAlgorithm[];

for (const alg of ALGORITHMS) {
  t.test(`KEY-01 unchanged libraries read our ${alg} tokens by the key set alone`, async (t) => {
    const { trust, ada, forger, now } = await issuing(t, alg);
    // The forger's own shows that a bad token is refused for what is wrong with it alone.
    const good = [ada.access_token, forger.make()];
    const bad = badTokens(forger, ada, now);

    for (const library of nodeLibraries) {
      await t.test(library.row, async (t) => {
        const verify = await library.build(trust, t);
        for (const token of good)
          if (library.algorithms.includes(alg)) t.equal(await verify(token), ada.id);
          else await t.rejects(verify(token), 'it does not know the algorithm');
        for (const [name, token] of Object.entries(bad)) await t.rejects(verify(token), name);
      });
    }

    for (const library of debianLibraries) {
      if (!(await isInstalled(library))) {
        t.comment(
          `NOT RUN: ${library.package} is not installed here: ${library.row} was not tried`,
        );
        continue;
      }
      const answers = await verdicts(library, trust, [...good, ...Object.values(bad)]);
      t.equal(answers.length, good.length + Object.keys(bad).length, 'an answer for each token');
      for (const answer of answers.splice(0, good.length))
        if (library.algorithms.includes(alg)) t.equal(answer, `sub ${ada.id}`, library.row);
        else t.match(answer, /^refused /, `${library.row} does not know the algorithm`);
      for (const [index, name] of Object.keys(bad).entries())
        t.match(answers[index], /^refused \w/, `${library.row}: ${name}`);
    }
  });
}

t.test('the table of libraries says what was seen here', async (t) => {
  const page = readFileSync('.github/VERIFYING.md', 'utf8');
  const tested = [...nodeLibraries, ...debianLibraries];
  for (const { row, algorithms } of tested) {
    const cells = ALGORITHMS.map((alg) => ((algorithms as string[]).includes(alg) ? 'yes' : 'no'));
    t.ok(page.includes(`| ${row} | ${cells.join(' | ')} |`), row);
  }
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const versions = { ...dependencies, ...devDependencies };
  for (const { row } of nodeLibraries)
    for (const [, name = '', major] of row.matchAll(/([a-z-]+) (\d+)/g))
      t.match(versions[name], new RegExp(`^${major}\\.`), `${row}: the version of ${name}`);
});
