import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { parse } from 'yaml';

interface Declared {
  content?: Record<string, { schema: object }>;
}

interface Document {
  paths?: Record<string, Record<string, { responses?: Record<string, Declared> }>>;
}

/** Paths that are there for people, not part of the contract. */
const UNDECLARED =
  /^\/(docs.*|openapi\.yaml|login|sign-up|forgot-password|reset-password|confirm-email)?$/;

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

/** What `openapi.yaml` does not declare of the answer (its status, content type or schema), or undefined. */
export function violation(
  request: InjectOptions,
  answer: LightMyRequestResponse,
): string | undefined {
  const path = String(request.url).split('?', 1)[0] as string;
  const method = (request.method ?? 'GET').toLowerCase();
  const entry = paths.find(({ expression }) => expression.test(path));
  const operation = entry?.item[method === 'head' ? 'get' : method];
  if (entry === undefined || operation === undefined) {
    const expected = UNDECLARED.test(path) || [400, 404, 405, 429].includes(answer.statusCode);
    return expected
      ? undefined
      : `${method} ${path} is not declared, and answered ${answer.statusCode}`;
  }
  const declared = operation.responses?.[answer.statusCode];
  const where = `${method} ${entry.path} ${answer.statusCode}`;
  if (declared === undefined) return `${where} is not declared: ${answer.payload}`;
  if (answer.payload === '') return undefined;
  const type = String(answer.headers['content-type']).split(';', 1)[0] as string;
  if (declared.content?.[type] === undefined) return `${where} does not declare ${type}`;
  if (!type.endsWith('json')) return undefined;
  const pointer = [
    'paths',
    entry.path,
    method,
    'responses',
    answer.statusCode,
    'content',
    type,
    'schema',
  ]
    .map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.getSchema(`document#/${pointer}`);
  if (validate?.(answer.json())) return undefined;
  return `${where}: ${ajv.errorsText(validate?.errors)}`;
}
