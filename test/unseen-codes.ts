/**
 * After all tests (`posttest`): which codes does the document declare that no test has seen? A code that the access,
 * the body or the limits of a route bring is declared for each of them by one rule, so one route has to show it. A
 * code that a route declares by itself has to be seen on that route.
 */
import { globSync, readFileSync, rmSync } from 'node:fs';
import { parse } from 'yaml';
import { SEEN } from './seen-codes.ts';

const BY_RULE = new Set([
  'bad_request',
  'body_too_large',
  'forbidden',
  'https_required',
  'internal_error',
  'invalid_dpop_proof',
  'invalid_input',
  'malformed_json',
  'rate_limited',
  'token_expired',
  'token_bound',
  'token_invalid',
  'token_missing',
  'token_revoked',
  'unavailable',
  'unsupported_media_type',
  'use_dpop_nonce',
]);

interface Answer {
  $ref?: string;
  content?: Record<string, { examples?: object }>;
}
interface Document {
  paths: Record<string, Record<string, { responses?: Record<string, Answer> }>>;
  components: { responses: Record<string, Answer> };
}

const { paths, components } = parse(readFileSync('openapi.yaml', 'utf8')) as Document;

const codesOf = (answer: Answer): string[] => {
  const name = answer.$ref?.split('/').at(-1);
  const { content } = name === undefined ? answer : (components.responses[name] as Answer);
  return Object.keys(content?.['application/problem+json']?.examples ?? {});
};

const seen = new Set(
  globSync(`${SEEN}/*.txt`).flatMap((file) => readFileSync(file, 'utf8').split('\n')),
);
const seenSomewhere = new Set([...seen].map((line) => line.split(' ')[2]));

const unseen = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, { responses = {} }]) =>
    Object.values(responses)
      .flatMap(codesOf)
      .filter((code) =>
        BY_RULE.has(code) ? !seenSomewhere.has(code) : !seen.has(`${method} ${path} ${code}`),
      )
      .map((code) => `${method} ${path} declares ${code}, and no test sees it`),
  ),
);
// What a run saw says nothing of the next one.
rmSync(SEEN, { recursive: true, force: true });

for (const line of new Set(unseen)) console.error(line);
process.exitCode = unseen.length > 0 ? 1 : 0;
