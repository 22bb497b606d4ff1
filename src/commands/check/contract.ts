import { parse } from 'yaml';
import { z } from 'zod';
import type { Answer } from './exchange.ts';

export interface JsonSchema {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: string[];
  examples?: unknown[];
  anyOf?: JsonSchema[];
  minLength?: number;
  maxLength?: number;
  required?: string[];
  properties?: Record<string, JsonSchema>;
}

interface Declared {
  $ref?: string;
  headers: Record<string, { $ref: string }>;
  content?: Record<string, { schema: JsonSchema; examples?: Record<string, unknown> }>;
}

interface Operation {
  operationId: string;
  security?: Record<string, unknown>[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, Declared>;
}

interface Document {
  info: { version: string };
  components: {
    schemas: Record<string, JsonSchema>;
    headers: Record<string, { required?: boolean; schema: JsonSchema }>;
    responses: Record<string, Declared>;
  };
  paths: Record<string, Record<string, Operation>>;
}

export interface Endpoint extends Operation {
  /** In upper case. */
  method: string;
  path: string;
}

/** The headers that have a check of their own. */
const CHECKED_APART = new Set(['cache-control', 'www-authenticate']);

/** Characters of a JSON answer that are judged: each value in it may become a fault. */
const MOST = 262_144;

const nameIn = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

const expressionOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);

/** The schema with everything that it refers to in its place. */
function inlined<Value>(value: Value, schemas: Record<string, JsonSchema>): Value {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => inlined(item, schemas)) as Value;
  const { $ref } = value as JsonSchema;
  if ($ref !== undefined) return inlined(schemas[nameIn($ref)], schemas) as Value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, inlined(member, schemas)]),
  ) as Value;
}

/** What the OpenAPI document of this version declares. Never that of a deployment: `$ref` could grow without end. */
export class Contract {
  readonly endpoints: Endpoint[];
  readonly #components: Document['components'];
  readonly #expressions: Map<Endpoint, RegExp>;
  readonly #schemas = new Map<JsonSchema, z.ZodType>();

  constructor(yaml: string) {
    const { paths, components } = parse(yaml) as Document;
    this.#components = components;
    this.endpoints = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        ...operation,
        ...(operation.requestBody && {
          requestBody: inlined(operation.requestBody, components.schemas),
        }),
        method: method.toUpperCase(),
        path,
      })),
    );
    this.#expressions = new Map(
      this.endpoints.map((endpoint) => [endpoint, expressionOf(endpoint.path)]),
    );
  }

  /** The endpoint of a request; undefined: none is declared. */
  endpointOf({ method, path }: Pick<Answer, 'method' | 'path'>): Endpoint | undefined {
    const asked = method === 'HEAD' ? 'GET' : method;
    return this.endpoints.find(
      (endpoint) => endpoint.method === asked && this.#expressions.get(endpoint)?.test(path),
    );
  }

  #zodOf(schema: JsonSchema): z.ZodType {
    const known = this.#schemas.get(schema);
    if (known !== undefined) return known;
    const whole = JSON.stringify({ ...schema, $defs: this.#components.schemas });
    const made = z.fromJSONSchema(
      JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/')),
    );
    this.#schemas.set(schema, made);
    return made;
  }

  /** What the headers of an answer lack, or have too many. */
  #headerFaults(declared: Declared, { headers }: Answer): string[] {
    const named = Object.entries(declared.headers).map(
      ([name, { $ref }]) => [name.toLowerCase(), this.#components.headers[nameIn($ref)]] as const,
    );
    const names = new Set(named.map(([name]) => name));
    const known = Object.keys(this.#components.headers).map((name) => name.toLowerCase());
    return [
      ...known
        .filter((name) => headers[name] !== undefined && !names.has(name))
        .map((name) => `has the header ${name}, which is not declared`),
      ...named
        .filter(([name, header]) => header?.required && headers[name] === undefined)
        .filter(([name]) => !CHECKED_APART.has(name))
        .map(([name]) => `lacks the header ${name}`),
      ...named
        .filter(([name, header]) => header?.schema.type === 'integer' && name in headers)
        .filter(([name]) => !/^\d+$/.test(String(headers[name])))
        .map(([name]) => `has the header ${name}, which is not a number`),
    ];
  }

  #bodyFaults(declared: Declared, { headers, text }: Answer): string[] {
    if (text === '') return [];
    const type = String(headers['content-type']).replace(/;.*/, '');
    const media = declared.content?.[type];
    if (media === undefined) return [`is ${type}, which is not declared`];
    if (!type.endsWith('json')) return [];
    if (text.length > MOST) return ['is longer than 256 KB'];
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return ['is not valid JSON'];
    }
    const { error } = this.#zodOf(media.schema).safeParse(value);
    if (error !== undefined)
      return error.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`);
    const { code } = value as { code?: string };
    return media.examples && code !== undefined && !(code in media.examples)
      ? [`has the code ${code}, which is not declared`]
      : [];
  }

  /** What the document does not declare of an answer: its status, headers, content type, code or members. */
  faultsOf(answer: Answer): string[] {
    const endpoint = this.endpointOf(answer);
    if (endpoint === undefined) return [];
    const where = `${answer.method} ${endpoint.path}: the answer ${answer.status}`;
    const found = endpoint.responses[answer.status];
    if (found === undefined) return [`${where} is not declared`];
    const declared =
      found.$ref === undefined
        ? found
        : (this.#components.responses[nameIn(found.$ref)] as Declared);
    return [...this.#headerFaults(declared, answer), ...this.#bodyFaults(declared, answer)].map(
      (fault) => `${where} ${fault}`,
    );
  }
}
