import { readFileSync } from 'node:fs';
import type { OpenAPIV3_1 } from 'openapi-types';
import { pino } from 'pino';
import { buildApp } from '../app.ts';
import { readConfig, variables } from '../config.ts';
import { buildContext } from '../context.ts';
import { newMasterSecret, newSigningKey } from '../parts/keys/new-keys.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

async function openApi(): Promise<{ yaml: string; document: OpenAPIV3_1.Document }> {
  const keys = { keys: [newSigningKey('ES256', 0), newMasterSecret(0)] };
  const config = readConfig({ DATABASE_URL: 'file::memory:', SIGNING_KEYS: JSON.stringify(keys) });
  const logger = pino({ level: 'silent' });
  const context = await buildContext(config, { logger });
  const app = await buildApp(context, { logger });
  await app.ready();
  const yaml = app.swagger({ yaml: true });
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

/** Who may call an operation, from its `security`. */
const callerOf = (security: OpenAPIV3_1.SecurityRequirementObject[] = []): string => {
  const schemes = security.map(
    (requirement) => Object.keys(requirement)[0] ?? 'a token in the body',
  );
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

/** Replaces the part of `text` between the markers of `name`. */
const replaced = (text: string, name: string, part: string): string =>
  text.replace(
    new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`),
    (_all, before: string, after: string) => `${before}${part}${after}`,
  );

/** The generated files, with the text that they should have. */
export async function documents(): Promise<{ path: string; text: string }[]> {
  const { yaml, document } = await openApi();
  const readme = replaced(
    replaced(readFileSync('README.md', 'utf8'), 'routes', routeTable(document)),
    'variables',
    variableTable(),
  );
  return [
    { path: 'openapi.yaml', text: yaml },
    { path: 'README.md', text: readme },
  ];
}
