import { globSync, readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectralCore from '@stoplight/spectral-core';
import spectralParsers from '@stoplight/spectral-parsers';
import spectralRulesets from '@stoplight/spectral-rulesets';
import type { OpenAPIV3_1 } from 'openapi-types';
import t from 'tap';
import { parse } from 'yaml';
import { buildApp } from '../../src/app.ts';
import { finished, type Made } from '../../src/http/openapi-document.ts';
import { generateDocument } from '../../src/http/openapi-generator.ts';
import { problems } from '../../src/http/problem-catalogue.ts';
import { ProblemCode } from '../../src/schemas/problem.ts';
import { testApp } from '../test-app.ts';
import { OPERATIONS } from './operation-ids.ts';

const source = readFileSync('openapi.yaml', 'utf8');
const document = parse(source) as OpenAPIV3_1.Document;
type Schema = { examples?: unknown[]; enum?: string[]; properties?: Record<string, Schema> };
type Media = { schema?: Schema; example?: unknown; examples?: object };
type Answer = {
  description: string;
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, Media>;
};

const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  (['get', 'post', 'put', 'patch', 'delete'] as const).flatMap((method) => {
    const operation = item?.[method];
    return operation ? [{ where: `${method} ${path}`, method, path, operation }] : [];
  }),
);
const answersOf = (operation: OpenAPIV3_1.OperationObject) =>
  Object.entries(operation.responses ?? {}).map(([status, answer]): [string, Answer] => [
    status,
    ('$ref' in answer
      ? document.components?.responses?.[String(answer.$ref).replace(/.*\//, '')]
      : answer) as Answer,
  ]);

/** The schema itself, or the component that it refers to. */
const resolve = (schema: Schema & { $ref?: string }): Schema =>
  schema.$ref
    ? (document.components?.schemas?.[schema.$ref.replace(/.*\//, '')] as Schema)
    : schema;
const hasExample = ({ example, examples = {}, schema = {} }: Media): boolean =>
  example !== undefined ||
  Object.keys(examples).length > 0 ||
  (resolve(schema).examples?.length ?? 0) > 0;

const isSchemas = (value: unknown) => typeof value === 'object' && value !== null;

t.test('the document that is served is the one that the routes generate', async (t) => {
  for (const env of [
    {},
    { PRODUCT_NAME: 'Q&A: "Harbour", <i>Ltd\\', ISSUER: 'http://localhost:3000/auth/v2.1' },
    { PRODUCT_NAME: 'The Honourable Harbour and Lighthouse Company of Example Islands' },
  ]) {
    const { app, context } = await testApp(t, { env });
    const generating = await buildApp(context, { logger: app.log, document: generateDocument });
    await generating.ready();
    const base = new URL(context.config.ISSUER).pathname.replace(/\/$/, '');
    const answer = await app.inject({ url: `${base}/openapi.yaml` });
    t.equal(answer.statusCode, 200);
    t.equal(answer.headers['content-type'], 'application/yaml');
    t.same(parse(answer.payload), generating.swagger());
    await generating.close();
  }
  const { inject } = await testApp(t);
  t.equal((await inject({ url: '/openapi.yaml' })).payload, source, 'it is committed');
  t.match(document.openapi, /^3\.1\./);
});

t.test('every operation has a description, its security and examples', async (t) => {
  const tags = document.tags?.map(({ name }) => name) ?? [];
  t.equal(operations.length, 73);
  const ids = operations.map(({ operation }) => operation.operationId);
  t.equal(new Set(ids).size, ids.length, 'each ID appears once');
  for (const { where, operation } of operations) {
    t.match(operation.operationId, /^[a-z][a-zA-Z]+$/, where);
    t.ok(operation.summary && operation.description, `${where}: summary and description`);
    t.equal(operation.tags?.length, 1, where);
    t.ok(tags.includes(operation.tags?.[0] ?? ''), `${where}: its tag is explained`);
    t.type(operation.security, Array, `${where}: says who may call it`);
    const body = (operation.requestBody as OpenAPIV3_1.RequestBodyObject | undefined)?.content;
    for (const media of Object.values(body ?? {}) as Media[])
      t.ok(hasExample(media), `${where}: an example of its body`);
    const answers = answersOf(operation);
    t.ok(
      answers.some(([status]) => /^(2|303)/.test(status)),
      `${where}: a good answer`,
    );
    for (const [status, { content = {}, headers = {} }] of answers) {
      for (const [type, media] of Object.entries(content))
        if (type.endsWith('json')) t.ok(hasExample(media), `${where} ${status}: an example`);
      const declared = Object.values(headers).map(({ $ref }) => $ref.replace(/.*\//, ''));
      t.ok(declared.includes('Cache-Control'), `${where} ${status}: its headers`);
      for (const name of declared)
        t.ok(document.components?.headers?.[name], `${where} ${status}: ${name} is explained`);
    }
  }
});

t.test('the operation IDs are those that generated clients call', async (t) => {
  t.same(
    Object.fromEntries(operations.map(({ where, operation }) => [where, operation.operationId])),
    OPERATIONS,
    'a new name breaks the code of every client that was generated before',
  );
});

/** Every schema that another contains, with the place where it is. */
function* within(schema: unknown, place: string): Generator<[string, Record<string, unknown>]> {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    // An example is a value, whatever its members are called.
    if (/^examples?$/.test(key) || typeof value !== 'object' || value === null) continue;
    const inner = `${place}/${key}`;
    yield [inner, value as Record<string, unknown>];
    yield* within(value, inner);
  }
}

t.test('every object and every list of values has a name', async (t) => {
  const { schemas = {}, ...components } = document.components ?? {};
  const unnamed = ([, { type, enum: values, properties, allOf, oneOf }]: [
    string,
    Record<string, unknown>,
  ]) => type === 'object' || Array.isArray(values) || [properties, allOf, oneOf].some(isSchemas);
  const places = [
    ...within(document.paths, 'paths'),
    ...within(components, 'components'),
    ...Object.entries(schemas).flatMap(([name, schema]) => [...within(schema, name)]),
  ];
  t.same(places.filter(unnamed), [], 'a generator would make up a name for it');
  const names = Object.keys(schemas);
  for (const name of names) t.match(name, /^[A-Z][A-Za-z]+$/);
  t.same(
    names.filter((name) => /(?<!^)Input$|\d$/.test(name)),
    [],
    'nor does zod',
  );
  t.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
});

t.test('a schema that an answer has in another form keeps a name of its own', async (t) => {
  const form = (minimum: number) => ({ type: 'integer', minimum });
  const use = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  const components = {
    schemas: {
      AgeInput: form(18),
      Age: form(0),
      SizeInput: form(1),
      Size: form(1),
      Name: { type: 'string' },
      UnusedInput: form(7),
      PersonInput: { properties: { age: use('AgeInput'), size: use('SizeInput') } },
      PetInput: { properties: { size: use('SizeInput') } },
      Pet: { properties: { size: use('Size') } },
    },
  };
  const names = ['PersonInput', 'PetInput', 'Pet', 'Age'];
  const paths = { '/': { parameters: names.map((name) => ({ schema: use(name) })) } };
  const made = finished({ components, paths } as unknown as Made, new Map());
  t.same(made.components.schemas, {
    Age: form(0),
    AgeInput: form(18),
    Person: { properties: { age: use('AgeInput'), size: use('Size') } },
    Pet: { properties: { size: use('Size') } },
    Size: form(1),
  });
});

t.test(
  'every operation declares what its access, its body and the limits can answer',
  async (t) => {
    for (const { where, method, path, operation } of operations) {
      const declared = answersOf(operation).map(([status]) => status);
      // What takes forms answers as RFC 6749 requires: another format, and 400 for invalid input.
      const oauth = path.startsWith('/oauth/') || where === 'post /v1/login/{provider}/callback';
      const bearer = JSON.stringify(operation.security) === '[{"bearer":[]}]';
      const expected = [
        '400',
        '403',
        '429',
        '500',
        ...(bearer ? ['401'] : []),
        ...(method === 'get' ? [] : ['413', '415']),
        ...(operation.requestBody && !oauth ? ['422'] : []),
      ];
      for (const status of expected) t.ok(declared.includes(status), `${where} ${status}`);
      for (const [status, { content, description }] of answersOf(operation)) {
        if (Number(status) < 400 || where === 'get /readyz') continue;
        const type = oauth ? 'application/json' : 'application/problem+json';
        t.same(Object.keys(content ?? {}), [type], `${where} ${status}`);
        if (oauth) continue;
        t.match(description, /^`\w+`: /, `${where} ${status} names its codes`);
      }
    }
  },
);

t.test('who comes back from a provider has its cookie', async (t) => {
  const comes = operations.find(
    ({ operation: { operationId } }) => operationId === 'comeBackFromProvider',
  );
  t.same(comes?.operation.security, [{ providerCookie: [] }]);
  t.match(document.components?.securitySchemes?.['providerCookie'], { in: 'cookie' });
});

t.test('a body is required unless a cookie can replace it', async (t) => {
  const optional = operations.filter(
    ({ operation: { requestBody } }) =>
      requestBody && !('$ref' in requestBody) && requestBody.required === false,
  );
  t.same(
    optional.map(({ where }) => where),
    ['post /v1/refresh', 'post /v1/logout'],
  );
});

t.test('the codes in the code, in the document and on the pages are the same', async (t) => {
  const { inject } = await testApp(t);
  const codes = [...ProblemCode.options].sort();
  t.same(Object.keys(problems).sort(), codes);
  t.same([...(resolve({ $ref: 'ProblemCode' } as Schema).enum ?? [])].sort(), codes);
  const mentioned = operations.flatMap(({ operation }) =>
    answersOf(operation).flatMap(([, { description }]) =>
      [...description.matchAll(/^`(\w+)`: /gm)].map(([, code]) => code as string),
    ),
  );
  for (const code of new Set(mentioned)) t.ok(codes.includes(code as ProblemCode), code);
  for (const code of codes)
    t.equal((await inject({ url: `/problems/${code}` })).statusCode, 200, code);
});

t.test('each code is in one file of the catalogue', async (t) => {
  const named = globSync('src/http/problem-catalogue/*.ts').flatMap(
    (path) => readFileSync(path, 'utf8').match(/(?<=^ {2})\w+(?=: \{$)/gm) ?? [],
  );
  t.same(named.sort(), [...ProblemCode.options].sort());
});

t.test('every code is used somewhere', async (t) => {
  const code = globSync(
    'src/{app.ts,http/**/*.ts,routes/**/*.ts,actions/**/*.ts,parts/**/*.ts,rules/*.ts}',
    // The catalogue itself is not a use of a code.
    { exclude: ['src/http/problem-catalogue/*.ts'] },
  ).map((path) => readFileSync(path, 'utf8'));
  const unsaid = ProblemCode.options.filter(
    (name) =>
      !code.some((text) =>
        new RegExp(`Refusal\\(\\s*'${name}'|: '${name}'|\\?\\? '${name}'`).test(text),
      ),
  );
  t.same(unsaid, []);
});

t.test('Redocly finds no fault in the document', async (t) => {
  const config = await createConfig({ extends: ['recommended'] });
  const found = await lintFromString({ source, absoluteRef: 'openapi.yaml', config });
  t.same(
    found.map(({ ruleId, location }) => `${ruleId}: ${location[0]?.pointer}`),
    // They only redirect.
    ['{provider}/get', '{provider}~1callback/get', '{provider}~1callback/post'].map(
      (path) => `operation-2xx-response: #/paths/~1v1~1login~1${path}/responses`,
    ),
  );
  const broken = source.replace('operationId: login', 'operationId: register');
  const faults = await lintFromString({ source: broken, absoluteRef: 'openapi.yaml', config });
  t.ok(faults.length > 0, 'and it does report a fault');
});

t.test('Spectral finds no fault in the document', async (t) => {
  const spectral = new spectralCore.Spectral();
  spectral.setRuleset({ extends: [spectralRulesets.oas] } as Parameters<
    typeof spectral.setRuleset
  >[0]);
  const findings = async (text: string) =>
    (await spectral.run(new spectralCore.Document(text, spectralParsers.Yaml, 'openapi.yaml'))).map(
      ({ code, message, path }) => `${code} ${path.join('.')}: ${message}`,
    );
  t.same(await findings(source), []);
  t.ok(
    (await findings(source.replace('operationId: login', 'operationId: register'))).length > 0,
    'and it does report a fault',
  );
});
