import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { parse, stringify } from 'yaml';
import type { Config } from '../config.ts';
import { basePath } from './base-path.ts';

const FILE = new URL('../../openapi.yaml', import.meta.url);

/** The parts of the document that depend on the configuration. */
export const ownPartOf = (config: Config) => ({
  openapi: '3.1.0',
  info: {
    title: config.PRODUCT_NAME,
    version: '1',
    description: 'Knows who a user is, and says so in a signed token that lives 15 minutes.',
    license: { name: 'MIT', identifier: 'MIT' },
    contact: { name: `The people who run ${config.PRODUCT_NAME}` },
  },
  servers: [{ url: basePath(config) || '/', description: 'This server.' }],
});

/** The committed document, with the parts that depend on the configuration. */
function textOf(config: Config): string {
  const { servers, ...heading } = ownPartOf(config);
  const text = readFileSync(FILE, 'utf8');
  const [from, to, end] = ['\ncomponents:', '\nservers:', '\ntags:'].map(
    (key) => text.indexOf(key) + 1,
  ) as [number, number, number];
  return [stringify(heading), text.slice(from, to), stringify({ servers }), text.slice(end)].join(
    '',
  );
}

/**
 * Serves the committed document, so that a running service does not load what generates it. It is read when asked for,
 * and kept only as an object. The docs page finds it under the name of the plugin that it requires.
 */
export async function registerDocument(app: FastifyInstance, config: Config): Promise<void> {
  let document: ReturnType<FastifyInstance['swagger']> | undefined;
  const swagger = (options?: { yaml?: boolean }) => {
    if (options?.yaml) return textOf(config);
    document ??= parse(textOf(config));
    return document;
  };
  const plugin = async (scope: FastifyInstance) => {
    scope.decorate('swagger', swagger as FastifyInstance['swagger']);
  };
  await app.register(
    Object.assign(plugin, {
      [Symbol.for('skip-override')]: true,
      [Symbol.for('plugin-meta')]: { name: '@fastify/swagger' },
    }),
  );
}
