import { readFileSync } from 'node:fs';
import type { OpenAPIV3_1 } from 'openapi-types';
import { pino } from 'pino';
import { buildApp } from '../app.ts';
import { variables } from '../config/environment.ts';
import { readConfig } from '../config.ts';
import { buildContext } from '../context.ts';
import { withOwnPart } from '../http/openapi-file.ts';
import { generateDocument } from '../http/openapi-generator.ts';
import { newMasterSecret, newSigningKey } from '../parts/keys/new-keys.ts';
import { type Described, METRICS } from '../parts/metric-catalogue.ts';
import { clientModules } from './client-module.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

async function openApi(): Promise<{ yaml: string; document: OpenAPIV3_1.Document }> {
  const keys = { keys: [newSigningKey('ES256', 0), newMasterSecret(0)] };
  const config = readConfig({ DATABASE_URL: 'file::memory:', SIGNING_KEYS: JSON.stringify(keys) });
  const logger = pino({ level: 'silent' });
  const context = await buildContext(config, { logger });
  const app = await buildApp(context, { logger, document: generateDocument });
  await app.ready();
  const yaml = withOwnPart(app.swagger({ yaml: true }), config);
  const document = app.swagger() as OpenAPIV3_1.Document;
  await app.close();
  await context.close();
  return { yaml, document };
}

const row = (cells: string[]) => `| ${cells.join(' | ')} |`;

const variableTable = (): string =>
  [
    row(['variable', 'default', 'meaning']),
    row(['---', '---', '---']),
    ...variables.map(({ name, fallback, meaning }) => row([`\`${name}\``, fallback, meaning])),
  ].join('\n');

const metricTable = (): string =>
  [
    row(['metric', 'labels', 'says']),
    row(['---', '---', '---']),
    ...Object.entries<Described>(METRICS).map(([name, { help, labels = {} }]) =>
      row([
        `\`${name}\``,
        Object.keys(labels)
          .map((label) => `\`${label}\``)
          .join(', '),
        help,
      ]),
    ),
  ].join('\n');

/** Who may call an operation, as its `security` says. */
const callerOf = (security: OpenAPIV3_1.SecurityRequirementObject[] = []): string => {
  const schemes = security
    .map((requirement) => Object.keys(requirement)[0] ?? 'a token in the body')
    // The same callers as `bearer`.
    .filter((scheme) => scheme !== 'dpop');
  return schemes.length === 0 ? 'anyone' : schemes.join(', ');
};

const routeTable = (document: OpenAPIV3_1.Document): string =>
  [
    row(['route', 'caller', 'does']),
    row(['---', '---', '---']),
    ...Object.entries(document.paths as OpenAPIV3_1.PathsObject).flatMap(([path, item]) =>
      METHODS.flatMap((method) => {
        const operation = item?.[method];
        const route = `\`${method.toUpperCase()} ${path}\``;
        return operation
          ? [row([route, callerOf(operation.security), String(operation.summary)])]
          : [];
      }),
    ),
  ].join('\n');

/** The page at `path` with the part between its markers of each name replaced. */
const withTables = (path: string, tables: Record<string, string>) => ({
  path,
  text: Object.entries(tables).reduce(
    (text, [name, table]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`),
        (_all, before: string, after: string) => `${before}${table}${after}`,
      ),
    readFileSync(path, 'utf8'),
  ),
});

/** The files and tables that are generated from the code, as they should be. */
export async function documents(): Promise<{ path: string; text: string }[]> {
  const { yaml, document } = await openApi();
  return [
    { path: 'openapi.yaml', text: yaml },
    ...clientModules(),
    withTables('.github/CLIENTS.md', { routes: routeTable(document) }),
    withTables('.github/OPERATING.md', { variables: variableTable(), metrics: metricTable() }),
  ];
}
