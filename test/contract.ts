import { readFileSync } from 'node:fs';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { parse } from 'yaml';
import { seen } from './seen-codes.ts';

interface Declared {
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, { schema: object; examples?: object }>;
}

interface Document {
  components: {
    headers: Record<string, { required?: boolean; schema: object }>;
    responses: Record<string, Declared>;
  };
  paths?: Record<string, Record<string, { responses?: Record<string, Declared> }>>;
}

/** Paths that are there for people, not part of the contract. */
const UNDECLARED =
  /^\/(docs.*|openapi\.yaml|pages\/.*|\.well-known\/change-password|login|sign-up|forgot-password|reset-password|confirm-email|not-me|account|admin)?$/;

const expressionOf = (path: string) =>
  new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);

const document = parse(readFileSync('openapi.yaml', 'utf8')) as Document;
const ajv = new Ajv2020.default({ strict: false, allErrors: true, validateSchema: false });
addFormats.default(ajv);
ajv.addSchema({ ...document, $id: 'document' });
const paths = Object.entries(document.paths ?? {}).map(([path, item]) => ({
  path,
  item,
  expression: expressionOf(path),
}));

const resolved = (declared: (Declared & { $ref?: string }) | undefined): Declared | undefined =>
  declared?.$ref === undefined
    ? declared
    : document.components.responses[declared.$ref.split('/').at(-1) as string];

const validators = new Map<object, ValidateFunction>();

/** Compiled once; references lead into the document. */
function validatorOf(schema: object): ValidateFunction {
  const made =
    validators.get(schema) ??
    ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')));
  validators.set(schema, made);
  return made;
}

/** The headers that the document knows: an answer has them where they are declared, and nowhere else. */
const HEADERS = new Set(
  Object.keys(document.components.headers)
    .filter((name) => name !== 'Insufficient-Scope')
    .map((name) => name.toLowerCase()),
);

function headerViolation(declared: Declared, answer: LightMyRequestResponse): string | undefined {
  const known = new Map(
    Object.entries(declared.headers ?? {}).map(([name, { $ref }]) => [
      name.toLowerCase(),
      document.components.headers[$ref.split('/').at(-1) as string],
    ]),
  );
  const undeclared = Object.keys(answer.headers).filter(
    (name) => HEADERS.has(name) && !known.has(name),
  );
  if (undeclared.length > 0) return `does not declare the header ${undeclared}`;
  for (const [name, header] of known) {
    const value = answer.headers[name];
    if (value === undefined && header?.required) return `lacks the header ${name}`;
    if (value === undefined || header === undefined) continue;
    const isInteger = (header.schema as { type: string }).type === 'integer';
    if (isInteger && !/^\d+$/.test(String(value))) return `${name}: ${value} is not a number`;
  }
  return undefined;
}

/** What `openapi.yaml` does not declare of the answer (its status, headers, content type, code or schema), or undefined. */
export function violation(
  request: InjectOptions,
  answer: LightMyRequestResponse,
): string | undefined {
  const path = String(request.url).split('?', 1)[0] as string;
  const method = (request.method ?? 'GET').toLowerCase();
  // OpenAPI 3.1, Paths Object: a path without parameters comes first.
  const entry =
    paths.find((known) => known.path === path) ??
    paths.find(({ expression }) => expression.test(path));
  const operation = entry?.item[method === 'head' ? 'get' : method];
  if (entry === undefined || operation === undefined) {
    const expected = UNDECLARED.test(path) || [400, 404, 405, 429].includes(answer.statusCode);
    return expected
      ? undefined
      : `${method} ${path} is not declared, and answered ${answer.statusCode}`;
  }
  const declared = resolved(operation.responses?.[answer.statusCode]);
  const where = `${method} ${entry.path} ${answer.statusCode}`;
  if (declared === undefined) return `${where} is not declared: ${answer.payload}`;
  const header = headerViolation(declared, answer);
  if (header !== undefined) return `${where} ${header}`;
  if (answer.payload === '') return undefined;
  const type = String(answer.headers['content-type']).split(';', 1)[0] as string;
  if (declared.content?.[type] === undefined) return `${where} does not declare ${type}`;
  if (!type.endsWith('json')) return undefined;
  if (type === 'application/problem+json') {
    const { code } = answer.json() as { code: string };
    if (!(code in (declared.content[type].examples ?? {})))
      return `${where} does not declare the code ${code}`;
    seen(`${method} ${entry.path} ${code}`);
  }
  const validate = validatorOf(declared.content[type].schema);
  if (validate(answer.json())) return undefined;
  return `${where}: ${ajv.errorsText(validate.errors)}`;
}
