import type { OpenAPIV3_1 } from 'openapi-types';
import { ProblemCode } from '../schemas/problem.ts';
import { oauthExamples } from './oauth.ts';
import { exampleOf, problems } from './problem-catalogue.ts';
import { type HeaderName, headers, headersOf } from './response-headers.ts';

/** The operations that answer errors in the form of RFC 6749. */
const SPEAKS_OAUTH = /^post (\/oauth\/|\/v1\/login\/\{provider\}\/callback$)/;

/** The document as the plugin makes it. */
export interface Made {
  components: OpenAPIV3_1.ComponentsObject & { schemas: Record<string, { description?: string }> };
  paths: Record<string, OpenAPIV3_1.PathItemObject>;
}

/** zod registers each schema for input and for output; what nothing refers to is left out. */
function withoutUnused(document: Made): Made {
  const text = JSON.stringify(document);
  const all = Object.entries(document.components.schemas);
  const used = all.filter(([name]) => text.includes(`"#/components/schemas/${name}"`));
  const schemas = Object.fromEntries(used);
  const smaller = { ...document, components: { ...document.components, schemas } };
  // What was left out may have been the only one to refer to another.
  return used.length === all.length ? smaller : withoutUnused(smaller);
}

/**
 * zod registers a schema for input as `NameInput`. It is `Name` in the document, unless an answer uses another form of it
 * under that name.
 */
function withPlainNames(document: Made): Made {
  const { schemas } = document.components;
  const plain = (name: string): string => name.replace(/Input$/, '');
  const form = (name: string): string =>
    JSON.stringify(schemas[name]).replaceAll(/"#\/components\/schemas\/\w+"/g, (reference) =>
      reference.replace(/Input"$/, '"'),
    );
  const differs = (name: string): boolean =>
    plain(name) in schemas && form(plain(name)) !== form(name);
  const names = new Map(
    Object.keys(schemas).map((name) => [name, differs(name) ? name : plain(name)]),
  );
  const renamed = JSON.parse(
    JSON.stringify(document).replaceAll(
      /(?<="#\/components\/schemas\/)\w+(?=")/g,
      (name) => names.get(name) as string,
    ),
  ) as Made;
  const entries = Object.entries(renamed.components.schemas)
    .map(([name, schema]) => [names.get(name) as string, schema] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    ...renamed,
    components: { ...renamed.components, schemas: Object.fromEntries(entries) },
  };
}

/** A request whose token may be in the cookie needs no body; the document builder takes every body for required. */
function withOptionalBodies(document: Made): Made {
  for (const item of Object.values(document.paths)) {
    const { security, requestBody } = item.post ?? {};
    if (requestBody === undefined || '$ref' in requestBody) continue;
    requestBody.required = !security?.some((scheme) => 'refreshCookie' in scheme);
  }
  return document;
}

type Answer = OpenAPIV3_1.ResponseObject;

/** Every answer of the document, with where it stands. */
function* answersIn(document: Made) {
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) {
      const answers = (item[method]?.responses ?? {}) as Record<string, Answer | Reference>;
      for (const status of Object.keys(answers))
        yield { route: `${method} ${path}`, status, answers, answer: answers[status] as Answer };
    }
}

type Reference = OpenAPIV3_1.ReferenceObject;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Described {
  $ref?: string;
  description?: string;
}

/** The description of its schema stands for an answer that a route does not describe. */
function withDescriptions(document: Made): Made {
  for (const { answer } of answersIn(document)) {
    if (answer.description !== UNDESCRIBED) continue;
    const [media] = Object.values(answer.content as Record<string, { schema: Described }>);
    const { $ref, description } = (media as { schema: Described }).schema;
    const named = document.components.schemas[String($ref).split('/').at(-1) as string];
    answer.description = (description ?? named?.description) as string;
  }
  return document;
}

/** What the plugin writes where nothing is said. */
const UNDESCRIBED = 'Default Response';

/** What routes declare and schemas cannot say, by method and path: `get /v1/whoami`. */
export type Declared = Map<string, Declaration>;
interface Declaration {
  headers: Record<number, HeaderName[]> | undefined;
  codes: ProblemCode[];
}

/** The codes of each refusal, each with a true example. */
function withExamples(document: Made, declared: Declared): Made {
  for (const { route, status, answer } of answersIn(document)) {
    const oauth = answer.content?.['application/json'];
    if (oauth && SPEAKS_OAUTH.test(route) && Number(status) >= 400)
      oauth.examples = oauthExamples(Number(status));
    const media = answer.content?.['application/problem+json'];
    if (media === undefined) continue;
    const { codes } = declared.get(route) as Declaration;
    media.examples = Object.fromEntries(
      codes
        .filter((code) => problems[code].status === Number(status))
        .map((code) => [code, { $ref: `#/components/examples/${code}` }]),
    );
  }
  return document;
}

function withHeaders(document: Made, declared: Declared): Made {
  for (const { route, status, answer } of answersIn(document))
    answer.headers = headersOf(
      Number(status),
      declared.get(route)?.headers?.[Number(status)],
    ) as NonNullable<Answer['headers']>;
  return document;
}

/** Of the codes that some route declares. */
const examplesOf = (codes: Set<ProblemCode>): Record<string, { summary: string; value: object }> =>
  Object.fromEntries(
    ProblemCode.options
      .filter((code) => codes.has(code))
      .map((code) => [code, { summary: problems[code].title, value: exampleOf(code) }]),
  );

/** `TokenMissingOrTokenExpired`, from the codes that a refusal can have. */
const nameOf = ({ content }: Answer): string | undefined => {
  const codes = Object.keys(content?.['application/problem+json']?.examples ?? {});
  const words = codes.map((code) =>
    code.replaceAll(/(?:^|_)(.)/g, (_, letter) => letter.toUpperCase()),
  );
  return words.join('Or') || undefined;
};

/** Refusals that several routes have in common are written once: the document would be twice as long. */
function withSharedAnswers(document: Made): Made {
  const places = Map.groupBy(answersIn(document), ({ answer }) => JSON.stringify(answer));
  const responses: Record<string, Answer> = {};
  for (const same of places.values()) {
    const { answer } = same[0] as (typeof same)[0];
    const name = nameOf(answer);
    if (name === undefined || same.length === 1) continue;
    responses[name] = answer;
    for (const { answers, status } of same)
      answers[status] = { $ref: `#/components/responses/${name}` };
  }
  return { ...document, components: { ...document.components, responses } };
}

/** The document with everything that the routes' schemas do not say. */
export function finished(made: Made, declared: Declared): Made {
  const described = withDescriptions(withOptionalBodies(withPlainNames(withoutUnused(made))));
  const document = withSharedAnswers(withExamples(withHeaders(described, declared), declared));
  const codes = new Set([...declared.values()].flatMap((route) => route.codes));
  const components = { ...document.components, headers, examples: examplesOf(codes) };
  return { ...document, components };
}
